"""AWS::ApplicationAutoScaling::ScalableTarget and ScalingPolicy, through the ordinary API."""

from collections.abc import Callable
from typing import Any

from rehearsal.scaling import DIMENSION, NAME

Result = tuple[str, dict[str, Any]]


class ScalableTargets:
    """The first type; its Ref is `resource|dimension|namespace`.

    Args:
        client: gives a client of Application Auto Scaling.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def create(self, logical_id: str, props: dict[str, Any], stack: str) -> Result:
        """Register the target."""
        self._client(NAME).register_scalable_target(
            **_key(props["ResourceId"]),
            MinCapacity=int(props["MinCapacity"]),
            MaxCapacity=int(props["MaxCapacity"]),
        )
        physical_id = f"{props['ResourceId']}|{DIMENSION}|sagemaker"
        return physical_id, {"Id": physical_id}

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> Result:
        """Register it anew; another resource makes another target."""
        return self.create("", new, stack)

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        """Take it off, if it is still there."""
        client = self._client(NAME)
        try:
            client.deregister_scalable_target(**_key(physical_id.partition("|")[0]))
        except client.exceptions.ObjectNotFoundException:
            return


class ScalingPolicies:
    """The second type; its Ref is the policy's ARN.

    Args:
        client: gives a client of Application Auto Scaling.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def create(self, logical_id: str, props: dict[str, Any], stack: str) -> Result:
        """Put the policy."""
        settings: dict[str, Any] = dict(props["TargetTrackingScalingPolicyConfiguration"])
        for name in ("ScaleInCooldown", "ScaleOutCooldown"):
            if name in settings:
                settings[name] = int(settings[name])
        put = self._client(NAME).put_scaling_policy(
            **_key(_resource(props)),
            PolicyName=props["PolicyName"],
            PolicyType=props["PolicyType"],
            TargetTrackingScalingPolicyConfiguration={
                **settings,
                "TargetValue": float(settings["TargetValue"]),
            },
        )
        return put["PolicyARN"], {"Arn": put["PolicyARN"]}

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> Result:
        """Put it anew; another name or resource makes another policy."""
        return self.create("", new, stack)

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        """Delete it, if it is still there."""
        client = self._client(NAME)
        try:
            client.delete_scaling_policy(**_key(_resource(props)), PolicyName=props["PolicyName"])
        except client.exceptions.ObjectNotFoundException:
            return


def _resource(props: dict[str, Any]) -> str:
    """The variant that a policy is for: by its own name or by its target's Ref."""
    return str(props.get("ResourceId") or props["ScalingTargetId"]).partition("|")[0]


def _key(resource: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
    }
