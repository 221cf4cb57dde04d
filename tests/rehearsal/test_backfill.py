"""The backfill on the deployed stacks: what it takes, leaves out, waits for, and survives."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.process import Rehearsal
from tests.rehearsal.backfills import SETTINGS, WAITS, Backfills, image
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import OPERATION, REJECTED
from tools import backfill

# Statements of the function that feeds: the action that the absence of each denies.
FEEDER = {
    "FindVersions": "s3:GetObjectTagging",
    "ReadRecords": "dynamodb:BatchGetItem",
    "KeepRuns": "s3:PutObject",
    "FillQueue": "sqs:GetQueueAttributes",
    "UseKey": "kms:",
}
# Those of the state machine, by policy.
MACHINE = {
    ("machine", "FindImages"): "s3:ListBucket",
    ("machine", "DoSteps"): "lambda:InvokeFunction",
    ("machine", "KeepResults"): "s3:PutObject",
    ("machine", "UseKey"): "kms:GenerateDataKey",
    ("children", "StartChildren"): "states:StartExecution",
}
# Each is proven by a test of its own.
PROVEN_BELOW = {
    ("feeder", "TellGoneFromDenied"),
    ("machine", "FindPlans"),
    ("machine", "ReadInventories"),
    ("children", "RedriveChildren"),
}
COVERED_BY_JUDGES = {
    ("feeder", "WriteLogs"): "edges: the role writes to the function's log group",
    ("machine", "DeliverLogs"): "iam: as AWS documents it; logs are not delivered here",
    ("machine", "Trace"): "iam: as AWS documents it; traces are not kept here",
    ("children", "MindChildren"): "as AWS documents it; children are not run by the API here",
}


@pytest.fixture(scope="module")
def deployed(
    run_folders_of_our_own: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backfills]:
    """On an embedded AWS of its own, whose waits are short."""
    with Rehearsal.start(samples=()) as aws:
        aws.scale_waits(WAITS)
        yield Backfills.deploy(aws, tmp_path_factory.mktemp("backfill"))


@pytest.fixture
def backfills(deployed: Backfills) -> Iterator[Backfills]:
    deployed.aws.rekognition.clear()
    deployed.platform.heard()
    yield deployed
    deployed.aws.rekognition.heal(OPERATION)
    deployed.aws.rekognition.latency(OPERATION, 0)
    wait_for(lambda: deployed.waiting() == 0, what="an empty queue")


def test_what_lies_in_a_folder_is_analysed_once(backfills: Backfills) -> None:
    """Keys of every kind; a dry run first, a second run last; a folder, a hole and a non-image."""
    platform, s3 = backfills.platform, backfills.aws.client("s3")
    keys = [
        "plain.png",
        "a b+c%20d.png",
        "ü/日本 🍋.png",
        "semi;colon&amp'.png",
        "x" * 900 + ".png",
    ]
    versions = {
        f"archive/odd/{key}": backfills.put(f"archive/odd/{key}", number)
        for number, key in enumerate(keys)
    }
    rejected = "archive/odd/rejected.png"
    versions[rejected] = backfills.put(rejected, 50, REJECTED)
    s3.put_object(Bucket=platform.bucket, Key="archive/odd/", Body=b"")
    s3.put_object(Bucket=platform.bucket, Key="archive/odd/empty.png", Body=b"")
    s3.put_object(Bucket=platform.bucket, Key="archive/odd/words.txt", Body=b"no image")
    backfills.put("archive/odd/deleted.png", 51)
    s3.delete_object(Bucket=platform.bucket, Key="archive/odd/deleted.png")

    dry = backfills.run(prefix="archive/odd/", dry_run=True)
    assert (dry["objects"], dry["queued"], dry["left_out"]) == (9, 8, {"folders": 1})
    assert dry["usd"]["rekognition"] == pytest.approx(0.008)
    assert backfills.waiting() == 0
    assert not platform.items(rejected)

    report = backfills.run(prefix="archive/odd/")
    assert report["decisions"] == {"accept": 5, "reject": 1, "unusable": 2}
    assert (report["queued"], report["done"], report["failed"]) == (8, 8, 0)
    # What cannot be analysed costs no call.
    assert report["usd"]["rekognition"] == pytest.approx(0.006)
    for key, version in versions.items():
        record = platform.record(key, version)
        current = platform.item(key, "current")
        assert record["settings"] == report["settings"]
        assert record["etag"]
        assert current
        assert current["version_id"] == version
    heard = {event["object"]["key"] for event in platform.heard()}
    assert heard >= set(versions)

    again = backfills.run(prefix="archive/odd/")
    assert (again["queued"], again["done"]) == (0, 0)
    assert again["skipped"] == {"done": 7, "quarantined": 1}
    kept = s3.get_object(
        Bucket=platform.foundation["DataBucketName"], Key=f"backfill/{again['run']}/report.json"
    )
    assert json.loads(kept["Body"].read()) == again


def test_what_an_event_told_of_is_not_paid_for_again(backfills: Backfills) -> None:
    """New images and a backfill of the same folder have the same records."""
    platform = backfills.platform
    live = backfills.put("incoming/both/live.png", 100)
    platform.record("incoming/both/live.png", live)
    with platform.unheard():
        missed = backfills.put("incoming/both/missed.png", 101)
    calls = platform.calls()
    report = backfills.run(prefix="incoming/both/")
    assert (report["skipped"]["done"], report["done"]) == (1, 1)
    assert platform.calls() == calls + 1
    platform.record("incoming/both/missed.png", missed)
    newer = backfills.put("incoming/both/missed.png", 102)
    platform.record("incoming/both/missed.png", newer)
    current = wait_for(
        lambda: (platform.item("incoming/both/missed.png", "current") or {}).get("version_id"),
        what="the newest version",
    )
    assert current == newer


def test_a_policy_that_changes_meanwhile_loses_nothing(backfills: Backfills) -> None:
    """Each record carries the settings that it was judged by, and the report says how many."""
    for number in range(12):
        backfills.put(f"archive/change/{number}.png", 200 + number)
    worker, feeder = backfills.worker, backfills.feeder
    settings = json.loads(worker["Environment"]["Variables"]["SETTINGS"])
    settings["policy"]["moderation"]["*"] = {"accept": [0, 50], "reject": [50, 100]}
    changed = json.dumps(settings)
    with backfills.resting():
        execution = backfills.start(prefix="archive/change/")
        wait_for(lambda: backfills.waiting() == 12, what="the backlog")
        for _ in range(4):  # as if the worker had got so far
            backfills.platform.send(_take(backfills))
        wait_for(lambda: backfills.waiting() == 8, what="the rest of the backlog")
        backfills.platform.settle()
        backfills.configure(worker, SETTINGS=changed)
        backfills.configure(feeder, SETTINGS=changed)
    try:
        report = backfills.report(execution)
    finally:
        backfills.configure(worker)
        backfills.configure(feeder)
    assert (report["done"], report["failed"]) == (12, 0)
    assert sorted(report["results_by_settings"].values()) == [4, 8]
    # Under the settings of before, those eight are due again.
    again = backfills.run(prefix="archive/change/", dry_run=True)
    assert (again["queued"], again["skipped"]["done"]) == (8, 4)


def _take(backfills: Backfills) -> str:
    """Take a message out of the backfill's queue."""
    sqs = backfills.aws.client("sqs")

    def one() -> dict[str, Any] | None:
        found = sqs.receive_message(QueueUrl=backfills.queue, MaxNumberOfMessages=1)
        return (found.get("Messages") or [None])[0]

    message = wait_for(one, what="a message")
    sqs.delete_message(QueueUrl=backfills.queue, ReceiptHandle=message["ReceiptHandle"])
    return message["Body"]


