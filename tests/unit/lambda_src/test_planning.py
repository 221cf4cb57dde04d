from typing import Any

from image_analysis import analyses, planning
from image_analysis.analyses import Call

LABELS = {"minimum_confidence": 70, "maximum": 10}
MODELS = [
    f"arn:aws:rekognition:eu-west-1:111122223333:project/{name}/version/v1/17"
    for name in ("shelf", "label")
]


def planned(**chosen: Any) -> planning.Plan:
    return planning.plan(analyses.load(chosen))


def test_labels_and_image_quality_share_one_call():
    plan = planned(labels=LABELS, image_quality={})
    assert plan.calls == (
        Call(
            "DetectLabels",
            {
                "Features": ["GENERAL_LABELS", "IMAGE_PROPERTIES"],
                "MaxLabels": 10,
                "MinConfidence": 70.0,
            },
            "Features",
        ),
    )
    assert plan.uses == {"labels": (0,), "image_quality": (0,)}


def test_either_alone_asks_for_its_own_feature_only():
    assert planned(labels=LABELS).calls[0].arguments["Features"] == ["GENERAL_LABELS"]
    assert planned(image_quality={}).calls[0].arguments == {"Features": ["IMAGE_PROPERTIES"]}


def test_each_model_has_a_call_of_its_own():
    plan = planned(custom_labels={"models": MODELS, "minimum_confidence": 50, "maximum": 9})
    assert [call.arguments["ProjectVersionArn"] for call in plan.calls] == MODELS
    assert plan.uses == {"custom_labels": (0, 1)}


def test_calls_that_contradict_each_other_stay_apart():
    def one(name: str, **arguments: Any) -> analyses.Analysis:
        call = Call("DetectLabels", arguments, "Features")
        return analyses.Analysis(name, 1, (call,), lambda responses: analyses.Answer({}, ()))

    few, many = one("a", Features=["X"], Most=1), one("b", Features=["Y"], Most=2)
    assert len(planning.plan([few, many]).calls) == 2
    deep = one("c", Features=["Y"], Settings={"Y": {"Most": 3}})
    other = one("d", Features=["Z"], Settings={"Z": {"Most": 4}})
    clash = one("e", Features=["Y"], Settings={"Y": {"Most": 5}})
    plan = planning.plan([deep, other, clash])
    assert [call.arguments for call in plan.calls] == [
        {"Features": ["Y", "Z"], "Settings": {"Y": {"Most": 3}, "Z": {"Most": 4}}},
        {"Features": ["Y"], "Settings": {"Y": {"Most": 5}}},
    ]
    assert plan.uses == {"c": (0,), "d": (0,), "e": (1,)}


def test_calls_that_name_no_shared_argument_are_never_joined():
    def one(name: str) -> analyses.Analysis:
        return analyses.Analysis(
            name, 1, (Call("DetectText", {}),), lambda responses: analyses.Answer({}, ())
        )

    assert len(planning.plan([one("a"), one("b")]).calls) == 2


def test_operations_are_named_once():
    loaded = analyses.load({"labels": LABELS, "image_quality": {}, "celebrities": {}})
    assert planning.operations(loaded) == ("RecognizeCelebrities", "DetectLabels")
