"""The retail stack on the embedded AWS, as its tests use it: by AWS calls alone."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from tests.rehearsal.hosting import Hosting
from tests.rehearsal.listening import Tap, wait_for
from tests.rehearsal.platform import synthesize

SETTINGS = Path(__file__).with_name("retail.yaml")
ENDPOINT = "sagelens-shop-churn"
SHARP = {"Quality": {"Brightness": 70.0, "Sharpness": 80.0, "Contrast": 60.0}}
# Answers by the contract of docs/replenishment.md, from the mean of what was sold.
FORECASTER = """
import json

def model_fn(folder):
    return {"cola", "lemonade", "water"}

def input_fn(body, kind):
    return json.loads(body)["instances"]

def predict_fn(instances, known):
    return [one(each, known) for each in instances]

def one(asked, known):
    names = {name: asked[name] for name in ("store", "product", "date")}
    sold = [each for each in asked["sales"] if each is not None]
    if asked["product"] not in known:
        return {**names, "status": "unknown_product"}
    if len(sold) < 7:
        return {**names, "status": "too_little_history"}
    days = asked["lead_time_days"] + 7
    mean = days * sum(sold) / len(sold)
    share = {"p10": .7, "p25": .85, "p50": 1, "p75": 1.15, "p90": 1.3, "p95": 1.4}
    demand = {name: mean * each for name, each in share.items()}
    need = max(0, demand["p90"] - asked["stock"] - asked["on_order"])
    return {**names, "status": "forecast", "horizon_days": days, "service_level": 0.9,
            "demand": demand, "quantity": need}

def output_fn(predictions, accept):
    return json.dumps({"predictions": predictions}), "application/json"
"""


def forecaster() -> bytes:
    """Return the model.tar.gz of a small forecaster."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(FORECASTER.encode())
        archive.addfile(member, io.BytesIO(FORECASTER.encode()))
    return content.getvalue()


def seen(*boxes: tuple[str, float, float]) -> dict[str, Any]:
    """What DetectCustomLabels answers: product, confidence and left edge of each box."""
    return {
        "CustomLabels": [
            {
                "Name": name,
                "Confidence": confidence,
                "Geometry": {
                    "BoundingBox": {"Left": left, "Top": 0.2, "Width": 0.04, "Height": 0.2}
                },
            }
            for name, confidence, left in boxes
        ]
    }


@dataclass(frozen=True)
class Shop:
    """A deployed environment with shelves.

    Attributes:
        aws: The embedded AWS.
        outputs: Of its stacks.
        news: Hears every event of retail on the platform's bus.
    """

    aws: Rehearsal
    outputs: Mapping[str, str]
    news: Tap

    @classmethod
    def deploy(cls, aws: Rehearsal, folder: Path) -> Shop:
        """Deploy foundation and retail, and listen to the bus. There is no endpoint yet."""
        stacks = ["sagelens-shop-foundation", "sagelens-shop-retail"]
        found = deploy(aws, synthesize(folder, SETTINGS), stacks)
        outputs = {name: value for stack in found.values() for name, value in stack.items()}
        events, news = aws.client("events"), Tap.make(aws, "news-shop")
        bus = outputs["EventBusName"]
        pattern = json.dumps({"source": ["sagelens.retail"]})
        events.put_rule(Name="news-shop", EventBusName=bus, EventPattern=pattern)
        target = {"Id": "queue", "Arn": news.arn}
        events.put_targets(Rule="news-shop", EventBusName=bus, Targets=[target])
        return cls(aws, outputs, news)

    @cached_property
    def table(self) -> Any:
        """The retail table, a boto3 resource."""
        return self.aws.session().resource("dynamodb").Table(self.outputs["RetailTableName"])

    def open_endpoint(self, hosting: Hosting) -> None:
        """Bring the endpoint up, as a first release would."""
        model = hosting.model("forecaster", forecaster())
        config = hosting.config("forecaster", model, count=1)
        hosting.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)
        assert hosting.settled(ENDPOINT)["EndpointStatus"] == "InService"

    def upload(
        self, key: str, body: bytes, labels: Mapping[str, Any], quality: Mapping[str, Any] = SHARP
    ) -> str:
        """Upload a shelf picture of which Rekognition sees so much; return its version id."""
        answers = {
            "DetectCustomLabels": dict(labels),
            "DetectLabels": {"ImageProperties": dict(quality)},
        }
        self.aws.rekognition.script(body, answers)
        put = self.aws.client("s3").put_object(
            Bucket=self.outputs["ImagesBucketName"], Key=f"shelves/{key}", Body=body
        )
        return put["VersionId"]

    def item(self, shelf: str, sk: str) -> dict[str, Any] | None:
        """An item of a shelf, `store#aisle`."""
        key = {"pk": f"shelf#{shelf}", "sk": sk}
        return self.table.get_item(Key=key, ConsistentRead=True).get("Item")

    def order(self, shelf: str, reading: str, status: str = "ordered") -> dict[str, Any]:
        """What was ordered after a reading, when it is there."""

        def look() -> dict[str, Any] | None:
            found = self.item(shelf, f"order#{reading}")
            return found if found and found["status"] == status else None

        return wait_for(look, what=f"the order of {shelf} after {reading}")

    def heard(self, detail_type: str, **fields: Any) -> dict[str, Any]:
        """The detail of an event with these fields, when it has come."""

        def look() -> dict[str, Any] | None:
            details = [e["detail"] for e in self.news.events() if e["detail-type"] == detail_type]
            return next((d for d in details if fields.items() <= d.items()), None)

        return wait_for(look, what=f"{detail_type} of {fields}")

    def say(self, details: Iterable[Mapping[str, Any]]) -> None:
        """Put `Shelf Counted` events on the bus, ten at a time."""
        entries = [
            {
                "EventBusName": self.outputs["EventBusName"],
                "Source": "sagelens.retail",
                "DetailType": "Shelf Counted",
                "Detail": json.dumps(each),
            }
            for each in details
        ]
        events = self.aws.client("events")
        for start in range(0, len(entries), 10):
            answer = events.put_events(Entries=entries[start : start + 10])
            assert answer["FailedEntryCount"] == 0

    def everything(self) -> list[dict[str, Any]]:
        """All items of the retail table."""
        client, found, asked = self.aws.client("dynamodb"), list[dict[str, Any]](), dict[str, Any]()
        read = TypeDeserializer().deserialize
        while True:
            page = client.scan(TableName=self.outputs["RetailTableName"], **asked)
            for item in page["Items"]:
                found.append({name: read(value) for name, value in item.items()})
            if "LastEvaluatedKey" not in page:
                return found
            asked = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
