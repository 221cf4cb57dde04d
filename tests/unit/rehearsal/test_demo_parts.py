"""The parts of the demonstration that need no AWS."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console

from rehearsal import cdk_cli, demo, summary
from rehearsal.cdk_cli import CdkCli, cli_environment, describe
from rehearsal.errors import RehearsalError
from rehearsal.progress import Stages
from rehearsal.scenarios import choose
from rehearsal.scenarios.support.waiting import NotInTime, until
from rehearsal.standing import guide
from tests.unit.rehearsal.report_sample import sample_report


def console(width: int = 80) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=False)


def text_of(shown: Console) -> str:
    assert isinstance(shown.file, io.StringIO)
    return shown.file.getvalue()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], CdkCli]:
    """A CDK CLI whose command is a script of the test's."""

    def make(script: str) -> CdkCli:
        command = tmp_path / "cdk"
        command.write_text(f"#!{sys.executable}\n{script}\n")
        command.chmod(0o755)
        monkeypatch.setattr(cdk_cli, "CDK", command)
        return CdkCli({"PATH": "/usr/bin"}, tmp_path, tmp_path / "cdk.log")

    return make


def test_failing_command_shows_the_end_of_its_output(
    cli: Callable[[str], CdkCli], tmp_path: Path
) -> None:
    failing = cli("print('a reason'); raise SystemExit(3)")
    with pytest.raises(RehearsalError) as raised:
        failing.run(["deploy"], lambda _: None, cwd=tmp_path)
    assert "`cdk deploy` ended with status 3" in str(raised.value)
    assert "a reason" in str(raised.value)
    assert "a reason" in (tmp_path / "cdk.log").read_text()


def test_command_tells_what_it_is_doing(cli: Callable[[str], CdkCli], tmp_path: Path) -> None:
    said: list[str] = []
    cli("print('sagelens-demo-vision: deploying... [2/2]')").run(["deploy"], said.append, tmp_path)
    assert said == ["sagelens-demo-vision: deploying... [2/2]"]


def test_command_that_runs_is_ended_by_stop(cli: Callable[[str], CdkCli], tmp_path: Path) -> None:
    sleeping = cli("import time; print('started', flush=True); time.sleep(600)")
    said: list[str] = []

    def run() -> None:
        with pytest.raises(RehearsalError):
            sleeping.run(["deploy"], said.append, tmp_path)

    thread = Thread(target=run)
    thread.start()
    until(lambda: said or None, "the command to start")
    sleeping.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_cli_gets_none_of_the_users_own_settings(tmp_path: Path) -> None:
    given = {"PATH": "/usr/bin", "CDK_DEFAULT_ACCOUNT": "123456789012", "AWS_REGION": "us-east-1"}
    environment = cli_environment(given, tmp_path)
    assert "CDK_DEFAULT_ACCOUNT" not in environment
    assert environment["CDK_DISABLE_CLI_TELEMETRY"] == "true"
    assert environment["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    assert environment["AWS_REGION"] == "us-east-1"


def test_missing_cli_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdk_cli, "CDK", tmp_path / "missing")
    with pytest.raises(RehearsalError, match="make setup"):
        CdkCli({}, tmp_path, tmp_path / "cdk.log")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "sagelens-demo-vision |  8/14 | 9:45:28 PM | CREATE_COMPLETE | AWS::SQS::Queue | Q",
            "sagelens-demo-vision: 8 of 14, AWS::SQS::Queue",
        ),
        ("sagelens-demo-vision: deploying... [2/2]", "sagelens-demo-vision: deploying... [2/2]"),
        ("Outputs:", ""),
        ("sagelens-demo-vision.ImagePrefix = incoming/", ""),
        ("arn:aws:cloudformation:us-east-1:000000000000:stack/x/y", ""),
        ("✨  Total time: 0.84s", ""),
        ("", ""),
    ],
)
def test_lines_of_the_cli_in_a_few_words(line: str, said: str) -> None:
    assert describe(line) == said