def test_nothing_more_is_put_into_a_queue_that_is_too_deep(backfills: Backfills) -> None:
    for number in range(3):
        backfills.put(f"archive/deep/{number}.png", 300 + number)
    feeder = backfills.feeder
    told = json.loads(feeder["Environment"]["Variables"]["BACKFILL"])
    sqs = backfills.aws.client("sqs")
    with backfills.resting():
        backfills.configure(feeder, BACKFILL=json.dumps({**told, "deepest": 1}))
        event = backfills.platform.event(
            "archive/deep/0.png", backfills.put("archive/deep/0.png", 300)
        )
        for _ in range(2):
            sqs.send_message(QueueUrl=backfills.queue, MessageBody=event)
        execution = backfills.start(prefix="archive/deep/")
        states = backfills.aws.client("stepfunctions")
        wait_for(lambda: states.list_map_runs(executionArn=execution)["mapRuns"], what="a run")
        wait_for(lambda: _looks(backfills) >= 3, what="looks at the queue")
        assert backfills.waiting() == 2
    try:
        report = backfills.report(execution)
        # What was in the queue before was done first, and is not fed again.
        assert report["done"] + report["skipped"]["done"] == 3
        assert report["skipped"]["done"] <= 1
    finally:
        backfills.configure(feeder)


