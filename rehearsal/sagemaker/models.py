"""Models: what an endpoint or a batch transform job runs (CreateModel, Describe, List, Delete)."""

from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.model_packages import PACKAGE, require_object
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table

MODEL = "model"
KEPT = (
    "Containers",
    "EnableNetworkIsolation",
    "ExecutionRoleArn",
    "InferenceExecutionConfig",
    "PrimaryContainer",
    "VpcConfig",
)


def operations(context: Context) -> Registry:
    """The operations of models."""
    api = ModelOperations(context)
    return {
        "CreateModel": api.create,
        "DescribeModel": api.describe,
        "ListModels": api.list,
        "DeleteModel": api.delete,
    }


class ModelOperations:
    """Models.

    Args:
        context: of the service.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table: Table = context.tables.table(MODEL, self._missing, _taken)

    def create(self, call: Call) -> Fields:
        """CreateModel."""
        given = call.parameters
        arn = self._context.arn(MODEL, given["ModelName"])
        containers = _containers(given)
        role = given.get("ExecutionRoleArn")
        if role is not None:
            self._context.check_role(call, role, arn)
        elif any(container.get("ModelDataUrl") for container in containers):
            raise ServiceError("ValidationException", "ExecutionRoleArn is required.")
        for container in containers:
            self._check(container)
        fields = {name: given[name] for name in KEPT if name in given}
        fields.setdefault("EnableNetworkIsolation", False)
        self._table.add(given["ModelName"], arn, fields, tags=given.get("Tags"))
        return {"ModelArn": arn}

    def describe(self, call: Call) -> Fields:
        """DescribeModel."""
        model = self._table.view(call.parameters["ModelName"])
        return {**_summary(model), **model.fields}

    def list(self, call: Call) -> Fields:
        """ListModels."""
        return page(self._table.all(), call.parameters, "Models", _summary)

    def delete(self, call: Call) -> Fields:
        """DeleteModel."""
        self._table.remove(call.parameters["ModelName"])
        return {}

    def _check(self, container: dict[str, Any]) -> None:
        package = container.get("ModelPackageName")
        if package is not None:
            name = str(package).rpartition(":model-package/")[2]
            self._context.tables.table(PACKAGE).require(name)
        elif not container.get("Image"):
            raise ServiceError(
                "ValidationException", "A container needs an Image or a ModelPackageName."
            )
        if container.get("ModelDataUrl"):
            require_object(self._context, container["ModelDataUrl"])

    def _missing(self, name: str) -> ServiceError:
        arn = self._context.arn(MODEL, name)
        return ServiceError("ValidationException", f'Could not find model "{arn}".')


def _containers(given: dict[str, Any]) -> list[dict[str, Any]]:
    primary, several = given.get("PrimaryContainer"), given.get("Containers")
    if (primary is None) == (not several):
        raise ServiceError(
            "ValidationException", "Exactly one of PrimaryContainer and Containers must be given."
        )
    return [primary] if primary is not None else list(several or [])


def _summary(model: Resource) -> Fields:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created}


def _taken(arn: str) -> ServiceError:
    return ServiceError("ValidationException", f'Cannot create already existing model "{arn}".')
