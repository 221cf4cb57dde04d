"""What the retail table knows besides readings: plans of shelves, daily sales, the last order.

shelf#<store>#<aisle>     plan#<label>   a product that belongs there (see `orders.Planned`)
sales#<store>#<product>   <day>          units sold and items on promotion, also of days to come
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

from retail.orders import Planned
from retail.shelves import shelf_key
from shared.dynamodb import Fields, from_item, to_attribute, to_item

AT_ONCE = 10
_PLANNED = [each.name for each in fields(Planned)]

Days = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Sales:
    """The retail table, read through a DynamoDB client."""

    client: Any
    table: str

    def current(self, store: str, aisle: str) -> Fields:
        """Return the shelf's `current` item; empty before its first order."""
        return self.item(store, aisle, "current")

    def item(self, store: str, aisle: str, sk: str) -> Fields:
        """Return an item of a shelf, empty if there is none."""
        key = to_item({"pk": shelf_key(store, aisle), "sk": sk})
        answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return from_item(answer.get("Item") or {})

    def plan(self, store: str, aisle: str) -> list[Planned]:
        """Return the products that belong on a shelf, by label."""
        condition = "pk = :pk AND begins_with(sk, :plan)"
        items = self._query(condition, {":pk": shelf_key(store, aisle), ":plan": "plan#"})
        return [
            Planned(**{name: item[name] for name in _PLANNED if name in item}) for item in items
        ]

    def days(
        self, store: str, products: Sequence[str], first: str, last: str
    ) -> Mapping[str, Days]:
        """Return the rows of some products, by product and day, from `first` to `last`."""

        def read(product: str) -> Days:
            condition = "pk = :pk AND sk BETWEEN :first AND :last"
            values = {":pk": f"sales#{store}#{product}", ":first": first, ":last": last}
            return {item["sk"]: _row(item) for item in self._query(condition, values)}

        return dict(zip(products, _side_by_side(read, products), strict=True))

    def _query(self, condition: str, values: Mapping[str, str]) -> list[Fields]:
        request: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {
                name: to_attribute(value) for name, value in values.items()
            },
        }
        found: list[Fields] = []
        while True:
            page = self.client.query(**request)
            found += map(from_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _row(item: Fields) -> dict[str, Any]:
    """The numbers of a day as JSON takes them."""
    known = {name: item.get(name) for name in ("sales", "promotion")}
    return {
        name: int(value) if value == int(value) else float(value)
        for name, value in known.items()
        if value is not None
    }


def _side_by_side(read: Callable[[str], Days], products: Sequence[str]) -> list[Days]:
    if len(products) < 2:
        return [read(each) for each in products]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(read, products))
