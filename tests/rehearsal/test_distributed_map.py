"""Distributed Map on the embedded AWS: read, batched, run, exported and redriven as a role."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for

BUCKET = "things"
STATES = "arn:aws:states:::"
READ = {"Resource": f"{STATES}s3:listObjectsV2", "Parameters": {"Bucket": BUCKET, "Prefix": "in/"}}
WRITE = {
    "Resource": f"{STATES}s3:putObject",
    "Parameters": {"Bucket": BUCKET, "Prefix": "out"},
    "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
}
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:mapper"
# By name, so that a test can leave one out.
MAY = {
    "list": ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
    "read": ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/inventory/*"),
    "write": ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/out/*"),
    "start": ("states:StartExecution", MACHINE),
    "redrive": (
        "states:RedriveExecution",
        "arn:aws:states:us-east-1:000000000000:execution:mapper/Each:*",
    ),
    "put": ("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:000000000000:table/seen"),
}


class Mapper:
    """A state machine of one Distributed Map over a bucket with five objects."""

    def __init__(self, aws: Rehearsal) -> None:
        self.aws, self.client = aws, aws.client("stepfunctions")
        self.s3, iam = aws.client("s3"), aws.client("iam")
        self.s3.create_bucket(Bucket=BUCKET)
        for number in range(5):
            self.s3.put_object(Bucket=BUCKET, Key=f"in/a+b {number}%.txt", Body=b"x" * number)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName="mapper", AssumeRolePolicyDocument=document)
        self.allow(*MAY)

    def allow(self, *names: str) -> None:
        statements = [
            {"Effect": "Allow", "Action": MAY[name][0], "Resource": MAY[name][1]} for name in names
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.aws.client("iam").put_role_policy(
            RoleName="mapper", PolicyName="p", PolicyDocument=policy
        )

    def start(self, child: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Make the machine and run it; `child` is what each child execution does."""
        state = {
            "Type": "Map",
            "Label": "Each",
            "ItemReader": READ,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Do",
                "States": {"Do": child or {"Type": "Pass", "End": True}},
            },
            "End": True,
            **more,
        }
        definition = json.dumps({"StartAt": "Map", "States": {"Map": state}})
        arn = self.client.create_state_machine(
            name="mapper", definition=definition, roleArn="arn:aws:iam::000000000000:role/mapper"
        )["stateMachineArn"]
        execution = self.client.start_execution(
            stateMachineArn=arn, name="run", input='{"why": "test"}'
        )
        return self.end(execution["executionArn"])

    def end(self, arn: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            found = self.client.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return wait_for(ended, what="the end of the execution")

    def run(self) -> dict[str, Any]:
        (run,) = self.client.list_map_runs(
            executionArn=f"{MACHINE.replace(':stateMachine:', ':execution:')}:run"
        )["mapRuns"]
        return self.client.describe_map_run(mapRunArn=run["mapRunArn"])

    def text(self, key: str) -> str:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


@pytest.fixture
def mapper(engine: Rehearsal) -> Mapper:
    return Mapper(engine)


def test_objects_come_in_batches_with_what_they_share(mapper: Mapper) -> None:
    batcher = {
        "MaxItemsPerBatch": 2,
        "BatchInput": {"run.$": "$$.Execution.Name", "why.$": "$.why"},
    }
    ended = mapper.start(ItemBatcher=batcher)
    assert ended["status"] == "SUCCEEDED", ended
    batches = json.loads(ended["output"])
    assert [len(each["Items"]) for each in batches] == [2, 2, 1]
    assert all(each["BatchInput"] == {"run": "run", "why": "test"} for each in batches)
    first = batches[0]["Items"][1]
    assert first["Key"] == "in/a+b 1%.txt"
    assert (first["Size"], first["StorageClass"]) == (1, "STANDARD")
    assert first["Etag"].startswith('"')
    assert isinstance(first["LastModified"], int)
    counts = mapper.run()
    assert counts["itemCounts"]["succeeded"] == counts["itemCounts"]["total"] == 5
    assert counts["executionCounts"]["succeeded"] == 3


def test_a_batch_keeps_to_its_bytes(mapper: Mapper) -> None:
    ended = mapper.start(ItemBatcher={"MaxItemsPerBatch": 5, "MaxInputBytesPerBatch": 400})
    sizes = [len(json.dumps(each)) for each in json.loads(ended["output"])]
    assert len(sizes) > 1
    assert max(sizes) <= 400


def test_a_child_knows_its_own_execution(mapper: Mapper) -> None:
    child = {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id"}, "End": True}
    ids = [each["id"] for each in json.loads(mapper.start(child)["output"])]
    assert len(set(ids)) == 5
    assert all(":execution:mapper/Each:" in each for each in ids)


def test_results_are_exported_as_lines(mapper: Mapper) -> None:
    child = {"Type": "Pass", "Parameters": {"key.$": "$.Key"}, "End": True}
    ended = mapper.start(child, ResultWriter=WRITE)
    place = json.loads(ended["output"])["ResultWriterDetails"]
    assert place["Key"].startswith("out/")
    manifest = json.loads(mapper.text(place["Key"]))
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    lines = [json.loads(line) for line in mapper.text(file["Key"]).splitlines()]
    assert sorted(each["key"] for each in lines) == [f"in/a+b {n}%.txt" for n in range(5)]
    assert manifest["ResultFiles"]["FAILED"] == manifest["ResultFiles"]["PENDING"] == []


@pytest.mark.parametrize("zipped", [True, False])
def test_an_inventory_gives_its_rows_as_they_are(mapper: Mapper, zipped: bool) -> None:
    rows = b'"photos","in/a%2Bb+1.jpg","v1","12"\r\n"photos","in/c.jpg","v2","0"\r\n'
    key = "inventory/data/1.csv" + (".gz" if zipped else "")
    mapper.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(rows) if zipped else rows)
    manifest = {
        "sourceBucket": "photos",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, Size",
        "files": [{"key": key, "size": len(rows)}],
    }
    mapper.s3.put_object(
        Bucket=BUCKET, Key="inventory/manifest.json", Body=json.dumps(manifest).encode()
    )
    reader = {
        "Resource": f"{STATES}s3:getObject",
        "ReaderConfig": {"InputType": "MANIFEST"},
        "Parameters": {"Bucket": BUCKET, "Key": "inventory/manifest.json"},
    }
    items = json.loads(mapper.start(ItemReader=reader)["output"])
    assert items[0] == {
        "Bucket": "photos",
        "Key": "in/a%2Bb+1.jpg",
        "VersionId": "v1",
        "Size": "12",
    }
    assert len(items) == 2


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("list", "States.ItemReaderFailed"),
        ("start", "States.Permissions"),
        ("write", "States.ResultWriterFailed"),
    ],
)
def test_each_right_of_the_role_is_needed(mapper: Mapper, missing: str, error: str) -> None:
    mapper.allow(*(name for name in MAY if name != missing))
    ended = mapper.start(ResultWriter=WRITE)
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert MAY[missing][0] in ended["cause"]
    mapper.allow(*MAY)
    mapper.client.redrive_execution(executionArn=ended["executionArn"])
    assert mapper.end(ended["executionArn"])["status"] == "SUCCEEDED"


