"""Lambda handler of the custom resource Custom::SagelensLiveVersion.

Properties: Name, Description, Tags (a map).
"""

from collections.abc import Mapping
from typing import Any

from live_version.parameter import LiveVersions
from shared import clients, custom_resource

VERSIONS = LiveVersions(*clients.make("ssm", "cloudformation"))


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Answer a request of CloudFormation's."""
    custom_resource.answer(event, VERSIONS.carry_out)
