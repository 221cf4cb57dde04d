# pyright: reportMissingTypeStubs=false
"""botocore's model of a service, read as the plain data that it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from botocore.loaders import Loader

Shape = Mapping[str, Any]


@dataclass(frozen=True)
class ServiceModel:
    """A service: its protocol, operations, errors and shapes.

    Attributes:
        name: botocore's name of it, for example `rekognition`.
        metadata: protocol, target prefix and the like.
        operations: by name.
        shapes: by name; a shape refers to others as {"shape": name}.
    """

    name: str
    metadata: Mapping[str, str]
    operations: Mapping[str, Mapping[str, Any]]
    shapes: Mapping[str, Shape]

    def resolve(self, reference: Mapping[str, Any]) -> Shape:
        """The shape that a member or an operation refers to."""
        return self.shapes[str(reference["shape"])]

    def input(self, operation: str) -> Shape | None:
        """The input structure of an operation, None if it takes nothing."""
        reference = self.operations[operation].get("input")
        return None if reference is None else self.resolve(reference)

    def output(self, operation: str) -> Shape | None:
        """The output structure of an operation, None if it answers nothing."""
        reference = self.operations[operation].get("output")
        return None if reference is None else self.resolve(reference)

    def errors(self, operation: str) -> dict[str, int]:
        """The documented errors of an operation and their HTTP statuses."""
        references = cast("list[dict[str, str]]", self.operations[operation].get("errors", []))
        return {ref["shape"]: _status(self.resolve(ref)) for ref in references}

    def members_of_shape(self, operation: str, shape: str) -> tuple[str, ...]:
        """The input members of an operation that are of one shape, for example Image."""
        members = cast(
            "dict[str, dict[str, Any]]", (self.input(operation) or {}).get("members", {})
        )
        return tuple(name for name, member in members.items() if member["shape"] == shape)


@lru_cache(maxsize=8)
def service_model(name: str) -> ServiceModel:
    """The model of a service; botocore's UnknownServiceError if there is none."""
    loader: Any = Loader()
    data = cast("dict[str, Any]", loader.load_service_model(name, "service-2"))
    return ServiceModel(name, data["metadata"], data["operations"], data["shapes"])


def _status(shape: Shape) -> int:
    error = cast("dict[str, Any]", shape.get("error", {}))
    return int(error.get("httpStatusCode", 500 if shape.get("fault") else 400))
