"""Conditional writes to DynamoDB: done, or told what stands there instead.

After "Condition expressions" and "UpdateItem" (ReturnValuesOnConditionCheckFailure) in the guides
of Amazon DynamoDB. A write that finds its condition broken is no failure: whoever wrote first is
right.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from shared.dynamodb import Fields, from_item, to_attribute, to_item
from shared.errors import code_of

BROKEN = "ConditionalCheckFailedException"


@dataclass(frozen=True)
class Written:
    """Whether a conditional write was done, and the item as it is now."""

    done: bool
    record: Fields


def update(
    client: Any,
    table: str,
    key: Fields,
    fields: Fields,
    condition: str,
    given: Mapping[str, object],
    remove: Sequence[str] = (),
    count: str | None = None,
) -> Written:
    """Set, remove and count attributes of an item if a condition holds.

    fields: set under their own names. condition: names attributes as `#name` and values as
    `:name`. given: the values that the condition names besides the fields'. remove: attributes
    that go. count: an attribute that grows by one.
    """
    parts = {
        "SET": ", ".join(f"#{name} = :{name}" for name in fields),
        "REMOVE": ", ".join(f"#{name}" for name in remove),
        "ADD": f"#{count} :one" if count else "",
    }
    expression = " ".join(f"{word} {what}" for word, what in parts.items() if what)
    values = {**fields, **given, **({"one": 1} if count else {})}
    both = f"{expression} {condition}"
    used = set(re.findall(r":(\w+)", both))
    names = set(re.findall(r"#(\w+)", both))
    try:
        answer = client.update_item(
            TableName=table,
            Key=to_item(key),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues={f":{name}": to_attribute(values[name]) for name in used},
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except Exception as error:
        if code_of(error) != BROKEN:
            raise
        response = cast("Mapping[str, Any]", getattr(error, "response", {}))
        return Written(False, from_item(response.get("Item") or {}))
    return Written(True, from_item(answer["Attributes"]))
