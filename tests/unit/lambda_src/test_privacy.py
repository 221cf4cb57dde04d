"""Nothing that was seen in a picture, and no key, gets into a log line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from image_analysis import handler as image_handler
from image_analysis import settings as image_settings
from shared import logs
from shared.logs import Log
from tests.unit.lambda_src import seen
from tests.unit.lambda_src.images import body, label
from tests.unit.lambda_src.test_all_analyses import settings
from tests.unit.lambda_src.test_batch import sqs
from tests.unit.lambda_src.test_handler import Context
from tests.unit.lambda_src.world import World, error, variables

KEY = "incoming/jane-doe.jpg"
# Words of every finding, of the key, and of texts that AWS's errors might repeat.
SEEN = (
    "jane-doe", "CALL", "555", "HAPPY", "CALM", "27", "Smile", "Eyes closed",
    "Female", "Car", "Vehicle", "Example Celebrity", "example.com", "gap", "untidy", "Weapons",
    "0.12346", "Illustrated",
)  # fmt: skip
REVIEW = {"*": {"accept": [0, 10], "review": [10, 100]}}
FAULTS = (
    "",
    "AccessDeniedException",
    "ThrottlingException",
    "ResourceNotReadyException",
    "InvalidImageFormatException",
    "InvalidS3ObjectException",
    "ValidationException",
)


def strict() -> dict[str, Any]:
    """Every finding of every analysis is a reason of the decision."""
    return settings(**dict.fromkeys(seen.OPTIONS, REVIEW))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Runs the handler on a picture in which everything is seen; returns all that was printed."""

    def run(fault: str, operation: str = "DetectText") -> str:
        world = World(strict())
        for name, value in variables(strict()).items():
            monkeypatch.setenv(name, value)
        image_settings.current.cache_clear()
        monkeypatch.setattr(image_handler, "CLIENTS", world.clients)
        monkeypatch.setattr(image_handler, "_flow", lambda: world.flow)
        world.put(key=KEY, sees=seen.SEEN, labels=(label("Weapons", 91),))
        if fault:

            def strike(number: int, when: str, called: str) -> None:
                if when == "before" and called == operation:
                    text = f"not authorized to s3:GetObject on arn:aws:s3:::images/{KEY}: CALL 555"
                    raise error(fault, operation, message=text)

            world.strike = strike
        image_handler.handler(sqs(body(key=KEY)), Context())
        streams = capsys.readouterr()
        return streams.out + streams.err

    yield run
    image_settings.current.cache_clear()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["DetectText", "DetectFaces", "UpdateItem", "GetObject"])
def test_no_log_of_a_run_tells_what_was_seen(logged: Any, fault: str, operation: str):
    text = logged(fault, operation)
    assert text.strip(), "nothing was logged, so nothing was checked"
    for line in text.splitlines():
        told = json.loads(line)
        del told["_aws"]
        for noise in ("object", "request_id", "message_id", "where", "ImageMilliseconds"):
            told.pop(noise, None)
        assert not [word for word in SEEN if word in json.dumps(told)], line


def test_the_run_did_find_all_of_it():
    world = World(strict())
    version = world.put(key=KEY, sees=seen.SEEN, labels=(label("Weapons", 91),))
    world.run(version)
    text = json.dumps(world.record(version), default=str)
    missing = [word for word in SEEN if word not in text and word not in ("Female", "Illustrated")]
    assert missing == []


def test_a_fault_while_reading_an_answer_tells_no_value(logged: Any, monkeypatch: Any):
    from image_analysis.analyses import text

    def broken(*_: Any) -> Any:
        raise ValueError("CALL 555 0100")

    monkeypatch.setattr(text, "parse", broken)
    assert "555" not in logged("")


def test_a_field_that_is_not_listed_is_left_out_and_named(capsys: pytest.CaptureFixture[str]):
    Log("dev", {"request_id": "r"}).bind(labels=["Car"]).info("x", decision="accept", words="CALL")
    (line,) = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert line == {
        "level": "INFO", "message": "x", "request_id": "r", "decision": "accept",
        "left_out": ["labels", "words"],
    }  # fmt: skip


def test_keys_are_left_out_unless_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    Log("dev").info("x", key="incoming/jane-doe.jpg", bucket="images")
    assert "jane-doe" not in capsys.readouterr().out
    monkeypatch.setenv("LOG_KEYS", "1")
    Log("dev").info("x", key="incoming/jane-doe.jpg")
    assert "jane-doe" in capsys.readouterr().out


def test_no_finding_has_a_field_of_its_own():
    findings = {"label", "labels", "text", "lines", "words", "faces", "reasons", "analyses", "name"}
    assert not findings & logs.FIELDS


def test_a_record_keeps_of_faces_what_it_may():
    for store, kept in (("nothing", {"version"}), ("counts", {"version", "count"})):
        chosen = settings()
        faces = {"faces": {"attributes": "default", "store": store}}
        chosen["analyses"] = {**seen.OPTIONS, **faces}
        world = World(chosen)
        version = world.put(sees=seen.SEEN)
        world.run(version)
        assert set(world.record(version)["analyses"]["faces"]) == kept
        assert "HAPPY" not in json.dumps(world.record(version), default=str)
