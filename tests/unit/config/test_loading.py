"""Where settings are loaded from, and what comes out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from pydantic import ValidationError

import config
from config.analyses import ANALYSES
from config.loading import ENVIRONMENTS
from config.regions import REKOGNITION
from config.vision import LONGEST_VISIBILITY
from image_analysis import analyses

MODEL = "arn:aws:rekognition:eu-west-1:123456789012:project/shelf/version/v1/1700000000000"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text("name: x\n")
    return path


@pytest.mark.parametrize("name", ["demo", "dev", "prod"])
def test_the_environments_load(name: str) -> None:
    assert config.load(name).name == name


def test_there_are_three_environments() -> None:
    assert config.environments() == ("demo", "dev", "prod")


def test_prod_protects_and_dev_has_no_network() -> None:
    prod, dev = config.load("prod"), config.load("dev")
    assert (prod.protect_data, prod.log_retention_days) == (True, 365)
    assert prod.network is not None
    assert (dev.protect_data, dev.network) == (False, None)


def test_a_name_alone_is_enough_and_gives_the_default_policy(own: Path) -> None:
    vision = config.load(own).vision
    bands = vision.policy["moderation"]["*"].given()
    assert bands == {"accept": (0, 60), "reject": (60, 100)}
    assert list(vision.analyses.on()) == ["moderation"]
    assert set(vision.quotas.values()) == {5}


def test_each_analysis_has_a_policy_of_its_own_unless_one_is_given(own: Path) -> None:
    own.write_text(
        "name: x\nvision:\n  analyses: {faces: {}, image_quality: {}, labels: {}, moderation: {}}\n"
        '  policy: {labels: {"*": {accept: [0, 90], review: [90, 100]}}}\n'
    )
    policy = config.load(own).vision.policy
    assert policy["labels"]["*"].given()["review"] == (90, 100)
    assert policy["image_quality"]["Blurred"].given()["review"] == (80, 100)
    assert policy["moderation"]["*"].given()["reject"] == (60, 100)
    assert list(policy["faces"]["*"].given()) == ["accept"]


def test_the_defaults_are_those_of_the_guide(own: Path) -> None:
    model = "arn:aws:rekognition:eu-west-1:123456789012:project/shelf/version/v1/1700000000000"
    own.write_text(
        f"name: x\nvision: {{analyses: {{labels: {{}}, custom_labels: {{models: ['{model}']}}, "
        "faces: {}}}\n"
    )
    on = config.load(own).vision.analyses.on()
    assert (on["labels"].maximum, on["labels"].minimum_confidence) == (10, 70)
    assert on["custom_labels"].minimum_confidence == 50
    assert (on["faces"].attributes, on["faces"].store) == ("default", "counts")


def test_faces_are_off_unless_asked_for() -> None:
    assert "faces" not in config.VisionSettings().analyses.on()


@pytest.mark.parametrize("name", ANALYSES)
def test_settings_of_every_analysis_are_those_its_module_takes(name: str, own: Path) -> None:
    """The function reads an analysis's settings by name, and there is no default over there."""
    on = f"{{models: ['{MODEL}']}}" if name == "custom_labels" else "{}"
    own.write_text(f"name: x\nvision: {{analyses: {{{name}: {on}}}}}\n")
    settings = config.load(own).vision
    options = settings.analyses.on()[name].model_dump(exclude_none=True)
    (loaded,) = analyses.load({name: json.loads(json.dumps(options))})
    assert {call.operation for call in loaded.calls} == set(ANALYSES[name].quotas)
    assert len(loaded.calls) == settings.analyses.on()[name].calls()
    loaded.parse([{}] * len(loaded.calls))


@pytest.mark.parametrize(
    "text", ["name: x\n", "\ufeffname: x\r\n", "--- # start\nname: 'x'\n...\n"]
)
def test_a_file_may_have_a_mark_or_windows_lines(own: Path, text: str) -> None:
    own.write_bytes(text.encode())
    assert config.load(own).name == "x"


def test_an_alias_stands_for_its_value(own: Path) -> None:
    own.write_text(
        "name: x\nvision: {policy: {moderation: "
        '{"*": &all {accept: [0, 60], reject: [60, 100]}, Alcohol: *all}}}\n'
    )
    policy = config.load(own).vision.policy["moderation"]
    assert policy["Alcohol"] == policy["*"]


