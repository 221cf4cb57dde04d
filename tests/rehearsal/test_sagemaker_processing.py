"""Processing jobs of the embedded SageMaker: data in, a real process, data out, and every end."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from tests.rehearsal.job_bench import IMAGE, START, Bench, churn_archive, fed, given
from tests.rehearsal.listening import Tap, wait_for

LIST = """
import os
found = sorted(os.path.relpath(os.path.join(at, name), top)
    for top in ['/opt/ml/processing/input'.replace('/opt/ml', os.environ['ML'])]
    for at, _, names in os.walk(top) for name in names)
print('found', *found)
"""
ML = {"ML": "/opt/ml"}


@pytest.fixture(scope="module")
def bench(aws: Rehearsal) -> Bench:
    return Bench.make(aws, "processing")


def test_churn_is_prepared_as_it_is_on_aws(bench: Bench, customers: bytes) -> None:
    code = bench.put("code/churn.tar.gz", churn_archive())
    bench.put("churn/customers/customers.csv", customers)
    entry = ["sh", "-c", START.format(archive="/opt/ml/processing/input/code/churn.tar.gz"), "job"]
    words = ["/opt/ml/code/ml_src/churn/prepare.py"]
    words += ["--input", "/opt/ml/processing/input/customers"]
    words += ["--output", "/opt/ml/processing/output"]
    names = ("train", "validation", "test", "encoder", "baseline", "report")
    name = bench.processing(
        "",
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": entry,
            "ContainerArguments": words,
        },
        ProcessingInputs=[fed("code", code), fed("customers", bench.uri("churn/customers/"))],
        ProcessingOutputConfig={"Outputs": [given(n, bench.uri(f"run/{n}")) for n in names]},
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    job = bench.processed(name)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert bench.keys("run/encoder") == ["run/encoder/encoder.json"]
    assert len(bench.get("run/train/train.csv").splitlines()) > 700
    report = json.loads(bench.get("run/report/preparation.json"))
    assert report["rows"] + report["left_out"]["rows"] == 1000
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]


def test_prefix_means_what_it_means_on_aws(bench: Bench) -> None:
    for key in ("a/b/c.csv", "a/b/d/e.csv", "a/bc.csv", "a/b/", "a/x.csv"):
        bench.put(f"prefix/{key}", key)
    name = bench.processing(
        LIST, Environment=ML, ProcessingInputs=[fed("in", bench.uri("prefix/a/b"))]
    )
    bench.processed(name)
    assert bench.log("Processing", name) == ["found in/bc.csv in/c.csv in/d/e.csv"]
    single = bench.processing(
        LIST, Environment=ML, ProcessingInputs=[fed("in", bench.uri("prefix/a/x.csv"))]
    )
    bench.processed(single)
    assert bench.log("Processing", single) == ["found in/x.csv"]


def test_gzip_is_unpacked_on_the_way(bench: Bench) -> None:
    bench.put("zipped/a.csv.gz", gzip.compress(b"1,2\n"))
    code = LIST + "print(open(os.environ['ML'] + '/processing/input/in/a.csv').read().strip())"
    source = fed("in", bench.uri("zipped/"), S3CompressionType="Gzip")
    name = bench.processing(code, Environment=ML, ProcessingInputs=[source])
    bench.processed(name)
    assert bench.log("Processing", name) == ["found in/a.csv", "1,2"]


def test_configuration_files_and_variables(bench: Bench) -> None:
    code = """
