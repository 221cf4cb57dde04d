"""Lambda handler of the custom resource Custom::SagelensScaling.

Properties: Role (Keep, Off or On), EndpointName, InstanceTypes (by variant),
Scaling (by variant: Least, Most, Target, PauseIn, PauseOut).
"""

from collections.abc import Mapping
from typing import Any

from scaling_guard.guard import Guard
from shared import clients, custom_resource

GUARD = Guard(*clients.make("application-autoscaling", "cloudformation"))


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Answer a request of CloudFormation's."""
    custom_resource.answer(event, GUARD.carry_out)
