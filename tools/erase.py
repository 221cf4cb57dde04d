"""Erase what the platform holds of an object: ``python -m tools.erase s3://bucket/key``.

Erased are its records (every version's, `current`, decisions of people), its large results, rows
for Athena and blurred copies with all their versions, and, with --objects, every version of the
object itself. docs/privacy.md says what lies outside.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import config
from tools.environment import outputs
from tools.erasing import Eraser, Found, NotErased


def waiting(session: Any, found: dict[str, str]) -> dict[str, int]:
    """Messages that may still name an object, by the queue's role; only queues that hold some.

    Args:
        session: A boto3 session.
        found: Outputs of the vision stack.
    """
    sqs = session.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queues = {"image queue": "ImageQueueUrl", "dead-letter queue": "ImageDeadLetterQueueUrl"}
    counts: dict[str, int] = {}
    for role, output in queues.items():
        answer = sqs.get_queue_attributes(QueueUrl=found[output], AttributeNames=names)
        counts[role] = sum(int(value) for value in answer["Attributes"].values())
    return {role: count for role, count in counts.items() if count}


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
        eraser = Eraser.of(session, found, objects_too=given.objects)
        if not given.yes:
            return f"{_told(eraser.find(given.object), 'there are')}\nadd --yes to erase them"
        print(_told(eraser.erase(given.object), "erased"))
        left = (
            waiting(session, outputs(session, settings.name, "vision")) if settings.vision else {}
        )
    except (config.ConfigurationError, BotoCoreError, ClientError, NotErased, ValueError) as error:
        return f"not erased: {error}"
    for role, count in left.items():
        print(f"the {role} holds {count} messages; if one tells of this object, run this again")
    return None


def _told(found: Found, verb: str) -> str:
    return (
        f"{verb}: {len(found.records)} items of the result table, {len(found.results)} versions of "
        f"results and copies, {len(found.versions)} versions of the object"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.erase", description="erase what the platform holds of an object"
    )
    parser.add_argument("object", help="s3://bucket/key")
    parser.add_argument("--environment", required=True, help="a name, or the path of a file")
    parser.add_argument(
        "--objects", action="store_true", help="also every version of the object itself"
    )
    parser.add_argument(
        "--yes", action="store_true", help="erase; otherwise only say what there is"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
