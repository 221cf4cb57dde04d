"""A hosting stack and its releases in a stranger's app, on the embedded AWS."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

import app as sagelens_app
from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from sagelens import AlarmTopic, EncryptionKey, PlatformBus, SecureBucket
from sagelens.endpoint_options import AllAtOnce, Deployment, Instances, Scaling, Variant
from sagelens.endpoint_role import EndpointRole
from sagelens.endpoint_scaling import ScalingFunction
from sagelens.live_version import LivePackage, LiveVersion, LiveVersionFunction
from sagelens.model_endpoint import ModelEndpoint
from sagelens.release import ReleaseOnApproval
from sagelens.release_options import HostingStack, ReleasePace, SmokeTest
from sagelens.s3_folder import S3Folder
from tests.rehearsal.listening import Tap, wait_for

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
SERVING = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
ENDPOINT, GROUP, HOSTING, PARAMETER = "try-churn", "try-churn", "try-hosting", "/try/live/churn"
STEADY = """
import json

def model_fn(folder):
    return {answer!r}

def input_fn(body, kind):
    return body

def predict_fn(body, model):
    return model

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
SMALL = Instances(instance_type="ml.m5.large")
SCALED = Instances(
    instance_type="ml.m5.large", scaling=Scaling(most=2, invocations_per_instance=10)
)


def archive(answer: Any) -> bytes:
    """A model.tar.gz whose code gives the same answer to whatever is asked."""
    content = io.BytesIO()
    code = STEADY.format(answer=answer).encode()
    with tarfile.open(fileobj=content, mode="w:gz") as made:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(code)
        made.addfile(member, io.BytesIO(code))
    return content.getvalue()


