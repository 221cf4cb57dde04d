"""What brings approved model versions to their endpoints."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from config import (
    EndpointSettings,
    EnvironmentSettings,
    HostingSettings,
    ModelSettings,
    TrainingSettings,
)
from sagelens import Monitored, MonitorJobRole, S3Folder
from sagelens.algorithms import algorithm
from sagelens.endpoint_role import EndpointRole
from sagelens.endpoint_scaling import ScalingFunction
from sagelens.live_version import LiveVersion, LiveVersionFunction
from sagelens.release import HostingStack, ReleaseOnApproval, ReleasePace, SmokeTest
from stacks import hosting_acknowledgements as acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.hosting_monitor import is_monitored, monitor_role
from stacks.hosting_plans import (
    VARIANT,
    HostingNames,
    capture_of,
    has_instances,
    network_of,
    sample_of,
)
from stacks.platform_stack import PlatformStack
from stacks.training_plans import recipe_of
from stacks.training_stack import pascal


@dataclass(frozen=True, kw_only=True)
class Functions:
    """The functions that the models of an environment share.

    Args:
        versions: Makes the parameters with the live versions.
        scaling: Scales endpoints; None if none runs on instances.
    """

    versions: LiveVersionFunction
    scaling: ScalingFunction | None


class ModelRelease(Construct):
    """A model's live version, its endpoint's role, and what releases its versions.

    Args:
        stack: The stack that it is part of.
        id: The construct's id.
        names: Names of its hosting.
        trained: How the model is trained.
        endpoint: How its endpoint is to be.
        functions: What it shares with other models.

    Attributes:
        live_version: The parameter with the live version.
        endpoint_role: Execution role of the models behind its endpoint.
        monitor_role: Role of Model Monitor's jobs, if it watches the endpoint.
        sample: The request that a version must answer.
        release: What releases its versions.
    """

    def __init__(
        self,
        stack: ReleasesStack,
        id: str,
        *,
        names: HostingNames,
        trained: ModelSettings,
        endpoint: EndpointSettings,
        functions: Functions,
    ) -> None:
        super().__init__(stack, id)
        self._stack = stack
        self._names = names
        self._endpoint = endpoint
        self.live_version = LiveVersion(
            self,
            "LiveVersion",
            parameter_name=names.live_parameter,
            function=functions.versions,
            tags=stack.labels,
            removal_policy=stack.removal_policy,
        )
        self.endpoint_role = self._role(trained)
        self.monitor_role = self._monitor_role()
        self.sample = assets.Asset(self, "Sample", path=str(sample_of(endpoint, model=names.model)))
        self.release = self._release(functions)

    def _role(self, trained: ModelSettings) -> EndpointRole:
        foundation, model = self._stack.foundation, self._names.model
        bucket = foundation.models_bucket
        processor = recipe_of(model).serving_processor
        return EndpointRole(
            self,
            "EndpointRole",
            endpoint_name=self._names.endpoint,
            artifacts=[S3Folder(bucket=bucket, prefix=f"{model}/runs/")],
            images=[algorithm(trained.algorithm).inference_image(self, processor)],
            encryption_key=foundation.encryption_key,
            capture=capture_of(self._endpoint, names=self._names, bucket=bucket),
            network=network_of(self._endpoint, foundation.network),
        )

    def _monitor_role(self) -> MonitorJobRole | None:
        stack = self._stack
        if not is_monitored(stack.settings, self._endpoint):
            return None
        return monitor_role(
            self, names=self._names, training=stack.training, foundation=stack.foundation
        )

    def _release(self, functions: Functions) -> ReleaseOnApproval:
        foundation, pace = self._stack.foundation, self._stack.hosting.release
        test = self._endpoint.smoke_test
        return ReleaseOnApproval(
            self,
            "Release",
            model_group_name=self._names.endpoint,
            live_version=self.live_version,
            hosting=HostingStack(
                stack_name=self._names.stack,
                endpoint_name=self._names.endpoint,
                variants=[VARIANT],
                endpoint_role=self.endpoint_role,
                scaling_function=None if self._endpoint.serverless else functions.scaling,
                monitored=Monitored(schedule=self._names.monitor, role=self.monitor_role)
                if self.monitor_role
                else None,
            ),
            smoke_test=SmokeTest(
                bucket=self.sample.bucket,
                key=self.sample.s3_object_key,
                answer_path=test.answer_path,
                content_type=test.content_type,
                least=test.least,
                most=test.most,
            ),
            bus=foundation.event_bus,
            alarm_topic=foundation.alarm_topic,
            encryption_key=foundation.encryption_key,
            keep=pace.keep,
            pace=ReleasePace(poll_seconds=pace.poll_seconds, timeout_hours=pace.timeout_hours),
            log_retention_days=self._stack.settings.log_retention_days,
            removal_policy=self._stack.removal_policy,
        )

    def acknowledge(self) -> None:
        """Say why each finding of cdk-nag in it stands."""
        acknowledgements.endpoint_role_findings(
            self.endpoint_role,
            models=self._stack.foundation.models_bucket,
            model=self._names.model,
            endpoint=self._names.endpoint,
            captures=self._endpoint.capture_percent is not None,
            network=network_of(self._endpoint, self._stack.foundation.network) is not None,
        )
        acknowledgements.release_findings(
            self.release, endpoint=self._names.endpoint, stack=self._names.stack
        )
        if self.monitor_role:
            acknowledgements.monitor_findings(
                self.monitor_role,
                self.release,
                names=self._names,
                models=self._stack.foundation.models_bucket,
                network=self._stack.foundation.network is not None,
            )


class ReleasesStack(PlatformStack):
    """Approval of a model version in the registry updates its hosting stack.

    It comes before the hosting stacks, which it knows by name, so that deploying them changes
    nothing here. They import their role and the scaling function; nothing imports from them.

    Args:
        scope: The app.
        settings: The environment's settings.
        hosting: Which models are hosted, and how.
        training: How they are trained.
        foundation: The environment's foundation.

    Attributes:
        functions: What the models share.
        models: The releases by the model's name.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        hosting: HostingSettings,
        training: TrainingSettings,
        foundation: FoundationStack,
    ) -> None:
        super().__init__(
            scope,
            "releases",
            settings=settings,
            description="Sagelens: live versions of models, and their releases",
        )
        self.hosting = hosting
        self.training = training
        self.foundation = foundation
        self.functions = Functions(versions=self._versions(), scaling=self._scaling())
        self.models = {
            name: ModelRelease(
                self,
                pascal(name),
                names=HostingNames(settings.name, name),
                trained=training.models[name],
                endpoint=endpoint,
                functions=self.functions,
            )
            for name, endpoint in hosting.models.items()
        }
        self._acknowledge()
        self._export_all()

    def _versions(self) -> LiveVersionFunction:
        return LiveVersionFunction(
            self,
            "Versions",
            prefix=HostingNames(self.settings.name, "").live_prefix,
            encryption_key=self.foundation.encryption_key,
            log_retention_days=self.settings.log_retention_days,
            removal_policy=self.removal_policy,
        )

    def _scaling(self) -> ScalingFunction | None:
        if not has_instances(self.settings):
            return None
        every = HostingNames(self.settings.name, "*")
        return ScalingFunction(
            self,
            "Scaling",
            endpoints=[every.endpoint],
            stacks=[every.stack],
            encryption_key=self.foundation.encryption_key,
            log_retention_days=self.settings.log_retention_days,
            removal_policy=self.removal_policy,
        )

    def _acknowledge(self) -> None:
        acknowledgements.live_version_findings(
            self.functions.versions, prefix=HostingNames(self.settings.name, "").live_prefix
        )
        if self.functions.scaling:
            every = HostingNames(self.settings.name, "*")
            acknowledgements.scaling_findings(
                self.functions.scaling, endpoints=every.endpoint, stacks=every.stack
            )
        for model in self.models.values():
            model.acknowledge()

    def _export_all(self) -> None:
        for name, model in self.models.items():
            prefix, release = pascal(name), model.release
            self.export(
                f"{prefix}LiveVersionParameter",
                model.live_version.parameter_name,
                f"Holds the live version of {name}",
            )
            self.export(
                f"{prefix}ReleaseStateMachineArn",
                release.state_machine.ref,
                f"Releases versions of {name}",
            )
            self.export(
                f"{prefix}ReleaseDeadLetterQueueArn",
                release.trigger.dead_letter_queue.queue_arn,
                "Approvals that started nothing",
            )
