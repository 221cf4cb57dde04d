"""Images whose Custom Labels model does not run: kept in the models' table, never lost."""

from dataclasses import replace
from typing import Any

import pytest

from image_analysis import handler as image_handler
from image_analysis import settings as image_settings
from image_analysis.custom_models import NOTED_SECONDS, REMEMBERED_SECONDS
from shared.errors import ModelNotRunning
from shared.s3_events import ObjectVersion
from tests.unit.lambda_src import seen
from tests.unit.lambda_src.images import body
from tests.unit.lambda_src.model_world import QUEUE, ModelWorld, version
from tests.unit.lambda_src.test_batch import failed, sqs
from tests.unit.lambda_src.test_handler import Context, lines
from tests.unit.lambda_src.world import Killed, World, error, variables

OPERATION = "DetectCustomLabels"
SETTINGS: dict[str, Any] = {
    "analyses": {
        "custom_labels": {"models": ["shelf"], "minimum_confidence": 50, "maximum": 100},
        "moderation": {"minimum_confidence": 40},
    },
    "policy": {
        "custom_labels": {"*": {"accept": [0, 100]}, "shelf": {"review": [0, 100]}},
        "moderation": {"*": {"accept": [0, 100]}},
    },
    "pace": {"DetectModerationLabels": 100, OPERATION: 100},
    "retry": {"first": 5, "most": 300, "denied": 900},
}


