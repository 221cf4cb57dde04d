"""Hosted endpoints: real servers, real predictions, traffic that moves and comes back."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_src.churn import inference
from rehearsal.process import Rehearsal
from tests.rehearsal.hosting import CUSTOMER, Hosting, packed, role, steady, trained
from tests.rehearsal.listening import wait_for

CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            "WaitIntervalInSeconds": 3,
        }
    },
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "bad-answers"}]},
}


ONE, TWO = 0.25, 0.75


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real model."""
    return trained(tmp_path_factory.mktemp("churn"), 20)


@pytest.fixture(scope="module")
def hosting(run_folders_of_our_own: None) -> Iterator[Hosting]:
    """An embedded AWS with two models that answer steadily."""
    with Rehearsal.start(samples=()) as aws:
        bucket = "models-of-the-test"
        aws.client("s3").create_bucket(Bucket=bucket)
        made = Hosting(aws, role(aws, f"arn:aws:s3:::{bucket}"))
        for name, answer in (("one", ONE), ("two", TWO)):
            made.config(f"config-{name}", made.model(name, steady(answer)))
        yield made


@pytest.fixture
def endpoint(hosting: Hosting, request: pytest.FixtureRequest) -> Iterator[str]:
    """An endpoint that serves model one."""
    name = re.sub("[^A-Za-z0-9]+", "-", request.node.name)[:60].strip("-")
    hosting.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="config-one")
    assert hosting.settled(name)["EndpointStatus"] == "InService", hosting.status(name)
    yield name
    hosting.remove(name)


@pytest.fixture(scope="module")
def predictor(hosting: Hosting, churn: Path) -> Iterator[str]:
    """An endpoint that serves the real model."""
    hosting.config("config-churn", hosting.model("churn", packed(churn)))
    hosting.sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="config-churn")
    assert hosting.settled("churn")["EndpointStatus"] == "InService", hosting.status("churn")
    yield "churn"
    hosting.remove("churn")


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    """The error that a call ends with."""
    with pytest.raises(ClientError) as found:
        call()
    return found.value.response


def test_answers_are_the_models_own(hosting: Hosting, predictor: str, churn: Path) -> None:
    model = inference.model_fn(str(churn))
    own = inference.predict_fn(inference.input_fn(CUSTOMER, "text/csv"), model)[0]
    expected = pytest.approx(float(own), rel=1e-6)
    assert hosting.ask(predictor) == expected
    answer = hosting.runtime.invoke_endpoint(
        EndpointName=predictor, Body=(CUSTOMER * 3).encode(), ContentType="text/csv"
    )
    assert answer["InvokedProductionVariant"] == "v0"
    assert answer["ContentType"] == "application/json"
    found = json.loads(answer["Body"].read())["predictions"]
    assert [each["churn_probability"] for each in found] == [expected] * 3
    (variant,) = hosting.status(predictor)["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 2


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"1,2,3\n", "text/csv", 400, "19"),
        (b"", "text/csv", 400, "empty"),
        (b"{}", "image/png", 415, "text/csv"),
        (CUSTOMER.replace("70.35", "much").encode(), "text/csv", 400, "much"),
    ],
)
def test_a_bad_request_is_a_model_error_that_says_why(
    hosting: Hosting, predictor: str, body: bytes, kind: str, status: int, words: str
) -> None:
    response = refused(
        lambda: hosting.runtime.invoke_endpoint(EndpointName=predictor, Body=body, ContentType=kind)
    )
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == status
    assert words in response["OriginalMessage"].splitlines()[0]


def test_a_body_over_the_limit_never_reaches_the_model(hosting: Hosting, endpoint: str) -> None:
    response = refused(
        lambda: hosting.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=b"x" * 7_000_000, ContentType="text/csv"
        )
    )
    assert "6291456" in response["Error"]["Message"]


