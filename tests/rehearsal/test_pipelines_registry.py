"""The model registry, model cards and models; steps that register, make models, call functions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from tests.rehearsal.listening import Tap
from tests.rehearsal.workshop import (
    BUCKET,
    GROUP,
    IMAGE,
    Step,
    Workshop,
    fail,
    gate,
    get,
    make_role,
    pipeline_statements,
    register,
)

EVENT = "SageMaker Model Package State Change"


@pytest.fixture
def shop(engine: Rehearsal) -> Workshop:
    shop = Workshop.make(engine)
    shop.put("model.tar.gz", "a model")
    return shop


def words(call: Any, **kwargs: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**kwargs)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def package(shop: Workshop, **more: Any) -> str:
    arguments = register("R", f"s3://{BUCKET}/model.tar.gz", **more)["Arguments"]
    return str(shop.sagemaker.create_model_package(**arguments)["ModelPackageArn"])


def test_versions_of_a_group_are_numbered_approved_and_told(
    shop: Workshop, eventually: Any
) -> None:
    sagemaker = shop.sagemaker
    tap = Tap.make(shop.aws, "tap-models")
    events = shop.aws.client("events")
    events.put_rule(Name="tap", EventPattern=json.dumps({"detail-type": [EVENT]}))
    events.put_targets(Rule="tap", Targets=[{"Id": "tap", "Arn": tap.arn}])
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    first = package(shop, CustomerMetadataProperties={"auc": "0.8", "old": "x"})
    second = package(shop)
    assert first.endswith(f":model-package/{GROUP}/1")
    assert second.endswith(f":model-package/{GROUP}/2")
    sagemaker.update_model_package(
        ModelPackageArn=first,
        ModelApprovalStatus="Approved",
        ApprovalDescription="looks right",
        CustomerMetadataProperties={"approved-by": "somebody"},
        CustomerMetadataPropertiesToRemove=["old"],
    )
    described = sagemaker.describe_model_package(ModelPackageName=first)
    assert described["ModelPackageVersion"] == 1
    assert described["ModelPackageStatus"] == "Completed"
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["CustomerMetadataProperties"] == {"auc": "0.8", "approved-by": "somebody"}
    listed = sagemaker.list_model_packages(ModelPackageGroupName=GROUP)
    versions = [each["ModelPackageVersion"] for each in listed["ModelPackageSummaryList"]]
    assert versions == [1, 2]
    approved = sagemaker.list_model_packages(
        ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved"
    )
    assert [e["ModelPackageArn"] for e in approved["ModelPackageSummaryList"]] == [first]
    assert sagemaker.list_model_packages()["ModelPackageSummaryList"] == []  # unversioned ones
    both = sagemaker.batch_describe_model_package(ModelPackageArnList=[first, f"{first}9"])
    assert list(both["ModelPackageSummaries"]) == [first]
    assert list(both["BatchDescribeModelPackageErrorMap"]) == [f"{first}9"]

    eventually(lambda: len(tap.events()) >= 3)
    last = tap.heard[-1]
    assert last["resources"] == [first]
    assert last["detail"]["ModelApprovalStatus"] == "Approved"
    assert last["detail"]["ModelPackageGroupName"] == GROUP
    assert last["detail"]["ModelPackageVersion"] == 1
    assert last["detail"]["CreationTime"].endswith("Z")


def test_a_group_with_versions_is_not_deleted_and_numbers_are_not_used_twice(
    shop: Workshop,
) -> None:
    sagemaker = shop.sagemaker
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    arn = package(shop)
    code, text = words(sagemaker.delete_model_package_group, ModelPackageGroupName=GROUP)
    assert (code, arn in text) == ("ConflictException", True)
    sagemaker.delete_model_package(ModelPackageName=arn)
    assert package(shop).endswith("/2")
    sagemaker.delete_model_package(ModelPackageName=f"{arn[:-1]}2")
    sagemaker.delete_model_package_group(ModelPackageGroupName=GROUP)
    code, text = words(sagemaker.describe_model_package_group, ModelPackageGroupName=GROUP)
    assert code == "ValidationException"
    assert text.endswith(f"model-package-group/{GROUP} does not exist.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ModelPackageGroupName": "nobody"}, "model-package-group/nobody does not exist"),
        ({"ModelPackageName": "both"}, "Exactly one of ModelPackageName and"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "it uses those of its group"),
        ({"InferenceSpecification": None}, None),
        ({"ModelApprovalStatus": "Perhaps"}, "satisfy enum value set"),
    ],
)
def test_a_wrong_package_is_refused(
    shop: Workshop, change: dict[str, Any], said: str | None
) -> None:
    shop.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    arguments = register("R", f"s3://{BUCKET}/model.tar.gz")["Arguments"]
    given = {name: value for name, value in {**arguments, **change}.items() if value is not None}
    if said is None:
        assert shop.sagemaker.create_model_package(**given)
    else:
        code, text = words(shop.sagemaker.create_model_package, **given)
        assert code == "ValidationException"
        assert said in text


def test_a_model_that_is_not_in_s3_is_refused(shop: Workshop) -> None:
    shop.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    arguments = register("R", f"s3://{BUCKET}/none.tar.gz")["Arguments"]
    _, text = words(shop.sagemaker.create_model_package, **arguments)
    assert text == f"Could not find model data at s3://{BUCKET}/none.tar.gz."
    assert shop.sagemaker.create_model_package(**arguments, SkipModelValidation="All")


def test_the_policy_of_a_group(shop: Workshop) -> None:
    sagemaker = shop.sagemaker
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    named = {"ModelPackageGroupName": GROUP}
    assert (
        "Cannot find resource policy" in words(sagemaker.get_model_package_group_policy, **named)[1]
    )
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    sagemaker.put_model_package_group_policy(**named, ResourcePolicy=policy)
    assert sagemaker.get_model_package_group_policy(**named)["ResourcePolicy"] == policy
    code, _ = words(sagemaker.put_model_package_group_policy, **named, ResourcePolicy="no")
    assert code == "ValidationException"
    sagemaker.delete_model_package_group_policy(**named)
    assert words(sagemaker.delete_model_package_group_policy, **named)[0] == "ValidationException"


def test_model_cards_keep_their_versions(shop: Workshop) -> None:
    sagemaker = shop.sagemaker
    content = json.dumps({"model_overview": {"model_name": "churn"}})
    named = {"ModelCardName": "churn"}
    sagemaker.create_model_card(**named, Content=content, ModelCardStatus="Draft")
    sagemaker.update_model_card(**named, ModelCardStatus="Approved")
    now = sagemaker.describe_model_card(**named)
    assert (now["ModelCardVersion"], now["ModelCardStatus"]) == (2, "Approved")
    before = sagemaker.describe_model_card(**named, ModelCardVersion=1)
    assert (before["ModelCardStatus"], before["Content"]) == ("Draft", content)
    versions = sagemaker.list_model_card_versions(**named)["ModelCardVersionSummaryList"]
    assert [each["ModelCardVersion"] for each in versions] == [1, 2]
    code, _ = words(sagemaker.update_model_card, **named, Content=content, ModelCardStatus="Draft")
    assert code == "ValidationException"
    assert words(sagemaker.update_model_card, **named, Content="no")[0] == "ValidationException"
    sagemaker.delete_model_card(**named)
    assert words(sagemaker.describe_model_card, **named)[0] == "ResourceNotFound"


def test_a_step_registers_with_what_the_execution_knows(shop: Workshop) -> None:
    make = shop.script(
        "Make",
        "(out/'m'/'model.tar.gz').write_text('m'); (out/'e'/'e.json').write_text('{\"auc\": 0.9}')",
        outputs={"m": f"s3://{BUCKET}/m", "e": f"s3://{BUCKET}/e"},
        PropertyFiles=[{"PropertyFileName": "E", "OutputName": "e", "FilePath": "e.json"}],
    )
    place = "ProcessingOutputConfig.Outputs['{}'].S3Output.S3Uri".format
    auc = {"Std:JsonGet": {"PropertyFile": get("Make", "PropertyFiles.E"), "Path": "auc"}}
    model = {"Std:Join": {"On": "/", "Values": [get("Make", place("m")), "model.tar.gz"]}}
    report = {"Std:Join": {"On": "/", "Values": [get("Make", place("e")), "e.json"]}}
    source = {"ContentType": "application/json", "S3Uri": report}
    step = register(
        "Register",
        model,
        ModelApprovalStatus={"Get": "Parameters.ApprovalStatus"},
        ModelMetrics={"ModelQuality": {"Statistics": source}},
        CustomerMetadataProperties={
            "auc": {"Std:Join": {"On": "", "Values": [auc]}},
            "execution": {"Get": "Execution.PipelineExecutionId"},
        },
    )
    status = {"Name": "ApprovalStatus", "Type": "String", "DefaultValue": "PendingManualApproval"}
    run = shop.run(make, gate("Gate", auc, then=[step]), Parameters=[status])
    assert run.status == "Succeeded", run.steps
    arn = run.steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    described = shop.sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["CustomerMetadataProperties"] == {"auc": "0.9", "execution": run.id}
    assert described["MetadataProperties"] == {"GeneratedBy": run.arn}
    statistics = described["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert statistics["S3Uri"] == f"s3://{BUCKET}/e/e.json"
    (container,) = described["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == f"s3://{BUCKET}/m/model.tar.gz"
    again = shop.run(make, gate("Gate", auc, then=[step]), Parameters=[status])
    assert again.steps["Register"]["Metadata"]["RegisterModel"]["Arn"].endswith("/2")


@pytest.mark.parametrize(
    "action", ["CreateModelPackageGroup", "CreateModelPackage", "DescribeModelPackage"]
)
def test_registering_takes_each_of_its_permissions(shop: Workshop, action: str) -> None:
    statements = pipeline_statements()
    (own,) = [each for each in statements if each["Sid"] == "Register"]
    own["Action"] = [each for each in own["Action"] if each != f"sagemaker:{action}"]
    role = make_role(shop.aws, "narrow", statements)
    run = shop.run(register("Register", f"s3://{BUCKET}/model.tar.gz"), role=role)
    assert run.status == "Failed"
    assert f"Failed to invoke sagemaker:{action}." in run.reason("Register")
    assert f"is not authorized to perform: sagemaker:{action}" in run.reason("Register")


def model_step(shop: Workshop, url: str) -> Step:
    container = {"Image": IMAGE, "ModelDataUrl": url}
    arguments = {"ExecutionRoleArn": shop.job_role, "PrimaryContainer": container}
    return {"Name": "Make_Model", "Type": "Model", "Arguments": arguments}


def test_a_step_makes_a_model(shop: Workshop) -> None:
    run = shop.run(
        model_step(shop, f"s3://{BUCKET}/model.tar.gz"),
        fail("Told", get("Make_Model", "ModelName")),
    )
    arn = run.steps["Make_Model"]["Metadata"]["Model"]["Arn"]
    name = arn.rpartition("/")[2]
    assert name.startswith(f"pipelines-{run.id}-Make-Model-")
    assert run.reason("Told") == name
    assert shop.sagemaker.describe_model(ModelName=name)["ExecutionRoleArn"] == shop.job_role
    shop.sagemaker.delete_model(ModelName=name)
    assert "Could not find model" in words(shop.sagemaker.describe_model, ModelName=name)[1]
    run = shop.run(model_step(shop, f"s3://{BUCKET}/none.tar.gz"))
    assert "Could not find model data at" in run.reason("Make_Model")


CODE = """
def handler(event, context):
    if event.get("wrong"):
        raise ValueError("no such run")
    return {"run": "r-" + event["name"], "count": 3, "share": 0.5, "fine": True}
