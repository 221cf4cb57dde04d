"""Image quality: how sharp, bright and rich in contrast an image is.

After "DetectLabels" in the Amazon Rekognition API reference, feature IMAGE_PROPERTIES, each
measure from 0 to 100. The policy judges what an image lacks, so that more is worse, as in every
analysis: "Blurred" is 100 less the sharpness, "Dark" 100 less the brightness, "Overexposed" the
brightness itself, "Flat" 100 less the contrast.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from image_analysis.analyses import Answer, Finding, Options, Response

OPERATION = "DetectLabels"
SHARED = "Features"
VERSION = 1

_MEASURES = ("Sharpness", "Brightness", "Contrast")


def requests(options: Options) -> list[dict[str, Any]]:
    """Return the call's arguments; there are no options."""
    return [{"Features": ["IMAGE_PROPERTIES"]}]


def parse(responses: Sequence[Response], options: Options) -> Answer:
    """Return the three measures of the image as a whole, and what it lacks with advice."""
    (response,) = responses
    properties: Mapping[str, Any] = response.get("ImageProperties") or {}
    quality: Mapping[str, Any] = properties.get("Quality") or {}
    known = {name: float(quality[name]) for name in _MEASURES if quality.get(name) is not None}
    fields = {
        "version": VERSION,
        **{name.lower(): known.get(name) for name in _MEASURES},
    }
    return Answer(fields, tuple(_findings(known)))


def _findings(known: Mapping[str, float]) -> list[Finding]:
    found: list[Finding] = []
    if "Sharpness" in known:
        sharpness = known["Sharpness"]
        advice = _advice("sharpness", sharpness, "a sharper picture")
        found.append(Finding("Blurred", 100 - sharpness, advice=advice))
    if "Brightness" in known:
        brightness = known["Brightness"]
        advice = _advice("brightness", brightness, "a brighter picture")
        found.append(Finding("Dark", 100 - brightness, advice=advice))
        advice = _advice("brightness", brightness, "a less bright picture")
        found.append(Finding("Overexposed", brightness, advice=advice))
    if "Contrast" in known:
        contrast = known["Contrast"]
        advice = _advice("contrast", contrast, "a picture with more contrast")
        found.append(Finding("Flat", 100 - contrast, advice=advice))
    return found


def _advice(measure: str, value: float, wanted: str) -> str:
    return f"the {measure} is {value:.0f} of 100: send {wanted}"