def test_only_who_may_invoke_does(
    hosting: Hosting, endpoint: str, role_with: Callable[..., str]
) -> None:
    place = f"arn:aws:sagemaker:{hosting.aws.region}:000000000000:endpoint"
    allowed = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint"}
    for name, resource, may in (
        ("may", f"{place}/{endpoint}", True),
        ("may-another", f"{place}/another", False),
    ):
        arn = role_with(hosting.aws, f"{name}-invoke", [{**allowed, "Resource": resource}])
        runtime = hosting.aws.session(arn).client("sagemaker-runtime")

        def ask(runtime: Any = runtime) -> Any:
            return runtime.invoke_endpoint(
                EndpointName=endpoint, Body=CUSTOMER.encode(), ContentType="text/csv"
            )

        if may:
            assert ask()["ResponseMetadata"]["HTTPStatusCode"] == 200
        else:
            assert refused(ask)["Error"]["Code"] == "AccessDeniedException"


def test_no_request_fails_while_all_traffic_moves(hosting: Hosting, endpoint: str) -> None:
    seen: list[float] = []
    failed: list[Exception] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                seen.append(hosting.ask(endpoint))
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="config-two")
    assert hosting.settled(endpoint)["EndpointConfigName"] == "config-two"
    wait_for(lambda: seen[-1] == TWO or None, seconds=5, what="the new model")
    over.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert seen[0] == ONE and hosting.ask(endpoint) == TWO


def test_a_canary_gets_its_share_and_then_everything(hosting: Hosting, endpoint: str) -> None:
    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName="config-two", DeploymentConfig=CANARY
    )
    wait_for(
        lambda: "PendingDeploymentSummary" in hosting.status(endpoint) or None,
        seconds=20,
        what="the canary",
    )
    time.sleep(0.2)
    answers = [hosting.ask(endpoint) for _ in range(60)]
    assert hosting.status(endpoint)["EndpointStatus"] == "Updating"
    share = sum(answer == TWO for answer in answers) / len(answers)
    assert 0.25 < share < 0.75
    assert hosting.settled(endpoint)["EndpointConfigName"] == "config-two"
    assert {hosting.ask(endpoint) for _ in range(10)} == {hosting.ask(endpoint)}


def test_an_alarm_brings_the_old_model_back(hosting: Hosting, endpoint: str) -> None:
    cloudwatch = hosting.aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="bad-answers",
        Namespace="AWS/SageMaker",
        MetricName="Invocation4XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "v0"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName="config-two", DeploymentConfig=CANARY
    )
    wait_for(
        lambda: "PendingDeploymentSummary" in hosting.status(endpoint) or None,
        seconds=20,
        what="the canary",
    )
    refused(
        lambda: hosting.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=b"nonsense", ContentType="text/csv"
        )
    )
    after = hosting.settled(endpoint)
    cloudwatch.delete_alarms(AlarmNames=["bad-answers"])
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "config-one")
    assert "FailureReason" not in after and "PendingDeploymentSummary" not in after
    assert hosting.ask(endpoint) == ONE


def test_a_silent_roll_back_can_be_asked_for(hosting: Hosting, endpoint: str) -> None:
    hosting.aws.sagemaker.roll_back_next_update(endpoint)
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="config-two")
    after = hosting.settled(endpoint)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "config-one")
    assert hosting.ask(endpoint) == ONE


