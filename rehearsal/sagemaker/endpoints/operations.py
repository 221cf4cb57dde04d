"""Endpoints: the API operations."""

from collections.abc import Mapping
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context, name_of, times
from rehearsal.sagemaker.endpoints import configs, tables
from rehearsal.sagemaker.endpoints.deployments import Deployments
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Action, Registry
from rehearsal.sagemaker.tables import Fields, Resource

BUSY = ("Creating", "Updating", "RollingBack", "SystemUpdating", "Deleting")


class Endpoints:
    """Create, describe, list, update, reweigh and delete endpoints.

    Args:
        context: SageMaker's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table = tables.endpoints(context)
        self._configs = tables.configs(context)
        self.deployments = context.one(Deployments)

    def create(self, call: Call) -> Fields:
        """CreateEndpoint."""
        given = call.parameters
        name, config = given["EndpointName"], name_of(given["EndpointConfigName"])
        self._configs.require(config)
        _check_deployment(self._configs.view(config), given.get("DeploymentConfig", {}))
        fields: Fields = {"EndpointConfigName": config, "EndpointStatus": "Creating"}
        if "DeploymentConfig" in given:
            fields["LastDeploymentConfig"] = given["DeploymentConfig"]
        arn = self._context.arn(tables.ENDPOINT, name)
        made = self._table.add(name, arn, fields, given.get("Tags"))
        self._context.start(
            f"create endpoint {name}", lambda: self.deployments.create(name, config)
        )
        return {"EndpointArn": made.arn}

    def update(self, call: Call) -> Fields:
        """UpdateEndpoint."""
        given = call.parameters
        name, config = name_of(given["EndpointName"]), name_of(given["EndpointConfigName"])
        self._configs.require(config)
        deployment = given.get("DeploymentConfig", {})
        _check_deployment(self._configs.view(config), deployment)
        with self._table.lock:
            endpoint = self._idle(name)
            self._check_scaling(endpoint, config)
            endpoint.internal["retain"] = bool(given.get("RetainAllVariantProperties"))
            self._table.update(name, EndpointStatus="Updating", FailureReason=None)
            if deployment:
                self._table.update(name, LastDeploymentConfig=deployment)
        self._context.start(
            f"update endpoint {name}",
            lambda: self.deployments.update(name, config, deployment),
        )
        return {"EndpointArn": endpoint.arn}

    def reweigh(self, call: Call) -> Fields:
        """UpdateEndpointWeightsAndCapacities."""
        name = name_of(call.parameters["EndpointName"])
        desired: list[dict[str, Any]] = call.parameters["DesiredWeightsAndCapacities"]
        with self._table.lock:
            endpoint = self._idle(name)
            known = {each["VariantName"] for each in endpoint.fields["ProductionVariants"]}
            unknown = [each["VariantName"] for each in desired if each["VariantName"] not in known]
            if unknown:
                text = f"Could not find production variant(s) {unknown} in endpoint {name}."
                raise ServiceError("ValidationException", text)
            self._table.update(name, EndpointStatus="Updating")
        self._context.start(
            f"reweigh endpoint {name}", lambda: self.deployments.reweigh(name, desired)
        )
        return {"EndpointArn": endpoint.arn}

    def delete(self, call: Call) -> Fields:
        """DeleteEndpoint."""
        name = name_of(call.parameters["EndpointName"])
        with self._table.lock:
            endpoint = self._table.require(name)
            if endpoint.fields["EndpointStatus"] in ("Updating", "RollingBack"):
                raise _in_progress(endpoint)
            self._table.remove(name)
        self.deployments.delete(name)
        return {}

    def describe(self, call: Call) -> Fields:
        """DescribeEndpoint."""
        found = self._table.view(name_of(call.parameters["EndpointName"]))
        return {
            "EndpointName": found.name,
            "EndpointArn": found.arn,
            **found.fields,
            **times(found),
        }

    def list_all(self, call: Call) -> Fields:
        """ListEndpoints."""

        def summary(endpoint: Resource) -> Fields:
            return {
                "EndpointName": endpoint.name,
                "EndpointArn": endpoint.arn,
                "EndpointStatus": endpoint.fields["EndpointStatus"],
                **times(endpoint),
            }

        return page(
            self._table.all(),
            call.parameters,
            "Endpoints",
            summary,
            status="EndpointStatus",
            order="Descending",
        )

    def _idle(self, name: str) -> Resource:
        endpoint = self._table.require(name)
        if endpoint.fields["EndpointStatus"] in BUSY:
            raise _in_progress(endpoint)
        return endpoint

    def _check_scaling(self, endpoint: Resource, config: str) -> None:
        """SageMaker refuses to change the instance type of a variant that is scaled.

        ("Update endpoints that use automatic scaling", Amazon SageMaker Developer Guide.)
        """
        targets = self._context.tables.table("scalable-target").live()
        scaled = {target.name for target in targets}
        before = self._configs.get(endpoint.fields["EndpointConfigName"])
        after = self._configs.require(config)
        if not scaled or before is None:
            return
        types = {each["VariantName"]: each.get("InstanceType") for each in _variants(after)}
        changed = [
            each["VariantName"]
            for each in _variants(before)
            if f"endpoint/{endpoint.name}/variant/{each['VariantName']}" in scaled
            and types.get(each["VariantName"]) != each.get("InstanceType")
        ]
        if changed:
            names = ", ".join(f'"{name}"' for name in changed)
            raise ServiceError(
                "ValidationException",
                f'The variant(s) "[{names}]" must be deregistered as scalable targets with AWS '
                "Application Auto Scaling before they can be removed or have their instance type "
                "updated.",
            )


def operations(context: Context) -> Registry:
    """The operations on configurations and endpoints."""
    endpoints = Endpoints(context)
    return {
        **configs.operations(context),
        "CreateEndpoint": endpoints.create,
        "UpdateEndpoint": endpoints.update,
        "UpdateEndpointWeightsAndCapacities": endpoints.reweigh,
        "DeleteEndpoint": endpoints.delete,
        "DescribeEndpoint": endpoints.describe,
        "ListEndpoints": endpoints.list_all,
    }


def actions(context: Context) -> dict[str, Action]:
    """The control API: {"endpoint": name} lets the next update of it roll back silently."""

    def roll_back(body: dict[str, Any]) -> None:
        name = str(body["endpoint"])
        if tables.endpoints(context).get(name) is None:
            raise ValueError(f"there is no endpoint {name!r}")
        context.one(Deployments).roll_back_next(name)

    return {"roll_back_next_update": roll_back}


def _variants(config: Resource) -> list[Mapping[str, Any]]:
    return config.fields["ProductionVariants"]


def _in_progress(endpoint: Resource) -> ServiceError:
    return ServiceError(
        "ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".'
    )


def _check_deployment(config: Resource, deployment: Mapping[str, Any]) -> None:
    """What SageMaker refuses of a deployment."""
    if not deployment:
        return
    if deployment.get("RollingUpdatePolicy"):
        raise ServiceError("NotRehearsedException", "the rehearsal has blue/green deployments only")
    # A serverless variant counts as one instance: "Exclusions" of deployment guardrails keeps it
    # from rolling deployments only.
    routing = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    single = [v["VariantName"] for v in _variants(config) if v.get("InitialInstanceCount", 1) < 2]
    if routing.get("Type") in ("CANARY", "LINEAR") and single:
        raise ServiceError(
            "ValidationException",
            f"{routing['Type']} traffic routing needs at least two instances; variant(s) "
            f"{', '.join(single)} have one.",
        )
