"""Have analysed what lies in the images bucket: ``python -m tools.backfill start|status|…``.

Sources: "StartExecution", "DescribeMapRun" and "RedriveExecution" (AWS Step Functions API
reference).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import config
from tools.environment import outputs

INVENTORIES = "inventory/"
DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
POLL_SECONDS = 5.0


class NotPossible(Exception):
    """What was asked for cannot be done; the text says why and what could be."""


@dataclass(frozen=True)
class Backfills:
    """The backfills of an environment.

    Args:
        session: A boto3 session of its account and Region.
        places: Outputs of its foundation and vision stacks.
        sleep: Waits seconds.
    """

    session: Any
    places: Mapping[str, str]
    sleep: Callable[[float], None] = time.sleep

    @property
    def machine(self) -> str:
        """ARN of the state machine."""
        if "BackfillMachineArn" not in self.places:
            raise NotPossible("there is no backfill in this environment: set vision.backfill")
        return self.places["BackfillMachineArn"]

    def start(self, given: Mapping[str, Any]) -> str:
        """Start a run; return its name."""
        answer = self._states().start_execution(
            stateMachineArn=self.machine, input=json.dumps(given)
        )
        return str(answer["executionArn"]).rpartition(":")[2]

    def wait(self, run: str) -> dict[str, Any]:
        """Wait for the end of a run; return its report.

        Raises:
            NotPossible: It failed.
        """
        while True:
            found = self._describe(run)
            if found["status"] == "SUCCEEDED":
                return json.loads(found["output"])
            if found["status"] != "RUNNING":
                raise NotPossible(_why(run, found))
            self.sleep(POLL_SECONDS)

    def status(self, run: str | None) -> str:
        """How a run is getting on, the newest when None, in a few lines."""
        run = run or self._newest()
        found = self._describe(run)
        lines = [f"{run}: {found['status'].lower()}, started {found['startDate']:%Y-%m-%d %H:%M}"]
        states = self._states()
        for each in states.list_map_runs(executionArn=found["executionArn"])["mapRuns"]:
            counts = states.describe_map_run(mapRunArn=each["mapRunArn"])["itemCounts"]
            what = "plans counted" if "/Planned:" in each["mapRunArn"] else "objects fed"
            lines.append(f"  {what}: {counts['succeeded']:,} of {counts['total']:,}")
        queue, dead = self.places["BackfillQueueUrl"], self.places["BackfillDeadLetterQueueUrl"]
        lines.append(f"  waiting or being analysed: {self._depth(queue):,}")
        lines.append(f"  set aside after all tries: {self._depth(dead):,}")
        if found["status"] not in ("RUNNING", "SUCCEEDED"):
            lines.append(f"  {_why(run, found)}")
        return "\n".join(lines)

    def report(self, run: str | None) -> dict[str, Any]:
        """The report of a run that has ended, of the newest when None."""
        run = run or self._newest()
        key = f"{self.places['BackfillRunsPrefix']}{run}/report.json"
        client = self.session.client("s3")
        try:
            answer = client.get_object(Bucket=self.places["DataBucketName"], Key=key)
        except client.exceptions.NoSuchKey as error:
            raise NotPossible(f"the run {run} has no report yet; status shows how it is") from error
        return json.loads(answer["Body"].read())

    def redrive(self, run: str | None) -> str:
        """Let a run that failed go on from where it failed; return its name."""
        run = run or self._newest()
        self._states().redrive_execution(executionArn=self._arn(run))
        return run

    def _states(self) -> Any:
        return self.session.client("stepfunctions")

    def _arn(self, run: str) -> str:
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{run}"

    def _describe(self, run: str) -> dict[str, Any]:
        return self._states().describe_execution(executionArn=self._arn(run))

    def _newest(self) -> str:
        found = self._states().list_executions(stateMachineArn=self.machine, maxResults=1)
        if not found["executions"]:
            raise NotPossible("no backfill was started in the last 90 days")
        return found["executions"][0]["name"]

    def _depth(self, url: str) -> int:
        found = self.session.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=list(DEPTHS)
        )
        return sum(int(value) for value in found["Attributes"].values())


def lines_of(report: Mapping[str, Any]) -> str:
    """A report in a few lines for people."""
    if not report["objects"]:
        return "there is nothing there to analyse"
    usd, skipped = report["usd"], report["skipped"]
    would = "would be " if report["dry_run"] else ""
    lines = [
        f"{report['objects']:,} objects",
        f"  {report['queued']:,} {would}analysed",
        f"  {skipped['done']:,} skipped: analysed already with these settings",
        f"  {skipped['quarantined']:,} skipped: in quarantine",
        *(f"  {n:,} left out: {name.replace('_', ' ')}" for name, n in report["left_out"].items()),
    ]
    if not report["dry_run"]:
        lines += [
            f"  {report['done']:,} done: "
            + (", ".join(f"{n:,} {name}" for name, n in report["decisions"].items()) or "none"),
            f"  {report['reused']:,} of these answered from the record of the same bytes",
            f"  {report['failed']:,} failed: see the dead-letter queue, and make redrive",
        ]
        if len(report["results_by_settings"]) > 1:
            by = ", ".join(f"{n:,} by {name}" for name, n in report["results_by_settings"].items())
            lines.append(f"  the settings changed meanwhile: {by}")
    at_most = "at most " if report["dry_run"] else ""
    lines.append(
        f"  {at_most}{usd['rekognition']:,.2f} USD for Amazon Rekognition, "
        f"{usd['orchestration']:,.4f} for this backfill"
    )
    return "\n".join(lines)


def asked(given: argparse.Namespace, settings: config.EnvironmentSettings) -> dict[str, Any]:
    """The input of a run, from the command line.

    Raises:
        NotPossible: It is no folder of the environment's, or no manifest.
    """
    vision = settings.vision
    if vision is None or vision.backfill is None:
        raise NotPossible(f"{settings.name} has no backfill: set vision.backfill, and deploy")
    dry = {"dry_run": bool(given.dry_run)}
    if given.manifest:
        if not given.manifest.startswith(INVENTORIES) or not given.manifest.endswith(
            "/manifest.json"
        ):
            raise NotPossible(
                f"manifest: got {given.manifest!r}, allowed is {INVENTORIES}…/manifest.json in "
                "the data bucket"
            )
        return {"manifest": given.manifest, **dry}
    folders = [vision.prefix, *vision.backfill.prefixes]
    prefix = given.prefix or vision.prefix
    if not any(prefix.startswith(folder) for folder in folders):
        raise NotPossible(
            f"prefix: got {prefix!r}, allowed is one that begins with {' or '.join(folders)}; "
            "vision.backfill.prefixes adds folders"
        )
    return {"prefix": prefix, **dry}


def _why(run: str, found: Mapping[str, Any]) -> str:
    cause = f"{found.get('error', '')}: {found.get('cause', '')}".strip(": ")
    return (
        f"the run {run} {found['status'].lower()} ({cause}); its child executions in the console "
        f"say more. What it has done stays done: mend it, then redrive --run {run}"
    )


def main(arguments: list[str] | None = None) -> str | None:
    """Run the command with the AWS credentials in use.

    Args:
        arguments: Of the command line, for tests.

    Returns:
        What went wrong, in a sentence; None if nothing did.
    """
    given = _parser().parse_args(arguments)
    try:
        settings = config.load(given.environment)
        session = boto3.Session(region_name=settings.region)
        _run(given, settings, session)
    except (config.ConfigurationError, BotoCoreError, ClientError, NotPossible) as error:
        return str(error)
    return None


def _run(given: argparse.Namespace, settings: config.EnvironmentSettings, session: Any) -> None:
    wanted = asked(given, settings) if given.command == "start" else {}
    backfills = Backfills(session, outputs(session, settings.name, "foundation", "vision"))
    if given.command == "start":
        run = backfills.start(wanted)
        print(f"run {run} started")
        if given.dry_run or given.wait:
            print(lines_of(backfills.wait(run)))
    elif given.command == "status":
        print(backfills.status(given.run))
    elif given.command == "report":
        print(lines_of(backfills.report(given.run)))
    else:
        print(f"run {backfills.redrive(given.run)} goes on")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.backfill",
        description="have analysed what lies in the images bucket already",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("start", help="analyse a folder, or what an inventory lists")
    source = starting.add_mutually_exclusive_group()
    source.add_argument("--prefix", help="what keys begin with; the whole folder when absent")
    source.add_argument("--manifest", help="key of an inventory's manifest.json in the data bucket")
    starting.add_argument(
        "--dry-run", action="store_true", help="only count, and say what it costs"
    )
    starting.add_argument("--wait", action="store_true", help="until the end, then show the report")
    for name, text in (
        ("status", "how a run is getting on"),
        ("report", "what became of it"),
        ("redrive", "let a run that failed go on"),
    ):
        commands.add_parser(name, help=text).add_argument("--run", help="its name; the newest")
    for command in commands.choices.values():
        command.add_argument("--environment", required=True, help="a name, or the path of a file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
