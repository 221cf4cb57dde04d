"""Batch transform: the model's own server asked about every record."""

from __future__ import annotations

import io
import json
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from rehearsal.sagemaker.transform_records import Plan, batches, request, result
from tests.rehearsal.job_bench import IMAGE, Bench, archive
from tests.rehearsal.listening import wait_for

# The sum of each row; a row that says `bad` is refused, one that says `broken` breaks the model.
INFERENCE = """
import sys, time

class Refused(Exception):
    pass

def model_fn(folder):
    return {'offset': float(open(folder + '/offset').read())}

def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    return [line.split(',') for line in text.splitlines()]

def predict_fn(rows, model):
    if any('slow' in row for row in rows):
        time.sleep(30)
    if any('broken' in row for row in rows):
        raise RuntimeError('the model is broken')
    sys.stdout.write(f'batch of {len(rows)}\\n')
    return [sum(map(float, row)) + model['offset'] for row in rows]

def output_fn(sums, accept):
    return ''.join(f'{each:g}\\n' for each in sums), 'text/csv'
"""


@pytest.fixture(scope="module")
def bench(aws: Rehearsal) -> Bench:
    made = Bench.make(aws, "transform")
    model = archive({"offset": "100", "code/inference.py": INFERENCE})
    url = made.put("model/model.tar.gz", model)
    made.sagemaker.create_model(
        ModelName="adds",
        ExecutionRoleArn=made.role,
        EnableNetworkIsolation=True,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": url,
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        },
    )
    return made


def start(bench: Bench, name: str, source: str, **more: Any) -> str:
    """Start a transform job of the lines below a prefix."""
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": bench.uri(source)}}
    given = {
        "TransformInput": {"DataSource": data, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {
            "S3OutputPath": bench.uri(f"out/{name}"),
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }
    bench.sagemaker.create_transform_job(TransformJobName=name, ModelName="adds", **given)
    return name


def ended(bench: Bench, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        answer = bench.sagemaker.describe_transform_job(TransformJobName=name)
        done = answer["TransformJobStatus"] in ("Completed", "Failed", "Stopped")
        return answer if done else None

    found = wait_for(look, what="the end of a transform job")
    assert found is not None
    return found


def test_every_object_is_transformed(bench: Bench) -> None:
    bench.put("in/a.csv", "1,2\n3,4\n")
    bench.put("in/deep/b.csv", "5\n")
    name = start(bench, "adds-all", "in/")
    job = ended(bench, name)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert bench.keys(f"out/{name}") == [f"out/{name}/a.csv.out", f"out/{name}/deep/b.csv.out"]
    assert bench.get(f"out/{name}/a.csv.out") == b"103\n107\n"
    assert bench.get(f"out/{name}/deep/b.csv.out") == b"105\n"
    assert "batch of 2" in bench.log("Transform", name)


def test_single_records_side_by_side_keep_their_order(bench: Bench) -> None:
    bench.put("many/a.csv", "".join(f"{number}\n" for number in range(50)))
    more = {"BatchStrategy": "SingleRecord", "MaxConcurrentTransforms": 4}
    name = start(bench, "adds-singly", "many/", **more)
    assert ended(bench, name)["TransformJobStatus"] == "Completed"
    wanted = "".join(f"{100 + number}\n" for number in range(50)).encode()
    assert bench.get(f"out/{name}/a.csv.out") == wanted
    assert bench.log("Transform", name).count("batch of 1") == 50


def test_predictions_are_joined_with_their_records(bench: Bench) -> None:
    bench.put("joined/a.csv", "x1,1,2\nx2,3,4\n")
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    name = start(bench, "adds-joined", "joined/", DataProcessing=processing)
    assert ended(bench, name)["TransformJobStatus"] == "Completed"
    assert bench.get(f"out/{name}/a.csv.out") == b"x1,103\nx2,107\n"


def test_model_that_breaks_fails_the_job(bench: Bench) -> None:
    bench.put("broken/a.csv", "1\nbroken\n")
    name = start(bench, "adds-broken", "broken/")
    job = ended(bench, name)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].endswith("Error: See job logs for more information")
    assert any("Bad HTTP status received" in line for line in bench.log("Transform", name))
    assert bench.keys(f"out/{name}") == []


def test_data_that_vanished_and_stop(bench: Bench) -> None:
    gone = ended(bench, start(bench, "adds-nothing", "nothing/"))
    assert "matched no files on s3" in gone["FailureReason"]
    bench.put("slow/a.csv", "slow\n1\n2\n")
    name = start(bench, "adds-slowly", "slow/", BatchStrategy="SingleRecord")
    bench.aws.sagemaker.delay("transform", 30)
    try:
        waiting = start(bench, "adds-later", "in/")
        bench.sagemaker.stop_transform_job(TransformJobName=waiting)
        assert ended(bench, waiting)["TransformJobStatus"] == "Stopped"
    finally:
        bench.aws.sagemaker.delay("transform", 0)
    bench.sagemaker.stop_transform_job(TransformJobName=name)
    assert ended(bench, name)["TransformJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "allowed is 100"),
        ({"DataProcessing": {"OutputFilter": "$.x"}}, "$.x cannot be rehearsed"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, "DataCaptureConfig"),
        (
            {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2}},
            "InstanceCount is 2",
        ),
    ],
)
def test_what_is_refused(bench: Bench, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError) as error:
        start(bench, "adds-no", "in/", **more)
    assert words in error.value.response["Error"]["Message"]


class TestRecords:
    """Splitting and joining, without a server."""

    base: ClassVar[dict[str, Any]] = {"TransformOutput": {}}

    def plan(self, **more: Any) -> Plan:
        source = {"ContentType": "text/csv", "SplitType": "Line"} | more.pop("source", {})
        return Plan.of({**self.base, "TransformInput": source, **more})

    def test_payload_limits_a_batch(self) -> None:
        plan = self.plan(MaxPayloadInMB=1)
        line = b"x" * 400_000 + b"\n"
        sizes = [len(batch) for batch in batches(plan, io.BytesIO(line * 5))]
        assert sizes == [2, 2, 1]

    def test_whole_objects_go_unsplit(self) -> None:
        plan = self.plan(source={"SplitType": "None"})
        (batch,) = batches(plan, io.BytesIO(b"a\nb\n"))
        assert request(plan, batch) == b"a\nb\n"

    def test_json_lines_are_joined_as_an_own_member(self) -> None:
        source = {"ContentType": "application/jsonlines"}
        plan = self.plan(source=source, DataProcessing={"JoinSource": "Input"})
        joined = result(plan, ['{"a": 1}'], b'{"p": 0.5}\n')
        assert json.loads(joined) == {"a": 1, "SageMakerOutput": {"p": 0.5}}

    def test_lost_predictions_are_noticed(self) -> None:
        plan = self.plan(DataProcessing={"JoinSource": "Input"})
        with pytest.raises(ValueError, match="2 records were sent, 1 predictions came back"):
            result(plan, ["1", "2"], b"0.5\n")
