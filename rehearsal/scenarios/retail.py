"""Scenario `retail`: pictures of a shelf become an order, by a model that was trained here."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from rehearsal.process import PROJECT
from rehearsal.report.model import (
    Check,
    ChecksCard,
    Decision,
    FigureCard,
    Flow,
    ImageCard,
    Outcome,
    TableCard,
)
from rehearsal.samples.catalogue import load
from rehearsal.scenarios.support.boxes import annotated, found_in
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.pipelines import Execution, ended, read_json, start
from rehearsal.scenarios.support.replenishing import (
    AISLE,
    PACKS,
    STORE,
    UNKNOWN,
    made_up_sales,
    side_by_side,
    write_shelf,
)
from rehearsal.scenarios.support.seeing import reason_of
from rehearsal.scenarios.support.uploads import ImagesBucket, Upload
from rehearsal.scenarios.support.waiting import NotInTime, until
from rehearsal.scenarios.support.watching import Watch, watching

NAME = "retail"
TITLE = "Pictures of a shelf become an order"
ORDER = 5
REAL = (
    "The replenishment model was trained by the deployed pipeline, approved, and released; its own"
    " code answered on the endpoint that the ordering state machine asked.",
    "Boxes became counts, and counts orders, in the deployed functions under their own roles; plan"
    " and sales were loaded, and the reading decided again, by the documented commands.",
)
STOOD_IN = (
    "What the Custom Labels model sees on the drawn shelves is scripted, by the ARN of a version"
    " that was never trained.",
    "The sales are made up by a documented generator.",
)
FLOW = Flow(
    "The way of an order",
    [
        ("Picture", "Amazon S3", False),
        ("Boxes", "Rekognition Custom Labels", True),
        ("Counts", "AWS Lambda", False),
        ("Sales", "Amazon DynamoDB", False),
        ("Demand", "SageMaker endpoint", False),
        ("Rules", "AWS Step Functions", False),
        ("Order", "event and table", False),
    ],
)
WAITS, PERIODS = 0.2, 0.05
RELEASE_SECONDS = 120
READING = "20260302T073000Z"
COUNTS = {"cola": 7, "oat-milk": 5, "orange-juice": 4, "sparkling-water": 3}
"""What is drawn, less the oat milk that the script is unsure of."""


@dataclass
class Story:
    """What happened: events of releases and shelves, and checks."""

    context: Context
    heard: Watch
    checks: list[Check] = field(default_factory=list[Check])

    def check(self, promise: str, passed: bool, found: str) -> None:
        """Note a promise that was put to the test."""
        self.checks.append(Check(promise, passed, found))

    def told(self, kind: str, seconds: float = 60, **fields: Any) -> dict[str, Any]:
        """Wait for an event with these fields; return its detail."""
        kinds = kind.split("|")

        def look() -> dict[str, Any] | None:
            events = [each for each in self.heard.events() if each["detail-type"] in kinds]
            found = (each for each in events if fields.items() <= each["detail"].items())
            event = next(found, None)
            return event and {**event["detail"], "told": event["detail-type"]}

        return until(look, f"{kind} of {fields}", seconds)


def run(context: Context) -> Outcome:
    """Train and release the model, load plan and sales, upload pictures, and look at the order.

    Raises:
        NotInTime: a step did not happen.
    """
    context.aws.scale_waits(WAITS)
    context.aws.scale_periods(PERIODS)
    pattern = {"source": ["sagelens.release", "sagelens.retail"]}
    try:
        with (
            watching(context, context.outputs["EventBusName"], pattern) as heard,
            tempfile.TemporaryDirectory() as folder,
        ):
            return _tell(Story(context, heard), Path(folder))
    finally:
        context.aws.scale_waits(1)
        context.aws.scale_periods(1)


def _tell(story: Story, folder: Path) -> Outcome:
    context = story.context
    improvement = _released(story, folder)
    context.say("uploading pictures of shelves")
    bucket = ImagesBucket(context, "ShelfFunctionName")
    uploads = [bucket.upload(sample, sample.key) for sample in load(NAME)]
    bucket.wait_for_records(uploads)
    counts = _counted(story)
    record, document = _ordered(story)
    _waits(story, uploads[-1])
    _replayed(story)
    drawn = [_drawn(each) for each in uploads]
    order = FigureCard(
        "The shelf, what was seen on it, what is foretold, and what is ordered",
        side_by_side(drawn[:-1], document, record["lines"]),
        "Two pictures of a shelf with boxes beside a chart of demand, stock and order by product",
        note="Grey and green together cover the red mark, in whole packs.",
        wide=True,
    )
    cards = [
        order,
        _table(record),
        *(_card(upload, picture) for upload, picture in zip(uploads, drawn, strict=True)),
        ChecksCard("What was checked", story.checks),
    ]
    problems = [f"{check.promise}: {check.found}" for check in story.checks if not check.passed]
    facts = _facts(story, counts, record, improvement)
    return Outcome(facts, cards, problems, _NOTE, _numbers(facts), FLOW)


_NOTE = (
    "A model was trained on made-up sales, approved and released; then two pictures of a shelf of"
    " drinks, and a blurred one of snacks, were uploaded."
)


def _released(story: Story, folder: Path) -> float:
    """Train, approve and release the model, and load plan and sales; return how good it is."""
    context = story.context
    context.say("training the replenishment model")
    rows = made_up_sales(folder / "sales.csv")
    plan, sales = write_shelf(rows, folder)
    bucket = context.outputs["DataBucketName"]
    prefix = f"{context.outputs['ReplenishmentDataPrefix']}made-up/"
    context.client("s3").upload_file(str(folder / "sales.csv"), bucket, f"{prefix}sales.csv")
    pipeline = context.outputs["ReplenishmentPipelineName"]
    arn = start(context, pipeline, DataUrl=f"s3://{bucket}/{prefix}")
    said = [_shelves("plan", str(plan)), _shelves("sales", str(sales))]
    loaded = [_run(context, command) for command in said]
    story.check(
        "Plan and sales are loaded from CSV files by the documented command",
        all(each.endswith("written") for each in loaded),
        f"plan: {loaded[0]}; sales: {loaded[1]}",
    )
    trained = ended(context, arn)
    package, improvement = _version(context, trained)
    context.say("approving the replenishment model")
    context.client("sagemaker").update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="Approved"
    )
    told = story.told("Release Succeeded|Release Failed", RELEASE_SECONDS, version=package)
    story.check(
        "A model that the deployed pipeline trained goes live once it is approved",
        told["told"] == "Release Succeeded" and improvement > 0,
        f"{told['told']}; pinball loss {improvement:.1%} below the seasonal-naive base line's",
    )
    return improvement


def _version(context: Context, trained: Execution) -> tuple[str, float]:
    registered = trained.step("Register").get("Metadata", {}).get("RegisterModel")
    if registered is None:
        raise NotInTime(f"the pipeline registered no model: {trained.words()}")
    package = context.client("sagemaker").describe_model_package(ModelPackageName=registered["Arn"])
    uri = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    metrics = read_json(context, uri)["regression_metrics"]
    return registered["Arn"], float(metrics["pinball_improvement"]["value"])


def _shelves(*words: str) -> list[str]:
    return [sys.executable, "-m", "tools.shelves", *words, "--environment", "demo"]


def _run(context: Context, command: Sequence[str]) -> str:
    """Run a command as a person would; return the last line that it said."""
    ran = subprocess.run(
        command, cwd=PROJECT, env=context.aws.environment(), capture_output=True, text=True
    )
    return (ran.stdout.strip() or ran.stderr.strip()).rpartition("\n")[2]


def _counted(story: Story) -> dict[str, int]:
    event = story.told("Shelf Counted", aisle=AISLE, reading=READING)
    counts = {each["product"]: int(each["count"]) for each in event["products"]}
    story.check(
        "Two pictures come to one count; a box seen twice counts once, an unsure one not at all",
        counts == COUNTS,
        ", ".join(f"{product} {count}" for product, count in sorted(counts.items())),
    )
    return counts


def _item(context: Context, aisle: str, sort_key: str) -> dict[str, Any] | None:
    table: Any = (
        context.aws.session().resource("dynamodb").Table(context.outputs["RetailTableName"])
    )
    key = {"pk": f"shelf#{STORE}#{aisle}", "sk": sort_key}
    return table.get_item(Key=key, ConsistentRead=True).get("Item")


def _ordered(story: Story) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hear of the order, and hold it against table, document and endpoint."""
    context = story.context
    told = story.told("Replenishment Ordered", aisle=AISLE, reading=READING)
    record = _item(context, AISLE, f"order#{READING}") or {"lines": [], "left_out": []}
    ordered = [line for line in record["lines"] if line["quantity"]]
    kept = [{"product": line["product"], "quantity": int(line["quantity"])} for line in ordered]
    packs = all(int(line["quantity"]) % PACKS[str(line["product"])] == 0 for line in ordered)
    story.check(
        "The order is told as an event and stands in the table, in whole packs",
        bool(kept) and told["lines"] == kept and packs,
        ", ".join(f"{each['product']} {each['quantity']}" for each in told["lines"]),
    )
    left_out = {each["product"]: each["why"] for each in told["left_out"]}
    story.check(
        "A product that the model does not know is named, and not guessed",
        left_out == {UNKNOWN: "unknown_product"},
        ", ".join(f"{product}: {why}" for product, why in left_out.items()),
    )
    place = record["document"]
    document = read_json(context, f"s3://{place['bucket']}/{place['key']}")
    answer = context.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=context.outputs["ReplenishmentEndpointName"],
        Body=json.dumps(document["request"]).encode(),
        ContentType="application/json",
    )
    same = json.loads(answer["Body"].read()) == document["answer"]
    story.check(
        "The order follows from what the live endpoint answers",
        same,
        "asked again, it answers the same" if same else "asked again, it answers otherwise",
    )
    return record, document


