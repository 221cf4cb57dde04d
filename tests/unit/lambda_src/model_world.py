"""The models' table, Rekognition's model versions and queues, in memory.

Every call is checked against botocore's own service model; a fault may strike before or after any.
"""

from collections.abc import Callable
from typing import Any

from shared.custom_models import ModelTable
from shared.dynamodb import from_item, to_item
from tests.unit.lambda_src.expressions import update
from tests.unit.lambda_src.world import check, error, model

PROJECT = "arn:aws:rekognition:eu-west-1:111122223333:project/sagelens-dev-shelf/1700000000000"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/images"


def version(name: str = "v1") -> str:
    """The ARN of a version."""
    return PROJECT.rpartition("/")[0] + f"/version/{name}/1700000000001"


class ModelWorld:
    """Three clients at once; `strike` may raise before or after the call it is told of."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.versions: dict[str, str] = {}
        self.sent: list[str] = []
        self.calls: list[str] = []
        self.strike: Callable[[str, str], None] = lambda operation, when: None
        self.refused: set[str] = set()
        self.page = 100
        self.table = ModelTable(self.client("dynamodb"), "models")

    def client(self, service: str) -> Any:
        """A client of one service."""
        world = self

        class Client:
            def __getattr__(self, method: str) -> Callable[..., Any]:
                operation = "".join(part.capitalize() for part in method.split("_"))

                def call(**given: Any) -> Any:
                    check(model(service).operation_model(operation).input_shape, given)
                    world.calls.append(operation)
                    world.strike(operation, "before")
                    answer = getattr(world, method)(**given)
                    world.strike(operation, "after")
                    return answer

                return call

        return Client()

    def put(self, pk: str, sk: str, **fields: Any) -> None:
        """Put an item."""
        self.items[pk, sk] = to_item({"pk": pk, "sk": sk, **fields})

    def state(self, name: str = "shelf") -> dict[str, Any]:
        """A model's item."""
        return from_item(self.items[f"model#{name}", "state"])

    def waiting(self) -> list[dict[str, Any]]:
        """What is parked, the oldest first."""
        return [from_item(item) for key, item in sorted(self.items.items()) if key[0] == "parked"]

    # The services, as far as they are called.

    def get_item(self, TableName: str, Key: Any, ConsistentRead: bool) -> dict[str, Any]:
        assert TableName == "models" and ConsistentRead
        item = self.items.get((Key["pk"]["S"], Key["sk"]["S"]))
        return {"Item": item} if item else {}

    def put_item(self, TableName: str, Item: dict[str, Any]) -> None:
        assert TableName == "models"
        self.items[Item["pk"]["S"], Item["sk"]["S"]] = Item

    def delete_item(self, TableName: str, Key: dict[str, Any]) -> None:
        assert TableName == "models"
        self.items.pop((Key["pk"]["S"], Key["sk"]["S"]), None)

    def update_item(
        self, TableName: str, Key: Any, UpdateExpression: str,
        ExpressionAttributeNames: dict[str, str], ExpressionAttributeValues: Any,
    ) -> None:  # fmt: skip
        assert TableName == "models"
        names, values = ExpressionAttributeNames, ExpressionAttributeValues
        key = Key["pk"]["S"], Key["sk"]["S"]
        item = self.items.get(key, dict(Key))
        self.items[key] = update(item, UpdateExpression, names, values)

    def query(self, **given: Any) -> dict[str, Any]:
        (wanted,) = given["ExpressionAttributeValues"].values()
        first = given.get("ExclusiveStartKey", {"sk": {"S": ""}})["sk"]["S"]
        keys = [key for key in sorted(self.items) if key[0] == wanted["S"] and key[1] > first]
        answer: dict[str, Any] = {"Items": [self.items[key] for key in keys[: self.page]]}
        if len(keys) > self.page:
            last = self.items[keys[self.page - 1]]
            answer["LastEvaluatedKey"] = {"pk": last["pk"], "sk": last["sk"]}
        return answer

    def describe_project_versions(self, ProjectArn: str, NextToken: str = "0") -> dict[str, Any]:
        assert ProjectArn == PROJECT
        arns = list(self.versions)
        at = int(NextToken)
        found = [{"ProjectVersionArn": arn, "Status": self.versions[arn]} for arn in arns[at:][:2]]
        more = {"NextToken": str(at + 2)} if len(arns) > at + 2 else {}
        return {"ProjectVersionDescriptions": found, **more}

    def start_project_version(
        self, ProjectVersionArn: str, MinInferenceUnits: int, MaxInferenceUnits: int | None = None
    ) -> None:
        if self.versions[ProjectVersionArn] not in ("TRAINING_COMPLETED", "STOPPED", "FAILED"):
            raise error("ResourceInUseException", "StartProjectVersion")
        self.versions[ProjectVersionArn] = "STARTING"
        self.units = (MinInferenceUnits, MaxInferenceUnits)

    def stop_project_version(self, ProjectVersionArn: str) -> None:
        if self.versions[ProjectVersionArn] != "RUNNING":
            raise error("ResourceInUseException", "StopProjectVersion")
        self.versions[ProjectVersionArn] = "STOPPING"

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == QUEUE and len(Entries) <= 10
        good = [each for each in Entries if each["MessageBody"] not in self.refused]
        self.sent += [each["MessageBody"] for each in good]
        bad = [each for each in Entries if each not in good]
        return {
            "Successful": [{"Id": each["Id"]} for each in good],
            "Failed": [{"Id": each["Id"], "Code": "InternalError"} for each in bad],
        }
