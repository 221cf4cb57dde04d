"""What a scenario is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.process import Rehearsal


@dataclass(frozen=True)
class Context:
    """What a scenario is given.

    `outputs` holds the outputs of all stacks of the environment by name. `say` shows what is
    going on.
    """

    aws: Rehearsal
    outputs: Mapping[str, str]
    say: Callable[[str], None]

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account's own user."""
        return self.aws.client(service)

    def client_as(self, role_arn: str, service: str) -> Any:
        """Return a boto3 client that acts as a role, which it assumes through STS."""
        return self.aws.session(role_arn).client(service)

    def calls(self, operation: str) -> int:
        """Return how many calls of a Rekognition operation were made, however they ended."""
        return sum(self.aws.rekognition.calls().get(operation, {}).values())
