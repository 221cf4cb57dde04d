"""SageMaker's resource types through CloudFormation: made, changed, replaced, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rehearsal.deploy import delete, deploy_template
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal
from tests.rehearsal.workshop import IMAGE, register

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
CARD = {
    "ModelOverview": {"ModelName": "churn", "ProblemType": "Binary classification"},
    "IntendedUses": {"PurposeOfModel": "who leaves", "RiskRating": "Low"},
    "AdditionalInformation": {"CustomDetails": {"Owner Team": "a team"}},
}


def definition(words: str) -> str:
    step = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": words}}
    return json.dumps({"Version": "2020-12-01", "Steps": [step]})


def template(**changes: dict[str, Any]) -> dict[str, Any]:
    """A stack with one resource of each type; changes are properties by logical id."""
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Pipeline": (
            "Pipeline",
            {
                "PipelineName": "p",
                "RoleArn": role,
                "PipelineDefinition": {"PipelineDefinitionBody": definition("one")},
                "Tags": [{"Key": "model", "Value": "churn"}],
            },
        ),
        "Group": (
            "ModelPackageGroup",
            {
                "ModelPackageGroupName": "g",
                "ModelPackageGroupDescription": "churn",
                "ModelPackageGroupPolicy": {"Version": "2012-10-17", "Statement": []},
            },
        ),
        "Card": (
            "ModelCard",
            {"ModelCardName": "c", "ModelCardStatus": "Draft", "Content": CARD},
        ),
        "Model": (
            "Model",
            {"ExecutionRoleArn": role, "PrimaryContainer": {"Image": IMAGE}},
        ),
    }
    body: dict[str, Any] = {
        name: {"Type": f"AWS::SageMaker::{kind}", "Properties": {**props, **changes.get(name, {})}}
        for name, (kind, props) in resources.items()
    }
    body["Role"] = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": TRUST},
    }
    outputs: dict[str, Any] = {name: {"Value": {"Ref": name}} for name in resources}
    attributes = ("Group.ModelPackageGroupArn", "Card.ModelCardArn", "Model.ModelName")
    for each in attributes:
        outputs[each.replace(".", "")] = {"Value": {"Fn::GetAtt": each.split(".")}}
    return {"Resources": body, "Outputs": outputs}


def test_each_type_is_made_and_answers_ref_and_getatt_as_its_schema_says(
    engine: Rehearsal,
) -> None:
    outputs = deploy_template(engine, "s", template(), tags={"team": "a"})
    sagemaker = engine.client("sagemaker")
    assert outputs["Pipeline"] == "p"
    place = "arn:aws:sagemaker:us-east-1:000000000000"
    assert outputs["Group"] == outputs["GroupModelPackageGroupArn"]
    assert outputs["Group"] == f"{place}:model-package-group/g"
    assert (outputs["Card"], outputs["CardModelCardArn"]) == ("c", f"{place}:model-card/c")
    assert outputs["Model"] == f"{place}:model/{outputs['ModelModelName']}"
    described = sagemaker.describe_pipeline(PipelineName="p")
    assert described["PipelineDefinition"] == definition("one")
    tags = sagemaker.list_tags(ResourceArn=described["PipelineArn"])["Tags"]
    tags = {tag["Key"]: tag["Value"] for tag in tags}
    assert (tags["model"], tags["team"]) == ("churn", "a")
    assert tags["aws:cloudformation:logical-id"] == "Pipeline"
    policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName="g")
    assert json.loads(policy["ResourcePolicy"])["Version"] == "2012-10-17"
    card = json.loads(sagemaker.describe_model_card(ModelCardName="c")["Content"])
    assert card == {
        "model_overview": {"model_name": "churn", "problem_type": "Binary classification"},
        "intended_uses": {"purpose_of_model": "who leaves", "risk_rating": "Low"},
        "additional_information": {"custom_details": {"Owner Team": "a team"}},
    }
    assert not [r for r in engine.status()["recorded_only"] if "SageMaker" in r["type"]]


def test_what_can_change_in_place_does(engine: Rehearsal) -> None:
    deploy_template(engine, "s", template())
    sagemaker = engine.client("sagemaker")
    made = sagemaker.describe_pipeline(PipelineName="p")["CreationTime"]
    changes: dict[str, dict[str, Any]] = {
        "Pipeline": {
            "PipelineDefinition": {"PipelineDefinitionBody": definition("two")},
            "Tags": [{"Key": "stage", "Value": "b"}],
        },
        "Group": {"ModelPackageGroupPolicy": {"Version": "2008-10-17", "Statement": []}},
        "Card": {"ModelCardStatus": "Approved", "Content": {"BusinessDetails": {}}},
        "Model": {"Tags": [{"Key": "stage", "Value": "b"}]},
    }
    before = engine.client("sagemaker").list_models()["Models"]
    outputs = deploy_template(engine, "s", template(**changes))
    described = sagemaker.describe_pipeline(PipelineName="p")
    assert (described["PipelineDefinition"], described["CreationTime"]) == (definition("two"), made)
    tags = sagemaker.list_tags(ResourceArn=described["PipelineArn"])["Tags"]
    assert {"Key": "stage", "Value": "b"} in tags
    assert "model" not in {tag["Key"] for tag in tags}
    policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName="g")
    assert "2008-10-17" in policy["ResourcePolicy"]
    card = sagemaker.describe_model_card(ModelCardName="c")
    assert (card["ModelCardStatus"], card["Content"]) == ("Approved", '{"business_details": {}}')
    assert sagemaker.list_models()["Models"] == before
    tags = sagemaker.list_tags(ResourceArn=outputs["Model"])["Tags"]
    assert {"Key": "stage", "Value": "b"} in tags


def test_what_cannot_is_replaced_and_the_old_one_deleted(engine: Rehearsal) -> None:
    first = deploy_template(engine, "s", template())
    changes: dict[str, dict[str, Any]] = {
        "Pipeline": {"PipelineName": "q"},
        "Model": {"PrimaryContainer": {"Image": IMAGE, "Environment": {"A": "b"}}},
    }
    second = deploy_template(engine, "s", template(**changes))
    sagemaker = engine.client("sagemaker")
    names = [each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]]
    assert names == ["q"]
    assert second["Model"] != first["Model"]
    models = [each["ModelArn"] for each in sagemaker.list_models()["Models"]]
    assert models == [second["Model"]]


def test_a_named_resource_is_not_replaced_under_its_name(engine: Rehearsal) -> None:
    deploy_template(engine, "s", template())
    change = {"ModelPackageGroupDescription": "another"}
    with pytest.raises(RehearsalError, match="custom-named resource"):
        deploy_template(engine, "s", template(Group=change))
    described = engine.client("sagemaker").describe_model_package_group(ModelPackageGroupName="g")
    assert described["ModelPackageGroupDescription"] == "churn"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"Pipeline": {"PipelineDefinition": {"PipelineDefinitionBody": '{"Version": "1"}'}}},
            "Unable to parse pipeline definition. Version: given '1'",
        ),
        ({"Pipeline": {"Speed": 1}}, r"extraneous key \[Speed\] is not permitted"),
        ({"Model": {"Containers": [{"Image": IMAGE}]}}, "Exactly one of PrimaryContainer"),
    ],
)
def test_a_refusal_of_the_service_rolls_the_stack_back(
    engine: Rehearsal, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(RehearsalError, match=said):
        deploy_template(engine, "s", template(**change))
    sagemaker = engine.client("sagemaker")
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_a_group_with_versions_stops_the_deletion_of_its_stack(engine: Rehearsal) -> None:
    deploy_template(engine, "s", template())
    arguments = register("R", "s3://b/m")["Arguments"]
    sagemaker = engine.client("sagemaker")
    version = sagemaker.create_model_package(
        **{**arguments, "ModelPackageGroupName": "g"}, SkipModelValidation="All"
    )
    with pytest.raises(RehearsalError, match="it holds 1 model package"):
        delete(engine, ["s"])
    sagemaker.delete_model_package(ModelPackageName=version["ModelPackageArn"])
    delete(engine, ["s"])
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_model_cards()["ModelCardSummaries"] == []


def test_an_mlflow_app_is_made_and_deleted(engine: Rehearsal) -> None:
    body = {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "App": {
                "Type": "AWS::SageMaker::MlflowApp",
                "Properties": {
                    "Name": "app",
                    "ArtifactStoreUri": {"Fn::Sub": "s3://${Bucket}/mlflow"},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
        },
        "Outputs": {
            "Arn": {"Value": {"Ref": "App"}},
            "Same": {"Value": {"Fn::GetAtt": ["App", "Arn"]}},
            "Status": {"Value": {"Fn::GetAtt": ["App", "Status"]}},
        },
    }
    outputs = deploy_template(engine, "m", body)
    assert outputs["Arn"] == outputs["Same"]
    assert ":mlflow-app/" in outputs["Arn"]
    assert outputs["Status"] == "Created"
    sagemaker = engine.client("sagemaker")
    assert sagemaker.describe_mlflow_app(Arn=outputs["Arn"])["Name"] == "app"
    delete(engine, ["m"])
    left = [a for a in sagemaker.list_mlflow_apps()["Summaries"] if a["Status"] != "Deleted"]
    assert left == []
