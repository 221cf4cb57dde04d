"""Decide on images and videos that wait for a person: ``python -m tools.reviews list|…``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import config
from tools.environment import outputs
from tools.reviewing import Desk, NotDecided


def as_reviewer(session: Any, role: str) -> tuple[Any, str]:
    """A session of the reviewer's role, and who has assumed it.

    Args:
        session: A boto3 session with the credentials in use.
        role: ARN of the reviewer's role.
    """
    sts = session.client("sts")
    who = sts.get_caller_identity()["Arn"]
    # "AssumeRole", RoleSessionName: so that CloudTrail names the person too.
    name = re.sub(r"[^\w+=,.@-]", "-", who.rpartition(":")[2])[-64:]
    given = sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
    return (
        boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=session.region_name,
        ),
        who,
    )


def line_of(record: Mapping[str, Any]) -> str:
    """One record that waits, in a few lines for people."""
    reasons = [f"    {_why(each)}" for each in record["reasons"]]
    note = record.get("reviewed")
    if note:
        reasons.append(f"    cut off: {note['by']} decided {note['decision']!r}; give it again")
    head = f"{record['analysed_at']}  {record['pk']}\n    version {record['version_id']}"
    return "\n".join([head, *reasons])


def _why(reason: Mapping[str, Any]) -> str:
    """One reason: what was seen, or that some analysis of a video failed."""
    if "code" in reason:
        return str(reason["message"])
    seen = f"{reason['analysis']}: {reason['label']} {float(reason['confidence']):.1f} %"
    if "start_ms" in reason:
        seen += f" from {float(reason['start_ms']) / 1000:.1f} s"
    return seen + (f" ({reason['advice']})" if reason.get("advice") else "")


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
        found = outputs(session, settings.name, "foundation")
        reviewer, who = as_reviewer(session, found["ReviewerRoleArn"])
        desk = Desk.of(reviewer, found)
        if given.command == "list":
            _show(desk, given.most)
        else:
            _decide(desk, given, who)
    except (config.ConfigurationError, BotoCoreError, ClientError, NotDecided, ValueError) as error:
        return f"nothing was decided: {error}" if given.command != "list" else str(error)
    return None


def _show(desk: Desk, most: int) -> None:
    records = desk.waiting(most)
    for record in records:
        print(line_of(record))
    more = ", and perhaps more" if len(records) == most else ""
    print(f"{len(records)} waiting{more}")


def _decide(desk: Desk, given: argparse.Namespace, who: str) -> None:
    record, new = desk.decide(
        given.object, given.command, by=who, reason=given.reason, version=given.version
    )
    state = "in quarantine" if record["quarantined"] else "readable"
    when = "" if new else f", as {record['reviewed']['by']} decided at {record['reviewed']['at']}"
    print(f"{record['pk']} version {record['version_id']}: {record['decision']}, {state}{when}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.reviews", description="decide on the images that wait for a person"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="what waits, the oldest first")
    listing.add_argument("--most", type=int, default=50, help="how many to show (50)")
    accepting = commands.add_parser(
        "accept", help="let an image pass that waits or was rejected; this lifts its quarantine"
    )
    rejecting = commands.add_parser("reject", help="refuse an image that waits: quarantine it")
    for command in (accepting, rejecting):
        command.add_argument("object", help="s3://bucket/key")
        command.add_argument("--version", help="its version id; the newest when absent")
        command.add_argument("--reason", required=True, help="why, which the record keeps")
    for command in (listing, accepting, rejecting):
        command.add_argument("--environment", required=True, help="a name, or the path of a file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
