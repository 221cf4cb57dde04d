"""The demonstration: deploy onto an embedded AWS with the CDK CLI, run the scenarios, report."""

from __future__ import annotations

import json
import shutil
import time
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from rich.console import Console

from rehearsal import summary
from rehearsal.cdk_cli import CdkCli
from rehearsal.deploy import outputs
from rehearsal.environment import ACCOUNT
from rehearsal.errors import RehearsalError
from rehearsal.process import PROJECT, Rehearsal
from rehearsal.progress import Say, Stages
from rehearsal.report.model import Outcome, Report, ScenarioReport
from rehearsal.report.page import render
from rehearsal.scenarios import Scenario, choose
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.waiting import NotInTime

ENVIRONMENT = "demo"
OUTPUT = PROJECT / "build" / "demo"
REGION = "us-east-1"


def demo(console: Console, scenario: str | None, port: int, folder: Path = OUTPUT) -> bool:
    """Deploy, run the scenarios and write the report; whatever happens, stop everything.

    Args:
        console: where to show progress and summary.
        scenario: name of the only scenario to run; all when None.
        port: of the embedded AWS, 0 for any free one.
        folder: receives report.html, report.json and the logs.

    Returns:
        True if every scenario passed.

    Raises:
        UnknownScenario: before anything is started.
        RehearsalError: the deployment failed.
    """
    chosen = choose(scenario)
    fresh(folder)
    started, clock = datetime.now(), time.monotonic()
    with Stages(console) as stages:
        with stages.stage("Start the embedded AWS"):
            aws = Rehearsal.start(port, region=REGION, log=folder / "server.log")
        with aws:
            found = deploy(aws, stages, folder)
            reports = [run(each, aws, found, stages, folder) for each in chosen]
            status = aws.status()
    report = Report(
        started=f"{started:%d %B %Y, %H:%M}".lstrip("0"),
        seconds=time.monotonic() - clock,
        scenarios=reports,
        stages=stages.done,
        real=summary.real(chosen),
        stood_in=summary.stood_in(chosen, status["ministack"], status.get("recorded_only", [])),
    )
    write(report, folder)
    summary.show(console, report, folder)
    return report.passed


def fresh(folder: Path) -> None:
    """Make the output folder, without the files of an earlier run."""
    for name in ("report.html", "report.json", "cdk.log", "server.log", "problems.log"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "cdk.out", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def deploy(aws: Rehearsal, stages: Stages, folder: Path) -> dict[str, str]:
    """Bootstrap and synthesize at the same time, then deploy every stack.

    Returns:
        the outputs of all stacks together, by name.
    """
    cli = CdkCli(aws.environment(), folder, folder / "cdk.log")
    assembly = folder / "cdk.out"
    pool = ThreadPoolExecutor(2)
    try:
        waiting = [
            pool.submit(bootstrap, cli, stages, folder),
            pool.submit(synthesize, cli, stages, assembly),
        ]
        for future in waiting:
            future.result()
        with stages.stage("Deploy with the CDK CLI") as say:
            cli.run(["deploy", "--all", "--app", str(assembly), "--require-approval", "never"], say)
    finally:
        cli.stop()
        pool.shutdown(cancel_futures=True)
    return stack_outputs(aws)


def bootstrap(cli: CdkCli, stages: Stages, folder: Path) -> None:
    """Make what the CDK needs once in an account and Region."""
    with stages.stage("Bootstrap") as say:
        # Not in the project's folder, where cdk.json would name our own app.
        cli.run(["bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", ""], say, cwd=folder)


def synthesize(cli: CdkCli, stages: Stages, assembly: Path) -> None:
    """Write the templates of the demo environment."""
    with stages.stage("Synthesize the templates") as say:
        output = ["--output", str(assembly), "--quiet"]
        cli.run(["synth", "-c", f"environment={ENVIRONMENT}", *output], say)


def stack_outputs(aws: Rehearsal) -> dict[str, str]:
    """Return the outputs of all stacks of the environment together, by name."""
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    names = [stack["StackName"] for stack in stacks]
    ours = [name for name in names if name.startswith(f"sagelens-{ENVIRONMENT}-")]
    return {key: value for name in ours for key, value in outputs(aws, name).items()}


def run(
    scenario: Scenario, aws: Rehearsal, found: Mapping[str, str], stages: Stages, folder: Path
) -> ScenarioReport:
    """Run one scenario; an error of its own makes it fail, with the reason in plain words."""
    clock = time.monotonic()
    with stages.stage(f"Scenario {scenario.name}") as say:
        outcome = _attempt(scenario, aws, found, say, folder)
    return ScenarioReport(scenario.name, scenario.title, time.monotonic() - clock, outcome)


def _attempt(
    scenario: Scenario, aws: Rehearsal, found: Mapping[str, str], say: Say, folder: Path
) -> Outcome:
    try:
        return scenario.run(Context(aws, found, say))
    except (NotInTime, RehearsalError) as error:
        return Outcome(problems=[str(error)])
    except Exception as error:
        log = folder / "problems.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"Scenario {scenario.name}\n{traceback.format_exc()}\n")
        text = f"the scenario broke off with {type(error).__name__}: {error} (more in {log})"
        return Outcome(problems=[text])


def write(report: Report, folder: Path) -> Sequence[Path]:
    """Write report.json and report.html and return their paths."""
    data, page = folder / "report.json", folder / "report.html"
    text = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    data.write_text(text + "\n", encoding="utf-8")
    page.write_text(render(report), encoding="utf-8")
    return data, page
