"""Replenishment on the deployed platform: trained, judged, released, asked and watched as churn is.

No construct knows of it: a folder in ml_src and a few lines of YAML are all that it is made of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import ml_src.replenishment
from ml_src.replenishment import generate
from rehearsal.process import Rehearsal
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.pipelines import Execution, ended, keys_below, read_json, start
from tests.rehearsal.hosted import Hosted, synthesize
from tests.rehearsal.listening import wait_for
from tests.unit.ml_src.replenishment.contract import complaints

SETTINGS = Path(__file__).with_name("replenishment.yaml")
SAMPLE = Path(ml_src.replenishment.__file__).with_name("sample.json").read_text()
JSON = "application/json"
PATIENCE = 120.0  # seconds on a machine with other work to do; alone it takes some ten


@dataclass
class Shop:
    """The deployed environment `shop` with a table of sales in its bucket."""

    aws: Rehearsal
    outputs: dict[str, str]

    @cached_property
    def context(self) -> Context:
        """What the scenarios' helpers take."""
        return Context(self.aws, self.outputs, lambda _: None)

    def start(self, **parameters: str) -> str:
        """Start the pipeline; the execution's ARN."""
        return start(self.context, self.outputs["ReplenishmentPipelineName"], **parameters)

    def end(self, arn: str) -> Execution:
        """An execution that has ended."""
        return ended(self.context, arn, PATIENCE)

    def package(self, execution: Execution) -> dict[str, Any]:
        """The version that an execution registered."""
        arn = execution.step("Register")["Metadata"]["RegisterModel"]["Arn"]
        return self.aws.client("sagemaker").describe_model_package(ModelPackageName=arn)

    def live(self) -> str:
        """The live version, by its parameter."""
        name = self.outputs["ReplenishmentLiveVersionParameter"]
        return self.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]

    def status(self) -> str | None:
        """The endpoint's status; None where there is none."""
        found = self.aws.client("sagemaker").list_endpoints()["Endpoints"]
        return found[0]["EndpointStatus"] if found else None

    def ask(self, body: str, kind: str = JSON) -> Any:
        """What the endpoint answers."""
        found = self.aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.outputs["ReplenishmentEndpointName"],
            Body=body.encode(),
            ContentType=kind,
        )
        return json.loads(found["Body"].read())


@pytest.fixture(scope="module")
def shop(run_folders_of_our_own: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    assembly = synthesize(folder, settings=SETTINGS)
    generate.write(folder / "sales.csv", generate.simulate())
    with Rehearsal.start(samples=()) as aws:
        aws.scale_waits(0.1)
        outputs = Hosted.outputs_of(aws, assembly)
        key = f"{outputs['ReplenishmentDataPrefix']}sales.csv"
        aws.client("s3").upload_file(str(folder / "sales.csv"), outputs["DataBucketName"], key)
        yield Shop(aws, outputs)


@pytest.fixture(scope="module")
def runs(shop: Shop) -> tuple[Execution, Execution]:
    """One execution, and one with a gate that no model passes, at once."""
    started = shop.start(), shop.start(Least="0.9")
    return shop.end(started[0]), shop.end(started[1])


@pytest.fixture(scope="module")
def live(shop: Shop, runs: tuple[Execution, Execution]) -> str:
    """The version, approved and live."""
    arn = shop.package(runs[0])["ModelPackageArn"]
    assert (shop.live(), shop.status()) == ("none", None)
    shop.aws.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved"
    )
    wait_for(lambda: shop.live() == arn, seconds=PATIENCE, what="the live version")
    wait_for(lambda: shop.status() == "InService", seconds=PATIENCE, what="the endpoint")
    machine = shop.outputs["ReplenishmentReleaseStateMachineArn"]
    client = shop.aws.client("stepfunctions")

    def released() -> str | None:
        (release,) = client.list_executions(stateMachineArn=machine)["executions"]
        return release["status"] if release["status"] != "RUNNING" else None

    assert wait_for(released, seconds=PATIENCE, what="the release") == "SUCCEEDED"
    return arn


