"""What one execution of a pipeline may vary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """A parameter with a default, whose type is that of the default.

    Source: "Pipeline parameters" (Amazon SageMaker AI).

    Attributes:
        name: Letters, digits, ``-`` and ``_``, 256 at most.
        default: A text, whole number, number or switch.
    """

    name: str
    default: str | int | float | bool

    @property
    def type(self) -> str:
        """Its type, as AWS calls it."""
        match self.default:
            case bool():
                return "Boolean"
            case int():
                return "Integer"
            case float():
                return "Float"
            case _:
                return "String"

    def document(self) -> dict[str, Any]:
        """Its entry in the definition."""
        return {"Name": self.name, "Type": self.type, "DefaultValue": self.default}
