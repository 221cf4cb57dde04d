"""Lambda handler of the custom resource Custom::SagelensCustomModelEmptier.

Properties: ProjectArn.
"""

import time
from collections.abc import Mapping
from typing import Any

from custom_model_emptier.emptier import Emptier
from shared import clients, custom_resource

REKOGNITION, CLOUDFORMATION = clients.make("rekognition", "cloudformation")
MARGIN_SECONDS = 45.0  # for a call under way, with its retries, and for the answer


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Answer a request of CloudFormation's."""
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    emptier = Emptier(REKOGNITION, CLOUDFORMATION, deadline=time.monotonic() + seconds)
    custom_resource.answer(event, emptier.carry_out)
