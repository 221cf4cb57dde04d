"""The steps of an order that the state machine leaves to a function.

    gather   plan, sales and what is on its way → what the endpoint is asked; kept as a document
    order    the endpoint's answer → lines (pure) → kept, and recorded if no newer reading is

Both may come twice: a reading is recorded once, and whoever comes later tells of the same order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retail import contract, orders, request
from retail.orders import Decision
from retail.sales import Sales
from retail.shelves import shelf_key
from shared.clock import Clock
from shared.dynamodb import Fields, to_item
from shared.errors import code_of

# Of the shelf's own partition: the document says which format it has.
FORMAT = "1"
FOLDER = "retail/readings/"
# Of 256 KiB that pass from state to state ("Step Functions service quotas"), which the endpoint's
# answer takes as well.
MOST_REQUEST_BYTES = 120_000

Step = dict[str, Any]


class ShelfMoved(Exception):
    """Another reading of the shelf was recorded meanwhile: gather again."""


class TooMany(ValueError):
    """The plan of a shelf names more products than one question can hold."""


@dataclass(frozen=True)
class OrderingFlow:
    """Carries out the steps; bucket: of the kept documents. record_seconds: see `Readings`."""

    dynamodb: Any
    s3: Any
    sales: Sales
    table: str
    bucket: str
    record_seconds: int | None
    clock: Clock

    def gather(self, detail: object, execution: str) -> Step:
        """Return what to ask the endpoint, as `body` where `state` is "ask".

        Else `state` is "nothing_to_ask", "repeated" or "late".

        detail: of a `Shelf Counted` event. execution: names the document. Raises NotOfContract.
        """
        event = contract.validate(detail)
        store, aisle, reading = event["store"], event["aisle"], event["reading"]
        current = self.sales.current(store, aisle)
        stands = self._standing(event, current)
        if stands:
            return stands
        plan = self.sales.plan(store, aisle)
        today = str(event["read_at"])[:10]
        counts = {each["product"]: int(each["count"]) for each in event["products"]}
        coming = current.get("open", [])
        rows = self.sales.days(store, [each.product for each in plan], *request.span(today))
        asked = request.build(store, today, plan, counts, coming, rows)
        key = f"{FOLDER}{store}/{aisle}/{reading}/{execution}.json"
        document = {
            "format": FORMAT,
            "event": event,
            "plan": [vars(each) for each in plan],
            "open": coming,
            "seen": current.get("reading"),
            "request": asked,
            "answer": None,
        }
        self._keep(key, document)
        body = json.dumps(asked, separators=(",", ":"))
        if len(body.encode()) > MOST_REQUEST_BYTES:
            raise TooMany(
                f"the plan of {store}/{aisle} has {len(plan)} products, whose request takes "
                f"{len(body):,} bytes; allowed are {MOST_REQUEST_BYTES:,}: make it two aisles"
            )
        return {"state": "ask" if asked else "nothing_to_ask", "document": key, "body": body}

    def order(self, key: str, answer: str) -> Step:
        """Decide and record; `state` is "ordered", "repeated" or "late", `event` what to announce.

        key: of the document. answer: the endpoint's, as JSON. Raises BadAnswer, ShelfMoved.
        """
        document = {**self._read(key), "answer": json.loads(answer)}
        decision = orders.decide(document)
        event = document["event"]
        self._keep(key, {**document, "orders": decision.fields()})
        record = self._record(event, decision, key)
        if self._write(document, decision, record):
            return {"state": "ordered", "event": self._event(record)}
        current = self.sales.current(event["store"], event["aisle"])
        stands = self._standing(event, current)
        if stands:
            return stands
        raise ShelfMoved(f"the shelf's newest reading is {current.get('reading')} by now")

    def _standing(self, event: Mapping[str, Any], current: Fields) -> Step | None:
        """What to do about a reading that is recorded already, or older than what is."""
        newest, reading = str(current.get("reading", "")), str(event["reading"])
        if newest < reading:
            return None
        sk = f"order#{reading}"
        record = self.sales.item(event["store"], event["aisle"], sk)
        if record.get("status") == "ordered":
            return {"state": "repeated", "event": self._event(record)}
        if not record:
            self._put({**self._base(event), "status": "late", "newest": newest})
        return {"state": "late", "newest": newest}

    def _write(self, document: Mapping[str, Any], decision: Decision, record: Fields) -> bool:
        """Record an order together with the shelf's newest reading; False if that has changed."""
        event, seen = document["event"], document["seen"]
        current: Fields = {
            "pk": shelf_key(event["store"], event["aisle"]),
            "sk": "current",
            "kind": "shelf",
            "reading": event["reading"],
            "open": list(decision.open),
        }
        # What was seen is older than this reading, so a newer one is never written over.
        guard: Step = (
            {"ConditionExpression": "attribute_not_exists(pk)"}
            if seen is None
            else {
                "ConditionExpression": "reading = :seen",
                "ExpressionAttributeValues": {":seen": {"S": seen}},
            }
        )
        puts = [{"Item": to_item(current), **guard}, {"Item": to_item(record)}]
        items = [{"Put": {"TableName": self.table, **each}} for each in puts]
        try:
            self.dynamodb.transact_write_items(TransactItems=items)
        except Exception as error:
            # Also when two such writes meet: one of them is done.
            if code_of(error) not in (
                "TransactionCanceledException",
                "TransactionInProgressException",
            ):
                raise
            return False
        return True

    def _record(self, event: Mapping[str, Any], decision: Decision, key: str) -> Fields:
        return {
            **self._base(event),
            "status": "ordered",
            "event_id": event["id"],
            "ordered_at": self.clock.iso(),
            "lines": decision.fields()["lines"],
            "left_out": list(decision.left_out),
            "document": {"bucket": self.bucket, "key": key},
        }

    def _base(self, event: Mapping[str, Any]) -> Fields:
        names = ("store", "aisle", "reading", "read_at")
        kept: Fields = (
            {"expires_at": round(self.clock.time()) + self.record_seconds}
            if (self.record_seconds is not None)
            else {}
        )
        return {
            "pk": shelf_key(event["store"], event["aisle"]),
            "sk": f"order#{event['reading']}",
            "kind": "order",
            **{name: event[name] for name in names},
            **kept,
        }

    def _event(self, record: Fields) -> Step:
        """The detail of `Replenishment Ordered`, from its record alone."""
        names = ("store", "aisle", "reading", "read_at", "ordered_at")
        return {
            "schema": contract.SCHEMA,
            "id": contract.event_id(contract.ORDERED, record["pk"], record["sk"]),
            **{name: record[name] for name in names},
            "lines": [
                {"product": line["product"], "quantity": int(line["quantity"])}
                for line in record["lines"]
                if line["quantity"]
            ],
            "left_out": record["left_out"],
            "record": {"table": self.table, "pk": record["pk"], "sk": record["sk"]},
        }

    def _put(self, record: Fields) -> None:
        self.dynamodb.put_item(TableName=self.table, Item=to_item(record))

    def _keep(self, key: str, document: Mapping[str, Any]) -> None:
        body = json.dumps(document, ensure_ascii=False, default=int).encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def _read(self, key: str) -> Step:
        answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        return json.loads(answer["Body"].read())
