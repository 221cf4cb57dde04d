"""Plain values to DynamoDB's attribute values and back, for the few types that records use."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

Fields = dict[str, Any]


def to_attribute(value: object) -> dict[str, Any]:
    """Return `value` as an attribute value ("AttributeValue" in the DynamoDB API reference).

    Knows None, bool, str, int, float, Decimal, lists, tuples and mappings with string keys.
    Raises TypeError for anything else, and for numbers that are not finite.
    """
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float() | Decimal():
            return {"N": _number(value)}
        case list() | tuple():
            return {"L": [to_attribute(each) for each in cast("list[object]", value)]}
        case Mapping():
            return {"M": to_item(cast("Mapping[str, object]", value))}
        case _:
            raise TypeError(f"a record cannot hold a value of type {type(value).__name__}")


def to_item(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return every value of `fields` as an attribute value, under its own name."""
    return {name: to_attribute(value) for name, value in fields.items()}


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """Return the plain value of one attribute value; whole numbers become int, others Decimal."""
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "S" | "BOOL":
            return value
        case "N":
            number = Decimal(value)
            return int(number) if number == number.to_integral_value() else number
        case "L":
            return [from_attribute(each) for each in value]
        case "M":
            return from_item(value)
        case _:
            raise TypeError(f"a record does not use DynamoDB's type {kind!r}")


def from_item(item: Mapping[str, Any]) -> Fields:
    """Return the plain values of an item, by attribute name."""
    return {name: from_attribute(attribute) for name, attribute in item.items()}


def plain_number(value: object) -> float:
    """Return a number that was read back from a record as JSON can hold it: for `json.dumps`."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"results cannot hold a value of type {type(value).__name__}")


def size_of(value: object) -> int:
    """Return about how many bytes `value` takes in DynamoDB, rather too many than too few.

    After "DynamoDB item sizes and formats" in the developer guide: UTF-8 bytes of names and
    strings, at most 21 bytes a number, 1 byte a member and 3 bytes a list or map.
    """
    match value:
        case str():
            return 1 + len(value.encode())
        case list() | tuple():
            return 4 + sum(size_of(each) for each in cast("list[object]", value))
        case Mapping():
            members = cast("Mapping[str, object]", value).items()
            return 4 + sum(size_of(name) + size_of(each) for name, each in members)
        case None | bool():
            return 2
        case _:
            return 22


def _number(value: int | float | Decimal) -> str:
    # The shortest text that reads back as the same float: 97.5, not 97.50000000000000123.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise TypeError(f"a record cannot hold the number {value}")
    return str(number)
