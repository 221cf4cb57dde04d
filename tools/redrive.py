"""Send the images that failed back to work: ``make redrive ENV=dev``.

Source: "StartMessageMoveTask" (Amazon SQS API reference).
"""

from __future__ import annotations

import argparse
from typing import Any


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


def main() -> None:
    """Redrive the environment named on the command line, with the AWS credentials in use."""
    import boto3

    parser = argparse.ArgumentParser(description="send the images that failed back to work")
    parser.add_argument("--environment", required=True)
    environment = parser.parse_args().environment
    redrive(boto3.Session(), environment)
    print(f"the dead letters of {environment} are on their way back into the queue")


if __name__ == "__main__":
    main()