class Vision:
    """The image function's world beside the models' table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
        given = variables({**SETTINGS, **changed}) | {"MODELS_TABLE": "models"}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        image_settings.current.cache_clear()
        self.world, self.models = World(), ModelWorld()
        settings = image_settings.read(given)
        flow = image_handler.make_flow(settings, self.world.clients, self.world.clock)
        own = replace(flow.detector.models, table=self.models.table)
        detector, reuse = (
            replace(flow.detector, models=own),
            replace(flow.reuse, are_live=own.are_live),
        )
        self.world.flow = replace(flow, detector=detector, reuse=reuse)
        monkeypatch.setattr(image_handler, "CLIENTS", self.world.clients)
        monkeypatch.setattr(image_handler, "_flow", lambda: self.world.flow)
        self.models.put("model#shelf", "state", live=version())

    def put(self, name: str = "v1") -> ObjectVersion:
        return self.world.put(version=name, sees={OPERATION: seen.CUSTOM})

    def stopped(self, times: int = 1) -> None:
        self.world.fail(OPERATION, "ResourceNotReadyException", times=times)

    def handle(self, *bodies: str) -> list[str]:
        return failed(image_handler.handler(sqs(*bodies or (body(),)), Context()))


@pytest.fixture
def vision(monkeypatch: pytest.MonkeyPatch) -> Any:
    yield Vision(monkeypatch)
    image_settings.current.cache_clear()


def test_a_name_stands_for_its_live_version_and_the_record_says_which(vision: Vision):
    image = vision.put()
    assert vision.handle() == []
    assert dict(vision.world.asked)[OPERATION]["ProjectVersionArn"] == version()
    record = vision.world.record(image)
    (model,) = record["analyses"]["custom_labels"]["models"]
    assert model["model"] == version()
    # The policy knows the model by its name.
    assert record["decision"] == "review"
    assert {each["rule"] for each in record["reasons"]} == {"shelf"}


def test_a_model_that_does_not_run_has_its_image_kept_and_the_message_is_done(
    vision: Vision, capsys: pytest.CaptureFixture[str]
):
    image = vision.put()
    vision.stopped()
    assert vision.handle() == []
    (item,) = vision.models.waiting()
    assert (item["body"], item["queue"], item["needs"]) == (body(), QUEUE, ["shelf"])
    assert vision.world.hidden == []  # it is not in the queue's retries
    (line,) = [each for each in lines(capsys) if "MessagesParked" in each]
    assert line["MessagesParked"] == 1 and "left_out" not in line
    # The answer of the other analysis is kept; what is sent back pays for the missing one only.
    assert vision.handle(item["body"]) == []
    assert vision.world.record(image)["decision"] == "review"
    assert vision.world.count()["DetectModerationLabels"] == 1


def test_a_model_that_was_never_trained_has_its_images_kept_without_a_call(vision: Vision):
    vision.models.items.clear()
    vision.put()
    assert vision.handle() == []
    assert len(vision.models.waiting()) == 1
    assert OPERATION not in vision.world.calls


def test_an_image_that_needs_two_models_waits_for_both(monkeypatch: pytest.MonkeyPatch):
    both = {"models": ["shelf", "label"], "minimum_confidence": 50, "maximum": 100}
    analyses = {**SETTINGS["analyses"], "custom_labels": both}
    vision = Vision(monkeypatch, analyses=analyses)
    vision.put()
    assert vision.handle() == []
    assert [each["needs"] for each in vision.models.waiting()] == [["shelf", "label"]]
    image_settings.current.cache_clear()


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_what_cannot_be_kept_stays_in_the_queue(vision: Vision, code: str):
    vision.put()
    vision.stopped()

    def strike(operation: str, when: str) -> None:
        if operation == "PutItem":
            raise error(code, operation)

    vision.models.strike = strike
    assert vision.handle() == ["m0"]
    assert len(vision.world.hidden) == 1 and vision.models.waiting() == []


def test_a_crash_around_the_keeping_loses_nothing(vision: Vision):
    """Killed before, the queue still has the message; killed after, both have it."""
    for when, kept in (("before", 0), ("after", 1)):
        vision.put()
        vision.stopped()

        def strike(operation: str, at: str, when: str = when) -> None:
            if (operation, at) == ("PutItem", when):
                raise Killed

        vision.models.strike = strike
        with pytest.raises(Killed):
            vision.handle()
        assert len(vision.models.waiting()) == kept


def test_a_live_version_is_remembered_for_a_while_and_then_asked_for_again(vision: Vision):
    for name in ("v1", "v2", "v3"):
        vision.put(name)
    vision.handle(body(version="v1", sequencer="01"), body(version="v2", sequencer="02"))
    assert vision.models.calls.count("GetItem") <= 2  # two threads may ask at once
    vision.models.put("model#shelf", "state", live=version("v9"))
    vision.world.now += REMEMBERED_SECONDS
    vision.handle(body(version="v3", sequencer="03"))
    assert vision.world.asked[-1][1].get("ProjectVersionArn", "") in (version("v9"), "")
    assert version("v9") in {each.get("ProjectVersionArn") for _, each in vision.world.asked}


def test_a_use_is_noted_once_in_a_while_and_never_at_the_price_of_the_answer(vision: Vision):
    first = vision.put("v1")
    assert vision.handle() == []
    assert vision.models.state()["used_at"] == int(vision.world.now)
    second = vision.put("v2")
    vision.handle(body(version="v2", sequencer="02"))
    assert vision.models.calls.count("UpdateItem") == 1
    vision.world.now += NOTED_SECONDS

    def strike(operation: str, when: str) -> None:
        if operation == "UpdateItem":
            raise error("AccessDeniedException", operation)

    vision.models.strike = strike
    third = vision.put("v3")
    assert vision.handle(body(version="v3", sequencer="03")) == []
    assert [vision.world.record(each)["status"] for each in (first, second, third)] == ["done"] * 3


def test_a_model_that_is_given_by_its_arn_waits_in_the_queue(monkeypatch: pytest.MonkeyPatch):
    by_arn = {"models": [seen.MODEL], "minimum_confidence": 50, "maximum": 100}
    vision = Vision(monkeypatch, analyses={**SETTINGS["analyses"], "custom_labels": by_arn})
    vision.put()
    vision.stopped()
    assert vision.handle() == ["m0"]
    assert vision.models.calls == [] and vision.world.hidden[0]["VisibilityTimeout"] == 900
    image_settings.current.cache_clear()


def test_answers_of_another_version_than_the_live_one_are_not_reused(vision: Vision):
    models = vision.world.flow.detector.models
    found = {"custom_labels": {"models": [{"model": version("v1"), "labels": []}]}, "text": {}}
    assert models.are_live(found) and vision.world.flow.reuse.are_live == models.are_live
    vision.models.put("model#shelf", "state", live=version("v2"))
    vision.world.now += REMEMBERED_SECONDS
    assert not models.are_live(found)
    vision.models.items.clear()
    vision.world.now += REMEMBERED_SECONDS
    assert not models.are_live(found)


def test_the_reason_names_the_model():
    assert "Custom Labels model shelf is not running" in str(ModelNotRunning("shelf"))
    assert "model shelf/v1 is not running" in str(ModelNotRunning(seen.MODEL))


def test_names_without_a_table_are_a_fault_of_the_set_up(monkeypatch: pytest.MonkeyPatch):
    vision = Vision(monkeypatch)
    none = replace(vision.world.flow.detector.models, table=None)
    detector = replace(vision.world.flow.detector, models=none)
    vision.world.flow = replace(vision.world.flow, detector=detector)
    vision.put()
    assert vision.handle() == ["m0"]
    assert vision.models.calls == []
