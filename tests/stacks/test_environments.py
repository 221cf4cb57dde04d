"""What every stack of an environment keeps to, wherever it is deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import app
import config

IMAGE = re.compile(r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/")
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
TAGGED_ELSEWHERE = {
    # These take no tags, or are part of a resource that does.
    "AWS::IAM::Policy",
    "AWS::Glue::Database",
    "AWS::Glue::Table",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::Events::EventBusPolicy",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}

PLACES = [
    pytest.param({}, id="anywhere"),
    pytest.param({"region": "us-east-1", "account": "123456789012"}, id="us-east-1"),
    pytest.param({"region": "eu-central-1", "account": "123456789012"}, id="eu-central-1"),
    pytest.param({"region": "cn-north-1", "account": "123456789012"}, id="cn-north-1"),
    pytest.param({"region": "us-gov-west-1", "account": "123456789012"}, id="us-gov-west-1"),
]


def templates(folder: Path, environment: str, **changes: Any) -> dict[str, dict[str, Any]]:
    """Synthesize an environment with some settings changed; its templates by stack."""
    settings = config.load(environment)
    for field, value in changes.items():
        if field == "security":
            value = settings.security.model_copy(update=value)
        settings = settings.model_copy(update={field: value})
    app.compose(app.new_app(outdir=str(folder)), settings).synth()
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(folder.glob("*.template.json"))
    }


def resources(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for stack, template in found.items():
        for name, resource in template["Resources"].items():
            yield f"{stack}/{name}", resource


@pytest.mark.parametrize("place", PLACES)
def test_no_partition_account_or_look_up_is_written_down(
    place: dict[str, str], tmp_path: Path
) -> None:
    found = templates(tmp_path, "prod", **place)
    for stack, template in found.items():
        # The addresses of SageMaker's images come out of the generated table.
        text = IMAGE.sub("<image>", json.dumps(template))
        assert "arn:aws" not in text, stack
        assert ".amazonaws.com.cn" not in text, stack
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert "missing" not in manifest


@pytest.mark.parametrize("environment", ["demo", "prod"])
def test_every_role_has_the_path_and_the_boundary(environment: str, tmp_path: Path) -> None:
    security = {"permissions_boundary": BOUNDARY, "role_path": "/team/ml/"}
    found = templates(tmp_path, environment, security=security)
    roles = [one for _, one in resources(found) if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) >= 2
    assert {role["Properties"].get("Path") for role in roles} == {"/team/ml/"}
    assert {role["Properties"].get("PermissionsBoundary") for role in roles} == {BOUNDARY}


@pytest.mark.parametrize("environment", ["demo", "prod"])
def test_everything_that_takes_tags_is_tagged(environment: str, tmp_path: Path) -> None:
    found = templates(tmp_path, environment, tags={"cost-centre": "42"})
    for name, resource in resources(found):
        properties = resource.get("Properties", {})
        tags = properties.get("Tags", properties.get("ResourceTags", []))
        untagged = resource["Type"].startswith("Custom::") and not tags
        if resource["Type"] in TAGGED_ELSEWHERE or untagged:
            continue
        keys = set(tags) if isinstance(tags, dict) else {tag["Key"] for tag in tags}
        assert {"cost-centre", "sagelens:environment", "sagelens:capability"} <= keys, name


def test_protected_data_outlive_their_stack_and_others_do_not(tmp_path: Path) -> None:
    stateful = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"}
    kept_policies = {"prod": {"Retain", "RetainExceptOnCreate"}, "dev": {"Delete"}}
    for environment, policies in kept_policies.items():
        found = templates(tmp_path / environment, environment)
        kept = {
            resource["DeletionPolicy"]
            for _, resource in resources(found)
            if resource["Type"] in stateful
        }
        assert kept == policies, environment


def test_only_production_has_a_network(tmp_path: Path) -> None:
    for environment, expected in (("demo", 0), ("dev", 0), ("prod", 1)):
        found = templates(tmp_path / environment, environment)
        vpcs = [one for _, one in resources(found) if one["Type"] == "AWS::EC2::VPC"]
        assert len(vpcs) == expected, environment


def test_nothing_in_dev_bills_by_the_hour(tmp_path: Path) -> None:
    hourly = {
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPCEndpoint",
        "AWS::SageMaker::Cluster",
        "AWS::SageMaker::MlflowTrackingServer",
        "AWS::SageMaker::NotebookInstance",
    }
    found = templates(tmp_path, "dev")
    assert not [name for name, resource in resources(found) if resource["Type"] in hourly]
    variants = [
        variant
        for _, one in resources(found)
        if one["Type"] == "AWS::SageMaker::EndpointConfig"
        for variant in one["Properties"]["ProductionVariants"]
    ]
    assert len(variants) == 2
    for variant in variants:
        assert "InstanceType" not in variant
        assert "ProvisionedConcurrency" not in variant["ServerlessConfig"]


def test_outputs_are_the_contract_with_clients(tmp_path: Path) -> None:
    found = templates(tmp_path, "demo")
    named = {
        stack: sorted(name for name in template["Outputs"] if not name.startswith("Exports"))
        for stack, template in found.items()
    }
    assert named == {
        "sagelens-demo-foundation": [
            "AlarmTopicArn",
            "DataBucketName",
            "EventBusName",
            "ImagesBucketName",
            "KeyArn",
            "LogBucketName",
            "ModelsBucketName",
            "ResultsTableName",
            "ReviewerRoleArn",
        ],
        "sagelens-demo-batch": [
            "ChurnBatchPrefix",
            "ChurnBatchStateMachineArn",
            "ChurnScoresPrefix",
        ],
        "sagelens-demo-access": [
            "AuditorRoleArn",
            "DataScientistJobPrefix",
            "DataScientistJobRoleArn",
            "DataScientistRoleArn",
            "DataScientistWorkspace",
        ],
        "sagelens-demo-drift": [
            "ChurnDriftAlarmName",
            "ChurnDriftReportsPrefix",
            "ChurnDriftStateMachineArn",
            "ReplenishmentDriftAlarmName",
            "ReplenishmentDriftReportsPrefix",
            "ReplenishmentDriftStateMachineArn",
        ],
        "sagelens-demo-hosting-churn": [
            "ChurnCapturedPrefix",
            "ChurnDashboardName",
            "ChurnEndpointArn",
            "ChurnEndpointName",
        ],
        "sagelens-demo-hosting-replenishment": [
            "ReplenishmentCapturedPrefix",
            "ReplenishmentDashboardName",
            "ReplenishmentEndpointArn",
            "ReplenishmentEndpointName",
        ],
        "sagelens-demo-releases": [
            "ChurnLiveVersionParameter",
            "ChurnReleaseDeadLetterQueueArn",
            "ChurnReleaseStateMachineArn",
            "ReplenishmentLiveVersionParameter",
            "ReplenishmentReleaseDeadLetterQueueArn",
            "ReplenishmentReleaseStateMachineArn",
        ],
        "sagelens-demo-training": [
            "ChurnDataPrefix",
            "ChurnDataStartDeadLetterQueueArn",
            "ChurnDataStartQueueArn",
            "ChurnDriftStartDeadLetterQueueArn",
            "ChurnDriftStartQueueArn",
            "ChurnJobRoleArn",
            "ChurnModelGroupName",
            "ChurnPipelineArn",
            "ChurnPipelineName",
            "MlflowAppArn",
            "ReplenishmentDataPrefix",
            "ReplenishmentDataStartDeadLetterQueueArn",
            "ReplenishmentDataStartQueueArn",
            "ReplenishmentDriftStartDeadLetterQueueArn",
            "ReplenishmentDriftStartQueueArn",
            "ReplenishmentJobRoleArn",
            "ReplenishmentModelGroupName",
            "ReplenishmentPipelineArn",
            "ReplenishmentPipelineName",
        ],
        "sagelens-demo-retail": [
            "CountingDeadLetterQueueArn",
            "CountingDeadLetterQueueUrl",
            "CountingFunctionName",
            "CountingQueueArn",
            "CountingQueueUrl",
            "OrderingFunctionName",
            "OrderingStateMachineArn",
            "ReadingsPrefix",
            "RetailTableName",
            "ShelfDeadLetterQueueArn",
            "ShelfDeadLetterQueueUrl",
            "ShelfFunctionName",
            "ShelfPrefix",
            "ShelfQueueArn",
            "ShelfQueueUrl",
        ],
        "sagelens-demo-results": [
            "AthenaDatabase",
            "AthenaWorkgroup",
            "BlurredCopiesDeadLetterQueueArn",
            "BlurredCopiesQueueArn",
            "BlurredCopiesQueueUrl",
            "ImageRowsDeadLetterQueueArn",
            "ImageRowsQueueArn",
            "ImageRowsQueueUrl",
        ],
        "sagelens-demo-video": [
            "VideoDeadLetterQueueUrl",
            "VideoFunctionName",
            "VideoPrefix",
            "VideoStateMachineArn",
        ],
        "sagelens-demo-vision": [
            "BackfillDeadLetterQueueArn",
            "BackfillDeadLetterQueueUrl",
            "BackfillMachineArn",
            "BackfillQueueArn",
            "BackfillQueueUrl",
            "BackfillRunsPrefix",
            "ImageDeadLetterQueueArn",
            "ImageDeadLetterQueueUrl",
            "ImageFunctionName",
            "ImagePrefix",
            "ImageQueueArn",
            "ImageQueueUrl",
        ],
        "sagelens-demo-workbench": [
            "AnalysisNotebookName",
            "AnalysisNotebookRoleArn",
            "NotebookKeeperName",
            "ResearchNotebookName",
            "ResearchNotebookRoleArn",
        ],
    }


@pytest.mark.parametrize("zones", [2, 3])
@pytest.mark.parametrize("place", PLACES[:2])
def test_a_network_spans_the_zones_asked_for(
    zones: int, place: dict[str, str], tmp_path: Path
) -> None:
    network = config.load("prod").network
    assert network
    network = network.model_copy(update={"availability_zones": zones})
    found = templates(tmp_path, "prod", network=network, **place)
    subnets = [one for _, one in resources(found) if one["Type"] == "AWS::EC2::Subnet"]
    assert len(subnets) == zones


def test_an_environment_with_everything_off_has_a_foundation_alone(tmp_path: Path) -> None:
    found = templates(
        tmp_path,
        "prod",
        region="cn-north-1",
        vision=None,
        training=None,
        hosting=None,
        workbench=None,
        access=None,
    )
    assert list(found) == ["sagelens-prod-foundation"]
    assert "rekognition" not in json.dumps(found)