def test_sales_become_a_version_that_beats_the_base_line(
    shop: Shop, runs: tuple[Execution, Execution]
) -> None:
    done = runs[0]
    assert done.status == "Succeeded", done.reason
    package = shop.package(done)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    quality = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    found = read_json(shop.context, quality)
    assert found["regression_metrics"]["pinball_improvement"]["value"] > 0.05
    for kind in ("Statistics", "Constraints"):
        uri = package["ModelMetrics"]["ModelDataQuality"][kind]["S3Uri"]
        assert "lead_time_days" in read_json(shop.context, uri)["features"]
    explained = package["ModelMetrics"]["Explainability"]["Report"]["S3Uri"]
    assert read_json(shop.context, explained)["sagelens"]["method"] == "TreeSHAP"
    plots = keys_below(shop.context, f"{quality.rpartition('/evaluation/')[0]}/plots/")
    assert len(plots) == 5


def test_a_model_that_beats_it_by_too_little_is_refused(
    shop: Shop, runs: tuple[Execution, Execution]
) -> None:
    refused = runs[1]
    assert (refused.status, refused.step("Register")) == ("Failed", {})
    assert "pinball_improvement" in refused.reason and "at least 0.9" in refused.reason


def test_its_endpoint_answers_by_the_contract(shop: Shop, live: str) -> None:
    asked = json.loads(SAMPLE)
    asked["instances"].append({**asked["instances"][0], "product": "A product of tomorrow"})
    answer = shop.ask(json.dumps(asked))
    assert complaints("response", answer) == []
    forecast, declined = answer["predictions"]
    assert forecast["quantity"] == pytest.approx(forecast["demand"]["p90"] - 14, abs=0.002)
    assert declined["status"] == "unknown_product"


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ("", JSON, 400, "the body is empty"),
        (SAMPLE.replace('"stock": 14', '"stock": -1'), JSON, 400, "column 'stock': -1 is not"),
        ("<xml/>", "text/xml", 415, "allowed: text/csv, application/json"),
        ("[" + " " * 7_000_000 + "]", JSON, 0, ""),
    ],
    ids=["empty", "negative", "xml", "7 MB"],
)
def test_a_bad_request_is_told_what_is_wrong(
    body: str, kind: str, status: int, words: str, shop: Shop, live: str
) -> None:
    with pytest.raises(ClientError) as caught:
        shop.ask(body, kind)
    if status:
        assert caught.value.response["OriginalStatusCode"] == status
        assert words in caught.value.response["OriginalMessage"]
    else:  # never reaches the model
        assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_the_watch_notices_another_supplier(shop: Shop, live: str) -> None:
    """Lead times that training never saw, in 120 products of one request."""
    instance = {**json.loads(SAMPLE)["instances"][0], "lead_time_days": 20}
    shop.ask(json.dumps({"instances": [instance] * 120}))
    s3 = shop.aws.client("s3")
    place = {
        "Bucket": shop.outputs["ModelsBucketName"],
        "Prefix": shop.outputs["ReplenishmentCapturedPrefix"],
    }

    def captured() -> bool:
        keys = [each["Key"] for each in s3.list_objects_v2(**place).get("Contents", [])]
        bodies = [s3.get_object(Bucket=place["Bucket"], Key=key)["Body"].read() for key in keys]
        return sum(body.count(rb"lead_time_days\": 20") for body in bodies) >= 120

    wait_for(captured, seconds=30, what="the captured request")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    client = shop.aws.client("stepfunctions")
    arn = client.start_execution(
        stateMachineArn=shop.outputs["ReplenishmentDriftStateMachineArn"],
        input=json.dumps({"at": f"{hour + timedelta(minutes=6):%Y-%m-%dT%H:%M:%SZ}"}),
    )["executionArn"]

    def looked() -> dict[str, Any] | None:
        found = client.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    found = wait_for(looked, seconds=PATIENCE, what="the drift watch")
    assert found["status"] == "SUCCEEDED", found.get("cause")
    reports = f"s3://{place['Bucket']}/{shop.outputs['ReplenishmentDriftReportsPrefix']}"
    (report,) = [uri for uri in keys_below(shop.context, reports) if uri.endswith("drift.json")]
    drift = read_json(shop.context, report)
    assert drift["status"] == "drifted"
    assert any(reason.startswith("lead_time_days: ") for reason in drift["reasons"])
    assert drift["requests"]["problems"].keys() <= {"refused requests"}
