import threading
from collections.abc import Mapping
from typing import Any

import pytest

from image_analysis.analyses import Analysis, Answer
from image_analysis.detection import Detector
from image_analysis.errors import Unusable
from image_analysis.pacing import Pacer
from shared.clock import Clock
from shared.s3_events import ObjectVersion
from tests.unit.lambda_src.world import error

VERSION = ObjectVersion("images", "k", "v1", "01")
OPERATIONS = ("DetectLabels", "DetectFaces", "DetectText")


class Rekognition:
    """Answers each operation with what `answers` holds, or raises it."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.meet = threading.Barrier(len(answers), timeout=5)

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.meet.wait()
            if isinstance(self.answers[name], Exception):
                raise self.answers[name]
            return {"said": self.answers[name], **arguments}

        return call


def detector(**answers: Any) -> Detector:
    def parse(response: Mapping[str, Any]) -> Answer:
        return Answer({"said": response["said"], "asked": response["Image"]}, ())

    chosen = tuple(
        Analysis(name.lower(), name, 1, {}, parse)
        for name, _ in zip(OPERATIONS, answers, strict=False)
    )
    pacers = {each.operation: Pacer(1000, Clock()) for each in chosen}
    return Detector(Rekognition(**answers), chosen, pacers)


def test_analyses_run_side_by_side_and_keep_their_names():
    found = detector(detect_labels="L", detect_faces="F", detect_text="T")
    answers = found.detect(VERSION, lambda: 60)
    assert {name: each.fields["said"] for name, each in answers.items()} == {
        "detectlabels": "L", "detectfaces": "F", "detecttext": "T"
    }  # fmt: skip
    expected = {"S3Object": {"Bucket": "images", "Name": "k", "Version": "v1"}}
    assert answers["detecttext"].fields["asked"] == expected


@pytest.mark.parametrize(
    ("faces", "text", "raised"),
    [
        ("ThrottlingException", "AccessDeniedException", "AccessDeniedException"),
        ("AccessDeniedException", "InvalidImageFormatException", "unreadable"),
        ("ThrottlingException", "InvalidS3ObjectException", "InvalidS3ObjectException"),
        ("ThrottlingException", "ImageTooLargeException", "unreadable"),
    ],
)
def test_the_gravest_failure_is_reported(faces: str, text: str, raised: str):
    found = detector(
        detect_labels="fine", detect_faces=error(faces, "F"), detect_text=error(text, "T")
    )
    with pytest.raises((Unusable, type(error("", ""))), match=raised):
        found.detect(VERSION, lambda: 60)


def test_one_analysis_is_one_straight_call():
    before = threading.active_count()
    assert detector(detect_labels="L").detect(VERSION, lambda: 60)
    assert threading.active_count() <= before
