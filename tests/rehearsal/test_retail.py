"""From shelf pictures to orders, on the deployed stack."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearsal.process import Rehearsal
from tests.rehearsal.hosting import Hosting, role
from tests.rehearsal.listening import wait_for
from tests.rehearsal.policies import Policy
from tests.rehearsal.shop import ENDPOINT, Shop, seen
from tools.replaying import replay
from tools.reviewing import Desk

READING = "20241123T073000Z"
DAY = date(2024, 11, 23)
BLURRED = {"Quality": {"Brightness": 70.0, "Sharpness": 5.0, "Contrast": 60.0}}
COLAS = seen(("cola", 95.0, 0.1), ("cola", 93.0, 0.4))
Picture = Callable[..., bytes]


@pytest.fixture(scope="module")
def shop(run_folders_of_our_own: None, tmp_path_factory: Any) -> Iterator[Shop]:
    """The deployed environment, with a plan and sales of one shelf, and no endpoint yet."""
    with Rehearsal.start() as aws:
        found = Shop.deploy(aws, tmp_path_factory.mktemp("shop"))
        aws.scale_waits(0.05)
        for product in ("cola", "lemonade", "gum"):
            plan(found, "3#drinks", product)
            sales(found, "3", product)
        yield found


@pytest.fixture(scope="module")
def open_shop(shop: Shop) -> Shop:
    """The same with its endpoint."""
    shop.aws.client("s3").create_bucket(Bucket=Hosting.bucket)
    hosting = Hosting(shop.aws, role(shop.aws, f"arn:aws:s3:::{Hosting.bucket}"))
    shop.open_endpoint(hosting)
    return shop


def plan(shop: Shop, shelf: str, product: str, **rules: Any) -> None:
    item = {"label": product, "product": product, "lead_time_days": 2, "pack_size": 6, **rules}
    shop.table.put_item(Item={"pk": f"shelf#{shelf}", "sk": f"plan#{product}", **item})


def sales(shop: Shop, store: str, product: str, days: int = 28) -> None:
    with shop.table.batch_writer() as batch:
        for back in range(1, days + 1):
            day = str(DAY - timedelta(days=back))
            batch.put_item(Item={"pk": f"sales#{store}#{product}", "sk": day, "sales": 5})


def counted(
    store: str, aisle: str, reading: str = READING, number: int = 2, **more: Any
) -> dict[str, Any]:
    """A `Shelf Counted` event of so many colas."""
    clock = f"{reading[:4]}-{reading[4:6]}-{reading[6:11]}:{reading[11:13]}:{reading[13:15]}Z"
    picture = {"number": 1, "bucket": "b", "key": f"{store}/{aisle}/{reading}", "version_id": "v"}
    products = [{"product": "cola", "count": number, "confidence": 90.0, "pictures": [1]}]
    return {
        "schema": "1",
        "id": "0" * 32,
        "store": store,
        "aisle": aisle,
        "reading": reading,
        "read_at": clock,
        "counted_at": clock,
        "rules": "0" * 16,
        "products": products if number else [],
        "pictures": [picture],
        **more,
    }


def executions(shop: Shop, status: str) -> list[dict[str, Any]]:
    client = shop.aws.client("stepfunctions")
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=shop.outputs["OrderingStateMachineArn"], statusFilter=status
    )
    return [each for page in pages for each in page["executions"]]


def test_a_reading_waits_for_an_endpoint_that_is_not_there_and_says_so(shop: Shop) -> None:
    shop.say([counted("3", "drinks", "20241001T073000Z")])
    told = shop.heard("Shelf Reading Waits", reading="20241001T073000Z")
    assert (told["endpoint"], told["store"]) == (ENDPOINT, "3")
    assert "ValidationError" in told["error"]
    assert len(executions(shop, "RUNNING")) == 1


def test_it_goes_on_by_itself_once_the_endpoint_is_there(open_shop: Shop) -> None:
    found = open_shop.order("3#drinks", "20241001T073000Z")
    # Its sales lie after the reading: the model says that it knows too little.
    assert {each["why"] for each in found["left_out"]} == {
        "unknown_product",
        "too_little_history",
    }
    wait_for(lambda: not executions(open_shop, "RUNNING"), what="the end of the execution")


def test_pictures_become_counts_and_counts_an_order(open_shop: Shop, picture: Picture) -> None:
    shop = open_shop
    left = seen(("cola", 95, 0.1), ("cola", 94, 0.11), ("cola", 93, 0.3), ("lemonade", 75, 0.5))
    # The first cola stands in the left fifth, which is on the first picture already.
    right = seen(("cola", 95, 0.1), ("cola", 91, 0.4), ("lemonade", 85, 0.5), ("mop", 88, 0.7))
    shop.upload(f"3/drinks/{READING}/2-of-2.jpg", picture(1), right)
    shop.upload(f"3/drinks/{READING}/1-of-2.jpg", picture(2), left)
    event = shop.heard("Shelf Counted", reading=READING)
    assert {each["product"]: each["count"] for each in event["products"]} == {
        "cola": 3,
        "lemonade": 1,
        "mop": 1,
    }
    order = shop.order("3#drinks", READING)
    (cola, lemonade) = order["lines"]
    # Five a day for nine days, times 1.3, less three, in packs of six.
    assert (cola["product"], cola["counted"], cola["quantity"]) == ("cola", 3, 60)
    assert lemonade["quantity"] == 60
    assert {each["product"]: each["why"] for each in order["left_out"]} == {
        "gum": "unknown_product",
        "mop": "not_in_plan",
    }
    told = shop.heard("Replenishment Ordered", reading=READING)
    assert told["lines"] == [{"product": p, "quantity": 60} for p in ("cola", "lemonade")]
    assert told["record"]["sk"] == f"order#{READING}"


def test_kept_readings_come_to_the_same_orders_again(open_shop: Shop) -> None:
    order = open_shop.order("3#drinks", READING)
    place = order["document"]
    body = open_shop.aws.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"]
    document = json.loads(body.read())
    told = replay([(place["key"], document)])
    assert (told.same, told.different) == (1, [])
    kept = [line["quantity"] for line in document["orders"]["lines"]]
    assert kept == [line["quantity"] for line in order["lines"]]


def test_what_is_on_its_way_is_not_ordered_again(open_shop: Shop) -> None:
    """An hour later: sixty of each are to come."""
    open_shop.say([counted("3", "drinks", "20241123T083000Z", number=3)])
    cola, lemonade = open_shop.order("3#drinks", "20241123T083000Z")["lines"]
    assert (cola["on_order"], cola["quantity"], cola["because"]) == (60, 0, ["enough"])
    # None was seen, so 58.5 are wanted, and sixty are to come.
    assert (lemonade["counted"], lemonade["on_order"], lemonade["quantity"]) == (0, 60, 0)


def test_the_same_event_again_changes_nothing_and_tells_the_same(open_shop: Shop) -> None:
    reading = "20241123T083000Z"
    before = open_shop.order("3#drinks", reading)
    first = open_shop.heard("Replenishment Ordered", reading=reading)
    open_shop.say([counted("3", "drinks", reading, number=50)])

    def told() -> list[dict[str, Any]]:
        events = [each["detail"] for each in open_shop.news.events()]
        return [e for e in events if e["id"] == first["id"]][1:]

    (again,) = wait_for(told, what="the same order told again")
    assert again == first
    assert open_shop.order("3#drinks", reading) == before


def test_a_late_reading_is_recorded_and_orders_nothing(open_shop: Shop) -> None:
    open_shop.say([counted("3", "drinks", "20241120T073000Z")])
    late = open_shop.order("3#drinks", "20241120T073000Z", status="late")
    assert late["newest"] == "20241123T083000Z" and "lines" not in late
    current = open_shop.item("3#drinks", "current")
    assert current and current["reading"] == "20241123T083000Z"


def test_a_blurred_picture_never_counts_and_a_new_one_takes_its_place(
    open_shop: Shop, picture: Picture
) -> None:
    key = f"3/blurred/{READING}/1-of-1.jpg"
    version = open_shop.upload(key, picture(10), seen(), BLURRED)
    wanted = open_shop.heard("Shelf Picture Wanted", version_id=version)
    assert wanted["decision"] == "review"
    assert any("send a sharper picture" in each for each in wanted["reasons"])
    reading = open_shop.item("3#blurred", f"reading#{READING}")
    assert reading and reading["review"] == "waiting" and "event" not in reading
    open_shop.upload(key, picture(11), COLAS)
    event = open_shop.heard("Shelf Counted", aisle="blurred")
    assert event["products"][0]["count"] == 2
    reading = open_shop.item("3#blurred", f"reading#{READING}")
    assert reading and "review" not in reading


@pytest.mark.parametrize(
    ("aisle", "labels", "words"),
    [
        ("nothing", seen(), "nothing was found"),
        ("unsure", seen(("cola", 90, 0.1), ("cola", 60, 0.4)), "1 of 2 are unsure"),
    ],
)
def test_a_doubtful_picture_counts_once_a_person_has_accepted_it(
    aisle: str, labels: dict[str, Any], words: str, open_shop: Shop, picture: Picture
) -> None:
    shop, key = open_shop, f"3/{aisle}/{READING}/1-of-1.jpg"
    version = shop.upload(key, picture(20 + len(aisle)), labels)
    wanted = shop.heard("Shelf Picture Wanted", version_id=version)
    assert any(words in each for each in wanted["reasons"])
    assert shop.item(f"3#{aisle}", f"reading#{READING}")["status"] == "waiting"  # type: ignore[index]
    reviewer = shop.aws.session(shop.outputs["ReviewerRoleArn"])
    uri = f"s3://{shop.outputs['ImagesBucketName']}/shelves/{key}"
    wait_for(lambda: Desk.of(reviewer, shop.outputs).waiting(), what="the picture to wait")
    Desk.of(reviewer, shop.outputs).decide(uri, "accept", by="a person", reason="it is so")
    event = shop.heard("Shelf Counted", aisle=aisle)
    assert sum(each["count"] for each in event["products"]) == (1 if aisle == "unsure" else 0)


def test_a_picture_of_a_reading_that_is_closed_changes_nothing(
    open_shop: Shop, picture: Picture
) -> None:
    before = open_shop.item("3#drinks", f"reading#{READING}")
    open_shop.upload(f"3/drinks/{READING}/1-of-2.jpg", picture(30), COLAS)
    since = time.time() - 60

    def late() -> bool:
        function = open_shop.aws.client("lambda").get_function_configuration(
            FunctionName=open_shop.outputs["CountingFunctionName"]
        )
        found = open_shop.aws.client("logs").filter_log_events(
            logGroupName=function["LoggingConfig"]["LogGroup"], startTime=int(since * 1000)
        )
        return any('"ShelfPicturesLate": 1' in each["message"] for each in found["events"])

    wait_for(late, what="the log of a late picture")
    assert open_shop.item("3#drinks", f"reading#{READING}") == before


def test_a_file_that_is_no_shelf_picture_is_set_aside(open_shop: Shop, picture: Picture) -> None:
    open_shop.upload("3/drinks/1-of-1.jpg", picture(31), COLAS)
    url = open_shop.outputs["CountingDeadLetterQueueUrl"]
    sqs = open_shop.aws.client("sqs")
    (message,) = wait_for(
        lambda: sqs.receive_message(QueueUrl=url).get("Messages"), what="the dead letter"
    )
    assert "shelves/3/drinks/1-of-1.jpg" in message["Body"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_an_event_that_breaks_the_contract_fails_in_words(open_shop: Shop) -> None:
    open_shop.say([counted("3", "wrong", schema="2")])
    (failed,) = wait_for(lambda: executions(open_shop, "FAILED"), what="a failed execution")
    client = open_shop.aws.client("stepfunctions")
    told = client.describe_execution(executionArn=failed["executionArn"])
    assert told["error"] == "NotOfContract"
    assert "detail.schema is '2'" in told["cause"]


def test_a_thousand_readings_at_once(open_shop: Shop) -> None:
    """None is lost, though only four may be worked on at a time, and no older reading writes over
    a newer one of its shelf."""
    function = open_shop.outputs["OrderingFunctionName"]
    client = open_shop.aws.client("lambda")
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=4)
    shelves = [f"aisle-{number}" for number in range(20)]
    for aisle in shelves[:4]:
        plan(open_shop, f"9#{aisle}", "cola")
    sales(open_shop, "9", "cola")
    minutes = range(0, 60, 6)
    times = [f"20241123T{hour}{minute:02}00Z" for hour in range(10, 15) for minute in minutes]
    details = [counted("9", aisle, each) for aisle in shelves for each in times]
    assert len(details) == 1000
    random.Random(3).shuffle(details)
    open_shop.say(details)

    def orders() -> list[dict[str, Any]] | None:
        found = [each for each in open_shop.everything() if each["pk"].startswith("shelf#9#")]
        done = [each for each in found if each["sk"].startswith("order#")]
        time.sleep(0 if len(done) == 1000 else 1)  # looking takes the processor from the work
        return found if len(done) == 1000 else None

    found = wait_for(orders, seconds=300, what="an order or a late note of each reading")
    current = {each["pk"]: each["reading"] for each in found if each["sk"] == "current"}
    assert current == {f"shelf#9#{aisle}": times[-1] for aisle in shelves}
    lines = [each for each in found if each.get("lines") and each["sk"] == f"order#{times[-1]}"]
    assert len(lines) == 4


# By role's output: what is denied without the statement; the rest is listed with its judge.
COUNTING = ("Announce", "Count", "ReadRecords", "UseKey")
GATHERING = ("KeepDocuments", "ReadSales", "UseKey")
MACHINE = {
    "Work": "lambda:InvokeFunction",
    "Forecast": "sagemaker:InvokeEndpoint",
    "Announce": "events:PutEvents",
}
JUDGED = {"WriteLogs", "WorkQueue", "DeliverLogs", "Trace"}


def function_policy(shop: Shop, output: str) -> Policy:
    function = shop.aws.client("lambda").get_function_configuration(
        FunctionName=shop.outputs[output]
    )
    return Policy(shop.aws, function["Role"])


def invoke(shop: Shop, output: str, payload: dict[str, Any]) -> dict[str, Any]:
    answer = shop.aws.client("lambda").invoke(
        FunctionName=shop.outputs[output], Payload=json.dumps(payload).encode()
    )
    told = json.loads(answer["Payload"].read())
    return {"failed": told["errorMessage"]} if answer.get("FunctionError") else told


@pytest.mark.parametrize("sid", COUNTING)
def test_counting_needs_each_statement(sid: str, open_shop: Shop, picture: Picture) -> None:
    policy = function_policy(open_shop, "CountingFunctionName")
    assert policy.statements == {*COUNTING, "WriteLogs", "WorkQueue"}
    shop, aisle = open_shop, f"least-{sid}"
    image = picture(100 + COUNTING.index(sid))
    version = shop.upload(f"3/{aisle}/{READING}/1-of-2.jpg", image, seen())
    wanted = shop.heard("Shelf Picture Wanted", version_id=version)
    detail = {
        "schema": "1",
        "id": "a" * 32,
        "object": {
            "bucket": shop.outputs["ImagesBucketName"],
            "key": wanted["key"],
            "version_id": version,
            "etag": None,
            "size": None,
        },
        "decision": "review",
        "codes": [],
        "analyses": [],
        "settings": "s",
        "record": {
            "table": shop.outputs["ResultsTableName"],
            "pk": f"s3://{shop.outputs['ImagesBucketName']}/{wanted['key']}",
            "sk": f"version#{version}",
        },
        "analysed_at": "2026-11-23T00:00:00Z",
    }
    body = {"source": "sagelens.vision", "detail-type": "Image Analysed", "detail": detail}
    event = {"Records": [{"messageId": "m", "receiptHandle": "r", "body": json.dumps(body)}]}
    with policy.without(sid):
        assert invoke(shop, "CountingFunctionName", event)["batchItemFailures"]
    assert invoke(shop, "CountingFunctionName", event) == {"batchItemFailures": []}


@pytest.mark.parametrize("sid", GATHERING)
def test_gathering_needs_each_statement(sid: str, open_shop: Shop) -> None:
    policy = function_policy(open_shop, "OrderingFunctionName")
    assert policy.statements == {*GATHERING, "RecordOrders", "WriteLogs"}
    detail = counted("3", f"least-{sid}")
    given = {"step": "gather", "detail": detail, "execution": "by-hand"}
    with policy.without(sid):
        assert "AccessDenied" in invoke(open_shop, "OrderingFunctionName", given)["failed"]
    assert invoke(open_shop, "OrderingFunctionName", given)["state"] == "nothing_to_ask"


def test_recording_needs_its_statement(open_shop: Shop) -> None:
    gathered = invoke(
        open_shop,
        "OrderingFunctionName",
        {"step": "gather", "detail": counted("3", "least-order"), "execution": "by-hand"},
    )
    given = {"step": "order", "document": gathered["document"], "answer": "null"}
    with function_policy(open_shop, "OrderingFunctionName").without("RecordOrders"):
        assert "AccessDenied" in invoke(open_shop, "OrderingFunctionName", given)["failed"]
    assert invoke(open_shop, "OrderingFunctionName", given)["state"] == "ordered"


@pytest.mark.parametrize("sid", MACHINE)
def test_the_state_machine_needs_each_statement(sid: str, open_shop: Shop) -> None:
    shop, arn = open_shop, open_shop.outputs["OrderingStateMachineArn"]
    client = shop.aws.client("stepfunctions")
    policy = Policy(shop.aws, client.describe_state_machine(stateMachineArn=arn)["roleArn"])
    assert policy.statements == {*MACHINE, "UseKey", "DeliverLogs", "Trace"}
    aisle = f"machine-{sid}"
    plan(shop, f"3#{aisle}", "cola")
    given = json.dumps({"detail": counted("3", aisle)})
    with policy.without(sid):
        started = client.start_execution(stateMachineArn=arn, input=given)["executionArn"]

        def denied() -> bool:
            events = client.get_execution_history(executionArn=started)["events"]
            return any(MACHINE[sid] in json.dumps(each, default=str) for each in events)

        wait_for(denied, what=f"a denial of {MACHINE[sid]}")
    # Forecast waits and asks again; the others have failed, and are started anew.
    if sid != "Forecast":
        client.start_execution(stateMachineArn=arn, input=given)
    assert shop.order(f"3#{aisle}", READING)["lines"]


def test_settings_of_the_deployed_function_are_those_of_the_file(open_shop: Shop) -> None:
    function = open_shop.aws.client("lambda").get_function_configuration(
        FunctionName=open_shop.outputs["CountingFunctionName"]
    )
    rules = json.loads(function["Environment"]["Variables"]["RULES"])
    assert rules["products"] == {"lemonade": 80} and rules["overlap"] == 0.2
    assert Path(open_shop.outputs["ShelfPrefix"]).name == "shelves"
