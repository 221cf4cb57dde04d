"""A definition that AWS would refuse, or that could never run, is refused when it is written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelens.pipeline_definition import (
    LARGEST_DEFINITION_BYTES,
    Condition,
    Definition,
    DefinitionError,
    Parameter,
    PropertyFile,
    RetryPolicy,
    Step,
    execution,
    join,
    json_get,
    parameter,
    size_problem,
    step,
    url,
)


def processing(name: str, *needs: Any, **more: Any) -> Step:
    outputs = {"Outputs": [{"OutputName": "made"}]}
    arguments = {"Inputs": list(needs), "ProcessingOutputConfig": outputs}
    return Step(name=name, type="Processing", arguments=arguments, **more)


def problems(*steps: Step | Condition, parameters: tuple[Parameter, ...] = ()) -> list[str]:
    return Definition(parameters=parameters, steps=steps).problems()


def test_a_right_definition_is_written() -> None:
    report = PropertyFile("Report", "made", "report.json")
    first = processing("First", parameter("Url"), property_files=[report], cache_days=3)
    gate = Condition(
        name="Gate",
        comparison="LessThanOrEqualTo",
        left=json_get("First", "Report", "a.b"),
        right=parameter("Most"),
        then=[processing("Second", step("First", "ProcessingOutputConfig.Outputs['made'].S3Uri"))],
        otherwise=[Step(name="Stop", type="Fail", arguments={"ErrorMessage": join("no ", "way")})],
    )
    definition = Definition(
        parameters=[Parameter("Url", "s3://a/b"), Parameter("Most", 0.5)], steps=[first, gate]
    )
    document = definition.document()
    assert document["Version"] == "2020-12-01"
    assert document["Parameters"] == [
        {"Name": "Url", "Type": "String", "DefaultValue": "s3://a/b"},
        {"Name": "Most", "Type": "Float", "DefaultValue": 0.5},
    ]
    written, condition = document["Steps"]
    assert written["PropertyFiles"] == [
        {"PropertyFileName": "Report", "OutputName": "made", "FilePath": "report.json"}
    ]
    assert written["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P3D"}
    assert condition["Arguments"]["Conditions"] == [
        {
            "Type": "LessThanOrEqualTo",
            "LeftValue": {
                "Std:JsonGet": {
                    "PropertyFile": {"Get": "Steps.First.PropertyFiles.Report"},
                    "Path": "a.b",
                }
            },
            "RightValue": {"Get": "Parameters.Most"},
        }
    ]
    assert [one["Name"] for one in condition["Arguments"]["ElseSteps"]] == ["Stop"]


@pytest.mark.parametrize(
    ("value", "type"), [(True, "Boolean"), (3, "Integer"), (0.5, "Float"), ("x", "String")]
)
def test_a_parameter_has_the_type_of_its_default(value: Any, type: str) -> None:
    assert Parameter("P", value).type == type


def test_a_retry_policy_has_one_limit() -> None:
    policy = RetryPolicy(exceptions=["Step.THROTTLING"], interval_seconds=1, backoff=2)
    limited = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "BackoffRate": 2}
    assert replace(policy, attempts=4).document() == {**limited, "MaxAttempts": 4}
    assert replace(policy, minutes=9).document() == {**limited, "ExpireAfterMin": 9}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (parameter("Nowhere"), "Parameters.Nowhere: there is no such parameter, there are Known"),
        (execution("Mood"), "Execution.Mood: allowed are CurrentDateTime"),
        (step("Nobody", "X"), "there is no such step; there are Other, Tell, One"),
        (step("Other", "PropertyFiles.No"), "the step has no 'No', it has Report"),
        (
            step("Other", "ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri"),
            "the step has no 'x', it has made",
        ),
        (step("Tell", "OutputParameters['x']"), "the step has no 'x', it has said"),
        ({"Get": "Somewhere"}, "allowed are Parameters.…, Execution.… and Steps.<step>.<property>"),
        (url("s3://a", [join(parameter("No"))]), "Parameters.No: there is no such parameter"),
    ],
)
def test_a_reference_to_nothing_is_refused(value: Any, expected: str) -> None:
    report = PropertyFile("Report", "made", "report.json")
    found = problems(
        processing("Other", property_files=[report]),
        Step(name="Tell", type="Lambda", arguments={}, function_arn="arn", outputs=["said"]),
        processing("One", value),
        parameters=(Parameter("Known", 1),),
    )
    assert len(found) == 1
    assert found[0].startswith("step 'One': ")
    assert expected in found[0]


def test_a_circle_is_refused() -> None:
    found = problems(
        processing("A", step("C", "Anything")),
        processing("B", step("A", "Anything")),
        processing("C", depends_on=["B"]),
    )
    assert len(found) == 1
    assert found[0].startswith("steps wait for each other in a circle: ")
    assert {word.strip() for word in found[0].split(":")[1].split("→")} == {"A", "B", "C"}


def test_a_condition_is_waited_for_by_what_is_in_it() -> None:
    inner = processing("Inner")
    gate = Condition(
        name="Gate", comparison="Equals", left=step("Inner", "X"), right=1, then=[inner]
    )
    found = problems(gate)
    assert any("in a circle" in one for one in found)


def test_what_lies_in_a_branch_cannot_be_waited_for_from_outside() -> None:
    inner, other = processing("Inner"), processing("Other", step("Inner", "X"))
    gate = Condition(name="Gate", comparison="Equals", left=1, right=1, then=[inner])
    assert problems(gate, other) == [
        "step 'Other' waits for 'Inner', which lies in the branch Gate.then"
    ]
    beside = processing("Beside", depends_on=["Inner"])
    fine = Condition(name="Gate", comparison="Equals", left=1, right=1, then=[inner, beside])
    assert problems(fine) == []
    gate = Condition(
        name="Gate", comparison="Equals", left=1, right=1, then=[inner], otherwise=[beside]
    )
    assert problems(gate) == ["step 'Beside' waits for 'Inner', which lies in the branch Gate.then"]


def test_nothing_is_taken_from_a_step_that_fails_and_only_its_outcome_from_a_condition() -> None:
    stop = Step(name="Stop", type="Fail", arguments={})
    gate = Condition(name="Gate", comparison="Equals", left=1, right=1, then=[])
    found = problems(
        stop,
        gate,
        processing("A", step("Stop", "X")),
        processing("B", step("Gate", "X")),
        processing("C", step("Gate", "Outcome")),
    )
    assert found == [
        "step 'A': Steps.Stop.X: a step that fails gives nothing",
        "step 'B': Steps.Gate.X: a condition has only its Outcome",
    ]


def test_names_counts_and_files_are_looked_at_all_at_once() -> None:
    bad = PropertyFile("Report", "elsewhere", "report.json")
    steps = [processing(f"Step{number}") for number in range(50)]
    with pytest.raises(DefinitionError) as refused:
        Definition(
            parameters=[Parameter("a b", 1), Parameter("x", "y" * 1025), Parameter("x", 2)],
            steps=[*steps, processing("Step1", property_files=[bad], depends_on=["No"])],
        ).document()
    text = str(refused.value)
    for expected in (
        "steps: 'Step1' is there twice, allowed is once",
        "steps: got 51, allowed are at most 50",
        "parameters: 'x' is there twice, allowed is once",
        "parameter 'a b': allowed is a name of 1 to 256 letters, digits, - and _",
        "parameter 'x': its default has 1,025 characters, allowed are 1,024",
        "its file 'Report' lies in 'elsewhere', which is no output of it, it has made",
        "step 'Step1': DependsOn: 'No' is no step",
    ):
        assert expected in text
    assert problems(processing("a b"))[0].startswith("step 'a b': allowed is a name")


@given(st.text(max_size=200))
def test_any_text_survives_the_way_into_a_template(text: str) -> None:
    """Quotes, line ends and other languages in arguments come out as they went in."""
    stack = cdk.Stack()
    key = cdk.CfnParameter(stack, "Bucket").value_as_string
    body = stack.resolve(stack.to_json_string({"text": text, "key": f"s3://{key}"}))
    ((_, parts),) = [body["Fn::Join"]] if "Fn::Join" in body else [("", [body])]
    joined = "".join(part if isinstance(part, str) else "b" for part in parts)
    assert json.loads(joined) == {"text": text, "key": "s3://b"}


def test_size_counts_references_as_long_and_bytes_not_characters() -> None:
    reference = {"Ref": "Bucket"}
    assert size_problem("x" * LARGEST_DEFINITION_BYTES) is None
    assert size_problem("x" * (LARGEST_DEFINITION_BYTES + 1))
    assert size_problem("é" * (LARGEST_DEFINITION_BYTES // 2 + 1))
    rest = LARGEST_DEFINITION_BYTES - 256
    assert size_problem({"Fn::Join": ["", ["x" * rest, reference]]}) is None
    problem = size_problem({"Fn::Join": ["", ["x" * rest, reference, "y"]]})
    assert problem is not None
    assert "takes about 1,048,577 bytes, allowed are 1,048,576" in problem
