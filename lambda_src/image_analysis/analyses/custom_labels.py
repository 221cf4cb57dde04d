"""Custom Labels: what models of one's own see.

After "DetectCustomLabels" in the Amazon Rekognition API reference: one call for each model,
which must be running.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from image_analysis.analyses import Answer, Finding, Options, Response
from shared.places import box

OPERATION = "DetectCustomLabels"
RESOURCES = "models"
VERSION = 1
NOTHING, UNSURE = "Nothing found", "Unsure"


def requests(options: Options) -> list[dict[str, Any]]:
    """Return the arguments of each model's call; options: models (names, in whose place the call
    gets the live version's ARN, or ARNs of project versions), minimum_confidence (0 to 100),
    maximum (labels of one model)."""
    return [
        {
            "ProjectVersionArn": model,
            "MinConfidence": float(options["minimum_confidence"]),
            "MaxResults": int(options["maximum"]),
        }
        for model in options["models"]
    ]


def parse(responses: Sequence[Response], options: Options) -> Answer:
    """Return each model's labels. The policy judges them by name, or all of a model's by its
    name, which for a model given by its ARN is that of its project."""
    models = list(zip(options["models"], responses, strict=True))
    fields = {"version": VERSION, "models": [_model(*each) for each in models]}
    findings = (
        Finding(label["Name"], float(label["Confidence"]), (name_of(model),))
        for model, response in models
        for label in _labels(response)
    )
    return Answer(fields, (*findings, *_doubts(responses, options)))


def name_of(model: str) -> str:
    """Return a model's name: the one in the configuration, or the project's in the ARN of one of
    its versions, `arn:…:project/<project>/version/<version>/<time>`."""
    return model.split("/")[1] if model.startswith("arn:") else model


def _model(model: str, response: Response) -> dict[str, Any]:
    labels = [_label(each) for each in _labels(response)]
    # The version that looked: a name alone would not tell.
    return {"model": response.get("ProjectVersionArn", model), "labels": labels}


def _doubts(responses: Sequence[Response], options: Options) -> list[Finding]:
    """Return what makes an image doubtful as a whole, if the option sure_confidence (0 to 100) is
    given: that nothing was found, or how many in a hundred labels lie below it."""
    if options.get("sure_confidence") is None:
        return []
    sure = float(options["sure_confidence"])
    found = [float(each["Confidence"]) for response in responses for each in _labels(response)]
    if not found:
        return [Finding(NOTHING, 100.0, advice="nothing was found: is it the right picture?")]
    unsure = sum(each < sure for each in found)
    advice = f"{unsure} of {len(found)} are unsure: send a clearer picture"
    return [Finding(UNSURE, 100.0 * unsure / len(found), advice=advice)]


def _labels(response: Response) -> list[Mapping[str, Any]]:
    return response.get("CustomLabels") or []


def _label(label: Mapping[str, Any]) -> dict[str, Any]:
    geometry: Mapping[str, Any] = label.get("Geometry") or {}
    return {
        "name": label["Name"],
        "confidence": label["Confidence"],
        "box": box(geometry.get("BoundingBox")),
    }
