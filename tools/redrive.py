"""Send what failed back to work, images and starts of pipelines: ``make redrive ENV=dev``.

Source: "StartMessageMoveTask" (Amazon SQS API reference).
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import config

STACKS = ("vision", "results", "training")
DEAD = "DeadLetterQueueArn"


def redrive(session: Any, environment: str) -> list[str]:
    """Start moving an environment's dead letters back into their work queues.

    Args:
        session: A boto3 session of the account and Region of the environment.
        environment: Its name.

    Returns:
        The handles of the moves, which AWS carries on by itself.
    """
    sqs = session.client("sqs")
    return [
        sqs.start_message_move_task(SourceArn=dead, DestinationArn=work)["TaskHandle"]
        for name in STACKS
        for dead, work in _queues(_outputs(session, f"sagelens-{environment}-{name}"))
    ]


def _outputs(session: Any, stack: str) -> dict[str, str]:
    """A stack's outputs; none if there is no such stack."""
    try:
        (found,) = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def _queues(outputs: dict[str, str]) -> list[tuple[str, str]]:
    """Each dead-letter queue with its work queue, by the names of the outputs."""
    names = [name.removesuffix(DEAD) for name in outputs if name.endswith(DEAD)]
    return [(outputs[f"{name}{DEAD}"], outputs[f"{name}QueueArn"]) for name in sorted(names)]


def main() -> str | None:
    """Redrive the environment named on the command line, with the AWS credentials in use.

    Returns:
        What went wrong, in a sentence; None if nothing did.
    """
    parser = argparse.ArgumentParser(description="send what failed back to work")
    parser.add_argument("--environment", required=True, help="a name, or the path of a file")
    chosen = parser.parse_args().environment
    try:
        settings = config.load(chosen)
        moves = redrive(boto3.Session(region_name=settings.region), settings.name)
    except (config.ConfigurationError, BotoCoreError, ClientError) as error:
        return f"nothing was moved: {error}"
    if not moves:
        return f"nothing was moved: {settings.name} has no stack with a queue in this account"
    print(f"the dead letters of {settings.name} are on their way back into their queues")
    return None


if __name__ == "__main__":
    sys.exit(main())