def _waits(story: Story, blurred: Upload) -> None:
    """The blurred picture waits for a person, and nothing is ordered after it."""
    context = story.context
    told = story.told("Shelf Picture Wanted", version_id=blurred.version)
    said = _run(context, _shelves("waiting"))
    aisle = blurred.key.split("/")[2]
    counted = (_item(context, aisle, f"reading#{READING}") or {}).get("event")
    ordered = _item(context, aisle, f"order#{READING}")
    story.check(
        "A blurred picture counts as nothing: it waits for a person, who is told why",
        told["decision"] == "review" and said == "1 waiting" and not counted and not ordered,
        f"{said}: {'; '.join(told['reasons'])}",
    )


def _replayed(story: Story) -> None:
    said = _run(story.context, [*_shelves("replay"), "--shelf", f"{STORE}/{AISLE}/"])
    story.check(
        "The kept reading, decided again, comes to the same order",
        said == "1 readings came to the same orders, 0 to others",
        said,
    )


def _drawn(upload: Upload) -> bytes:
    return annotated(upload.sample.content, found_in(upload.record or {}))


def _card(upload: Upload, picture: bytes) -> ImageCard:
    return ImageCard(
        title=upload.sample.title,
        key=upload.key,
        decision=cast(Decision, upload.decision),
        reason=reason_of(upload.record or {}),
        picture=picture,
        media_type="image/jpeg",
        alt=upload.sample.alt,
        milliseconds=upload.milliseconds,
        note=upload.sample.note,
    )


def _table(record: Mapping[str, Any]) -> TableCard:
    columns = ("Product", "Counted", "Expected", "Wanted", "Pack", "Ordered", "Because")
    rows = [
        (
            str(line["product"]),
            str(line["counted"]),
            f"{float(line['expected']):.1f}",
            f"{float(line['wanted']):.1f}",
            str(PACKS[line["product"]]),
            str(line["quantity"]),
            ", ".join(line["because"]),
        )
        for line in record["lines"]
    ]
    return TableCard("The order", columns, rows, "Expected: the median of demand; wanted: at 0.9.")


def _facts(
    story: Story, counts: Mapping[str, int], record: Mapping[str, Any], improvement: float
) -> dict[str, Any]:
    return {
        "counts": dict(counts),
        "orders": {line["product"]: int(line["quantity"]) for line in record["lines"]},
        "left_out": [dict(each) for each in record["left_out"]],
        "improvement": round(improvement, 4),
        "checks": {check.promise: check.passed for check in story.checks},
    }


def _numbers(facts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        ("Units counted", str(sum(facts["counts"].values())), ""),
        ("Units ordered", str(sum(facts["orders"].values())), ""),
        ("Below the base line's loss", f"{100 * facts['improvement']:.0f}", "%"),
    ]
