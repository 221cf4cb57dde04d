"""Send the images that failed back to work: ``make redrive ENV=dev``.

Source: "StartMessageMoveTask" (Amazon SQS API reference).
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import config


def redrive(session: Any, environment: str) -> str:
    """Start moving an environment's dead letters back into its work queue.

    Args:
        session: A boto3 session of the account and Region of the environment.
        environment: Its name.

    Returns:
        The handle of the move, which AWS carries on by itself.
    """
    name = f"sagelens-{environment}-vision"
    (stack,) = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    started = session.client("sqs").start_message_move_task(
        SourceArn=outputs["ImageDeadLetterQueueArn"], DestinationArn=outputs["ImageQueueArn"]
    )
    return started["TaskHandle"]


def main() -> str | None:
    """Redrive the environment named on the command line, with the AWS credentials in use.

    Returns:
        What went wrong, in a sentence; None if nothing did.
    """
    parser = argparse.ArgumentParser(description="send the images that failed back to work")
    parser.add_argument("--environment", required=True, help="a name, or the path of a file")
    chosen = parser.parse_args().environment
    try:
        settings = config.load(chosen)
        redrive(boto3.Session(region_name=settings.region), settings.name)
    except (config.ConfigurationError, BotoCoreError, ClientError) as error:
        return f"nothing was moved: {error}"
    print(f"the dead letters of {settings.name} are on their way back into the queue")
    return None


if __name__ == "__main__":
    sys.exit(main())
