"""The events of retail on the platform's bus, source `sagelens.retail`.

`Shelf Counted` joins counting and ordering; `shelf-counted.schema.json` beside this module is its
contract, which `validate` holds an event against on either side. `Shelf Picture Wanted` tells of a
picture that does not count as it is, `Replenishment Ordered` of what was ordered after a reading.
All of them arrive at least once, with the same id each time.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

SCHEMA = "1"
SOURCE = "sagelens.retail"
COUNTED = "Shelf Counted"
WANTED = "Shelf Picture Wanted"
ORDERED = "Replenishment Ordered"
SCHEMA_FILE = Path(__file__).with_name("shelf-counted.schema.json")

_KINDS: Mapping[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and float(cast(float, value)).is_integer(),
    "number": lambda value: _is_number(value),
}
_KEYWORDS = ("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum")


class NotOfContract(ValueError):
    """An event does not keep the contract; the text lists everything that is wrong."""


def event_id(kind: str, *parts: object) -> str:
    """Return the id of an event: 32 hex digits, the same for the same parts."""
    text = json.dumps([SCHEMA, kind, *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def entry(detail_type: str, detail: Mapping[str, Any], bus: str) -> dict[str, Any]:
    """Return the PutEvents entry that carries `detail` to the bus named `bus`."""
    text = json.dumps(detail, ensure_ascii=False)
    return {"EventBusName": bus, "Source": SOURCE, "DetailType": detail_type, "Detail": text}


def validate(detail: object) -> Mapping[str, Any]:
    """Return the detail of a `Shelf Counted` event; unknown fields are tolerated.

    Raises NotOfContract that lists every field which is missing or wrong.
    """
    found = [*_problems(detail, _schema(), "detail")]
    if not found:
        found = [*_contradictions(cast("Mapping[str, Any]", detail))]
    if found:
        raise NotOfContract(f"not a {COUNTED!r} event of schema {SCHEMA}: " + "; ".join(found))
    return cast("Mapping[str, Any]", detail)


@cache
def _schema() -> Mapping[str, Any]:
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def _problems(value: object, schema: Mapping[str, Any], where: str) -> Iterable[str]:
    """What of the few keywords of JSON Schema that the contract uses does not hold."""
    if "$ref" in schema:
        schema = _schema()["definitions"][schema["$ref"].rpartition("/")[2]]
    broken = next((word for word in _KEYWORDS if word in schema and not _holds(value, schema)), "")
    if broken:
        wanted = {word: schema[word] for word in _KEYWORDS if word in schema}
        yield f"{where} is {_short(value)}, allowed is {json.dumps(wanted)}"
    elif isinstance(value, Mapping):
        yield from _in_object(cast("Mapping[str, object]", value), schema, where)
    elif isinstance(value, list):
        yield from _in_list(cast("list[object]", value), schema, where)


def _holds(value: object, schema: Mapping[str, Any]) -> bool:
    if "type" in schema and not _KINDS[schema["type"]](value):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, str):
        length = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        # `\Z`, since `$` of Python would let a line end pass.
        pattern = str(schema.get("pattern", "")).removesuffix("$")
        whole = r"\Z" if str(schema.get("pattern", "")).endswith("$") else ""
        return length and re.search(pattern + whole, value) is not None
    if _is_number(value):
        number = cast(float, value)
        return schema.get("minimum", number) <= number <= schema.get("maximum", number)
    return True


def _in_object(value: Mapping[str, object], schema: Mapping[str, Any], where: str) -> Iterable[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}.{name} is missing"
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            yield from _problems(value[name], inner, f"{where}.{name}")


def _in_list(value: Sequence[object], schema: Mapping[str, Any], where: str) -> Iterable[str]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not least <= len(value) <= most:
        yield f"{where} has {len(value)} items, allowed are {least} to {most}"
    for number, each in enumerate(value):
        yield from _problems(each, schema.get("items", {}), f"{where}[{number}]")


def _contradictions(detail: Mapping[str, Any]) -> Iterable[str]:
    """What a schema cannot say: each product and picture once, and times that agree."""
    digits = re.sub(r"[-:]", "", detail["read_at"])
    if digits != detail["reading"]:
        yield f"detail.read_at is {detail['read_at']}, but the reading is {detail['reading']}"
    names = [each["product"] for each in detail["products"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"detail.products names {name!r} more than once"
    numbers = {each["number"] for each in detail["pictures"]}
    for each in detail["products"]:
        if not numbers.issuperset(each["pictures"]):
            yield f"detail.products: {each['product']!r} is on a picture that is not listed"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
