"""Every kind of wrong field of the workbench, its place, and the words that answer it."""

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest

import config
from config import notebooks
from config.instances import NOTEBOOK
from rehearsal.recorded_types import schema
from stacks.hosting_checks import problems

RefusedOnce = Callable[..., None]
Refused = Callable[[str | bytes], config.ConfigurationError]


def notebook(more: str, name: str = "mine") -> str:
    """Return YAML whose line 3 holds a notebook instance."""
    return f"name: x\nworkbench:\n  notebooks: {{{name}: {{{more}}}}}\n"


AT = "workbench.notebooks.mine"

# A row is one kind of error: YAML, the line and path of its only error, then words in it.
CASES = {
    "nothing": ("name: x\nworkbench: {}", "2", "workbench:", "has no notebooks"),
    "name": (notebook("", "My_Notebook"), "3", "workbench.notebooks.My_Notebook:", "lower-case"),
    "type that notebooks do not have": (
        notebook("instance_type: ml.m5.large"),
        "3", f"{AT}.instance_type:", "is unknown",
    ),
    "type without its beginning": (
        notebook("instance_type: t3.medium"),
        "3", f"{AT}.instance_type:", "did you mean ml.t3.medium",
    ),
    "volume too small": (notebook("volume_gb: 4"), "3", f"{AT}.volume_gb:", "from 5 to 16,384"),
    "volume too large": (
        notebook("volume_gb: 16385"), "3", f"{AT}.volume_gb:", "from 5 to 16,384",
    ),
    "idle too short": (
        notebook("idle_minutes: 9"), "3", f"{AT}.idle_minutes:", "from 10 to 43,200",
    ),
    "idle too long": (notebook("idle_minutes: 43201"), "3", f"{AT}.idle_minutes:", "43,200"),
    "hours of nothing": (notebook("hours: {}"), "3", f"{AT}.hours:", "start, stop or both"),
    "hours by a rate": (
        notebook("hours: {stop: rate(1 day)}"),
        "3", f"{AT}.hours.stop:", "no time of day",
    ),
    "hours that are none": (
        notebook('hours: {start: "cron(0 25 * * ? *)"}'),
        "3", f"{AT}.hours.start:", "25 where 0 to 23",
    ),
    "time zone": (
        notebook('hours: {start: "cron(0 8 * * ? *)", timezone: "UTC+1"}'),
        "3", f"{AT}.hours.timezone:", "Europe/Berlin",
    ),
    "repository by SSH": (
        notebook('repositories: [{url: "git@github.com:a/b.git"}]'),
        "3", f"{AT}.repositories[0].url:", "fetched by SSH",
    ),
    "repository with a password": (
        notebook('repositories: [{url: "https://me:pw@github.com/a/b"}]'),
        "3", f"{AT}.repositories[0].url:", "secret_arn",
    ),
    "repository twice": (
        notebook('repositories: [{url: "https://x.org/a/b"}, {url: "https://x.org/a/b"}]'),
        "3", f"{AT}.repositories[1]:", "already in the list",
    ),
    "secret of another partition": (
        notebook(
            'repositories: [{url: "https://x.org/a/b", '
            'secret_arn: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a"}]'
        )
        + "region: eu-west-1\n",
        "3", f"{AT}.repositories[0].secret_arn:", "is in partition aws-cn",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_wrong_field_is_refused(case: str, refused_once: RefusedOnce) -> None:
    refused_once(*CASES[case])


def test_all_is_said_at_once(refused: Refused) -> None:
    text = notebook("volume_gb: 1, idle_minutes: 1, instance_type: big")
    assert len(refused(text).problems) == 3


@pytest.mark.parametrize("field", ["on_create", "on_start"])
def test_script_that_is_too_long_with_our_own_part_is_refused(tmp_path: Any, field: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(notebook(f'{field}: "{"echo x; " * 1500}"'))
    if field == "on_create":
        config.load(path, check=problems)
        return
    with pytest.raises(config.ConfigurationError, match=r"base64.*\n.*\n.*16,384"):
        config.load(path, check=problems)


def test_safe_defaults() -> None:
    assert notebooks.NotebookSettings().idle_minutes == 60


def test_there_is_no_workbench_by_default(tmp_path: Any) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: x\n")
    assert config.load(path).workbench is None


def test_instance_types_are_those_that_the_pinned_botocore_and_cloudformation_know() -> None:
    service: Any = botocore.session.get_session().get_service_model("sagemaker")
    instance = schema("AWS::SageMaker::NotebookInstance")["properties"]["InstanceType"]["enum"]
    assert set(NOTEBOOK) == set(service.shape_for("InstanceType").enum) & set(instance)