def _looks(backfills: Backfills) -> int:
    logs, group = backfills.aws.client("logs"), backfills.feeder["LoggingConfig"]["LogGroup"]
    lines = logs.filter_log_events(logGroupName=group)["events"]
    told = [json.loads(each["message"]) for each in lines if "backfill: feed" in each["message"]]
    return sum("queued" not in each["counts"] for each in told)


def test_an_inventory_is_read_with_its_encoded_keys_and_old_versions(backfills: Backfills) -> None:
    platform, s3 = backfills.platform, backfills.aws.client("s3")
    old = backfills.put("archive/list/a b+c.png", 400)
    new = backfills.put("archive/list/a b+c.png", 401)
    plain = backfills.put("archive/list/plain.png", 402)
    rows = [
        (platform.bucket, "archive/list/a+b%2Bc.png", new, "true", "false"),
        (platform.bucket, "archive/list/a+b%2Bc.png", old, "false", "false"),
        (platform.bucket, "archive/list/plain.png", plain, "true", "false"),
        (platform.bucket, "archive/list/gone.png", "v", "true", "true"),
        (platform.bucket, "results/other.png", "v", "true", "false"),
        ("another-bucket", "archive/list/plain.png", "v", "true", "false"),
    ]
    text = "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
    data = platform.foundation["DataBucketName"]
    manifest = {
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker",
        "files": [{"key": "inventory/data/1.csv.gz"}],
    }
    s3.put_object(Bucket=data, Key="inventory/data/1.csv.gz", Body=gzip.compress(text.encode()))
    key = "inventory/images/2026-01-02T01-00Z/manifest.json"
    s3.put_object(Bucket=data, Key=key, Body=json.dumps(manifest).encode())
    machine = backfills.policies()["machine"]
    with machine.without("ReadInventories"):
        execution = backfills.start(manifest=key)
        assert "s3:GetObject" in backfills.end(execution)["cause"]
    report = backfills.redrive(execution)
    assert report["left_out"] == {"older_versions": 1, "deleted": 1, "elsewhere": 2}
    assert report["done"] == 2
    for name, version in (("a b+c.png", new), ("plain.png", plain)):
        platform.record(f"archive/list/{name}", version)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"prefix": ""},
        {"prefix": "archive"},
        {"prefix": "results/vision/"},
        {"prefix": ["archive/"]},
        {"manifest": "backfill/manifest.json"},
        {"prefix": "archive/", "dry_run": "yes"},
    ],
)
def test_what_may_not_be_asked_for_is_refused(backfills: Backfills, given: dict[str, Any]) -> None:
    ended = backfills.end(backfills.start(**given))
    assert (ended["status"], ended["error"]) == ("FAILED", "WrongInput")
    assert "incoming/*, archive/*" in ended["cause"]


def test_an_empty_folder_is_no_failure(backfills: Backfills) -> None:
    assert backfills.run(prefix="archive/nothing/")["objects"] == 0


def test_every_statement_is_accounted_for(backfills: Backfills) -> None:
    fed = {("feeder", sid) for sid in FEEDER}
    accounted = {*fed, *MACHINE, *PROVEN_BELOW, *COVERED_BY_JUDGES}
    found = {
        (name, sid) for name, policy in backfills.policies().items() for sid in policy.statements
    }
    assert found == accounted


@pytest.mark.parametrize("sid", FEEDER)
def test_without_a_statement_nothing_is_fed(backfills: Backfills, sid: str) -> None:
    key = f"archive/least/{sid}.png"
    version = backfills.put(key, 500 + list(FEEDER).index(sid))
    with backfills.policies()["feeder"].without(sid):
        assert FEEDER[sid] in _feed(backfills, sid, key)["errorMessage"]
    assert _feed(backfills, sid, key)["counts"]["queued"] == 1
    backfills.platform.record(key, version)


def _feed(backfills: Backfills, run: str, *keys: str) -> dict[str, Any]:
    """Feed a batch by hand."""
    shared = {"run": run, "dry_run": False, "source": "listing"}
    items = [{"Key": key} for key in keys]
    batch = {"action": "feed", "batch": {"Items": items, "BatchInput": shared}}
    answer = backfills.aws.client("lambda").invoke(
        FunctionName=backfills.feeder["FunctionName"], Payload=json.dumps(batch)
    )
    return json.loads(answer["Payload"].read())


