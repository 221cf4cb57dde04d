import threading
from collections.abc import Sequence
from typing import Any

import pytest

from image_analysis.analyses import Analysis, Answer, Call, Response
from image_analysis.detection import Detector
from image_analysis.pacing import Pacer
from shared import errors
from shared.clock import Clock
from shared.errors import ModelNotRunning, Unusable
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
    def parse(responses: Sequence[Response]) -> Answer:
        (response,) = responses
        return Answer({"said": response["said"], "asked": response["Image"]}, ())

    used = [name for name, _ in zip(OPERATIONS, answers, strict=False)]
    chosen = tuple(Analysis(name.lower(), 1, (Call(name, {}),), parse) for name in used)
    pacers = {name: Pacer(1000, Clock()) for name in used}
    return Detector(Rekognition(**answers), chosen, pacers)


def test_analyses_run_side_by_side_and_keep_their_names():
    found = detector(detect_labels="L", detect_faces="F", detect_text="T")
    answers = found.detect(VERSION, lambda: 60).answers
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
    detection = found.detect(VERSION, lambda: 60)
    assert isinstance(detection.failure, (Unusable, type(error("", ""))))
    assert raised in str(detection.failure)
    assert list(detection.answers) == ["detectlabels"]


def test_what_is_known_already_is_not_asked_for_again():
    found = detector(detect_labels=error("ThrottlingException", "L"), detect_faces="F")
    first = found.detect(VERSION, lambda: 60)
    assert list(first.answers) == ["detectfaces"] and first.failure
    again = detector(detect_labels="L", detect_faces="other")
    again.rekognition.meet = threading.Barrier(1)
    second = again.detect(VERSION, lambda: 60, first.answers)
    assert second.failure is None
    said = {name: each.fields["said"] for name, each in second.answers.items()}
    assert said == {"detectlabels": "L", "detectfaces": "F"}


def test_an_answer_that_cannot_be_read_is_a_failure_of_its_analysis_alone():
    found = detector(detect_labels="L", detect_faces="F")

    def broken(responses: Sequence[Response]) -> Answer:
        raise KeyError("Confidence")

    one, other = found.analyses
    analyses = (Analysis(one.name, 1, one.calls, broken), other)
    detection = Detector(found.rekognition, analyses, found.pacers).detect(VERSION, lambda: 60)
    assert isinstance(detection.failure, KeyError)
    assert list(detection.answers) == ["detectfaces"]


@pytest.mark.parametrize(
    ("others", "kind"),
    [("F", "permanent"), (error("InvalidParameterException", "F"), "unusable")],
)
def test_refused_arguments_are_not_the_images_fault(others: Any, kind: str):
    found = detector(detect_labels=error("InvalidParameterException", "L"), detect_faces=others)
    failure = found.detect(VERSION, lambda: 60).failure
    assert failure and errors.kind_of(failure) == kind
    assert kind == "unusable" or str(failure).startswith("DetectLabels refuses its arguments")


def test_a_model_that_is_not_running_is_named():
    found = detector(detect_labels=error("ResourceNotReadyException", "DetectCustomLabels"))
    model = "arn:aws:rekognition:eu-west-1:111122223333:project/shelf/version/v1/17"
    (one,) = found.analyses
    analyses = (
        Analysis(one.name, 1, (Call("DetectLabels", {"ProjectVersionArn": model}),), one.parse),
    )
    failure = (
        Detector(found.rekognition, analyses, found.pacers).detect(VERSION, lambda: 60).failure
    )
    assert isinstance(failure, ModelNotRunning)
    assert str(failure) == "model_not_running: the Custom Labels model shelf/v1 is not running"


def test_one_analysis_is_one_straight_call():
    before = threading.active_count()
    assert detector(detect_labels="L").detect(VERSION, lambda: 60).answers
    assert threading.active_count() <= before
