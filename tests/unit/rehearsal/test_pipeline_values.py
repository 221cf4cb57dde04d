"""Expressions, paths, conditions and parameters of a pipeline, without a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from rehearsal.sagemaker.pipelines.conditions import condition_problems, evaluate
from rehearsal.sagemaker.pipelines.errors import UndefinedValueError
from rehearsal.sagemaker.pipelines.expressions import references, resolve
from rehearsal.sagemaker.pipelines.parameters import Parameter, values
from rehearsal.sagemaker.pipelines.paths import look_up, split

JOB: dict[str, Any] = {
    "ProcessingOutputConfig": {
        "Outputs": [
            {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
            {"OutputName": "test", "S3Output": {"S3Uri": "s3://b/test"}},
        ]
    },
    "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.83}],
}


@dataclass
class Scope:
    """Values for expressions, from plain tables."""

    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    files: dict[str, Any] = field(default_factory=dict[str, Any])

    def parameter(self, name: str) -> Any:
        return self.parameters[name]

    def variable(self, name: str) -> Any:
        return {"PipelineExecutionId": "abc"}[name]

    def property(self, step: str, path: str) -> Any:
        return look_up(JOB, path, f"the step {step}")

    def property_file(self, step: str, name: str) -> Any:
        return self.files[f"{step}/{name}"]

    def document(self, s3_uri: str) -> Any:
        return self.files[s3_uri]


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a.b", ["a", "b"]),
        ("$.a", ["a"]),
        ("Outputs['train'].S3Output.S3Uri", ["Outputs", "train", "S3Output", "S3Uri"]),
        ('a["b.c"][2]', ["a", "b.c", 2]),
        ("FinalMetricDataList['validation:auc'].Value", None),
    ],
)
def test_paths(path: str, parts: list[str | int] | None) -> None:
    assert split(path) == (parts or ["FinalMetricDataList", "validation:auc", "Value"])


@pytest.mark.parametrize("path", ["", "$", "a..b", "a[", "a['b", "a b"])
def test_no_paths(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        split(path)


def test_items_of_lists_are_found_by_their_names_or_by_number() -> None:
    assert look_up(JOB, "ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri", "it") == (
        "s3://b/test"
    )
    assert look_up(JOB, "ProcessingOutputConfig.Outputs[0].OutputName", "it") == "train"
    assert look_up(JOB, "FinalMetricDataList['validation:auc'].Value", "it") == 0.83


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("metrics.auc", "'metrics.auc': metrics holds f1"),
        ("nothing", "the top holds metrics"),
        ("metrics.f1.value", "metrics.f1 holds 0.5"),
        ("rows[3]", "the top holds metrics"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_is_there(path: str, said: str) -> None:
    with pytest.raises(UndefinedValueError) as missing:
        look_up({"metrics": {"f1": 0.5}}, path, "the report")
    assert "the report has nothing at" in str(missing.value)
    assert said in str(missing.value)


def test_expressions_are_resolved_wherever_they_stand() -> None:
    scope = Scope({"Least": 0.75, "On": True, "Count": 2}, {"Evaluate/Report": {"auc": [0.8]}})
    file = {"Get": "Steps.Evaluate.PropertyFiles.Report"}
    node = {
        "Plain": ["a", 1],
        "Typed": {"Get": "Parameters.Count"},
        "Text": {
            "Std:Join": {
                "On": "/",
                "Values": [
                    "s3:/",
                    {"Get": "Execution.PipelineExecutionId"},
                    {"Get": "Parameters.Least"},
                    {"Get": "Parameters.On"},
                    {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Count"}, "x"]}},
                ],
            }
        },
        "Url": {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"},
        "Metric": {"Std:JsonGet": {"PropertyFile": file, "Path": "auc[0]"}},
    }
    assert resolve(node, scope) == {
        "Plain": ["a", 1],
        "Typed": 2,
        "Text": "s3://abc/0.75/true/2x",
        "Url": "s3://b/train",
        "Metric": 0.8,
    }
    kinds = [(each.kind, each.name) for each in references(node)]
    assert ("PropertyFiles", "Evaluate") in kinds
    assert ("Steps", "Prepare") in kinds


def test_json_get_reads_a_document_by_its_address() -> None:
    scope = Scope({"Name": "auc"}, {"s3://b/e.json": {"m": {"auc": 1}}})
    path = {"Std:Join": {"On": ".", "Values": ["m", {"Get": "Parameters.Name"}]}}
    address = {"Std:Join": {"On": "/", "Values": ["s3://b", "e.json"]}}
    assert resolve({"Std:JsonGet": {"S3Uri": address, "Path": path}}, scope) == 1


@pytest.mark.parametrize(
    ("kind", "left", "right", "outcome"),
    [
        ("GreaterThanOrEqualTo", 0.75, 0.75, True),
        ("GreaterThan", 1, 1, False),
        ("LessThan", 1, 1.5, True),
        ("LessThanOrEqualTo", 2, 1.5, False),
        ("Equals", "a", "a", True),
        ("Equals", True, False, False),
        ("LessThan", "a", "b", True),
    ],
)
def test_comparisons(kind: str, left: Any, right: Any, outcome: bool) -> None:
    assert evaluate({"Type": kind, "LeftValue": left, "RightValue": right}) is outcome


def test_conditions_of_conditions() -> None:
    one = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    two = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}
    assert evaluate({"Type": "Or", "Conditions": [two, one]})
    assert not evaluate({"Type": "Or", "Conditions": [two]})
    assert evaluate({"Type": "Not", "Expression": two})
    assert evaluate({"Type": "In", "QueryValue": "b", "Values": ["a", "b"]})
    assert not evaluate({"Type": "In", "QueryValue": 1, "Values": [True, "1"]})


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [("Equals", 1, "1"), ("GreaterThan", 0.8, "0.7"), ("LessThan", True, False)],
)
def test_what_cannot_be_compared_is_an_error(kind: str, left: Any, right: Any) -> None:
    with pytest.raises(UndefinedValueError, match=f"{kind} cannot compare"):
        evaluate({"Type": kind, "LeftValue": left, "RightValue": right})


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("x", "is an object"),
        ({"Type": "Like"}, "given 'Like', allowed are Equals"),
        ({"Type": "Equals", "LeftValue": 1}, "RightValue is missing"),
        ({"Type": "Equals", "LeftValue": 1, "RightValue": [1]}, "compares strings, numbers"),
        ({"Type": "Equals", "LeftValue": 1, "RightValue": 1, "X": 1}, "unknown property 'X'"),
        ({"Type": "Or", "Conditions": []}, "list of at least one item"),
        ({"Type": "Not", "Expression": {"Type": "Equals"}}, "Expression.LeftValue is missing"),
        ({"Type": "In", "QueryValue": {}, "Values": [1]}, "compares strings"),
    ],
)
def test_the_form_of_a_condition(condition: Any, said: str) -> None:
    assert said in " ".join(condition_problems(condition, "Conditions[0]"))


DECLARED = {
    each.name: each
    for each in (
        Parameter("Url", "String"),
        Parameter("Count", "Integer", 1),
        Parameter("Least", "Float", 0.75),
        Parameter("Fast", "Boolean", False),
        Parameter("Status", "String", "Approved", ("Approved", "Rejected")),
    )
}


def test_parameters_are_read_by_their_types() -> None:
    given = {"Url": "s3://b", "Count": "2", "Least": "0.5", "Fast": "true", "Status": "Rejected"}
    items = [{"Name": name, "Value": value} for name, value in given.items()]
    expected = {"Url": "s3://b", "Count": 2, "Least": 0.5, "Fast": True, "Status": "Rejected"}
    assert values(DECLARED, items) == expected
    only = values(DECLARED, items[:1])
    assert (only["Count"], only["Status"]) == (1, "Approved")


def test_everything_wrong_with_parameters_is_said_at_once() -> None:
    given = [
        {"Name": "Count", "Value": "2.5"},
        {"Name": "Fast", "Value": "yes"},
        {"Name": "Status", "Value": "Maybe"},
        {"Name": "Colour", "Value": "red"},
        {"Name": "Least", "Value": ""},
    ]
    with pytest.raises(ValueError) as refused:
        values(DECLARED, given)
    text = str(refused.value)
    assert "'Count' is of type Integer, given '2.5'" in text
    assert "'Fast' is of type Boolean, given 'yes'" in text
    assert "'Status': given 'Maybe', allowed are Approved, Rejected" in text
    assert "Unknown parameter 'Colour'; the pipeline has Url, Count" in text
    assert '[string "" is too short (length: 0, required minimum: 1)]' in text
    assert "'Url' is undefined" in text
