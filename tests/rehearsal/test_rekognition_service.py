"""The Rekognition of the embedded AWS: the real API's rules around scripted answers."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

from rehearsal.answers import AnswerBook, check_answers, digest, read_answers
from rehearsal.controls import Controls, TokenBucket
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal
from rehearsal.service_model import service_model

MODERATION = {
    "ModerationLabels": [
        {"Name": "Violence", "ParentName": "", "Confidence": 91.5, "TaxonomyLevel": 1},
        {"Name": "Weapons", "ParentName": "Violence", "Confidence": 91.5, "TaxonomyLevel": 2},
        {"Name": "Smoking", "ParentName": "", "Confidence": 55.0, "TaxonomyLevel": 1},
    ],
    "ModerationModelVersion": "7.0",
    "ContentTypes": [],
}
LABELS = {
    "Labels": [
        {"Name": "Dog", "Confidence": 98.0, "Instances": [], "Parents": [{"Name": "Animal"}]},
        {"Name": "Sofa", "Confidence": 70.0, "Instances": [], "Parents": []},
        {"Name": "Animal", "Confidence": 98.0, "Instances": [], "Parents": []},
        {"Name": "Lamp", "Confidence": 40.0, "Instances": [], "Parents": []},
    ],
    "LabelModelVersion": "3.0",
}
ONCE = Config(retries={"total_max_attempts": 1})
Make = Callable[..., Any]


@pytest.fixture
def client(engine: Rehearsal) -> Any:
    return engine.client("rekognition", config=ONCE)


def failure(call: Callable[..., Any], **arguments: Any) -> tuple[str, str, int]:
    """Code, text and HTTP status of the error that a call ends with."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def names(answer: dict[str, Any], key: str = "ModerationLabels") -> list[str]:
    return [item["Name"] for item in answer[key]]


def test_scripted_answer_is_filtered_as_asked(
    engine: Rehearsal, client: Any, picture: Make
) -> None:
    image = picture(1)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION, "DetectLabels": LABELS})
    detect = client.detect_moderation_labels
    given = {"Image": {"Bytes": image}}
    assert names(detect(**given)) == ["Violence", "Weapons", "Smoking"]  # 50 is the default
    assert names(detect(**given, MinConfidence=60)) == ["Violence", "Weapons"]
    assert names(detect(**given, MinConfidence=95)) == []
    assert detect(**given)["ModerationModelVersion"] == "7.0"
    labels = client.detect_labels
    assert names(labels(**given), "Labels") == ["Dog", "Sofa", "Animal"]  # 55 is the default
    assert names(labels(**given, MaxLabels=2), "Labels") == ["Dog", "Animal"]
    assert names(labels(**given, MinConfidence=0), "Labels") == ["Dog", "Sofa", "Animal", "Lamp"]


@pytest.mark.parametrize(
    ("operation", "method", "answer"),
    [
        ("DetectFaces", "detect_faces", {"FaceDetails": []}),
        ("DetectText", "detect_text", {"TextDetections": [], "TextModelVersion": "3.0"}),
        ("RecognizeCelebrities", "recognize_celebrities", {"CelebrityFaces": []}),
        (
            "DetectProtectiveEquipment",
            "detect_protective_equipment",
            {"ProtectiveEquipmentModelVersion": "1.0", "Persons": []},
        ),
    ],
)
def test_every_operation_on_an_image_works_alike(
    engine: Rehearsal, client: Any, picture: Make, operation: str, method: str, answer: Any
) -> None:
    image = picture(2)
    engine.rekognition.script(image, {operation: answer})
    found = getattr(client, method)(Image={"Bytes": image})
    assert {key: found[key] for key in answer} == answer


def test_custom_labels_and_two_images(engine: Rehearsal, client: Any, picture: Make) -> None:
    image, other = picture(3), picture(4)
    model = "arn:aws:rekognition:us-east-1:000000000000:project/p/version/v/1"
    found = [{"Name": n, "Confidence": c} for n, c in (("a", 60.0), ("b", 90.0), ("c", 70.0))]
    engine.rekognition.script(image, {"DetectCustomLabels": {"CustomLabels": found}})
    answer = client.detect_custom_labels(
        Image={"Bytes": image}, ProjectVersionArn=model, MaxResults=2
    )
    assert names(answer, "CustomLabels") == ["b", "c"]
    pair = f"{digest(image)}+{digest(other)}"
    engine.rekognition.script_digest(pair, {"CompareFaces": {"FaceMatches": []}})
    compared = client.compare_faces(SourceImage={"Bytes": image}, TargetImage={"Bytes": other})
    assert compared["FaceMatches"] == []


