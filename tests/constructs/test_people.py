"""Roles of people and the budget in a stranger's stack: what they refuse, and what they say."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from sagelens import (
    AlarmTopic,
    AuditorRole,
    CostBudget,
    DataScientistRole,
    EncryptionKey,
    OwnJobs,
    S3Folder,
    SecureBucket,
    TeamModel,
)
from tests.constructs.conftest import resources, statements

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
JOBS = OwnJobs(prefix="lab-x-", images=[IMAGE], instance_types=["ml.m5.large"])


def make(stack: cdk.Stack, *, models: int = 1, **changes: Any) -> DataScientistRole:
    key = EncryptionKey(stack, "Key")
    bucket = SecureBucket(stack, "Bucket", encryption_key=key)
    team = [
        TeamModel(
            data=S3Folder(bucket=bucket, prefix=f"m{number}/raw/"),
            runs=S3Folder(bucket=bucket, prefix=f"m{number}/runs/"),
            pipeline_name=f"m{number}",
            model_group_name=f"m{number}",
        )
        for number in range(models)
    ]
    given: dict[str, Any] = {"models": team, "jobs": JOBS}
    given["workspace"] = S3Folder(bucket=bucket, prefix="desk/")
    return DataScientistRole(stack, "Scientist", encryption_key=key, **{**given, **changes})


def role(stack: cdk.Stack, words: str) -> dict[str, Any]:
    found = resources(stack).of("AWS::IAM::Role")
    (one,) = [each for each in found if words in each.get("Description", "")]
    return one


def test_every_wrong_argument_is_told_at_once(stack: cdk.Stack) -> None:
    jobs = OwnJobs(prefix="lab", images=[], instance_types=[], hours=200)
    bucket = SecureBucket(stack, "Other")
    with pytest.raises(ValueError) as raised:
        make(stack, models=9, jobs=jobs, workspace=S3Folder(bucket=bucket, prefix="desk"))
    told = str(raised.value)
    for words in (
        "jobs.prefix: got 'lab'",
        "jobs.images: got none",
        "jobs.instance_types: got none",
        "jobs.hours: got 200 h, allowed are 0.25 to 120 h",
        "workspace.prefix: got 'desk'",
        "len(models): got 9, allowed are 0 to 8",
    ):
        assert words in told


def test_approval_is_somebody_elses_unless_asked_for(stack: cdk.Stack) -> None:
    make(stack)
    assert "sagemaker:UpdateModelPackage" not in str(role(stack, "People"))


def test_approval_where_it_is_asked_for(stack: cdk.Stack) -> None:
    make(stack, may_approve=True)
    assert statements(role(stack, "People"))["Approve"]["Action"] == "sagemaker:UpdateModelPackage"


def test_without_models_it_has_its_workspace_and_its_jobs(stack: cdk.Stack) -> None:
    make(stack, models=0)
    found = statements(role(stack, "People"))
    assert {"WriteWorkspace", "StartOwnJobs"} <= set(found)
    assert not {"ReadModels", "StartPipelines", "LookAtVersions", "AskEndpoints"} & set(found)


def test_a_condition_key_that_is_missing_does_not_pass(stack: cdk.Stack) -> None:
    """ForAllValues holds for no values at all, so each list must be there."""
    make(stack)
    condition = statements(role(stack, "People"))["StartOwnJobs"]["Condition"]
    assert condition["Null"] == dict.fromkeys(condition["ForAllValues:StringEquals"], "false")
    assert condition["NumericLessThanEquals"] == {"sagemaker:MaxRuntimeInSeconds": "14400"}


def test_principals_are_named(stack: cdk.Stack) -> None:
    person = "arn:aws:iam::123456789012:role/person"
    make(stack, principals=[person])
    trust = role(stack, "People")["AssumeRolePolicyDocument"]["Statement"]
    assert {"AWS": person} in [one["Principal"] for one in trust]


def test_the_auditor_opens_nothing_but_access_logs(stack: cdk.Stack) -> None:
    key = EncryptionKey(stack, "Key")
    logs = SecureBucket(stack, "Logs")
    data = SecureBucket(stack, "Data", encryption_key=key)
    AuditorRole(
        stack, "Auditor", name_prefix="x-", buckets=[data], access_logs=logs, encryption_key=key
    )
    found = statements(role(stack, "Looks at"))
    readers = [sid for sid, one in found.items() if "s3:GetObject" in one["Action"]]
    assert readers == ["ReadAccessLogs"]
    assert "kms:Decrypt" not in str(found)
    assert "ReadVersions" not in found


def test_a_budget_tells_the_topic(stack: cdk.Stack) -> None:
    topic = AlarmTopic(stack, "Topic", encryption_key=EncryptionKey(stack, "Key"))
    CostBudget(stack, "Budget", monthly_usd=70, tag=("team", "x"), topic=topic, labels={"a": "b"})
    budget = resources(stack).one("AWS::Budgets::Budget")
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:team$x"]}
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 70, "Unit": "USD"}
    assert budget["ResourceTags"] == [{"Key": "a", "Value": "b"}]
    alerts = [one["Notification"] for one in budget["NotificationsWithSubscribers"]]
    assert [(one["NotificationType"], one["Threshold"]) for one in alerts] == [
        ("ACTUAL", 50),
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]


def test_a_budget_refuses_what_aws_would(stack: cdk.Stack) -> None:
    topic = AlarmTopic(stack, "Topic", encryption_key=EncryptionKey(stack, "Key"))
    with pytest.raises(ValueError) as raised:
        CostBudget(
            stack,
            "Budget",
            monthly_usd=0,
            tag=("team", "x"),
            topic=topic,
            alert_percents=(10, 20, 30, 40, 5000),
        )
    told = str(raised.value)
    assert "monthly_usd: got 0 USD" in told and "len(alert_percents): got 5" in told
    assert "alert_percents: got 5000 %" in told
