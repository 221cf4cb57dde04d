"""Model Monitor's schedule, for accounts that still have it."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest

from sagelens import ModelMonitorSchedule, MonitorJobRole, S3Folder
from tests.constructs.conftest import resources, statements
from tests.constructs.hosting.conftest import NAME, TWO, House, variant
from tests.constructs.hosting.test_judges import known
from tests.security.judges import cfn_lint, cloudformation, iam
from tests.security.judges.findings import listing
from tests.security.judges.templates import Template

IMAGE = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"


def monitored(house: House, **changes: Any) -> ModelMonitorSchedule:
    def folder(prefix: str) -> S3Folder:
        return S3Folder(bucket=house.models, prefix=prefix)

    both: dict[str, Any] = {
        "baseline": folder("churn/monitor/baseline/"),
        "reports": folder("churn/monitor/reports/"),
        "image": IMAGE,
        "encryption_key": house.key,
    }
    role = MonitorJobRole(
        house.stack, "MonitorRole", endpoint_name=NAME, captured=folder("captured/"), **both
    )
    given: dict[str, Any] = {
        **both,
        "name": "test-churn-monitor",
        "endpoint": house.endpoint(variant(TWO), capture=house.capture, only_if=house.live.exists),
        "role": role,
        "features": ["tenure", "Contract"],
        "alarm_topic": house.topic,
        "only_if": house.live.exists,
        **changes,
    }
    return ModelMonitorSchedule(house.stack, "Monitor", **given)


def test_schedule_and_jobs_are_there_while_the_endpoint_is(house: House) -> None:
    monitored(house)
    found = resources(house.stack)
    for kind in ("MonitoringSchedule", "DataQualityJobDefinition"):
        (one,) = [
            each for each in found.by_id.values() if each["Type"] == f"AWS::SageMaker::{kind}"
        ]
        assert one["Condition"].startswith("LiveExists")
        # SageMaker deletes no endpoint that has a schedule: CloudFormation takes this off first.
        assert "TestChurn" in one["DependsOn"]
    job = found.one("AWS::SageMaker::DataQualityJobDefinition")
    assert job["DataQualityJobInput"]["EndpointInput"]["EndpointName"] == "test-churn"
    assert "/constraints.json" in str(job["DataQualityBaselineConfig"]["ConstraintsResource"])
    assert job["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert job["JobResources"]["ClusterConfig"]["VolumeKmsKeyId"]


def test_the_jobs_reach_their_folders_only(house: House) -> None:
    monitored(house)
    found = resources(house.stack)
    (role,) = [
        each for each in found.of("AWS::IAM::Role") if "drift watch" in each.get("Description", "")
    ]
    given = statements(role)
    reads = {sid for sid, each in given.items() if each["Action"] == "s3:GetObject"}
    assert reads == {"ReadCaptured", "ReadBaselines"}
    assert "/captured/test-churn/main/*" in str(given["ReadCaptured"]["Resource"])
    assert given["PublishDrift"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "aws/sagemaker/Endpoints/data-metrics"}
    }


def test_each_feature_rings(house: House) -> None:
    monitored(house, threshold=0.3)
    alarms = [
        one
        for one in resources(house.stack).of("AWS::CloudWatch::Alarm")
        if one["MetricName"].startswith("feature_")
    ]
    assert {one["MetricName"] for one in alarms} == {
        "feature_baseline_drift_tenure",
        "feature_baseline_drift_Contract",
    }
    assert {one["Threshold"] for one in alarms} == {0.3}
    assert all(one["AlarmActions"] for one in alarms)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a_b"}, "name: got 'a_b'"),
        ({"features": []}, "features: got none"),
        ({"threshold": 0}, "threshold: got 0"),
        ({"expression": "rate(1 hour)"}, "expression: got 'rate(1 hour)'"),
    ],
)
def test_bad_arguments_are_refused_in_words(
    house: House, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        monitored(house, **changes)


def test_the_judges_find_nothing(house: House) -> None:
    monitored(house)
    app = house.stack.node.root
    assert isinstance(app, cdk.App)
    body = app.synth().get_stack_by_name("Stranger").template
    templates = [Template("Stranger", body)]
    found = [
        *iam.judge(templates),
        *cfn_lint.judge(templates, ["us-east-1", "eu-central-1"]),
        *cloudformation.judge(templates),
    ]
    left = [one for one in found if not known(one)]
    assert not left, listing(left)