import json, os
base = os.environ['ML'] + '/config/'
print(json.load(open(base + 'resourceconfig.json'))['current_host'])
print(json.load(open(base + 'processingjobconfig.json'))['ProcessingJobName'])
print(os.environ['OMP_WAIT_POLICY'], os.environ['AWS_REGION'])
"""
    name = bench.processing(code, Environment=ML)
    bench.processed(name)
    assert bench.log("Processing", name) == ["algo-1", name, "PASSIVE us-east-1"]


def test_nothing_of_the_host_reaches_a_job(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "leaked")
    monkeypatch.setenv("AWS_PROFILE", "leaked")
    with Rehearsal.start(samples=()) as own:
        here = Bench.make(own, "closed")
        code = "import os, json; print(json.dumps(dict(os.environ)))"
        open_job = here.processing(code)
        isolated = here.processing(code, NetworkConfig={"EnableNetworkIsolation": True})
        seen = {}
        for name in (open_job, isolated):
            assert here.processed(name)["ProcessingJobStatus"] == "Completed"
            seen[name] = json.loads(here.log("Processing", name)[0])
        common = {
            "AWS_CONFIG_FILE",
            "AWS_DEFAULT_REGION",
            "AWS_EC2_METADATA_DISABLED",
            "AWS_REGION",
            "AWS_SHARED_CREDENTIALS_FILE",
            "HOME",
            "HOSTNAME",
            "LANG",
            "OMP_WAIT_POLICY",
            "PATH",
            "PYTHONDONTWRITEBYTECODE",
            "PYTHONIOENCODING",
            "PYTHONNOUSERSITE",
            "PYTHONUNBUFFERED",
            "TMPDIR",
        }
        access = {
            "AWS_ACCESS_KEY_ID",
            "AWS_ENDPOINT_URL",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "NO_PROXY",
        }
        own_to_python = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
        assert set(seen[isolated]) - own_to_python == common
        assert set(seen[open_job]) - own_to_python == common | access
        assert "leaked" not in str(seen)


def test_open_job_acts_as_its_role(bench: Bench) -> None:
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    specification = {
        "ImageUri": IMAGE,
        "ContainerEntrypoint": ["python3", "-c"],
        "ContainerArguments": [code],
    }
    name = bench.processing("", AppSpecification=specification)
    bench.processed(name)
    assert bench.log("Processing", name) == [
        "arn:aws:sts::000000000000:assumed-role/bench-processing/SageMaker"
    ]


def test_failure_and_exit_message(bench: Bench) -> None:
    code = """
import os
open(os.environ['ML'] + '/output/message', 'w').write('line 7: no such column' + 'x' * 2000)
raise SystemExit(3)
"""
    output = {"Outputs": [given("out", bench.uri("of-a-failure"))]}
    job = bench.processed(bench.processing(code, Environment=ML, ProcessingOutputConfig=output))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert job["ExitMessage"].startswith("line 7: no such column")
    assert len(job["ExitMessage"]) == 1024
    assert bench.keys("of-a-failure") == []


def test_data_that_vanished(bench: Bench) -> None:
    source = [fed("in", bench.uri("nothing/here"))]
    job = bench.processed(bench.processing("pass", ProcessingInputs=source))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        f"ClientError: Data download failed:S3 key: {bench.uri('nothing/here')} "
        "matched no files on s3"
    )
    elsewhere = [fed("in", "s3://bench-that-is-not-there/x")]
    job = bench.processed(bench.processing("pass", ProcessingInputs=elsewhere))
    assert "ClientError: Data download failed:" in job["FailureReason"]


def test_object_that_is_file_and_folder(bench: Bench) -> None:
    bench.put("clash/a", "1")
    bench.put("clash/a/b", "2")
    source = [fed("in", bench.uri("clash/"))]
    job = bench.processed(bench.processing("pass", ProcessingInputs=source))
    assert "clashes with it" in job["FailureReason"]


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        ("data", "ClientError: Data download failed:AccessDenied (403)"),
        ("image", "ClientError: Cannot pull algorithm container."),
        ("token", "lacks ecr:GetAuthorizationToken"),
    ],
)
def test_permission_that_the_role_lacks(aws: Rehearsal, without: str, reason: str) -> None:
    bench = Bench.make(aws, f"processing-without-{without}", [without])
    bench.put("in/a", "1")
    job = bench.processed(bench.processing("pass", ProcessingInputs=[fed("in", bench.uri("in/"))]))
    assert job["ProcessingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


def test_role_that_may_not_write(aws: Rehearsal) -> None:
    bench = Bench.make(aws, "processing-read-only", ["data"])
    read = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    aws.client("iam").put_role_policy(
        RoleName="bench-processing-read-only",
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [read]}),
    )
    code = "import os; open(os.environ['ML'] + '/processing/output/out/a', 'w').write('1')"
    output = {"Outputs": [given("out", bench.uri("out"))]}
    job = bench.processed(bench.processing(code, Environment=ML, ProcessingOutputConfig=output))
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:AccessDenied (403)")


def test_key_that_the_role_may_not_use(aws: Rehearsal) -> None:
    bench = Bench.make(aws, "processing-encrypted")
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    }
    aws.client("s3").put_bucket_encryption(
        Bucket=bench.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    bench.put("in/a", "1")
    inputs = [fed("in", bench.uri("in/"))]
    job = bench.processed(bench.processing("pass", ProcessingInputs=inputs))
    assert "ClientError: Data download failed:AccessDenied (403)" in job["FailureReason"]
    assert "kms:Decrypt" in job["FailureReason"]
    named = {"Outputs": [given("out", "s3://elsewhere/out")], "KmsKeyId": key}
    job = bench.processed(bench.processing("pass", ProcessingOutputConfig=named))
    assert "kms:GenerateDataKey" in job["FailureReason"]


def test_role_that_may_not_log_runs_silently(aws: Rehearsal) -> None:
    bench = Bench.make(aws, "processing-silent", ["logs"])
    name = bench.processing("print('nobody hears this')")
    assert bench.processed(name)["ProcessingJobStatus"] == "Completed"
    other = Bench.make(aws, "processing-heard")
    other.processed(other.processing("print('heard')"))
    assert bench.log("Processing", name) == []


def test_continuous_output_arrives_while_the_job_runs(bench: Bench) -> None:
    code = """