def test_unscripted_image_is_refused_in_plain_words(client: Any, picture: Make) -> None:
    image = picture(5)
    code, text, status = failure(client.detect_moderation_labels, Image={"Bytes": image})
    assert (code, status) == ("UnscriptedImageException", 400)
    assert digest(image) in text
    assert ".rekognition.json" in text
    assert "never invents" in text


def test_operation_without_a_stand_in_says_so(client: Any) -> None:
    code, text, _ = failure(client.list_collections)
    assert code == "NotRehearsedException"
    assert "rekognition:ListCollections" in text


def test_answers_beside_samples_are_found_even_if_they_come_later(
    tmp_path: Path, picture: Make
) -> None:
    with Rehearsal.start(samples=[tmp_path]) as aws:
        detect = aws.client("rekognition").detect_moderation_labels
        image = picture(6)
        assert failure(detect, Image={"Bytes": image})[0] == "UnscriptedImageException"
        folder = tmp_path / "group"
        folder.mkdir()
        (folder / "one.jpg").write_bytes(image)
        script = folder / "one.jpg.rekognition.json"
        script.write_text(json.dumps({"DetectModerationLabels": MODERATION}))
        assert len(detect(Image={"Bytes": image})["ModerationLabels"]) == 3
        aws.reset()
        assert len(detect(Image={"Bytes": image})["ModerationLabels"]) == 3

        broken = folder / "two.jpg.rekognition.json"
        (folder / "two.jpg").write_bytes(picture(7))
        broken.write_text('{"DetectModerationLabels": {"Labels": []}}')
        code, text, _ = failure(detect, Image={"Bytes": picture(7)})
        assert code == "UnscriptedImageException"
        assert "two.jpg.rekognition.json: DetectModerationLabels.Labels: is not a member" in text
        assert str(broken) in aws.status()["unusable_answer_files"]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], "wanted an object of answers by operation"),
        ({"DetectAnything": {}}, "DetectAnything: rekognition has no such operation"),
        (
            {"DetectModerationLabels": {"ModerationLabels": [{"Name": "x", "Confidence": 101}]}},
            r"DetectModerationLabels.ModerationLabels\[0\].Confidence: given 101, wanted a value "
            "less than or equal to 100",
        ),
        (
            {"DetectModerationLabels": {"ModerationLabels": [{"Nam": "x"}]}},
            r"ModerationLabels\[0\].Nam: is not a member; allowed are Confidence, Name",
        ),
        ({"DetectFaces": {"FaceDetails": {}}}, "DetectFaces.FaceDetails: given {}, wanted a list"),
        ({"DetectFaces": {"OrientationCorrection": "ROTATE_45"}}, "allowed are ROTATE_0"),
    ],
)
def test_answer_that_rekognition_could_not_give(answers: Any, message: str) -> None:
    with pytest.raises(RehearsalError, match=message) as error:
        check_answers(answers, "place")
    assert str(error.value).startswith("place: ")


def test_answer_file_that_is_not_json(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg.rekognition.json"
    path.write_text("{")
    with pytest.raises(RehearsalError, match=r"a\.jpg\.rekognition\.json"):
        read_answers(path)


def test_answer_book_prefers_what_was_given(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "a.jpg.rekognition.json").write_text('{"DetectFaces": {"FaceDetails": []}}')
    (tmp_path / "lost.jpg.rekognition.json").write_text("{}")
    book = AnswerBook([tmp_path])
    assert book.find(digest(b"a"), "DetectFaces") == {"FaceDetails": []}
    assert book.find(digest(b"a"), "DetectText") is None
    assert [Path(name).name for name in book.errors] == ["lost.jpg.rekognition.json"]
    book.give(digest(b"a"), {"DetectFaces": {"OrientationCorrection": "ROTATE_0"}})
    assert book.find(digest(b"a"), "DetectFaces") == {"OrientationCorrection": "ROTATE_0"}
    book.clear()
    assert book.find(digest(b"a"), "DetectFaces") == {"FaceDetails": []}


# ---- what the service checks of an image ----


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"GIF89a" + bytes(100), "InvalidImageFormatException"),
        (b"not an image at all", "InvalidImageFormatException"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "InvalidImageFormatException"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "InvalidImageFormatException"),
        (b"x" * (5 * 1024 * 1024 + 1), "ImageTooLargeException"),
    ],
)
def test_image_that_is_none(client: Any, content: bytes, code: str) -> None:
    assert failure(client.detect_moderation_labels, Image={"Bytes": content})[0] == code


