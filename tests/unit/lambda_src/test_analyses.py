import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_analysis import analyses
from image_analysis.analyses import moderation
from image_analysis.detection import method_name
from tests.unit.lambda_src import world
from tests.unit.lambda_src.images import label
from tests.unit.lambda_src.images import moderation as response

KIND = {"Name": "Illustrated", "Confidence": 99.5}
FOLDER = Path(analyses.__file__).parent


@pytest.mark.parametrize("name", analyses.names())
def test_every_analysis_keeps_the_shape(name: str):
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    assert isinstance(constants["VERSION"], int)
    operation = world.model("rekognition").operation_model(constants["OPERATION"])
    assert "Image" in operation.input_shape.members
    assert constants.get("SHARED", "Image") in operation.input_shape.members


def test_loads_only_what_is_configured():
    (loaded,) = analyses.load({"moderation": {"minimum_confidence": 60}})
    (call,) = loaded.calls
    assert (loaded.name, call.operation, loaded.version) == (
        "moderation", "DetectModerationLabels", 2
    )  # fmt: skip
    assert (call.arguments, call.shared) == ({"MinConfidence": 60.0}, None)
    assert method_name(call.operation) == "detect_moderation_labels"


@pytest.mark.parametrize("name", ["faces2", "../x", "", "__init__.x"])
def test_an_unknown_analysis_names_those_there_are(name: str):
    with pytest.raises((ValueError, TypeError), match="there are celebrities, custom_labels"):
        analyses.load({name: {}})


def test_parses_labels_with_parents_and_level():
    seen = response(
        label("Explicit", 97.5),
        label("Nudity", 97.5, "Explicit", 2),
        label("Exposed", 96.25, "Nudity", 3),
    )
    answer = moderation.parse([{**seen, "ContentTypes": [KIND]}], {})
    assert answer.fields["model_version"] == "7.0" and answer.fields["version"] == 2
    assert answer.fields["content_types"] == [{"name": "Illustrated", "confidence": 99.5}]
    assert {each.label for each in answer.findings} == {"Explicit", "Nudity", "Exposed"}
    assert answer.fields["labels"][2] == {
        "name": "Exposed", "confidence": 96.25, "parent": "Nudity", "level": 3
    }  # fmt: skip
    assert answer.fields["labels"][0]["parent"] is None
    assert answer.findings[2].parents == ("Nudity", "Explicit")
    assert answer.findings[0].parents == ()


def test_a_parent_that_is_not_listed_still_counts():
    assert moderation.parse([response(label("B", 50, "A", 2))], {}).findings[0].parents == ("A",)


def test_an_empty_answer_has_no_findings():
    assert moderation.parse([{}], {}).findings == ()


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", *"abcd"]))))
def test_parents_never_go_round(pairs: list[tuple[str, str]]):
    labels: list[dict[str, Any]] = [label(name, 50, parent) for name, parent in pairs]
    for finding in moderation.parse([response(*labels)], {}).findings:
        assert len(set(finding.parents)) == len(finding.parents)
        assert finding.label not in finding.parents
