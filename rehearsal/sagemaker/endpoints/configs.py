"""Endpoint configurations."""

from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context, name_of
from rehearsal.sagemaker.endpoints import tables
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource

KEPT = (
    "ProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)
REFUSED = ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants")


def operations(context: Context) -> Registry:
    """Create, describe, list and delete."""
    configs = tables.configs(context)

    def create(call: Call) -> Fields:
        given = call.parameters
        _check(context, given)
        name = given["EndpointConfigName"]
        fields = {key: given[key] for key in KEPT if key in given}
        made = configs.add(name, context.arn(tables.CONFIG, name), fields, given.get("Tags"))
        return {"EndpointConfigArn": made.arn}

    def describe(call: Call) -> Fields:
        found = configs.view(name_of(call.parameters["EndpointConfigName"]))
        return {**found.fields, **_summary(found)}

    def list_all(call: Call) -> Fields:
        return page(configs.all(), call.parameters, "EndpointConfigs", _summary, order="Descending")

    def delete(call: Call) -> Fields:
        configs.remove(name_of(call.parameters["EndpointConfigName"]))
        return {}

    return {
        "CreateEndpointConfig": create,
        "DescribeEndpointConfig": describe,
        "ListEndpointConfigs": list_all,
        "DeleteEndpointConfig": delete,
    }


def _summary(config: Resource) -> Fields:
    return {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created,
    }


def _check(context: Context, given: dict[str, Any]) -> None:
    """What AWS refuses at once, and what has no stand-in here."""
    refused = [name for name in REFUSED if given.get(name)]
    if refused:
        raise ServiceError(
            "NotRehearsedException", f"the rehearsal hosts no endpoint with {', '.join(refused)}"
        )
    variants: list[dict[str, Any]] = given["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise ServiceError("ValidationException", "Production variant names must be unique.")
    models = context.tables.table("model")
    for variant in variants:
        model = variant.get("ModelName", "")
        if models.get(model) is None:
            arn = context.arn("model", model)
            raise ServiceError("ValidationException", f'Could not find model "{arn}".')
        _check_capacity(variant)
    if given.get("DataCaptureConfig", {}).get("EnableCapture") and _serverless(variants):
        raise ServiceError(
            "ValidationException", "Data capture is not supported for serverless endpoints."
        )


def _check_capacity(variant: dict[str, Any]) -> None:
    if bool(variant.get("ServerlessConfig")) == bool(variant.get("InstanceType")):
        raise ServiceError(
            "ValidationException",
            f"Production variant {variant['VariantName']} must have either InstanceType with "
            "InitialInstanceCount or ServerlessConfig.",
        )


def _serverless(variants: list[dict[str, Any]]) -> bool:
    return any(variant.get("ServerlessConfig") for variant in variants)
