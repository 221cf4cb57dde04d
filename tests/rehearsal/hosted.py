"""The platform's own hosting on the embedded AWS, as a team uses it: by AWS calls alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import app
import config
from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from tests.rehearsal.hosting import IMAGE, SERVING
from tests.rehearsal.listening import Tap, wait_for
from tests.rehearsal.releases import archive

HOSTED = Path(__file__).with_name("hosted.yaml")


def synthesize(
    folder: Path, change: Callable[[str], str] = lambda text: text, settings: Path = HOSTED
) -> Path:
    """Write the cloud assembly of the environment, its file's text changed before."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / settings.name
    file.write_text(change(settings.read_text()))
    out = folder / "assembly"
    app.compose(app.new_app(outdir=str(out)), config.load(str(file))).synth()
    return out


def answer(probability: Any) -> bytes:
    """A model.tar.gz that gives the same answer to whatever is asked, at once."""
    return archive({"predictions": [{"churn_probability": probability}]})


@dataclass
class Hosted:
    """The deployed stacks.

    Attributes:
        aws: The embedded AWS.
        outputs: Outputs of all stacks.
        news: Hears every event of releases.
    """

    aws: Rehearsal
    outputs: dict[str, str]
    news: Tap

    @classmethod
    def deploy(cls, aws: Rehearsal, assembly: Path) -> Hosted:
        """Deploy an assembly and listen to its bus."""
        outputs = cls.outputs_of(aws, assembly)
        bus = outputs["EventBusName"]
        news = Tap.make(aws, f"news-of-{outputs['ChurnEndpointName']}")
        events = aws.client("events")
        pattern = json.dumps({"source": ["sagelens.release"]})
        events.put_rule(Name="tap", EventBusName=bus, EventPattern=pattern)
        target = {"Id": "tap", "Arn": news.arn}
        events.put_targets(Rule="tap", EventBusName=bus, Targets=[target])
        return cls(aws, outputs, news)

    @staticmethod
    def outputs_of(aws: Rehearsal, assembly: Path) -> dict[str, str]:
        """Deploy an assembly; its stacks' outputs."""
        found = deploy(aws, assembly)
        return {name: value for outputs in found.values() for name, value in outputs.items()}

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.outputs["ChurnEndpointName"]

    @property
    def group(self) -> str:
        """The model package group's name."""
        return self.outputs["ChurnModelGroupName"]

    def register(
        self, model: bytes, group: str | None = None, files: Mapping[str, bytes] = {}
    ) -> str:
        """Register a version as the pipeline does, with files of its run; its ARN."""
        client, bucket = self.aws.client("sagemaker"), self.outputs["ModelsBucketName"]
        group = group or self.group
        versions = client.list_model_packages(ModelPackageGroupName=group, MaxResults=100)
        number = len(versions["ModelPackageSummaryList"])
        run = f"churn/runs/{group}-{number}"
        key = f"{run}/model/model.tar.gz"
        for place, content in {key: model, **{f"{run}/{n}": c for n, c in files.items()}}.items():
            self.aws.client("s3").put_object(Bucket=bucket, Key=place, Body=content)
        container = {
            "Image": IMAGE,
            "ModelDataUrl": f"s3://{bucket}/{key}",
            "Environment": SERVING,
        }
        made = client.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="PendingManualApproval",
            ModelMetrics={
                "ModelDataQuality": {
                    kind: {
                        "ContentType": "application/json",
                        "S3Uri": f"s3://{bucket}/{run}/baseline/{kind.lower()}.json",
                    }
                    for kind in ("Statistics", "Constraints")
                },
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": f"s3://{bucket}/{run}/evaluation/evaluation.json",
                    }
                },
            },
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )
        return made["ModelPackageArn"]

    def say(self, package: str, status: str) -> None:
        """Approve or reject."""
        self.aws.client("sagemaker").update_model_package(
            ModelPackageArn=package, ModelApprovalStatus=status
        )

    def start(self, package: str) -> None:
        """Start a release by hand, as if the version had been approved."""
        event = {"detail": {"ModelPackageArn": package, "ModelApprovalStatus": "Approved"}}
        self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["ChurnReleaseStateMachineArn"], input=json.dumps(event)
        )

    def heard(self, kind: str, package: str, seconds: float = 60) -> dict[str, Any]:
        """The detail of the next announcement about a version, which must be of a kind."""

        def look() -> dict[str, Any] | None:
            for event in self.news.events():
                if event["detail"]["version"] == package:
                    self.news.heard.remove(event)
                    return event
            return None

        event = wait_for(look, seconds=seconds, what=f"{kind} of {package}")
        assert event["detail-type"] == kind, event["detail"]
        return event["detail"]

    def release(self, model: bytes, files: Mapping[str, bytes] = {}) -> str:
        """Register a version, approve it, and wait until it is live."""
        package = self.register(model, files=files)
        self.say(package, "Approved")
        self.heard("Release Succeeded", package)
        self.settle()
        return package

    def execute(self, machine: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Run a state machine, named by its output, to its end."""
        client = self.aws.client("stepfunctions")
        arn = client.start_execution(
            stateMachineArn=self.outputs[machine], input=json.dumps(dict(given))
        )["executionArn"]

        def ended() -> dict[str, Any] | None:
            found = client.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        found = wait_for(ended, seconds=120, what=f"the end of {machine}")
        assert found["status"] == "SUCCEEDED", found.get("cause")
        return found

    def live(self) -> str:
        """The live version, by its parameter."""
        name = self.outputs["ChurnLiveVersionParameter"]
        return self.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]

    def ask(self, body: str = "1,2,3\n", **more: Any) -> Any:
        """The probability for the first customer."""
        found = self.aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint, Body=body.encode(), ContentType="text/csv", **more
        )
        return json.loads(found["Body"].read())["predictions"][0]["churn_probability"]

    def described(self) -> dict[str, Any]:
        """The endpoint, as SageMaker describes it."""
        return self.aws.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)

    def is_served_as_stacked(self) -> bool:
        """Whether SageMaker serves the configuration that the stack holds."""
        resource = self.aws.client("cloudformation").describe_stack_resource(
            StackName=self.endpoint.replace("-churn", "-hosting-churn"),
            LogicalResourceId=f"{self.endpoint.title().replace('-', '')}Config",
        )["StackResourceDetail"]
        return resource["PhysicalResourceId"].endswith(self.described()["EndpointConfigName"])

    def settle(self) -> None:
        """Wait until no release is under way."""

        def look() -> bool:
            return not self.aws.client("stepfunctions").list_executions(
                stateMachineArn=self.outputs["ChurnReleaseStateMachineArn"], statusFilter="RUNNING"
            )["executions"]

        wait_for(look, seconds=60, what="the releases to end")

    def captured(self) -> list[dict[str, Any]]:
        """The records of captured requests so far."""
        s3, bucket = self.aws.client("s3"), self.outputs["ModelsBucketName"]
        prefix = self.outputs["ChurnCapturedPrefix"]
        keys = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        texts = [s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in keys]
        return [json.loads(line) for text in texts for line in text.splitlines()]