@pytest.mark.parametrize("width", [60, 80, 140])
def test_summary_fits_its_terminal(width: int) -> None:
    shown = console(width)
    summary.show(shown, sample_report(), Path("/x/build/demo"))
    text = text_of(shown)
    for word in ("Pistol on a table", "Rejected", "Real", "Stood in", "report.html", "31.4 s"):
        assert word in text
    lines = [
        line for line in text.splitlines() if "report.html" not in line and "demo-up" not in line
    ]
    assert max(len(line) for line in lines) <= width


def test_summary_is_honest() -> None:
    text = " ".join(summary.stood_in(choose(), "1.2.3", [{"type": "AWS::Budgets::Budget"}]))
    for word in ("scripted", "No VPC", "KMS encrypts nothing", "MiniStack 1.2.3", "AWS::Budgets"):
        assert word in text


def test_stages_speak_in_plain_lines_without_a_terminal() -> None:
    shown = console()
    with Stages(shown) as stages, stages.stage("Deploy [all]") as say:
        say("too early to be shown")
    assert re.fullmatch(r"Deploy \[all\] …\nDeploy \[all\]: done in \d+\.\d s\n", text_of(shown))
    assert [stage.name for stage in stages.done] == ["Deploy [all]"]


def test_stages_show_details_in_a_terminal() -> None:
    terminal = {"TERM": "xterm"}  # whatever the tests themselves run in
    shown = Console(file=io.StringIO(), width=100, force_terminal=True, _environ=terminal)
    with Stages(shown) as stages, stages.stage("Deploy") as say:
        say("stack [1/2]")
        assert until(lambda: "stack [1/2]" in text_of(shown), "the detail")


def test_stage_that_fails_is_not_counted() -> None:
    stages = Stages(console())
    with pytest.raises(KeyError), stages, stages.stage("Deploy"):
        raise KeyError("broken")
    assert stages.done == []


def test_both_files_are_written(tmp_path: Path) -> None:
    data, page = demo.write(sample_report(), tmp_path)
    assert json.loads(data.read_text(encoding="utf-8"))["scenarios"][0]["name"] == "moderation"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_fresh_folder_keeps_nothing_of_an_earlier_run(tmp_path: Path) -> None:
    (tmp_path / "cdk.out").mkdir()
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "other.txt").write_text("kept")
    demo.fresh(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


@pytest.mark.parametrize("aws_cli", [True, False])
def test_guide_gives_variables_and_three_commands(aws_cli: bool) -> None:
    found = {"ImagesBucketName": "images", "ResultsTableName": "results"}
    text = guide({"AWS_ENDPOINT_URL": "http://localhost:1"}, found, aws_cli)
    assert "export AWS_ENDPOINT_URL=http://localhost:1" in text
    start = "aws " if aws_cli else ".venv/bin/python -c"
    assert sum(line.startswith(start) for line in text.splitlines()) == 3
    assert "UnscriptedImageException" in text and "demo-down" in text


@pytest.mark.parametrize("aws_cli", [True, False])
def test_guide_tells_how_to_train_where_there_is_a_pipeline(aws_cli: bool) -> None:
    found = {
        "ImagesBucketName": "images",
        "ResultsTableName": "results",
        "DataBucketName": "data",
        "ChurnDataPrefix": "churn/customers/",
        "ChurnPipelineName": "pipeline-of-churn",
        "ChurnModelGroupName": "group-of-churn",
    }
    text = guide({}, found, aws_cli)
    assert "ml_src.churn.generate" in text and "pipeline-of-churn" in text
    assert "churn/customers/" in text and "group-of-churn" in text


def test_waiting_ends() -> None:
    with pytest.raises(NotInTime, match=r"waited 0\.02 s for a sign, in vain"):
        until(lambda: None, "a sign", seconds=0.02, pause=0.01)
    assert until(lambda: 0, "a number") == 0
