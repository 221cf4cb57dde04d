"""An endpoint's scalable targets, as Application Auto Scaling keeps them.

After "Update endpoints that use auto scaling" (Amazon SageMaker AI): SageMaker refuses to change
the instance type of a variant, or to remove one, while it is registered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantInvocationsPerInstance"


@dataclass(frozen=True)
class Settings:
    """How one variant scales.

    least, most: instances. target: invocations a minute and instance. pause_in, pause_out: s.
    """

    least: int
    most: int
    target: float
    pause_in: int
    pause_out: int

    @staticmethod
    def of(given: Mapping[str, Any]) -> "Settings":
        """Read a custom resource's property, whose numbers CloudFormation gives as text."""
        return Settings(
            least=int(given["Least"]),
            most=int(given["Most"]),
            target=float(given["Target"]),
            pause_in=int(given["PauseIn"]),
            pause_out=int(given["PauseOut"]),
        )


@dataclass(frozen=True)
class Targets:
    """The scalable targets of one endpoint's variants.

    scaling: client of Application Auto Scaling.
    """

    scaling: Any
    endpoint: str

    def put_on(self, variant: str, settings: Settings) -> None:
        """Register a variant, or set it right if it is registered."""
        where = self._where(variant)
        self.scaling.register_scalable_target(
            **where, MinCapacity=settings.least, MaxCapacity=settings.most
        )
        self.scaling.put_scaling_policy(
            **where,
            PolicyName=f"{self.endpoint}-{variant}-invocations",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": settings.target,
                "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
                "ScaleInCooldown": settings.pause_in,
                "ScaleOutCooldown": settings.pause_out,
            },
        )

    def take_off(self, variant: str) -> None:
        """Deregister a variant, and its policy with it; no error if it is not registered."""
        try:
            self.scaling.deregister_scalable_target(**self._where(variant))
        except self.scaling.exceptions.ObjectNotFoundException:
            return

    def _where(self, variant: str) -> dict[str, str]:
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": f"endpoint/{self.endpoint}/variant/{variant}",
            "ScalableDimension": DIMENSION,
        }