def failing_on(word: str) -> dict[str, Any]:
    """A child that fails for the keys with this word in them, by a path that is not there."""
    return {
        "StartAt": "Look",
        "States": {
            "Look": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.Key", "StringMatches": f"*{word}*", "Next": "No"}],
                "Default": "Yes",
            },
            "No": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"},
            "Yes": {"Type": "Pass", "End": True},
        },
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }


def test_one_failure_ends_the_run_and_nothing_new_begins(mapper: Mapper) -> None:
    ended = mapper.start(ItemProcessor=failing_on("b 1"), MaxConcurrency=1, ResultWriter=WRITE)
    assert ended["error"] == "States.ExceedToleratedFailureThreshold"
    counts = mapper.run()["executionCounts"]
    assert (counts["succeeded"], counts["failed"], counts["pending"]) == (1, 1, 3)


def test_failures_within_the_tolerance_do_not_end_the_run(mapper: Mapper) -> None:
    ended = mapper.start(
        ItemProcessor=failing_on("b 1"), ToleratedFailurePercentage=20, ResultWriter=WRITE
    )
    assert ended["status"] == "SUCCEEDED"
    place = json.loads(ended["output"])["ResultWriterDetails"]
    files = json.loads(mapper.text(place["Key"]))["ResultFiles"]
    (failed,) = mapper.text(files["FAILED"][0]["Key"]).splitlines()
    assert json.loads(failed)["Error"] == "Broken"


def test_a_redrive_runs_only_what_has_not_succeeded(mapper: Mapper) -> None:
    mapper.allow("list", "write", "start")
    table = mapper.aws.client("dynamodb")
    table.create_table(
        TableName="seen",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    put = {
        "Type": "Task",
        "Resource": f"{STATES}dynamodb:putItem",
        "Parameters": {"TableName": "seen", "Item": {"pk": {"S.$": "$$.Execution.Id"}}},
        "End": True,
    }
    ended = mapper.start(put, MaxConcurrency=1, ResultWriter=WRITE)
    assert ended["error"] == "States.ExceedToleratedFailureThreshold"
    mapper.allow("list", "write", "start", "put")
    mapper.client.redrive_execution(executionArn=ended["executionArn"])
    assert "states:RedriveExecution" in mapper.end(ended["executionArn"])["cause"]
    mapper.allow("list", "write", "start", "put", "redrive")
    mapper.client.redrive_execution(executionArn=ended["executionArn"])
    assert mapper.end(ended["executionArn"])["status"] == "SUCCEEDED"
    run = mapper.run()
    assert run["executionCounts"]["succeeded"] == 5
    assert run["redriveCount"] >= 1
    assert len(table.scan(TableName="seen")["Items"]) == 5


def test_only_what_failed_can_be_redriven(mapper: Mapper) -> None:
    ended = mapper.start()
    with pytest.raises(mapper.client.exceptions.ExecutionNotRedrivable):
        mapper.client.redrive_execution(executionArn=ended["executionArn"])


def test_what_the_rehearsal_lacks_is_refused(mapper: Mapper) -> None:
    ended = mapper.start(ToleratedFailurePercentagePath="$.x")
    assert "has no ToleratedFailurePercentagePath" in ended["cause"]
