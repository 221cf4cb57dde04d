"""Model Monitor's schedule, for accounts that still have it."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import pytest

from sagelens import ModelMonitorSchedule, S3Folder
from tests.constructs.conftest import resources, statements
from tests.constructs.hosting.conftest import House
from tests.security.judges import cfn_lint, cloudformation, iam
from tests.security.judges.findings import listing
from tests.security.judges.templates import Template

IMAGE = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"


def monitored(house: House, **changes: Any) -> ModelMonitorSchedule:
    def folder(prefix: str) -> S3Folder:
        return S3Folder(bucket=house.models, prefix=prefix)

    given: dict[str, Any] = {
        "name": "test-churn-monitor",
        "endpoint_name": "test-churn",
        "captured": folder("captured/"),
        "baseline": folder("churn/monitor/baseline/"),
        "reports": folder("churn/monitor/reports/"),
        "image": IMAGE,
        "features": ["tenure", "Contract"],
        "encryption_key": house.key,
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
    job = found.one("AWS::SageMaker::DataQualityJobDefinition")
    assert job["DataQualityJobInput"]["EndpointInput"]["EndpointName"] == "test-churn"
    assert "/constraints.json" in str(job["DataQualityBaselineConfig"]["ConstraintsResource"])
    assert job["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert job["JobResources"]["ClusterConfig"]["VolumeKmsKeyId"]


def test_the_jobs_reach_their_folders_only(house: House) -> None:
    monitored(house)
    found = resources(house.stack)
    (role,) = [
        each
        for each in found.of("AWS::IAM::Role")
        if "'sagemaker.amazonaws.com'" in str(each["AssumeRolePolicyDocument"])
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
    alarms = resources(house.stack).of("AWS::CloudWatch::Alarm")
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
    assert not found, listing(found)
