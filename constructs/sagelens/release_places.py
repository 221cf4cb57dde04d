"""What a release works with, as names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .release_states import sdk

NONE_YET = "none"
NO_UPDATES = "*No updates are to be performed*"
IN_PROGRESS = "*_IN_PROGRESS*"
THROTTLED = "*Rate exceeded*"
LOCKED_OUT = ["DynamoDB.ConditionalCheckFailedException"]


@dataclass(frozen=True, kw_only=True)
class ReleasePlaces:
    """What a release works with, as names; each may be a CDK token.

    Attributes:
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        endpoint: The endpoint's name.
        group: The model package group's name.
        parameter: The SSM parameter's name.
        table: The lock table's name.
        stack: The hosting stack's name.
        version_parameter: Its parameter that reads the SSM parameter.
        configuration: Logical id of its endpoint configuration.
        role: The role that CloudFormation updates it with.
        alarms: Names of the alarms that roll back.
        alarm_arns: Their ARNs.
        sample_bucket, sample_key: The stored request.
        content_type: Its form.
        answer_path: Where the number stands in the JSON answer.
        least, most: Between which it lies.
        model_names, configuration_names: What the names of models and configurations begin with.
        keep_models, keep_configurations: How many of them stay.
        bus: The event bus's name.
        topic: The alarm topic's ARN.
        poll_seconds: Between two looks.
        quiet_looks: Looks for alarms to end before it restores.
    """

    partition: str
    endpoint: str
    group: str
    parameter: str
    table: str
    stack: str
    version_parameter: str
    configuration: str
    role: str
    alarms: Sequence[str]
    alarm_arns: Sequence[str]
    sample_bucket: str
    sample_key: str
    content_type: str
    answer_path: str
    least: float
    most: float
    model_names: str
    configuration_names: str
    keep_models: int
    keep_configurations: int
    bus: str
    topic: str
    poll_seconds: int
    quiet_looks: int

    def sdk(self, service: str, action: str) -> str:
        """The resource of an AWS SDK integration."""
        return sdk(service, action, self.partition)

    def optimized(self, action: str) -> str:
        """The resource of an optimized integration, such as ``dynamodb:updateItem``."""
        return f"arn:{self.partition}:states:::{action}"

    @property
    def key(self) -> dict[str, Any]:
        """The lock's key in its table."""
        return {"endpoint": {"S": self.endpoint}}
