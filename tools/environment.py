"""An environment as its commands find it: by the outputs of its stacks."""

from __future__ import annotations

from typing import Any


def outputs(session: Any, environment: str, *capabilities: str) -> dict[str, str]:
    """The outputs of an environment's stacks, by name.

    Args:
        session: A boto3 session of the account and Region of the environment.
        environment: Its name.
        capabilities: Its stacks, for example ``foundation``.
    """
    client = session.client("cloudformation")
    found: dict[str, str] = {}
    for capability in capabilities:
        name = f"sagelens-{environment}-{capability}"
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
        found |= {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return found


def address(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``.

    Raises:
        ValueError: It is no such address.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise ValueError(f"{uri!r} is no address of an object; allowed is s3://bucket/key")
    return bucket, key
