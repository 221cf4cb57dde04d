"""The MLflow app, its role, and the function that writes runs."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import aws_iam as iam
from cfnlint.helpers import REGIONS
from cfnlint.schema._exceptions import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

import app as sagelens_app
from experiment_tracking import request as function_request
from sagelens import AlarmTopic, EncryptionKey, FunctionOptions, SecureBucket
from sagelens.assets import constant, lambda_source
from sagelens.experiment_tracking import ExperimentTracking
from sagelens.mlflow_apps import (
    FUNCTION_ACTIONS,
    MLFLOW_APP_REGIONS,
    READ_ACTIONS,
    WRITE_ACTIONS,
)
from sagelens.s3_folder import S3Folder
from tests.constructs.conftest import Resources, actions, resources, statements


def made(stack: cdk.Stack, *, alarm: bool = True, **changes: Any) -> ExperimentTracking:
    key = EncryptionKey(stack, "Key")
    models = SecureBucket(stack, "Models", encryption_key=key)
    given: dict[str, Any] = {
        "name": "sagelens-dev",
        "artifacts": S3Folder(bucket=models, prefix="mlflow/"),
        "results": [
            S3Folder(bucket=models, prefix="churn/runs/"),
            S3Folder(bucket=models, prefix="stock/runs/"),
        ],
        "encryption_key": key,
        "environment_name": "dev",
        "alarm_topic": AlarmTopic(stack, "Alarms", encryption_key=key) if alarm else None,
        **changes,
    }
    return ExperimentTracking(stack, "Tracking", **given)


def role(found: Resources, words: str) -> dict[str, Any]:
    (one,) = [each for each in found.of("AWS::IAM::Role") if words in each["Description"]]
    return one


def test_the_app_keeps_its_artifacts_in_its_folder(stack: cdk.Stack) -> None:
    made(stack)
    app = resources(stack).one("AWS::SageMaker::MlflowApp")
    assert app["Name"] == "sagelens-dev"
    assert json.dumps(app["ArtifactStoreUri"]).endswith('"/mlflow"]]}')
    # Registering is the pipelines' affair, after their gate.
    assert app["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"


def test_the_app_may_read_and_write_its_folder_and_nothing_else(stack: cdk.Stack) -> None:
    made(stack)
    app_role = role(resources(stack), "MLflow app")
    (trust,) = app_role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    found = statements(app_role)
    assert actions(found.values()) == {
        "s3:GetObject",
        "s3:PutObject",
        "s3:ListBucket",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }
    assert "/mlflow/*" in json.dumps(found["MlflowArtifacts"]["Resource"])
    assert found["ListMlflowArtifacts"]["Condition"] == {"StringLike": {"s3:prefix": ["mlflow/*"]}}


def test_the_function_may_do_this_and_nothing_else(stack: cdk.Stack) -> None:
    made(stack)
    found = statements(role(resources(stack), "pipeline's run"))
    assert set(found) == {
        "UseMlflowApp",
        "WriteRuns",
        "ReadResults",
        "ListResults",
        "WriteArtifacts",
        "UseKey",
        "WriteLogs",
    }
    assert actions([found["WriteRuns"]]) == {f"sagemaker-mlflow:{n}" for n in FUNCTION_ACTIONS}
    assert found["UseMlflowApp"]["Resource"] == found["WriteRuns"]["Resource"]
    assert len(found["ReadResults"]["Resource"]) == 2
    assert found["ListResults"]["Condition"] == {
        "StringLike": {"s3:prefix": ["churn/runs/*", "stock/runs/*"]}
    }
    assert all(each["Resource"] != "*" for each in found.values())


def test_the_function_is_told_of_the_app(stack: cdk.Stack) -> None:
    made(stack, function=FunctionOptions(timeout_seconds=120, memory_mb=256))
    found = resources(stack)
    (function,) = [
        each
        for each in found.of("AWS::Lambda::Function")
        if each.get("Handler") == "experiment_tracking.handler.handler"
    ]
    assert function["Timeout"] == 120
    assert set(function["Environment"]["Variables"]) == {"ENVIRONMENT", "MLFLOW_APP_ARN"}


def test_a_run_that_is_not_tracked_rings(stack: cdk.Stack) -> None:
    tracking = made(stack)
    alarm = resources(stack).one("AWS::CloudWatch::Alarm")
    assert alarm["MetricName"] == "RunsNotTracked"
    assert tracking.failed_alarm is not None


def test_without_a_topic_nothing_rings(stack: cdk.Stack) -> None:
    assert made(stack, alarm=False).failed_alarm is None
    assert "AWS::CloudWatch::Alarm" not in resources(stack).types()


def test_the_steps_arguments_are_those_that_the_function_reads(stack: cdk.Stack) -> None:
    arguments = made(stack).step_arguments(
        experiment="churn",
        execution_arn="arn:x/execution/e",
        training_job="job",
        model_group="group",
        model_url="s3://b/model.tar.gz",
        model="leavers",
        evaluation_url="s3://b/e/evaluation.json",
        plots_url="s3://b/plots",
        parameters={"max_depth": "5"},
        metrics={"validation:auc": "0.8"},
    )
    # SageMaker resolves a whole argument: nothing is nested.
    assert all(isinstance(value, str) for value in arguments.values())
    read = function_request.read(arguments)
    assert read.model == "leavers"
    assert read.parameters == {"max_depth": "5"}
    assert read.metrics == {"validation:auc": 0.8}


def test_what_the_function_answers_fits_a_models_metadata(stack: cdk.Stack) -> None:
    handler = lambda_source() / "experiment_tracking" / "handler.py"
    not_tracked = constant(handler, "NOT_TRACKED")
    assert not_tracked
    service = botocore.session.Session().get_service_model("sagemaker")
    shape: Any = service.shape_for("CustomerMetadataValue")
    longest = f"arn:aws-us-gov:sagemaker:ap-southeast-1:123456789012:mlflow-app/app-{'X' * 32}"
    for value in (not_tracked, "a" * 32, "1234567890123456789", longest):
        assert shape.metadata["min"] <= len(value) <= shape.metadata["max"]
        assert re.fullmatch(r"[\w\s.:/=+\-@]*", value)
    assert made(stack).OUTPUTS == ("run_id", "experiment_id", "app_arn")


@pytest.mark.parametrize(
    ("grant", "allowed", "objects"),
    [
        ("grant_read", {"AccessUI", *READ_ACTIONS}, {"s3:GetObject"}),
        (
            "grant_write",
            {"AccessUI", *READ_ACTIONS, *WRITE_ACTIONS},
            {"s3:GetObject", "s3:PutObject"},
        ),
    ],
)
def test_whoever_is_granted_may_do_that_and_no_more(
    stack: cdk.Stack, grant: str, allowed: set[str], objects: set[str]
) -> None:
    tracking = made(stack)
    person = iam.Role(stack, "Person", assumed_by=iam.AccountRootPrincipal())
    getattr(tracking, grant)(person)
    policy = resources(stack).one("AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    found = actions(policy)
    assert {name for name in found if name.startswith("sagemaker-mlflow:")} == {
        f"sagemaker-mlflow:{name}" for name in allowed
    }
    assert {name for name in found if name.startswith("s3:")} == {"s3:ListBucket", *objects}
    assert ("kms:GenerateDataKey" in found) == ("s3:PutObject" in objects)
    assert "sagemaker:CallMlflowAppApi" in found
    assert not any("Delete" in name for name in found - {"sagemaker-mlflow:DeleteTag"})


def test_a_pipelines_role_may_be_let_invoke(stack: cdk.Stack) -> None:
    tracking = made(stack)
    pipeline = iam.Role(stack, "Pipeline", assumed_by=iam.AccountRootPrincipal())
    tracking.grant_invoke(pipeline)
    policy = resources(stack).one("AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert actions(policy) == {"lambda:InvokeFunction"}


def test_the_regions_are_those_of_cfn_lint() -> None:
    found: set[str] = set()
    for region in REGIONS:
        try:
            PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, "AWS::SageMaker::MlflowApp")
        except ResourceNotFoundError:
            continue
        found.add(region)
    assert found == MLFLOW_APP_REGIONS


def test_a_region_without_mlflow_apps_is_refused(tmp_path: Any) -> None:
    app = sagelens_app.new_app(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Far", env=cdk.Environment(region="us-gov-west-1"))
    with pytest.raises(ValueError, match="got 'us-gov-west-1', which has no MLflow apps"):
        made(stack)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "sagelens_dev"}, "name: got 'sagelens_dev'"),
        ({"name": "a" * 257}, "allowed are 1 to 256"),
        ({"results": []}, "results: got none"),
        ({"function": FunctionOptions(timeout_seconds=900)}, "got 900 s, allowed are 30 to 600 s"),
    ],
)
def test_bad_arguments_are_refused_in_words(
    stack: cdk.Stack, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        made(stack, **changes)


@pytest.mark.parametrize("prefix", ["mlflow", "/mlflow/", ""])
def test_a_prefix_is_a_folder(stack: cdk.Stack, prefix: str) -> None:
    models = SecureBucket(stack, "Other", encryption_key=EncryptionKey(stack, "OtherKey"))
    with pytest.raises(ValueError, match=re.escape(f"artifacts.prefix: got {prefix!r}")):
        made(stack, artifacts=S3Folder(bucket=models, prefix=prefix))