@pytest.mark.parametrize("format", ["GIF", "WEBP", "BMP", "TIFF"])
def test_other_formats_are_refused(client: Any, picture: Make, format: str) -> None:
    image = picture(1, format=format)
    code, *_ = failure(client.detect_moderation_labels, Image={"Bytes": image})
    assert code == "InvalidImageFormatException"


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((79, 200), "InvalidParameterException"),
        ((200, 79), "InvalidParameterException"),
        ((10_001, 80), "ImageTooLargeException"),
        ((80, 80), "UnscriptedImageException"),
        ((10_000, 80), "UnscriptedImageException"),
    ],
)
def test_size_in_pixels(client: Any, picture: Make, size: tuple[int, int], code: str) -> None:
    for format in ("JPEG", "PNG"):
        image = picture(1, size=size, format=format)
        assert failure(client.detect_moderation_labels, Image={"Bytes": image})[0] == code


def test_size_in_bytes_of_a_stored_image(engine: Rehearsal, client: Any, picture: Make) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="images")
    start = picture(1)
    for count, code in ((15_728_641, "ImageTooLargeException"), (15_728_640, None)):
        content = start + bytes(count - len(start))
        s3.put_object(Bucket="images", Key="k", Body=content)
        found = failure(
            client.detect_moderation_labels, Image={"S3Object": {"Bucket": "images", "Name": "k"}}
        )[0]
        assert found == (code or "UnscriptedImageException")


def test_input_is_checked_in_aws_words(client: Any, engine: Rehearsal, picture: Make) -> None:
    loose = engine.client("rekognition", config=Config(parameter_validation=False))
    code, text, status = failure(loose.detect_moderation_labels)
    assert (code, status) == ("ValidationException", 400)
    assert text == (
        "1 validation error detected: Value null at 'image' failed to satisfy constraint: "
        "Member must not be null"
    )
    image = {"Bytes": picture(1)}
    code, text, _ = failure(loose.detect_moderation_labels, Image=image, MinConfidence=101)
    assert code == "ValidationException"
    assert "Member must have value less than or equal to 100" in text
    code, *_ = failure(loose.detect_labels, Image=image, Features=["NOTHING"])
    assert code == "ValidationException"
    assert failure(loose.detect_labels, Image={})[0] == "InvalidParameterException"
    both = {**image, "S3Object": {"Bucket": "images", "Name": "n"}}
    assert failure(loose.detect_labels, Image=both)[0] == "InvalidParameterException"


# ---- whose permissions count ----


