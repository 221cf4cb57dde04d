"""Starting a pipeline: once for many files, once for many events, and never for nonsense."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from pipeline_start import handler as start_handler
from pipeline_start import settings as start_settings
from pipeline_start.handler import Starter
from pipeline_start.schedules import Schedules
from pipeline_start.settings import Misconfigured, Settings

from shared import batch
from shared.clock import Clock
from shared.logs import Log
from tests.unit.lambda_src.images import body
from tests.unit.lambda_src.test_batch import failed, sqs
from tests.unit.lambda_src.world import check, error, model

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC).timestamp()
HOUR = 3600
DAY = 86_400
EVENT = {"source": "sagelens.drift", "detail-type": "Retraining Requested", "model": "churn"}
START: dict[str, Any] = {
    "mode": "data",
    "seconds": HOUR,
    "pipeline": "sagelens-dev-churn",
    "schedule": "sagelens-dev-churn-data",
    "group": "training",
    "role": "arn:aws:iam::111122223333:role/sagelens/start",
    "key": "arn:aws:kms:eu-west-1:111122223333:key/1",
    "dead_letters": "arn:aws:sqs:eu-west-1:111122223333:dead",
    "target": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
    "event": {},
}
EVERY_WEEK = {
    "mode": "event",
    "seconds": 7 * DAY,
    "schedule": "sagelens-dev-churn-drift",
    "event": EVENT,
}


def variables(**changes: Any) -> dict[str, str]:
    return {
        "ENVIRONMENT": "dev",
        "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/starts",
        "START": json.dumps(START | changes),
    }


@dataclass
class Scheduler:
    """EventBridge Scheduler in memory. Each call is checked against its service model."""

    now: Callable[[], float]
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fault: Exception | None = None

    def create_schedule(self, **call: Any) -> dict[str, Any]:
        self._accept("CreateSchedule", call)
        if call["Name"] in self.schedules:
            raise error("ConflictException", "CreateSchedule", 409)
        self.schedules[call["Name"]] = call
        return {"ScheduleArn": "arn"}

    def update_schedule(self, **call: Any) -> dict[str, Any]:
        self._accept("UpdateSchedule", call)
        assert call["Name"] in self.schedules
        self.schedules[call["Name"]] = call
        return {"ScheduleArn": "arn"}

    def get_schedule(self, **call: Any) -> dict[str, Any]:
        self._accept("GetSchedule", call)
        if call["Name"] not in self.schedules:
            raise error("ResourceNotFoundException", "GetSchedule", 404)
        return self.schedules[call["Name"]]

    def _accept(self, operation: str, call: dict[str, Any]) -> None:
        self.calls.append(operation)
        if self.fault:
            raise self.fault
        shape = model("scheduler").operation_model(operation).input_shape
        check(shape, call)
        for name, value in call.items():
            limits = shape.members[name].metadata
            if isinstance(value, str) and "pattern" in limits:
                assert re.search(limits["pattern"], value), (name, value)
            if isinstance(value, str) and "max" in limits:
                assert len(value) <= limits["max"], (name, value)
        if operation != "GetSchedule":
            # EventBridge Scheduler refuses a time that is past.
            assert moment(call) > self.now()
            start = json.loads(call["Target"]["Input"])
            shape = model("sagemaker").operation_model("StartPipelineExecution").input_shape
            check(shape, start)
            limits = shape.members["ClientRequestToken"].metadata
            assert limits["min"] <= len(start["ClientRequestToken"]) <= limits["max"]


def moment(schedule: dict[str, Any]) -> float:
    """When a schedule fires."""
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    (stamp,) = re.fullmatch(r"at\((.+)\)", schedule["ScheduleExpression"]).groups()  # type: ignore[union-attr]
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()


@dataclass
class Place:
    """A function, its scheduler and its queue, at a time that is set by hand."""

    changes: dict[str, Any] = field(default_factory=dict)
    now: float = TEN
    hidden: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(lambda: self.now)
        self.settings = start_settings.read(variables(**self.changes))
        self.new_environment()

    def new_environment(self) -> None:
        """Another execution environment takes over: it remembers nothing."""
        clock = Clock(time=lambda: self.now)
        self.schedules = Schedules(self.scheduler, self.settings, clock)

    def run(self, *bodies: str) -> list[str]:
        starter = Starter(self.settings, self.schedules, self, Log("dev"))
        return failed(batch.run(sqs(*bodies), starter.process))

    def change_message_visibility(self, **call: Any) -> None:
        check(model("sqs").operation_model("ChangeMessageVisibility").input_shape, call)
        self.hidden.append(call)


@pytest.fixture
def data() -> Place:
    return Place()


@pytest.fixture
def drift() -> Place:
    return Place(EVERY_WEEK)


def file(key: str = "churn/customers/a.csv") -> str:
    return body(key)


def request(**changes: Any) -> str:
    told = {"source": EVENT["source"], "detail-type": EVENT["detail-type"], **changes}
    return json.dumps({"detail": {"model": "churn"}, **told})


# New data


def test_many_files_of_an_interval_make_one_run_at_its_end(data: Place):
    for _ in range(3):
        assert data.run(*[file(f"churn/customers/{n}.csv") for n in range(10)]) == []
        data.new_environment()
    (schedule,) = data.scheduler.schedules.values()
    number = int(TEN) // HOUR
    assert schedule["Name"] == f"sagelens-dev-churn-data-{number}"
    assert moment(schedule) == (number + 1) * HOUR + 60
    assert schedule["ActionAfterCompletion"] == "DELETE"


def test_an_environment_asks_once_an_interval(data: Place):
    for _ in range(50):
        data.run(file())
    assert data.scheduler.calls == ["CreateSchedule"]
    data.now += HOUR
    data.run(file())
    assert data.scheduler.calls == ["CreateSchedule"] * 2


def test_a_run_comes_after_each_file_of_its_interval_wherever_it_falls(data: Place):
    for second in (0, 0.4, 1, 1799, 3539, 3599, 3599.999):
        place = Place(now=TEN + second)
        assert place.run(file()) == []
        (schedule,) = place.scheduler.schedules.values()
        assert place.now + 60 <= moment(schedule) <= place.now + HOUR + 61


def test_the_next_interval_makes_a_run_of_its_own(data: Place):
    data.run(file())
    data.now += HOUR
    data.run(file())
    first, second = data.scheduler.schedules.values()
    assert moment(second) - moment(first) == HOUR


def test_a_late_event_counts_for_the_present_interval(data: Place):
    data.now += 5 * HOUR
    assert data.run(file()) == []
    (schedule,) = data.scheduler.schedules.values()
    assert moment(schedule) > data.now


def test_a_folder_that_was_made_by_hand_is_no_data(data: Place):
    assert data.run(file("churn/customers/2026/")) == []
    assert data.scheduler.calls == []


def test_the_schedule_starts_this_pipeline_once_and_keeps_what_failed(data: Place):
    data.run(file())
    (schedule,) = data.scheduler.schedules.values()
    target = schedule["Target"]
    assert (target["Arn"], target["RoleArn"]) == (START["target"], START["role"])
    assert target["DeadLetterConfig"] == {"Arn": START["dead_letters"]}
    assert schedule["KmsKeyArn"] == START["key"]
    start = json.loads(target["Input"])
    assert start["PipelineName"] == "sagelens-dev-churn"
    again = Place()
    again.run(file("churn/customers/other.csv"))
    (same,) = again.scheduler.schedules.values()
    assert json.loads(same["Target"]["Input"])["ClientRequestToken"] == start["ClientRequestToken"]


def test_what_a_schedule_could_not_start_is_started_in_the_next_interval(data: Place):
    data.run(file())
    (schedule,) = data.scheduler.schedules.values()
    data.scheduler.schedules.clear()  # it has fired, in vain
    data.now += 3 * DAY
    assert data.run(schedule["Target"]["Input"]) == []
    (second,) = data.scheduler.schedules.values()
    assert moment(second) > data.now
    tokens = {
        json.loads(one["Target"]["Input"])["ClientRequestToken"] for one in (schedule, second)
    }
    assert len(tokens) == 2


# Events


def test_the_first_event_starts_at_once_and_others_do_not_for_a_period(drift: Place):
    assert drift.run(request()) == []
    first = dict(drift.scheduler.schedules)
    (schedule,) = first.values()
    assert schedule["Name"] == "sagelens-dev-churn-drift"
    assert moment(schedule) == TEN + 60
    assert schedule["ActionAfterCompletion"] == "NONE"
    for days in (0, 1, 6.9):
        drift.now = TEN + days * DAY
        drift.new_environment()
        assert drift.run(request(), request()) == []
        assert drift.scheduler.schedules == first


def test_after_the_period_an_event_starts_again(drift: Place):
    drift.run(request())
    drift.now += 7 * DAY + 60
    assert drift.run(request(), request()) == []
    (schedule,) = drift.scheduler.schedules.values()
    assert moment(schedule) == drift.now + 60
    assert drift.scheduler.calls.count("UpdateSchedule") >= 1


def test_two_functions_at_once_start_one_run(drift: Place):
    """The other one creates the schedule between our look and our own creation."""
    ours, theirs = drift.scheduler.get_schedule, Place(EVERY_WEEK)

    def late(**call: Any) -> dict[str, Any]:
        try:
            return ours(**call)
        finally:
            theirs.scheduler.schedules = drift.scheduler.schedules
            theirs.run(request())

    drift.scheduler.get_schedule = late  # type: ignore[method-assign]
    assert drift.run(request()) == []
    assert len(drift.scheduler.schedules) == 1


def test_a_start_that_failed_is_tried_again_within_the_period(drift: Place):
    drift.run(request())
    (schedule,) = drift.scheduler.schedules.values()
    drift.now += DAY
    assert drift.run(schedule["Target"]["Input"]) == []
    (again,) = drift.scheduler.schedules.values()
    assert moment(again) == drift.now + 60
    assert drift.run(again["Target"]["Input"]) == []
    assert drift.scheduler.calls.count("UpdateSchedule") == 1


def test_a_schedule_of_someone_else_is_not_touched(drift: Place, capsys: Any):
    drift.scheduler.schedules["sagelens-dev-churn-drift"] = {"ScheduleExpression": "rate(1 day)"}
    assert drift.run(request()) == ["m0"]
    assert "none of ours" in capsys.readouterr().out
    assert "UpdateSchedule" not in drift.scheduler.calls


# What goes wrong


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("data", "not json"),
        ("data", "[]"),
        ("data", "{}"),
        ("data", "[" * 100_000),
        ("data", request()),
        ("data", json.dumps({"PipelineName": "another", "ClientRequestToken": "x"})),
        ("event", file()),
        ("event", "1"),
        ("event", request(source="someone")),
        ("event", request(detail={"model": "other"})),
        ("event", request(detail="churn")),
    ],
    ids=lambda value: value[:20],
)
def test_malformed_messages_come_back_at_once_until_they_are_set_aside(
    mode: str, text: str, capsys: Any
):
    place = Place({} if mode == "data" else EVERY_WEEK)
    right = file() if mode == "data" else request()
    assert place.run(right, text, right) == ["m1"]
    assert [call["VisibilityTimeout"] for call in place.hidden] == [0]
    assert len(place.scheduler.schedules) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(line.get("StartsMalformed", 0) for line in lines) == 1


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_a_fault_of_the_service_brings_the_message_back(data: Place, code: str, capsys: Any):
    data.scheduler.fault = error(code, "CreateSchedule")
    assert data.run(file()) == ["m0"]
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["level"], line["StartsFailed"], line["error"]) == ("ERROR", 1, code)
    data.scheduler.fault = None
    assert data.run(file()) == []
    assert len(data.scheduler.schedules) == 1


def test_outcomes_are_counted(data: Place, capsys: Any):
    data.run(file())
    data.run(file())
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["RunsScheduled"], first["Environment"]) == (1, "dev")
    assert second["StartsRepeated"] == 1


# Settings and the handler


@pytest.mark.parametrize("missing", ["ENVIRONMENT", "QUEUE_URL", "START"])
def test_a_missing_variable_is_named(missing: str):
    with pytest.raises(Misconfigured, match=missing):
        start_settings.read({**variables(), missing: ""})


@pytest.mark.parametrize("start", ["{", "[]", "{}", '{"pace": 1}'])
def test_a_wrong_start_is_named(start: str):
    with pytest.raises(Misconfigured, match="START"):
        start_settings.read({**variables(), "START": start})


def test_the_handler_joins_the_parts(data: Place, monkeypatch: pytest.MonkeyPatch):
    for name, value in variables().items():
        monkeypatch.setenv(name, value)

    class Context:
        aws_request_id = "request-1"

    start_settings.current.cache_clear()
    start_handler._schedules.cache_clear()
    monkeypatch.setattr(start_handler, "SCHEDULER", data.scheduler)
    monkeypatch.setattr(start_handler, "SQS", data)
    data.now = 0
    assert start_handler.handler(sqs(file(), "x"), Context()) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }
    assert len(data.scheduler.schedules) == 1
    assert start_handler._schedules() is start_handler._schedules()
    start_settings.current.cache_clear()
    start_handler._schedules.cache_clear()


def test_settings_are_those_of_the_construct():
    assert set(START) | {"environment", "queue_url"} == set(Settings.__dataclass_fields__)