def broken(tmp_path: Path) -> bytes:
    """A model whose code fails as it is loaded."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/inference.py").write_text("raise SystemExit('no such model')\n")
    return packed(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unhealthy", "did not pass the ping health check"),
        ("missing", "Failed to download model data"),
        ("corrupt", "Failed to extract model data"),
    ],
)
def test_a_model_that_does_not_come_up_fails_with_a_reason(
    hosting: Hosting, tmp_path: Path, name: str, words: str
) -> None:
    contents = {"unhealthy": broken(tmp_path), "missing": b"gone by then", "corrupt": b"?"}
    hosting.config(f"config-{name}", hosting.model(name, contents[name]))
    if name == "missing":
        hosting.aws.client("s3").delete_object(Bucket=hosting.bucket, Key=f"{name}/model.tar.gz")
    hosting.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"config-{name}")
    found = hosting.settled(name)
    hosting.remove(name)
    assert found["EndpointStatus"] == "Failed"
    assert words in found["FailureReason"]


def test_an_update_that_does_not_come_up_leaves_the_old_one(
    hosting: Hosting, endpoint: str
) -> None:
    hosting.config("config-never", hosting.model("never", b"not an archive"))
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="config-never")
    assert hosting.settled(endpoint)["EndpointConfigName"] == "config-one"
    assert hosting.ask(endpoint) == ONE


def test_variants_share_by_weight_and_can_be_named(hosting: Hosting) -> None:
    hosting.config("config-both", "one", "two")
    name = "both"
    hosting.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="config-both")
    hosting.settled(name)
    assert hosting.ask(name, TargetVariant="v1") == TWO
    answers = [hosting.ask(name) for _ in range(60)]
    assert 0.25 < sum(answer == TWO for answer in answers) / 60 < 0.75
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredWeight": 0.0}],
    )
    hosting.settled(name)
    assert {hosting.ask(name) for _ in range(20)} == {hosting.ask(name)}
    assert hosting.ask(name) == TWO
    hosting.remove(name)


def test_what_is_asked_and_answered_is_captured(hosting: Hosting) -> None:
    hosting.config(
        "config-captured",
        "one",
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{hosting.bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        },
    )
    name = "captured"
    hosting.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="config-captured")
    hosting.settled(name)
    probability = hosting.ask(name, InferenceId="customer-7")
    s3 = hosting.aws.client("s3")

    def look() -> list[dict[str, Any]]:
        prefix = f"captured/{name}/v0/"
        return s3.list_objects_v2(Bucket=hosting.bucket, Prefix=prefix).get("Contents", [])

    (found,) = wait_for(lambda: look() or None, seconds=10, what="a captured file")
    body = s3.get_object(Bucket=hosting.bucket, Key=found["Key"])["Body"].read()
    (record,) = [json.loads(line) for line in body.splitlines()]
    hosting.remove(name)
    captured = record["captureData"]
    assert captured["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": CUSTOMER,
        "encoding": "CSV",
    }
    assert float(captured["endpointOutput"]["data"]) == probability
    assert record["eventMetadata"]["inferenceId"] == "customer-7"


def test_what_the_container_prints_is_logged(hosting: Hosting, predictor: str) -> None:
    unseen = CUSTOMER.replace("Month-to-month", "Five year")
    hosting.ask(predictor, unseen)
    found = hosting.aws.client("logs").filter_log_events(
        logGroupName=f"/aws/sagemaker/Endpoints/{predictor}"
    )
    text = "\n".join(event["message"] for event in found["events"])
    assert "unseen_category column=Contract count=1" in text and "@serving" not in text


def test_invocations_are_counted(hosting: Hosting, endpoint: str) -> None:
    for _ in range(3):
        hosting.ask(endpoint)
    found = hosting.aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": "v0"},
        ],
        StartTime=time.time() - 600,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in found["Datapoints"]) == 3


def test_what_cannot_be_is_refused_at_once(hosting: Hosting, endpoint: str) -> None:
    hosting.config("config-single", "two", count=1)
    for call, words in (
        (
            lambda: hosting.sagemaker.update_endpoint(
                EndpointName=endpoint,
                EndpointConfigName="config-single",
                DeploymentConfig=CANARY,
            ),
            "two instances",
        ),
        (lambda: hosting.config("config-x", "nobody"), "Could not find model"),
        (
            lambda: hosting.sagemaker.create_endpoint(
                EndpointName="x", EndpointConfigName="nothing"
            ),
            "Could not find endpoint configuration",
        ),
        (lambda: hosting.status("nobody"), "Could not find endpoint"),
        (
            lambda: hosting.sagemaker.create_endpoint(
                EndpointName=endpoint, EndpointConfigName="config-one"
            ),
            "already existing",
        ),
    ):
        error = refused(call)["Error"]
        assert error["Code"] == "ValidationException" and words in error["Message"]


def test_an_unknown_endpoint_answers_nobody(hosting: Hosting) -> None:
    error = refused(lambda: hosting.ask("nobody"))["Error"]
    assert error["Code"] == "ValidationError" and "nobody" in error["Message"]