def test_object_is_read_with_the_callers_permissions(
    engine: Rehearsal, picture: Make, role_with: Make
) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="images")
    s3.put_bucket_versioning(Bucket="images", VersioningConfiguration={"Status": "Enabled"})
    image = picture(8)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION})
    version = s3.put_object(Bucket="images", Key="a b+ü.jpg", Body=image)["VersionId"]
    see = {"Effect": "Allow", "Action": "rekognition:DetectModerationLabels", "Resource": "*"}

    def of(name: str, *statements: dict[str, Any]) -> Callable[..., Any]:
        session = engine.session(role_with(engine, name, list(statements)))
        method: Callable[..., Any] = session.client("rekognition").detect_moderation_labels
        return method

    def read(*actions: str) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::images/*"}

    newest = {"Image": {"S3Object": {"Bucket": "images", "Name": "a b+ü.jpg"}}}
    pinned = {"Image": {"S3Object": {"Bucket": "images", "Name": "a b+ü.jpg", "Version": version}}}
    both = of("both", see, read("s3:GetObject", "s3:GetObjectVersion"))
    assert len(both(**newest)["ModerationLabels"]) == 3
    assert len(both(**pinned)["ModerationLabels"]) == 3
    assert failure(of("blind", see), **newest)[0] == "InvalidS3ObjectException"
    plain = of("plain", see, read("s3:GetObject"))
    assert len(plain(**newest)["ModerationLabels"]) == 3
    assert failure(plain, **pinned)[0] == "InvalidS3ObjectException"
    code, text, _ = failure(of("mute", read("s3:GetObject")), **newest)
    assert code == "AccessDeniedException"
    assert "rekognition:DetectModerationLabels" in text
    assert len(of("all", see, read("s3:*"))(**newest)["ModerationLabels"]) == 3


def test_bucket_policy_counts_too(engine: Rehearsal, picture: Make, role_with: Make) -> None:
    """A version that is tagged as quarantined cannot be looked at by whoever may not read it."""
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="images")
    image = picture(9)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION})
    s3.put_object(Bucket="images", Key="k", Body=image, Tagging="sagelens-quarantine=rejected")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": "arn:aws:s3:::images/*",
        "Condition": {"StringEquals": {"s3:ExistingObjectTag/sagelens-quarantine": "rejected"}},
    }
    anything = [{"Effect": "Allow", "Action": ["rekognition:*", "s3:*"], "Resource": "*"}]
    session = engine.session(role_with(engine, "r", anything))
    detect = session.client("rekognition").detect_moderation_labels
    given = {"Image": {"S3Object": {"Bucket": "images", "Name": "k"}}}
    assert detect(**given)["ModerationLabels"]
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    s3.put_bucket_policy(Bucket="images", Policy=json.dumps(policy))
    assert failure(detect, **given)[0] == "InvalidS3ObjectException"


def test_missing_object_and_other_region(engine: Rehearsal, picture: Make) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="images")
    image = picture(10)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION})
    s3.put_object(Bucket="images", Key="k", Body=image)
    near = engine.client("rekognition")
    far = engine.client("rekognition", region_name="eu-west-1")

    def at(bucket: str, key: str, **more: str) -> dict[str, Any]:
        return {"Image": {"S3Object": {"Bucket": bucket, "Name": key, **more}}}

    for client, given in (
        (near, at("images", "missing")),
        (near, at("nowhere", "k")),
        (near, at("images", "k", Version="odd")),
        (far, at("images", "k")),
    ):
        code, text, _ = failure(client.detect_moderation_labels, **given)
        assert code == "InvalidS3ObjectException"
        assert text.startswith("Unable to get object metadata from S3.")
    assert near.detect_moderation_labels(**at("images", "k"))["ModerationLabels"]


def test_arn_scoped_policy(engine: Rehearsal, picture: Make, role_with: Make) -> None:
    image = picture(11)
    engine.rekognition.script(image, {"DetectCustomLabels": {"CustomLabels": []}})
    arn = "arn:aws:rekognition:us-east-1:000000000000:project/p/version/v/1"
    allow = {"Effect": "Allow", "Action": "rekognition:DetectCustomLabels", "Resource": arn}
    session = engine.session(role_with(engine, "r", [allow]))
    detect = session.client("rekognition").detect_custom_labels
    assert detect(Image={"Bytes": image}, ProjectVersionArn=arn)["CustomLabels"] == []
    other = failure(detect, Image={"Bytes": image}, ProjectVersionArn=arn + "0")
    assert other[0] == "AccessDeniedException"


# ---- what can be done to it ----


def documented() -> list[tuple[str, int]]:
    return sorted(service_model("rekognition").errors("DetectModerationLabels").items())


@pytest.mark.parametrize(("error", "status"), documented())
def test_every_documented_error_is_reachable(
    engine: Rehearsal, client: Any, picture: Make, error: str, status: int
) -> None:
    image = picture(12)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION})
    engine.rekognition.fail("DetectModerationLabels", error, times=1)
    detect = client.detect_moderation_labels
    assert failure(detect, Image={"Bytes": image})[::2] == (error, status)
    assert detect(Image={"Bytes": image})["ModerationLabels"]


def test_errors_by_number_and_until_healed(engine: Rehearsal, client: Any, picture: Make) -> None:
    image = picture(13)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION})
    control, name = engine.rekognition, "DetectModerationLabels"
    control.fail(name, 500, times=2)
    control.fail(name, "ThrottlingException")
    codes = [failure(client.detect_moderation_labels, Image={"Bytes": image})[0] for _ in range(5)]
    assert codes == ["500", "500", *["ThrottlingException"] * 3]
    control.heal(name)
    assert client.detect_moderation_labels(Image={"Bytes": image})["ModerationLabels"]
    assert control.calls() == {name: {"HTTP 500": 2, "ThrottlingException": 3, "ok": 1}}
    control.clear()
    assert control.calls() == {}


def test_retries_of_an_ordinary_client_get_through(engine: Rehearsal, picture: Make) -> None:
    image = picture(14)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION})
    engine.rekognition.fail("DetectModerationLabels", "InternalServerError", times=2)
    answer = engine.client("rekognition").detect_moderation_labels(Image={"Bytes": image})
    assert answer["ModerationLabels"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.fail("DetectModerationLabels", "NoSuchError"), "allowed are AccessDenied"),
        (lambda r: r.fail("DetectModerationLabels", 404), "only 500, 502, 503, 504"),
        (lambda r: r.fail("Detect", "ThrottlingException"), "no operation 'Detect'"),
        (lambda r: r.fail("DetectLabels", 500, times=0), "whole number from 1"),
        (lambda r: r.quota("DetectLabels", 0), "more than 0 calls a second"),
        (lambda r: r.latency("DetectLabels", -1), "0 to 900"),
        (lambda r: r.script(b"x", {"DetectLabels": {"Nothing": 1}}), "is not a member"),
    ],
)
def test_control_refuses_nonsense(
    engine: Rehearsal, call: Callable[[Any], None], message: str
) -> None:
    with pytest.raises(RehearsalError, match=message):
        call(engine.rekognition)


def test_latency_holds_up_only_its_own_calls(
    engine: Rehearsal, client: Any, picture: Make, eventually: Make
) -> None:
    """Eight calls wait side by side, and another operation is answered meanwhile."""
    image = picture(15)
    engine.rekognition.script(image, {"DetectModerationLabels": MODERATION, "DetectLabels": LABELS})
    engine.rekognition.latency("DetectModerationLabels", 4)
    sent: list[int] = []
    before_send = "before-send.rekognition.DetectModerationLabels"
    client.meta.events.register(before_send, lambda **_: sent.append(1))
    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(client.detect_moderation_labels, Image={"Bytes": image}) for _ in range(8)
        ]
        eventually(lambda: len(sent) == 8, what="the eighth call")
        client.detect_labels(Image={"Bytes": image})
        assert not any(call.done() for call in calls)
        for call in calls:
            call.result()
    usage = engine.rekognition.usage()["DetectModerationLabels"]
    assert usage.last["ok"] - usage.first["ok"] < 4  # one after the other it would be 28


def test_quota_throttles_above_its_rate(engine: Rehearsal, client: Any, picture: Make) -> None:
    """One call in a hundred seconds: however slow the machine, the second comes too early."""
    image = {"Bytes": picture(16)}
    engine.rekognition.script(image["Bytes"], {"DetectModerationLabels": MODERATION})
    detect = client.detect_moderation_labels
    engine.rekognition.quota("DetectModerationLabels", 0.01)
    assert detect(Image=image)["ModerationLabels"]
    for _ in range(4):
        assert failure(detect, Image=image) == ("ThrottlingException", "Rate exceeded", 400)
    assert engine.rekognition.calls()["DetectModerationLabels"] == {"ok": 1, "throttled": 4}
    engine.rekognition.quota("DetectModerationLabels", None)
    assert detect(Image=image)["ModerationLabels"]
    usage = engine.rekognition.usage()["DetectModerationLabels"]
    assert usage.first["ok"] <= usage.last["ok"] <= time.time()
    assert usage.rate() > 0


def test_token_bucket_keeps_its_rate() -> None:
    now = [0.0]
    bucket = TokenBucket(5, clock=lambda: now[0])
    taken = 0
    for tick in range(1001):  # ten seconds at a hundred tries a second
        now[0] = tick / 100
        taken += bucket.take()
    assert taken == 5 + 50
    slow = TokenBucket(0.5, clock=lambda: now[0])
    assert [slow.take(), slow.take()] == [True, False]
    now[0] += 2
    assert slow.take()


def test_faults_come_in_their_order() -> None:
    controls = Controls()
    controls.fail("A", "X", 400, 1)
    controls.fail("A", "Y", 400, None)
    codes = [controls._next_fault("A") for _ in range(3)]
    assert [fault.code for fault in codes if fault] == ["X", "Y", "Y"]
    assert controls._next_fault("B") is None


def test_jpeg_with_several_pictures_is_a_jpeg(engine: Rehearsal, client: Any) -> None:
    """Phones write such files (MPO)."""
    content = io.BytesIO()
    Image.new("RGB", (100, 100)).save(
        content, "MPO", save_all=True, append_images=[Image.new("RGB", (100, 100), (1, 2, 3))]
    )
    engine.rekognition.script(content.getvalue(), {"DetectModerationLabels": MODERATION})
    answer = client.detect_moderation_labels(Image={"Bytes": content.getvalue()})
    assert len(answer["ModerationLabels"]) == 3
