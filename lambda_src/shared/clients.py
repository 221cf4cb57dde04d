"""The AWS clients of a function: one session, made once in each execution environment.

botocore without boto3: these are the same clients, and importing boto3 costs a cold start some
15 milliseconds for what we do not use. They are untyped on purpose: botocore ships no types, and
the tests check each call against its service model.
"""

import os
from dataclasses import dataclass
from typing import Any

import botocore.session  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]

CONNECT_SECONDS = 2
READ_SECONDS = 10
ATTEMPTS = 3
# Messages of a batch run side by side, and the analyses of each image do again.
CONNECTIONS = 40

ATTEMPT_SECONDS = CONNECT_SECONDS + READ_SECONDS


@dataclass(frozen=True)
class Clients:
    """The five low-level clients that the image analysis calls."""

    s3: Any
    rekognition: Any
    dynamodb: Any
    sqs: Any
    events: Any


def connect() -> Clients:
    """Make the clients of the image analysis; see `make`."""
    return Clients(*make("s3", "rekognition", "dynamodb", "sqs", "events"))


def make(*services: str) -> tuple[Any, ...]:
    """Make a client of each service, in the Region that Lambda names in AWS_REGION.

    botocore waits 60 seconds by default, longer than most functions may run: connecting gets
    2 seconds, an answer 10, and a call three attempts in all ("Standard retry mode" in the
    boto3 guide "Retries").
    """
    session: Any = botocore.session.Session()
    region = os.environ.get("AWS_REGION")
    config: Any = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
    )
    return tuple(
        session.create_client(name, region_name=region, config=config) for name in services
    )