"""


def call_step(shop: Workshop, outputs: list[tuple[str, str]], **arguments: Any) -> Step:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:workshop-track"
    return {
        "Name": "Track",
        "Type": "Lambda",
        "FunctionArn": arn,
        "Arguments": arguments,
        "OutputParameters": [{"OutputName": n, "OutputType": t} for n, t in outputs],
    }


def test_a_step_calls_a_function_and_passes_on_its_answers(
    shop: Workshop, function_of: Any, role_with: Any
) -> None:
    role = role_with(shop.aws, "function", [])
    function_of(shop.aws, "workshop-track", CODE, role)
    outputs = [("run", "String"), ("count", "Integer"), ("share", "Float"), ("fine", "Boolean")]
    step = call_step(shop, outputs, name={"Get": "Execution.PipelineExecutionId"})
    values = [get("Track", f"OutputParameters['{name}']") for name, _ in outputs]
    run = shop.run(step, gate("Gate", values[2], then=[fail("Told", *values)]))
    assert run.reason("Told") == f"r-{run.id} 3 0.5 true"
    metadata = run.steps["Track"]["Metadata"]["Lambda"]
    assert metadata["Arn"].endswith(":workshop-track")
    assert {"Name": "count", "Value": "3"} in metadata["OutputParameters"]

    run = shop.run(call_step(shop, [], name="x", wrong=True))
    assert "ValueError: no such run" in run.reason("Track")
    run = shop.run(call_step(shop, [("gone", "String")], name="x"))
    assert "has to answer an object whose member 'gone' is of type String" in run.reason("Track")
    left = [each for each in pipeline_statements() if each["Sid"] != "Call"]
    run = shop.run(call_step(shop, [], name="x"), role=make_role(shop.aws, "narrow", left))
    assert "is not authorized to perform: lambda:InvokeFunction" in run.reason("Track")