def synthesize(
    folder: Path, *, capacity: Instances = SMALL, deployment: Deployment = AllAtOnce()
) -> Path:
    """Write the cloud assembly: a stack with the releases, and the hosting stack."""
    made = sagelens_app.new_app(outdir=str(folder))
    home = cdk.Stack(made, "try-home")
    key = EncryptionKey(home, "Key", removal_policy=cdk.RemovalPolicy.DESTROY)
    topic = AlarmTopic(home, "Topic", encryption_key=key)
    bus = PlatformBus(home, "Bus", encryption_key=key, description="news")
    models = SecureBucket(
        home, "Models", encryption_key=key, removal_policy=cdk.RemovalPolicy.DESTROY
    )
    version = LiveVersion(
        home,
        "Live",
        parameter_name=PARAMETER,
        function=LiveVersionFunction(home, "Versions", prefix="/try/live/", encryption_key=key),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    role = EndpointRole(
        home,
        "EndpointRole",
        endpoint_name=ENDPOINT,
        artifacts=[S3Folder(bucket=models, prefix="churn/")],
        images=[IMAGE],
        encryption_key=key,
    )
    scaling = ScalingFunction(
        home, "Scaling", endpoints=["try-*"], stacks=["try-*"], encryption_key=key
    )
    release = ReleaseOnApproval(
        home,
        "Release",
        model_group_name=GROUP,
        live_version=version,
        hosting=HostingStack(
            stack_name=HOSTING,
            endpoint_name=ENDPOINT,
            variants=["main"],
            endpoint_role=role,
            scaling_function=scaling,
        ),
        smoke_test=SmokeTest(
            bucket=models, key="churn/sample.csv", answer_path="$.predictions[0].score"
        ),
        bus=bus,
        alarm_topic=topic,
        encryption_key=key,
        keep=2,
        pace=ReleasePace(poll_seconds=1, quiet_looks=2, timeout_hours=0.25),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    for name, value in {
        "BusName": bus.event_bus_name,
        "ModelsName": models.bucket_name,
        "Machine": release.state_machine.ref,
        "LockTable": release.lock_table.table_name,
    }.items():
        cdk.CfnOutput(home, name, value=value)
    hosting = cdk.Stack(made, HOSTING)
    hosting.add_stack_dependency(home)
    live = LivePackage(hosting, "Live", parameter_name=PARAMETER)
    ModelEndpoint(
        hosting,
        "Endpoint",
        endpoint_name=ENDPOINT,
        variants=[Variant(name="main", model_package=live.model_package, capacity=capacity)],
        role=role,
        encryption_key=key,
        alarm_topic=topic,
        deployment=deployment,
        scaling_function=scaling,
        only_if=live.exists,
    )
    made.synth()
    return folder


@dataclass
class Releases:
    """The deployed stacks, as a team uses them: by AWS calls alone."""

    aws: Rehearsal
    outputs: dict[str, str]
    news: Tap

    @classmethod
    def deploy(cls, aws: Rehearsal, assembly: Path) -> Releases:
        """Deploy, listen to the bus, and put the sample where it belongs."""
        outputs = deploy(aws, assembly)["try-home"]
        news = Tap.make(aws, "news-of-releases")
        events = aws.client("events")
        pattern = json.dumps({"source": ["sagelens.release"]})
        events.put_rule(Name="tap", EventBusName=outputs["BusName"], EventPattern=pattern)
        events.put_targets(
            Rule="tap", EventBusName=outputs["BusName"], Targets=[{"Id": "tap", "Arn": news.arn}]
        )
        made = cls(aws, outputs, news)
        made.put("churn/sample.csv", b"1,2,3\n")
        aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
        return made

    def put(self, key: str, body: bytes) -> None:
        """Put an object into the bucket of models."""
        self.aws.client("s3").put_object(Bucket=self.outputs["ModelsName"], Key=key, Body=body)

    def register(self, answer: Any, image: str = IMAGE) -> str:
        """Register a version that gives this answer; its ARN."""
        name = f"churn/{len(self.versions())}/model.tar.gz"
        self.put(name, archive(answer))
        container = {
            "Image": image,
            "ModelDataUrl": f"s3://{self.outputs['ModelsName']}/{name}",
            "Environment": SERVING,
        }
        made = self.aws.client("sagemaker").create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )
        return made["ModelPackageArn"]

    def versions(self) -> list[dict[str, Any]]:
        """All versions."""
        client = self.aws.client("sagemaker")
        found = client.list_model_packages(ModelPackageGroupName=GROUP, MaxResults=100)
        return found["ModelPackageSummaryList"]

    def say(self, package: str, status: str) -> None:
        """Approve or reject."""
        self.aws.client("sagemaker").update_model_package(
            ModelPackageArn=package, ModelApprovalStatus=status
        )

    def heard(self, kind: str, package: str, seconds: float = 60) -> dict[str, Any]:
        """The detail of the next announcement of a kind about a version."""

        def look() -> dict[str, Any] | None:
            for event in self.news.events():
                if event["detail-type"] == kind and event["detail"]["version"] == package:
                    self.news.heard.remove(event)
                    return event["detail"]
            return None

        return wait_for(look, seconds=seconds, what=f"{kind} of {package}")

    def live(self) -> str:
        """What the parameter holds."""
        return self.aws.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]

    def ask(self) -> Any:
        """Invoke the endpoint."""
        answer = self.aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=ENDPOINT, Body=b"1,2,3\n", ContentType="text/csv"
        )
        return json.loads(answer["Body"].read())

    def states(self) -> set[str]:
        """The states that the newest execution has been in."""
        client = self.aws.client("stepfunctions")
        (newest, *_) = client.list_executions(stateMachineArn=self.outputs["Machine"])["executions"]
        history = client.get_execution_history(
            executionArn=newest["executionArn"], maxResults=1000
        )["events"]
        entered = [each.get("stateEnteredEventDetails") for each in history]
        return {each["name"] for each in entered if each}

    def lock(self) -> dict[str, Any]:
        """The item of the lock table."""
        table = self.outputs["LockTable"]
        found = self.aws.client("dynamodb").get_item(
            TableName=table, Key={"endpoint": {"S": ENDPOINT}}, ConsistentRead=True
        )
        return found.get("Item", {})

    def settled(self) -> None:
        """Wait until no release is under way."""

        def look() -> bool:
            running = self.aws.client("stepfunctions").list_executions(
                stateMachineArn=self.outputs["Machine"], statusFilter="RUNNING"
            )["executions"]
            return not running

        wait_for(look, what="the releases to end")

    def served(self) -> tuple[str, str]:
        """The ARN of the configuration that SageMaker serves, and of the stack's."""
        client = self.aws.client("sagemaker")
        name = client.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
        arn = client.describe_endpoint_config(EndpointConfigName=name)["EndpointConfigArn"]
        resource = self.aws.client("cloudformation").describe_stack_resource(
            StackName=HOSTING, LogicalResourceId="TryChurnConfig"
        )
        return arn, resource["StackResourceDetail"]["PhysicalResourceId"]
