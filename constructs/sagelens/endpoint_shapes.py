"""An endpoint's options as CloudFormation takes them."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker

from .endpoint_options import AllAtOnce, Canary, DataCapture, Deployment, Serverless, Variant

Configuration = sagemaker.CfnEndpointConfig
Endpoint = sagemaker.CfnEndpoint


def production_variant(
    variant: Variant, model_name: str
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    """A variant with its model and capacity."""
    capacity = variant.capacity
    if isinstance(capacity, Serverless):
        return Configuration.ProductionVariantProperty(
            variant_name=variant.name,
            model_name=model_name,
            initial_variant_weight=variant.weight,
            serverless_config=Configuration.ServerlessConfigProperty(
                memory_size_in_mb=capacity.memory_mb,
                max_concurrency=capacity.max_concurrency,
                provisioned_concurrency=capacity.provisioned_concurrency,
            ),
        )
    return Configuration.ProductionVariantProperty(
        variant_name=variant.name,
        model_name=model_name,
        initial_variant_weight=variant.weight,
        instance_type=capacity.instance_type,
        initial_instance_count=capacity.count,
    )


def capture_config(
    capture: DataCapture, key: kms.IKey
) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
    """What is recorded: request and answer, as text where their content type is text."""
    return Configuration.DataCaptureConfigProperty(
        enable_capture=True,
        destination_s3_uri=capture.folder.url,
        initial_sampling_percentage=capture.percent,
        kms_key_id=key.key_arn,
        capture_options=[
            Configuration.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")
        ],
        capture_content_type_header=Configuration.CaptureContentTypeHeaderProperty(
            csv_content_types=["text/csv"],
            json_content_types=["application/json", "application/jsonlines"],
        ),
    )


def deployment_config(
    deployment: Deployment, alarm_names: Sequence[str], *, serverless: bool
) -> sagemaker.CfnEndpoint.DeploymentConfigProperty | None:
    """How traffic moves: blue/green, rolled back by the alarms.

    None for a serverless endpoint whose alarms have no time to ring: it changes over at once by
    itself, and should an account be refused deployment guardrails for it, none are asked for.
    """
    if serverless and not deployment.bake_seconds:
        return None
    routing = _routing(deployment)
    return Endpoint.DeploymentConfigProperty(
        blue_green_update_policy=Endpoint.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=routing,
            termination_wait_in_seconds=deployment.bake_seconds,
            maximum_execution_timeout_in_seconds=deployment.timeout_seconds,
        ),
        auto_rollback_configuration=Endpoint.AutoRollbackConfigProperty(
            alarms=[Endpoint.AlarmProperty(alarm_name=name) for name in alarm_names]
        ),
    )


def _routing(deployment: Deployment) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
    wait = deployment.bake_seconds
    if isinstance(deployment, AllAtOnce):
        return Endpoint.TrafficRoutingConfigProperty(type="ALL_AT_ONCE", wait_interval_in_seconds=0)
    size = Endpoint.CapacitySizeProperty(type="CAPACITY_PERCENT", value=deployment.percent)
    if isinstance(deployment, Canary):
        return Endpoint.TrafficRoutingConfigProperty(
            type="CANARY", wait_interval_in_seconds=wait, canary_size=size
        )
    return Endpoint.TrafficRoutingConfigProperty(
        type="LINEAR", wait_interval_in_seconds=wait, linear_step_size=size
    )
