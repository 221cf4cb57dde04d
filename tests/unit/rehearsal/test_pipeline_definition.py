"""What a pipeline definition has to look like, and what is said of one that does not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.sagemaker.pipelines import naming
from rehearsal.sagemaker.pipelines.definition import Branch, parse
from rehearsal.sagemaker.pipelines.errors import DefinitionError

SAMPLES = Path(__file__).parents[2] / "rehearsal" / "definitions"
PREPARE: dict[str, Any] = {
    "Name": "Prepare",
    "Type": "Processing",
    "Arguments": {
        "RoleArn": "arn:aws:iam::000000000000:role/jobs",
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 30,
            }
        },
    },
}


def definition(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Steps": list(steps), **more}


def prepare(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(PREPARE), **changes}


def fail(name: str = "Fail", message: Any = "no", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def gate(name: str, *inside: dict[str, Any], value: Any = 1) -> dict[str, Any]:
    condition = {"Type": "Equals", "LeftValue": value, "RightValue": 1}
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": [condition], "IfSteps": list(inside), "ElseSteps": []},
    }


def problems(document: Any) -> list[str]:
    with pytest.raises(DefinitionError) as refused:
        parse(document if isinstance(document, str) else json.dumps(document))
    assert str(refused.value).startswith("Unable to parse pipeline definition. ")
    return refused.value.problems


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_what_the_sdks_compile_is_read(version: str) -> None:
    parsed = parse((SAMPLES / f"sdk_{version}.json").read_text(encoding="utf-8"))
    needs = {name: set(step.needs) for name, step in parsed.steps.items()}
    register = next(name for name in needs if name.startswith("Register"))
    assert needs == {
        "Preprocess": set(),
        "Train": {"Preprocess"},
        "Evaluate": {"Preprocess", "Train"},
        "Gate": {"Evaluate"},
        register: {"Gate", "Train"},
        "Below": {"Gate"},
    }
    assert parsed.steps["Below"].branch == Branch("Gate", False)
    files = {"EvaluationReport": ("evaluation", "evaluation.json")}
    assert parsed.steps["Evaluate"].property_files == files
    assert parsed.parameters["Threshold"].default == 0.8


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "It is not JSON"),
        ([], "It is a JSON object"),
        ({"Version": "1", "Steps": [fail()]}, "Version: given '1', allowed is '2020-12-01'"),
        ({"Version": "2020-12-01", "Steps": []}, "Expecting start of Json Array."),
        (definition(fail(), Extra=1), "unknown property 'Extra' in the definition"),
        (definition(fail(Extra=1)), "unknown property 'Extra' in the step 'Fail'"),
        (definition(fail(name="a b")), "given 'a b', wanted 1 to 64"),
        (definition({"Name": "E", "Type": "EMR"}), "type 'EMR'; the rehearsal runs Processing"),
        (definition(fail(), fail()), "there are two steps 'Fail'"),
        (definition(gate("A", fail()), fail()), "there are two steps 'Fail'"),
        (definition(fail(DependsOn=["Gone"])), "depends on the step 'Gone', which is not there"),
        (definition(fail(DependsOn="Gone")), "DependsOn is a list of step names"),
        (definition(fail(message={"Get": "Parameters.P"})), "the parameter 'P', which is not"),
        (definition(fail(message={"Get": "Execution.P"})), "Execution.P, which is not there"),
        (definition(fail(message={"Get": "Steps.S.Outcome"})), "the step 'S', which is not there"),
        (definition(fail(message={"Get": "Steps"})), "'Steps' is not a reference"),
        (definition(fail(message={"Std:Join": {"On": "-"}})), "wanted On and a list Values"),
        (definition(fail(DependsOn=["Fail"])), "in a circle: Fail → Fail"),
        (
            definition(gate("A", value={"Get": "Steps.B.Outcome"}), gate("B", fail())),
            None,
        ),
        (definition(fail(RetryPolicies=[{}])), "RetryPolicies are there for Processing"),
        (definition(prepare(RetryPolicies=[{}])), "ExceptionType is a list of at least one type"),
        (definition(prepare(CacheConfig={"Enabled": True})), "is not a duration"),
        (definition(fail(CacheConfig={"Enabled": True, "ExpireAfter": "30d"})), "step caching is"),
        (definition(prepare(PropertyFiles=[{}])), "PropertyFiles[0].FilePath is a text"),
        (definition({"Name": "L", "Type": "Lambda"}), "FunctionArn is missing"),
        (definition(fail(), Parameters={}), None),
        (definition(fail(), Parameters=[{"Name": "P", "Type": "Date"}]), "given 'Date', allowed"),
        (
            definition(fail(), Parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": "x"}]),
            "DefaultValue is of type Integer, given 'x'",
        ),
        (definition(fail(), MlflowConfig={"MlflowResourceArn": "a"}), "no stand-in for it"),
    ],
)
def test_a_wrong_definition_is_refused_in_words(document: Any, said: str | None) -> None:
    if said is None:
        assert parse(json.dumps(document)).steps
    else:
        assert said in " ".join(problems(document))


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = problems(definition(fail(DependsOn=["Gone"]), gate("G", value={"Get": "Nowhere.x"})))
    assert len(found) == 1  # the form first: names are looked at only in a definition that has one
    found = problems(
        definition(fail(Extra=1), gate("G", value={"Get": "Nowhere.x"}), prepare(DependsOn=1))
    )
    assert len(found) == 3


def test_arguments_are_judged_by_the_operation_they_belong_to() -> None:
    step = prepare()
    cluster = step["Arguments"]["ProcessingResources"]["ClusterConfig"]
    cluster["VolumeSizeInGB"] = "30"
    cluster["InstanceCount"] = {"Get": "Parameters.Count"}
    step["Arguments"]["Environment"] = {"A": 1}
    step["Arguments"]["AppSpecification"] = {"Image": "image"}
    said = " ".join(problems(definition(step)))
    assert "ClusterConfig.VolumeSizeInGB: given '30', wanted a integer" in said
    assert "Environment['A']: given 1, wanted a string" in said
    assert "AppSpecification.ImageUri: is missing" in said
    assert "AppSpecification.Image: is not a member" in said
    assert "InstanceCount" not in said  # known only when it runs
    assert "ProcessingJobName" not in said  # Pipelines names the job


def test_a_job_name_of_ones_own_is_refused() -> None:
    step = prepare()
    step["Arguments"]["ProcessingJobName"] = "mine"
    assert "the rehearsal names jobs" in " ".join(problems(definition(step)))


def test_limits() -> None:
    steps = [fail(name=f"F{index}") for index in range(51)]
    assert "it has 51, allowed are 50" in " ".join(problems(definition(*steps)))
    assert len(parse(json.dumps(definition(*steps[:50]))).steps) == 50
    padded = json.dumps(definition(fail())) + " " * 1_048_576
    assert "allowed are 1048576" in " ".join(problems(padded))
    parameters = [{"Name": f"P{index}", "Type": "String"} for index in range(201)]
    found = problems(definition(fail(), Parameters=parameters))
    assert "Parameters holds 201, allowed are 200" in " ".join(found)


def test_steps_inside_a_condition_wait_for_it_and_not_for_each_other() -> None:
    inner = gate("Inner", fail())
    parsed = parse(json.dumps(definition(gate("Outer", inner, prepare()))))
    assert parsed.steps["Inner"].needs == {"Outer"}
    assert parsed.steps["Prepare"].needs == {"Outer"}
    assert parsed.steps["Fail"].branch == Branch("Inner", True)


def test_names_have_the_form_that_aws_gives_them() -> None:
    key = naming.execution_id()
    assert len(key) == 12
    job = naming.resource_name(key, "PreprocessAbaloneData_long")
    assert job.startswith(f"pipelines-{key}-PreprocessAbaloneDat-")
    assert len(job) <= 63
    tuning = naming.tuning_name(key, "hptuning_more")
    assert tuning.startswith(f"{key}-hptuning-") and len(tuning) == 32
    session = naming.session_name(key, "RegisterChallenger-RegisterModel")
    assert session == f"sagemaker-pipeline-{key}-RegisterChallenger-R"
