"""The table of Custom Labels models: what is live, until when it is wanted, and what waits for it.

    pk model#<name>   sk state               live (ARN), live_created (ISO 8601 of that version),
                                             used_at, lease_until (epoch seconds)
                      sk version#<version>   a training: manifests, scores, whether it passed
    pk parked         sk <time>#<message>    work that waits: body, queue, needs (names), parked_at

Whoever has work for a model that does not run puts it here, and that alone asks for the model:
the keeper starts what parked work needs, and sends the work back to its queue once all of it runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.dynamodb import Fields, from_item, to_item

STATE = "state"
PARKED = "parked"


@dataclass(frozen=True)
class Training:
    """A training that came to its end.

    model: its name. version: the version's name. arn: the version's. created: when its training
    began, ISO 8601. passed: whether it may go live. details: where it came from, and its figures.
    """

    model: str
    version: str
    arn: str
    created: str
    passed: bool
    details: Mapping[str, Any]


@dataclass(frozen=True)
class ModelTable:
    """The table, through a DynamoDB client."""

    client: Any
    table: str

    def state(self, name: str) -> Fields:
        """Return what is known of a model; empty if nothing is."""
        found = self.client.get_item(TableName=self.table, Key=_key(name), ConsistentRead=True)
        return from_item(found.get("Item") or {})

    def used(self, name: str, now: float) -> None:
        """Note that a model was used at `now`."""
        self.client.update_item(
            TableName=self.table,
            Key=_key(name),
            UpdateExpression="SET #used_at = :now",
            ExpressionAttributeNames={"#used_at": "used_at"},
            ExpressionAttributeValues=to_item({":now": int(now)}),
        )

    def record(self, training: Training) -> None:
        """Write a training down and, if it passed, let its version go live.

        Unless a version lives whose training began later: a slow training never takes the place
        of a newer one. It may come twice.
        """
        item = {
            "pk": f"model#{training.model}",
            "sk": f"version#{training.version}",
            "arn": training.arn,
            "created": training.created,
            "passed": training.passed,
            **training.details,
        }
        self.client.put_item(TableName=self.table, Item=to_item(item))
        if training.passed:
            self._go_live(training)

    def _go_live(self, training: Training) -> None:
        values = {":arn": training.arn, ":created": training.created}
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_key(training.model),
                UpdateExpression="SET #live = :arn, #created = :created",
                ConditionExpression="attribute_not_exists(#created) OR #created < :created",
                ExpressionAttributeNames={"#live": "live", "#created": "live_created"},
                ExpressionAttributeValues=to_item(values),
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def park(self, body: str, *, queue: str, message: str, needs: Sequence[str], at: str) -> None:
        """Keep a message until the models that it needs run.

        body: the message. queue: URL of the queue that it goes back to. message: its id. needs:
        names of the models. at: the time, ISO 8601 in UTC; the oldest is sent back first.
        """
        item = {"pk": PARKED, "sk": f"{at}#{message}", "body": body, "queue": queue}
        more = {"needs": list(needs), "parked_at": at}
        self.client.put_item(TableName=self.table, Item=to_item({**item, **more}))

    def parked(self) -> Iterator[list[Fields]]:
        """Yield what waits, the oldest first, a page at a time."""
        query: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :parked",
            "ExpressionAttributeValues": to_item({":parked": PARKED}),
            "ConsistentRead": True,
        }
        while True:
            found: Mapping[str, Any] = self.client.query(**query)
            yield [from_item(item) for item in found["Items"]]
            if "LastEvaluatedKey" not in found:
                return
            query["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def unpark(self, item: Fields) -> None:
        """Forget a piece of work that went back to its queue."""
        key = to_item({"pk": item["pk"], "sk": item["sk"]})
        self.client.delete_item(TableName=self.table, Key=key)


def _key(name: str) -> dict[str, Any]:
    return to_item({"pk": f"model#{name}", "sk": STATE})
