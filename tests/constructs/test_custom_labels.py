"""Custom Labels models, their table and their keeper, in a stack of a stranger's."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from custom_labels_training.gate import Gate
from custom_labels_training.manifest import Place
from custom_labels_training.steps import Model as Trained
from custom_model_keeper.leases import Model

from sagelens import (
    CustomLabelsGate,
    CustomLabelsModel,
    CustomModelKeeper,
    CustomModels,
    CustomModelsTable,
    ImageAnalysis,
    Lease,
    S3Folder,
    TrainingPlaces,
)
from tests.constructs.conftest import Parts, Resources, actions, resources, statements
from tests.unit.lambda_src.world import check, model

ARN = "arn:aws:rekognition:us-east-1:123456789012:project/other/version/v1/1700000000000"


def model_of(
    stack: cdk.Stack, parts: Parts, table: CustomModelsTable, **changed: Any
) -> CustomLabelsModel:
    folder = S3Folder(bucket=parts.bucket, prefix="custom-labels/shelf/")
    places = TrainingPlaces(
        data=folder,
        output=folder,
        table=table,
        encryption_key=parts.encryption_key,
        alarm_topic=parts.alarm_topic,
    )
    given: dict[str, Any] = {"name": "shelf", "project_name": "our-shelf", "places": places}
    return CustomLabelsModel(stack, "Shelf", **{**given, **changed})


def kept(stack: cdk.Stack, parts: Parts, lease: Lease | None = None) -> CustomModelKeeper:
    table = CustomModelsTable(stack, "Table", encryption_key=parts.encryption_key)
    model = model_of(stack, parts, table, lease=lease or Lease())
    return CustomModelKeeper(
        stack,
        "Keeper",
        models={"shelf": model.kept},
        table=table,
        encryption_key=parts.encryption_key,
        alarm_topic=parts.alarm_topic,
        environment_name="test",
    )


def role(found: Resources, words: str) -> dict[str, dict[str, Any]]:
    (one,) = [each for each in found.of("AWS::IAM::Role") if words in each.get("Description", "")]
    return statements(one)


def custom_labels(*models: str) -> dict[str, Any]:
    return {
        "analyses": {"custom_labels": {"models": models, "minimum_confidence": 50, "maximum": 100}},
        "policy": {"custom_labels": {"*": {"accept": [0, 100]}}},
    }


def test_the_keeper_reads_what_the_construct_tells_it(stack: cdk.Stack, parts: Parts) -> None:
    kept(stack, parts, Lease(minutes=30, inference_units=2, most_inference_units=3))
    (found,) = [
        each for each in resources(stack).of("AWS::Lambda::Function") if "keeper" in each["Handler"]
    ]
    assert (found["Timeout"], found["Handler"]) == (50, "custom_model_keeper.handler.handler")
    told = found["Environment"]["Variables"]["MODELS"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "project-arn" for part in told)
    model = Model.of("shelf", json.loads(text)["shelf"])
    assert model == Model("shelf", "project-arn", 1800.0, units=2, most_units=3)


def test_the_keeper_starts_and_stops_versions_of_its_own_projects_only(
    stack: cdk.Stack, parts: Parts
) -> None:
    kept(stack, parts)
    found = role(resources(stack), "Starts Custom Labels")
    assert actions(found.values()) == {
        "rekognition:DescribeProjectVersions", "rekognition:StartProjectVersion",
        "rekognition:StopProjectVersion", "dynamodb:DeleteItem", "dynamodb:GetItem",
        "dynamodb:Query", "dynamodb:UpdateItem", "kms:Decrypt", "kms:GenerateDataKey",
        "logs:CreateLogStream", "logs:PutLogEvents",
    }  # fmt: skip
    assert "project/our-shelf/version/*" in json.dumps(found["StartAndStop"]["Resource"])
    assert "project/our-shelf/*" in json.dumps(found["SeeVersions"]["Resource"])


def test_a_schedule_sweeps_each_minute_and_may_do_nothing_else(
    stack: cdk.Stack, parts: Parts
) -> None:
    kept(stack, parts)
    found = resources(stack)
    schedule = found.one("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert "KeeperWorkerFunction" in json.dumps(schedule["Target"]["Arn"])
    start = role(found, "Lets a schedule start its function")["Start"]
    assert start["Action"] == "lambda:InvokeFunction"
    assert "KeeperWorkerFunction" in json.dumps(start["Resource"])


def test_an_alarm_counts_the_hours_in_which_a_model_ran(stack: cdk.Stack, parts: Parts) -> None:
    kept(stack, parts, Lease(alarm_hours=6))
    (alarm,) = [
        each
        for each in resources(stack).of("AWS::CloudWatch::Alarm")
        if each.get("MetricName") == "ModelRunningMinutes"
    ]
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], alarm["Period"]) == (
        6,
        24,
        3600,
    )
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "Environment": "test", "Model": "shelf"
    }  # fmt: skip


def test_what_waits_is_guarded(stack: cdk.Stack, parts: Parts) -> None:
    kept(stack, parts)
    tables = {
        name: each
        for name, each in resources(stack).by_id.items()
        if each["Type"] == "AWS::DynamoDB::Table" and name.startswith("Table")
    }
    (table,) = tables.values()
    assert table["DeletionPolicy"] == "Retain"
    assert table["Properties"]["DeletionProtectionEnabled"]
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True
    }
    assert table["Properties"]["SSESpecification"]["SSEType"] == "KMS"


def test_wrong_leases_are_refused_all_at_once(stack: cdk.Stack, parts: Parts) -> None:
    wrong = Lease(minutes=1, inference_units=9, most_inference_units=2, alarm_hours=0)
    with pytest.raises(ValueError) as refused:
        kept(stack, parts, wrong)
    for word in ("minutes: got 1", "inference_units: got 9", "alarm_hours: got 0"):
        assert word in str(refused.value)


def test_a_project_name_that_rekognition_does_not_take(stack: cdk.Stack, parts: Parts) -> None:
    table = CustomModelsTable(stack, "Table", encryption_key=parts.encryption_key)
    with pytest.raises(ValueError, match="project_name: got 'our shelf'"):
        model_of(stack, parts, table, project_name="our shelf")


def test_a_gate_that_nothing_could_pass(stack: cdk.Stack, parts: Parts) -> None:
    table = CustomModelsTable(stack, "Table", encryption_key=parts.encryption_key)
    with pytest.raises(ValueError) as refused:
        model_of(stack, parts, table, gate=CustomLabelsGate(f1=80, recall=2, least_images=0))
    for words in ("f1: got 80", "recall: got 2", "least_images: got 0"):
        assert words in str(refused.value)


def test_the_function_reads_what_the_construct_tells_it(stack: cdk.Stack, parts: Parts) -> None:
    kept(stack, parts)
    (found,) = [
        each
        for each in resources(stack).of("AWS::Lambda::Function")
        if "custom_labels_training" in each["Handler"]
    ]
    told = found["Environment"]["Variables"]["MODEL"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "bucket" for part in told)
    model = Trained.of(json.loads(text))
    assert (model.place, model.gate) == (Place("bucket", "custom-labels/shelf/"), Gate(0.8, 0.5))


@pytest.mark.parametrize("goes", [True, False])
def test_versions_go_with_a_project_that_goes(stack: cdk.Stack, parts: Parts, goes: bool) -> None:
    table = CustomModelsTable(stack, "Table", encryption_key=parts.encryption_key)
    policy = cdk.RemovalPolicy.DESTROY if goes else cdk.RemovalPolicy.RETAIN
    model = model_of(stack, parts, table, removal_policy=policy)
    found = resources(stack)
    (project,) = [
        each for each in found.by_id.values() if each["Type"] == "AWS::Rekognition::Project"
    ]
    assert project["DeletionPolicy"] == ("Delete" if goes else "Retain")
    assert ("Custom::SagelensCustomModelEmptier" in found.types()) is goes
    assert (model.emptier is not None) is goes


def test_the_machine_asks_for_what_amazon_takes(stack: cdk.Stack, parts: Parts) -> None:
    kept(stack, parts)
    told = resources(stack).one("AWS::StepFunctions::StateMachine")["DefinitionString"]
    text = "".join(part if isinstance(part, str) else "token" for part in told["Fn::Join"][1])
    machine = json.loads(text)
    train = machine["States"]["Train"]["Parameters"]
    given = json.loads(json.dumps(train).replace('.$"', '"'))
    given["ProjectArn"] = ARN.partition("/version")[0] + "/1700000000000"
    given["VersionName"], given["OutputConfig"]["S3Bucket"] = "v1", "models"
    for part in ("TrainingData", "TestingData"):
        thing = given[part]["Assets"][0]["GroundTruthManifest"]["S3Object"]
        thing["Bucket"] = "data"
    check(model("rekognition").operation_model("CreateProjectVersion").input_shape, given)
    passing = machine["States"]["Check"]["Retry"][0]["ErrorEquals"]
    assert all(each.startswith("Lambda.") for each in passing)


def analysis(stack: cdk.Stack, parts: Parts, *models: str, named: bool = True) -> ImageAnalysis:
    table = CustomModelsTable(stack, "Table", encryption_key=parts.encryption_key)
    given = CustomModels(table=table, projects={"shelf": "our-shelf"}) if named else None
    arguments = parts.arguments(**custom_labels(*models), custom_models=given)
    return ImageAnalysis(stack, "Analysis", **arguments)


def test_an_analysis_calls_any_version_of_the_models_that_it_names_and_no_other(
    stack: cdk.Stack, parts: Parts
) -> None:
    assert analysis(stack, parts, "shelf", ARN).waiting_alarm is not None
    found = resources(stack)
    allowed = role(found, "Analyses")
    called = allowed["AnalyseDetectCustomLabels"]["Resource"]
    assert len(called) == 2 and ARN in called
    assert ":project/our-shelf/version/*" in json.dumps(called)
    table = allowed["UseCustomModels"]
    assert set(table["Action"]) == {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    variables = found.one("AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["MODELS_TABLE"]["Ref"].startswith("Table")


def test_no_alarm_rings_for_work_that_a_keeper_looks_after(stack: cdk.Stack, parts: Parts) -> None:
    assert analysis(stack, parts, "shelf").waiting_alarm is None


def test_a_name_that_no_model_has(stack: cdk.Stack, parts: Parts) -> None:
    with pytest.raises(ValueError, match="there is none of the name 'shelf'"):
        analysis(stack, parts, "shelf", named=False)


def test_work_goes_back_to_the_queues_that_were_named(stack: cdk.Stack, parts: Parts) -> None:
    keeper = kept(stack, parts)
    work = ImageAnalysis(stack, "Analysis", **parts.arguments()).work
    keeper.send_back_to(work)
    policy = resources(stack).one("AWS::IAM::Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    assert "AnalysisWorkQueue" in json.dumps(statement["Resource"])
    assert "KeeperWorkerRole" in json.dumps(policy["Roles"])