def test_numbers_stay_as_they_were_given(own: Path) -> None:
    own.write_text(
        'name: x\nvision: {policy: {moderation: {"*": {accept: [0, 60.5], reject: [60.5, 100.0]}}}}'
    )
    bands = config.load(own).vision.policy["moderation"]["*"].given()
    assert str(bands) == "{'accept': (0, 60.5), 'reject': (60.5, 100)}"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
        ("ap-southeast-7", "aws"),
    ],
)
def test_any_partition(own: Path, region: str, partition: str) -> None:
    own.write_text(
        f'name: x\nregion: {region}\nvision: null\naccount: "123456789012"\nsecurity:\n'
        f'  permissions_boundary: "arn:{partition}:iam::123456789012:policy/team/boundary"\n'
        f'  reviewers: ["arn:{partition}:sts::123456789012:assumed-role/Reviewer/ann"]\n'
    )
    assert config.load(own).region == region


def test_a_boundary_may_be_a_policy_of_aws(own: Path) -> None:
    own.write_text(
        'name: x\naccount: "123456789012"\nsecurity: '
        '{permissions_boundary: "arn:aws:iam::aws:policy/PowerUserAccess"}\n'
    )
    assert config.load(own).security.permissions_boundary


def test_a_path_is_told_by_its_slash_or_ending(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own.parent)
    assert config.load("own.yaml").name == "x"
    assert config.load("./own.yaml").name == "x"
    assert config.load(str(own)).name == "x"


def test_an_unknown_environment_is_answered_with_those_there_are() -> None:
    with pytest.raises(config.ConfigurationError) as caught:
        config.load("prodd")
    assert "demo, dev, prod" in str(caught.value)
    assert "did you mean prod?" in str(caught.value)


@pytest.mark.parametrize("name", ["", "staging", "..", "Dev"])
def test_no_such_environment(name: str) -> None:
    with pytest.raises(config.ConfigurationError, match="there is no such environment"):
        config.load(name)


def test_a_missing_file_is_answered_with_the_environments(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigurationError) as caught:
        config.load(tmp_path / "prdo.yaml")
    assert "there is no such file" in str(caught.value)
    assert "demo, dev, prod" in str(caught.value)
    assert "did you mean the environment prod?" in str(caught.value)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigurationError, match="this is a folder"):
        config.load(tmp_path)


def test_a_name_in_environments_is_that_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.loading.ENVIRONMENTS", tmp_path)
    (tmp_path / "staging.yaml").write_text("name: dev\n")
    with pytest.raises(config.ConfigurationError) as caught:
        config.load("staging")
    assert "staging.yaml:1:1: name: the name differs from the name of its file" in str(caught.value)


def test_settings_cannot_be_changed() -> None:
    settings = config.load("demo")
    with pytest.raises(ValidationError, match="frozen"):
        settings.name = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.vision.queue.max_receives = 9  # type: ignore[misc]


def test_settings_made_in_python_obey_the_same_rules() -> None:
    with pytest.raises(ValidationError, match="is not longer than retention_days"):
        config.EnvironmentSettings.model_validate(
            {
                "name": "x",
                "vision": {"queue": {"retention_days": 14}},
            }
        )


def test_the_visibility_timeout_never_exceeds_what_sqs_allows(own: Path) -> None:
    own.write_text("name: x\nvision: {function: {timeout_seconds: 900}}\n")
    assert config.load(own).vision.function.visibility_seconds == 5400 <= LONGEST_VISIBILITY


def test_nothing_of_cdk_or_of_the_other_parts_is_imported() -> None:
    code = "import sys, config; config.load('prod'); print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in run.stdout.split()}
    assert not loaded & {"aws_cdk", "jsii", "boto3", "stacks", "sagelens", "rehearsal", "shared"}


def test_the_check_command(own: Path) -> None:
    def check(*names: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "config", "check", *names]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert check().returncode == 0
    assert check(str(ENVIRONMENTS / "dev.yaml")).stdout.endswith("environment dev is right\n")
    own.write_text("name: X\n")
    wrong = check("demo", str(own))
    assert wrong.returncode == 1
    assert "own.yaml:1:1: name:" in wrong.stderr


def test_an_environment_may_do_without_vision(own: Path) -> None:
    own.write_text("name: x\nregion: cn-north-1\nvision: null\n")
    assert config.load(own).vision is None


def test_regions_are_those_that_the_pinned_botocore_knows() -> None:
    session: Any = botocore.session.get_session()
    known = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("rekognition", partition)
    }
    assert known == REKOGNITION