@pytest.mark.parametrize(("policy", "sid"), MACHINE)
def test_without_a_statement_the_run_fails_and_a_redrive_ends_it(
    backfills: Backfills, policy: str, sid: str
) -> None:
    key = f"archive/least/{sid}/a.png"
    version = backfills.put(key, 520 + list(MACHINE).index((policy, sid)))
    with backfills.policies()[policy].without(sid):
        execution = backfills.start(prefix=key.removesuffix("a.png"))
        ended = backfills.end(execution)
        assert ended["status"] == "FAILED"
        said = " ".join([ended["cause"], *backfills.causes(execution)])
        assert MACHINE[policy, sid] in said
    assert backfills.redrive(execution)["done"] == 1
    backfills.platform.record(key, version)


def test_plans_are_found_and_children_redriven_by_their_own_statements(
    backfills: Backfills,
) -> None:
    backfills.put("archive/least/plans/a.png", 600)
    policies = backfills.policies()
    with policies["machine"].without("FindPlans"):
        execution = backfills.start(prefix="archive/least/plans/")
        assert "s3:ListBucket" in backfills.end(execution)["cause"]
    assert backfills.redrive(execution)["done"] == 1
    backfills.put("archive/least/children/a.png", 601)
    with policies["children"].without("RedriveChildren"):
        with policies["feeder"].without("FillQueue"):
            execution = backfills.start(prefix="archive/least/children/")
            assert backfills.end(execution)["status"] == "FAILED"
        backfills.aws.client("stepfunctions").redrive_execution(executionArn=execution)
        assert "states:RedriveExecution" in backfills.end(execution)["cause"]
    assert backfills.redrive(execution)["done"] == 1


def test_without_listing_an_object_that_goes_meanwhile_looks_denied(backfills: Backfills) -> None:
    """Its list names an object that is gone, and the feeder must be let know that it is."""
    platform = backfills.platform
    version = backfills.put("archive/least/gone.png", 602)
    keys = ("archive/least/no.png", "archive/least/gone.png")
    with backfills.policies()["feeder"].without("TellGoneFromDenied"):
        assert "AccessDenied" in _feed(backfills, "gone", *keys)["errorMessage"]
    counts = _feed(backfills, "gone", *keys)["counts"]
    assert (counts["queued"], counts["left_out"]) == (1, {"deleted": 1, "done": 0})
    platform.record("archive/least/gone.png", version)


def test_what_fails_every_time_is_reported_and_kept(backfills: Backfills) -> None:
    """A throttled image comes back by its own queue; one that never works is set aside."""
    backfills.put("archive/fails/good.png", 700)
    unknown = image(701)  # nothing is scripted for it
    platform = backfills.platform
    backfills.aws.client("s3").put_object(
        Bucket=platform.bucket, Key="archive/fails/bad.png", Body=unknown
    )
    backfills.aws.rekognition.fail(OPERATION, "ThrottlingException", times=2)
    report = backfills.run(prefix="archive/fails/")
    assert (report["done"], report["failed"]) == (1, 1)
    assert platform.waiting(platform.vision["BackfillDeadLetterQueueUrl"]) == 1
    assert platform.waiting(platform.vision["ImageDeadLetterQueueUrl"]) == 0


def test_the_command_counts_starts_shows_and_redrives(
    backfills: Backfills, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(backfill.boto3, "Session", lambda **_: backfills.aws.session())
    backfills.put("archive/command/a.png", 800)

    def run(*arguments: str) -> tuple[str | None, str]:
        failed = backfill.main([*arguments, "--environment", str(SETTINGS)])
        return failed, capsys.readouterr().out

    assert "prefix: got 'results/'" in str(run("start", "--prefix", "results/")[0])
    assert "manifest: got 'a.json'" in str(run("start", "--manifest", "a.json")[0])
    folder = ("--prefix", "archive/command/")
    failed, told = run("start", "--dry-run", *folder)
    assert failed is None
    assert "1 would be analysed" in told
    assert "at most 0.00 USD for Amazon Rekognition" in told
    with backfills.policies()["feeder"].without("FillQueue"):
        failed, told = run("start", "--wait", *folder)
        assert "States.ExceedToleratedFailureThreshold" in str(failed)
    name = told.split()[1]
    assert "failed" in run("status")[1]
    assert name in run("redrive", "--run", name)[1]
    backfills.report(f"{backfills.machine.replace(':stateMachine:', ':execution:')}:{name}")
    assert "1 done: 1 accept" in run("report", "--run", name)[1]
    told = run("status", "--run", name)[1]
    assert "succeeded" in told
    assert "objects fed: 1 of 1" in told
    assert "plans counted: 1 of 1" in told
    failed, _ = run("report", "--run", "no-such-run")
    assert "has no report yet" in str(failed)