import os, time
ml = os.environ['ML']
open(ml + '/processing/output/live/first', 'w').write('1')
while not os.path.exists(ml + '/processing/output/live/go'):
    time.sleep(0.02)
    if os.path.exists(ml + '/../../tmp/never'): break
"""
    output = {"Outputs": [given("live", bench.uri("live"), "Continuous")]}
    name = bench.processing(code, Environment=ML, ProcessingOutputConfig=output)
    wait_for(lambda: bench.keys("live/first"), what="the first file")
    status = bench.sagemaker.describe_processing_job(ProcessingJobName=name)
    assert status["ProcessingJobStatus"] == "InProgress"
    bench.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert bench.processed(name)["ProcessingJobStatus"] == "Stopped"


def test_time_limit_and_stop(bench: Bench) -> None:
    code = "import time\nprint('here', flush=True)\ntime.sleep(60)"
    limited = bench.processing(code, StoppingCondition={"MaxRuntimeInSeconds": 1})
    stopped = bench.processing(code)
    bench.wait_for_line("Processing", stopped, "here")
    bench.sagemaker.stop_processing_job(ProcessingJobName=stopped)
    for name in (limited, stopped):
        job = bench.processed(name)
        assert job["ProcessingJobStatus"] == "Stopped"
        took = job["ProcessingEndTime"] - job["ProcessingStartTime"]
        assert took.total_seconds() < 15
    with pytest.raises(ClientError, match="in status Stopped"):
        bench.sagemaker.stop_processing_job(ProcessingJobName=stopped)


def test_events_carry_what_describe_answers(bench: Bench) -> None:
    tap = Tap.make(bench.aws, "tap-processing")
    events = bench.aws.client("events")
    kind = "SageMaker Processing Job State Change"
    pattern = {"source": ["aws.sagemaker"], "detail-type": [kind]}
    events.put_rule(Name="tap-processing", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="tap-processing", Targets=[{"Id": "tap", "Arn": tap.arn}])
    name = bench.processing("pass", Tags=[{"Key": "a", "Value": "b"}])

    def details() -> list[dict[str, Any]]:
        return [e for e in tap.events() if e["detail"]["ProcessingJobName"] == name]

    found = wait_for(lambda: details() if len(details()) == 2 else None, what="two events")
    assert [e["detail"]["ProcessingJobStatus"] for e in found] == ["InProgress", "Completed"]
    last = found[-1]
    assert last["resources"] == [last["detail"]["ProcessingJobArn"]]
    assert last["detail"]["Tags"] == {"a": "b"}
    assert last["detail"]["ProcessingEndTime"] > 1_500_000_000_000  # milliseconds
    events.remove_targets(Rule="tap-processing", Ids=["tap"])
    events.delete_rule(Name="tap-processing")


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (
            {"ProcessingInputs": [fed("in", "s3://b/x", S3DataType="ManifestFile")]},
            "NotRehearsedException",
            "S3DataType ManifestFile",
        ),
        (
            {"ProcessingInputs": [fed("in", "s3://b/x", S3InputMode="Pipe")]},
            "NotRehearsedException",
            "S3InputMode Pipe",
        ),
        (
            {"ProcessingInputs": [fed("in", "s3://b/x", "/tmp/x")]},
            "ValidationException",
            "must begin with /opt/ml/processing/",
        ),
        (
            {"ProcessingInputs": [fed("in", "s3://b/x"), fed("in", "s3://b/y")]},
            "ValidationException",
            "in given twice",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 432_001}},
            "ValidationException",
            "432000",
        ),
        (
            {
                "ProcessingResources": {
                    "ClusterConfig": {
                        "InstanceType": "ml.m5.large",
                        "InstanceCount": 2,
                        "VolumeSizeInGB": 1,
                    }
                }
            },
            "NotRehearsedException",
            "InstanceCount is 2",
        ),
    ],
)
def test_what_is_refused(bench: Bench, more: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(ClientError) as error:
        bench.processing("pass", **more)
    assert error.value.response["Error"]["Code"] == code
    assert words in error.value.response["Error"]["Message"]
