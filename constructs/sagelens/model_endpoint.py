"""A model that answers requests, at an endpoint with a stable name."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from .endpoint_alarms import EndpointAlarms, endpoint_metric
from .endpoint_dashboard import EndpointDashboard
from .endpoint_names import EndpointNames
from .endpoint_options import (
    AllAtOnce,
    DataCapture,
    Deployment,
    Instances,
    Serverless,
    Thresholds,
    Variant,
)
from .endpoint_role import LOG_GROUPS, selected_network
from .endpoint_rules import check
from .endpoint_scaling import EndpointScaling, ScalingFunction
from .endpoint_shapes import capture_config, deployment_config, production_variant
from .job_network import SelectedNetwork
from .jobs import has_local_storage
from .log_group import LogGroup
from .private_network import Network


class ModelEndpoint(Construct):
    """Model packages → models → endpoint configuration → endpoint, scaling, alarms, dashboard.

    A new model package replaces model and configuration; the endpoint keeps its name and is
    updated. Those replaced stay (``UpdateReplacePolicy: Retain``), for SageMaker may go back to
    them; a release removes the oldest. Models and configurations have no names of their own, yet
    logical ids that begin with the endpoint's (:class:`~sagelens.endpoint_names.EndpointNames`).

    Sources: "AWS::SageMaker::Endpoint", "UpdateEndpoint" (instance counts and weights of a variant
    are kept by its name); "Deployment guardrails"; "Data capture" (its page carries the notice
    that Amazon SageMaker Model Monitor is closed to new customers).

    Args:
        scope: The parent construct.
        id: The construct's id.
        endpoint_name: Its name for good, 1 to 63 letters, digits and hyphens.
        variants: The models behind it; one when serverless.
        role: Execution role of the models, see :class:`~sagelens.EndpointRole`.
        encryption_key: Key of volumes, captured requests and logs.
        alarm_topic: Receives the alarms.
        deployment: How traffic moves to a new version.
        capture: Where requests and answers are kept; not at all when absent.
        thresholds: From when the alarms ring.
        network: Where the containers run; by default outside any network of yours.
        network_isolation: Whether containers are cut off from every network; serverless cannot be.
        scaling_function: Serves endpoints on instances; one of its own is made when absent.
        only_if: Condition under which model, configuration and endpoint exist.
        drift: Metrics of the drift watch, for the dashboard.
        log_retention_days: Days to keep the containers' logs.

    Attributes:
        models: The SageMaker models by variant.
        configuration: The endpoint configuration.
        endpoint: The endpoint.
        endpoint_name: Its name.
        endpoint_arn: Its ARN, known before it exists.
        log_group: Where its containers log.
        alarms: Its alarms.
        dashboard: Its dashboard.
        scaling: How instances follow the load; None when serverless.

    Raises:
        ValueError: With every combination that AWS would refuse.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        variants: Sequence[Variant],
        role: iam.IRole,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        deployment: Deployment = AllAtOnce(),
        capture: DataCapture | None = None,
        thresholds: Thresholds = Thresholds(),
        network: Network | None = None,
        network_isolation: bool = False,
        scaling_function: ScalingFunction | None = None,
        only_if: cdk.CfnCondition | None = None,
        drift: Sequence[cloudwatch.IMetric] = (),
        log_retention_days: int = 30,
    ) -> None:
        super().__init__(scope, id)
        check(
            f"ModelEndpoint {self.node.path}",
            endpoint_name=endpoint_name,
            variants=variants,
            deployment=deployment,
            capture=capture,
            network=network,
            network_isolation=network_isolation,
            thresholds=thresholds,
        )
        self.endpoint_name = endpoint_name
        self.endpoint_arn = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="endpoint", resource_name=endpoint_name
        )
        self._names = EndpointNames(endpoint_name)
        self._variants = tuple(variants)
        self._only_if = only_if
        self.log_group = self._log_group(encryption_key, log_retention_days)
        self.alarms = EndpointAlarms(
            self,
            "Alarms",
            endpoint_name=endpoint_name,
            variants=variants,
            topic=alarm_topic,
            thresholds=thresholds,
        )
        self.models = {
            variant.name: self._model(variant, role, network, network_isolation)
            for variant in variants
        }
        self.configuration = self._configuration(encryption_key, capture)
        self.endpoint = self._endpoint(deployment)
        self.scaling = self._scaling(scaling_function, encryption_key, log_retention_days)
        self.dashboard = EndpointDashboard(
            self,
            "Dashboard",
            endpoint_name=endpoint_name,
            variants=variants,
            alarms=self.alarms,
            drift=drift,
        )

    def _log_group(self, key: kms.IKey, retention_days: int) -> LogGroup:
        """SageMaker logs to a group of this name; it makes one, unencrypted and endless, if none.

        The group goes with the stack: a second deployment has to make it anew.
        """
        group = LogGroup(
            self,
            "Logs",
            encryption_key=key,
            retention_days=retention_days,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        resource = group.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)
        resource.log_group_name = f"{LOG_GROUPS}/{self.endpoint_name}"
        return group

    def _model(
        self, variant: Variant, role: iam.IRole, network: Network | None, isolated: bool
    ) -> sagemaker.CfnModel:
        model = sagemaker.CfnModel(
            self,
            f"Model{variant.name}",
            execution_role_arn=role.role_arn,
            enable_network_isolation=isolated,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=variant.model_package,
                environment=dict(variant.environment) or None,
            ),
            vpc_config=_vpc_config(selected_network(network)),
        )
        self._retain(model, self._names.model(variant.name))
        model.node.add_dependency(self.log_group)
        return model

    def _configuration(
        self, key: kms.IKey, capture: DataCapture | None
    ) -> sagemaker.CfnEndpointConfig:
        types = [
            each.capacity.instance_type
            for each in self._variants
            if isinstance(each.capacity, Instances)
        ]
        configuration = sagemaker.CfnEndpointConfig(
            self,
            "Configuration",
            production_variants=[
                production_variant(each, self.models[each.name].attr_model_name)
                for each in self._variants
            ],
            kms_key_id=None if any(map(has_local_storage, types)) else key.key_arn,
            data_capture_config=capture_config(capture, key) if capture else None,
        )
        self._retain(configuration, self._names.configuration)
        return configuration

    def _retain(self, resource: cdk.CfnResource, logical_id: str) -> None:
        resource.override_logical_id(logical_id)
        resource.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
        resource.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
        resource.cfn_options.condition = self._only_if

    def _endpoint(self, deployment: Deployment) -> sagemaker.CfnEndpoint:
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=self.endpoint_name,
            endpoint_config_name=self.configuration.attr_endpoint_config_name,
            retain_all_variant_properties=True,
            deployment_config=deployment_config(
                deployment,
                [alarm.alarm_name for alarm in self.alarms.rollback],
                serverless=any(isinstance(each.capacity, Serverless) for each in self._variants),
            ),
        )
        endpoint.override_logical_id(self._names.stem)
        endpoint.cfn_options.condition = self._only_if
        return endpoint

    def _scaling(
        self, function: ScalingFunction | None, key: kms.IKey, retention_days: int
    ) -> EndpointScaling | None:
        if not all(isinstance(each.capacity, Instances) for each in self._variants):
            return None
        function = function or ScalingFunction(
            self,
            "ScalingFunction",
            endpoints=[self.endpoint_name],
            stacks=[cdk.Aws.STACK_NAME],
            encryption_key=key,
            log_retention_days=retention_days,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        return EndpointScaling(
            self,
            "Scaling",
            endpoint=self.endpoint,
            endpoint_name=self.endpoint_name,
            variants=self._variants,
            function=function,
            only_if=self._only_if,
        )

    def grant_invoke(self, grantee: iam.IGrantable) -> None:
        """Let a principal call the endpoint.

        Args:
            grantee: A role, user or function.
        """
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="InvokeEndpoint",
                actions=["sagemaker:InvokeEndpoint"],
                resources=[self.endpoint_arn],
            )
        )

    def metric(
        self, name: str, *, variant: str | None = None, statistic: str = "Sum"
    ) -> cloudwatch.Metric:
        """A metric of a variant, by the minute; see :func:`~sagelens.endpoint_metric`.

        Args:
            name: For example ``Invocations``.
            variant: The variant; the first when absent.
            statistic: Such as ``Sum``, ``Average`` or ``p99``.
        """
        return endpoint_metric(
            self.endpoint_name,
            name,
            variant=variant or self._variants[0].name,
            statistic=statistic,
        )

    def metric_invocations(self, **options: str) -> cloudwatch.Metric:
        """Calls; options as of :meth:`metric`."""
        return self.metric("Invocations", **options)

    def metric_errors(self, **options: str) -> cloudwatch.Metric:
        """Answers of 5xx; options as of :meth:`metric`."""
        return self.metric("Invocation5XXErrors", **options)

    def metric_latency(self, **options: str) -> cloudwatch.Metric:
        """The model's time in µs, the 99th percentile; options as of :meth:`metric`."""
        return self.metric("ModelLatency", **{"statistic": "p99", **options})


def _vpc_config(
    network: SelectedNetwork | None,
) -> sagemaker.CfnModel.VpcConfigProperty | None:
    if network is None:
        return None
    return sagemaker.CfnModel.VpcConfigProperty(
        subnets=list(network.subnets), security_group_ids=list(network.security_groups)
    )
