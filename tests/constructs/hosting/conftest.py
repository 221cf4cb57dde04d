"""What an endpoint and its releases need around them, in a stranger's stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import aws_cdk as cdk
import pytest

from sagelens import AlarmTopic, EncryptionKey, PlatformBus, SecureBucket
from sagelens.endpoint_options import DataCapture, Instances, Scaling, Serverless, Variant
from sagelens.endpoint_role import EndpointRole
from sagelens.endpoint_scaling import ScalingFunction
from sagelens.live_version import LivePackage, LiveVersion, LiveVersionFunction
from sagelens.model_endpoint import ModelEndpoint
from sagelens.private_network import Network
from sagelens.release import ReleaseOnApproval
from sagelens.release_options import HostingStack, SmokeTest
from sagelens.s3_folder import S3Folder

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/served:1"
NAME = "test-churn"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/test-churn/3"
TWO = Instances(
    instance_type="ml.m5.large", count=2, scaling=Scaling(most=4, invocations_per_instance=100)
)


def variant(capacity: Any = None, name: str = "main", **more: Any) -> Variant:
    """A variant with a fixed model package."""
    return Variant(name=name, model_package=PACKAGE, capacity=capacity or Serverless(), **more)


@dataclass
class House:
    """The surroundings, each made when it is first asked for."""

    stack: cdk.Stack

    @cached_property
    def key(self) -> EncryptionKey:
        return EncryptionKey(self.stack, "Key")

    @cached_property
    def topic(self) -> AlarmTopic:
        return AlarmTopic(self.stack, "Topic", encryption_key=self.key)

    @cached_property
    def models(self) -> SecureBucket:
        return SecureBucket(self.stack, "Models", encryption_key=self.key)

    @cached_property
    def bus(self) -> PlatformBus:
        return PlatformBus(self.stack, "Bus", encryption_key=self.key, description="news")

    @cached_property
    def capture(self) -> DataCapture:
        return DataCapture(folder=S3Folder(bucket=self.models, prefix="captured/"), percent=50)

    @cached_property
    def live(self) -> LivePackage:
        return LivePackage(self.stack, "Live", parameter_name="/test/live/churn")

    @cached_property
    def scaling(self) -> ScalingFunction:
        return ScalingFunction(
            self.stack, "Scaling", endpoints=["test-*"], stacks=["test-*"], encryption_key=self.key
        )

    @cached_property
    def version_function(self) -> LiveVersionFunction:
        return LiveVersionFunction(
            self.stack, "Versions", prefix="/test/live/", encryption_key=self.key
        )

    @cached_property
    def version(self) -> LiveVersion:
        return LiveVersion(
            self.stack,
            "Version",
            parameter_name="/test/live/churn",
            function=self.version_function,
            tags={"team": "a"},
        )

    def role(
        self, capture: DataCapture | None = None, network: Network | None = None
    ) -> EndpointRole:
        return EndpointRole(
            self.stack,
            "EndpointRole",
            endpoint_name=NAME,
            artifacts=[S3Folder(bucket=self.models, prefix="churn/")],
            images=[IMAGE],
            encryption_key=self.key,
            capture=capture,
            network=network,
        )

    def endpoint(self, *variants: Variant, **changes: Any) -> ModelEndpoint:
        capture, network = changes.get("capture"), changes.get("network")
        return ModelEndpoint(
            self.stack,
            "Endpoint",
            **{
                "endpoint_name": NAME,
                "variants": variants or (variant(),),
                "role": self.role(capture, network),
                "encryption_key": self.key,
                "alarm_topic": self.topic,
                **changes,
            },
        )

    def release(self, **changes: Any) -> ReleaseOnApproval:
        hosting = changes.pop("hosting", None) or HostingStack(
            stack_name="test-hosting-churn",
            endpoint_name=NAME,
            variants=["main"],
            endpoint_role=self.role(),
            scaling_function=self.scaling,
        )
        test = SmokeTest(
            bucket=self.models, key="samples/churn.csv", answer_path="$.predictions[0].score"
        )
        return ReleaseOnApproval(
            self.stack,
            "Release",
            **{
                "model_group_name": "test-churn",
                "live_version": self.version,
                "hosting": hosting,
                "smoke_test": test,
                "bus": self.bus,
                "alarm_topic": self.topic,
                "encryption_key": self.key,
                **changes,
            },
        )


@pytest.fixture
def house(stack: cdk.Stack) -> House:
    return House(stack)
