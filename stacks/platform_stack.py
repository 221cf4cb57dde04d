"""What every stack of an environment shares."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct

from config import EnvironmentSettings


@jsii.implements(cdk.IPropertyInjector)
class _RolePath:
    """Gives every role made in a stack the configured path, those inside other constructs too."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def construct_unique_id(self) -> str:
        return iam.Role.PROPERTY_INJECTION_ID

    def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:
        return {"path": self._path, **original_props}


class PlatformStack(cdk.Stack):
    """A stack of one environment: its name, account, Region, tags, role path and boundary.

    Args:
        scope: The app.
        capability: What the stack provides; its name is ``sagelens-<environment>-<capability>``.
        settings: The environment's settings.
        description: What the stack provides, in a sentence.

    Attributes:
        settings: The environment's settings.
        removal_policy: What becomes of what holds data when the stack is deleted.
        labels: The tags of everything in it.
    """

    def __init__(
        self,
        scope: Construct,
        capability: str,
        *,
        settings: EnvironmentSettings,
        description: str,
    ) -> None:
        boundary = settings.security.permissions_boundary
        super().__init__(
            scope,
            f"sagelens-{settings.name}-{capability}",
            description=description,
            env=cdk.Environment(account=settings.account, region=settings.region),
            permissions_boundary=cdk.PermissionsBoundary.from_arn(boundary) if boundary else None,
            property_injectors=[_RolePath(settings.security.role_path)],
            termination_protection=settings.protect_data and capability == "foundation",
        )
        self.settings = settings
        self.removal_policy = (
            # What a failed first deployment made may go again: nothing is in it yet.
            cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            if settings.protect_data
            else cdk.RemovalPolicy.DESTROY
        )
        self.labels = {
            **settings.tags,
            "sagelens:environment": settings.name,
            "sagelens:capability": capability,
        }
        for key, value in self.labels.items():
            cdk.Tags.of(self).add(key, value)

    @property
    def availability_zones(self) -> list[str]:
        """Zones by their number: asking the account for their names would make synth impure."""
        return [cdk.Fn.select(number, cdk.Fn.get_azs()) for number in range(3)]

    def adopt_bucket_emptier(self) -> None:
        """Give CDK's function that empties a bucket before it goes our tags and role path.

        CDK makes it of raw resources, which neither tags nor property injectors reach.
        """
        provider = self.node.try_find_child("Custom::S3AutoDeleteObjectsCustomResourceProvider")
        if provider is None:
            return
        tags = [{"Key": key, "Value": value} for key, value in sorted(self.labels.items())]
        for name in ("Role", "Handler"):
            resource = provider.node.find_child(name)
            assert isinstance(resource, cdk.CfnResource)
            resource.add_property_override("Tags", tags)
            if name == "Role":
                resource.add_property_override("Path", self.settings.security.role_path)

    def export(self, name: str, value: str, description: str) -> None:
        """Make a value an output of the stack, for people and programs that use it."""
        cdk.CfnOutput(self, name, value=value, description=description)
