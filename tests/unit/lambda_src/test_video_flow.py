import json
from typing import Any

import pytest

from shared import events, results
from shared.errors import Transient
from shared.s3_events import Malformed
from tests.unit.lambda_src.cinema import Cinema, variables
from tests.unit.lambda_src.videos import moderation, mp4
from tests.unit.lambda_src.world import Killed
from video_analysis import handler, reading, settings
from video_analysis.analyses import Analysis
from video_analysis.flow import LEASE_SECONDS
from video_analysis.settings import Polling

BOTH = ["StartContentModeration", "StartTextDetection"]


@pytest.fixture
def cinema() -> Cinema:
    return Cinema()


def smoking(cinema: Cinema, sure: float = 95.0) -> None:
    cinema.pages["GetContentModeration"] = [moderation(("Smoking", sure, 2000, 4000))]


def test_a_video_from_event_to_announcement(cinema: Cinema):
    smoking(cinema, 70.0)
    version = cinema.film()
    came = cinema.play(version)
    record = cinema.video(version)
    assert (came.state["outcome"], record["kind"], record["decision"]) == (
        "analysed", "video", "review"
    )  # fmt: skip
    assert (record["review"], record["quarantined"], record["format"]) == ("waiting", False, "mp4")
    assert [piece["decision"] for piece in record["timeline"]] == ["accept", "review", "accept"]
    assert record["video"]["duration_ms"] == 10_000 and came.minutes == pytest.approx(1 / 3)
    ((place, document),) = cinema.kept.items()
    assert place == (record["results"]["bucket"], record["results"]["key"])
    assert place[1].startswith(results.folder_of(version.uri))
    assert document["analyses"]["moderation"]["details"][0]["name"] == "Smoking"
    assert [entry["DetailType"] for entry in cinema.bus] == ["Video Analysed"]
    events.validate(cinema.details()[0], "Video Analysed")
    assert cinema.current(version)["decision"] == "review"


def test_a_rejected_video_is_quarantined(cinema: Cinema):
    smoking(cinema)
    version = cinema.film()
    cinema.play(version)
    assert cinema.video(version)["quarantined"] is True
    assert cinema.objects[version.key, version.version_id].quarantined


def test_jobs_wait_for_their_turn_and_are_started_once(cinema: Cinema):
    cinema.at_once, cinema.runs = 1, 2
    version = cinema.film()
    assert cinema.play(version).state["outcome"] == "analysed"
    assert cinema.started() == BOTH
    # After a refusal the other jobs of the same look are not tried.
    assert cinema.count()["StartTextDetection"] <= cinema.count()["GetContentModeration"] + 1


def test_a_video_may_wait_for_days(cinema: Cinema):
    cinema.at_once = 0
    version = cinema.film()
    came = cinema.play(version, looks=0)
    while cinema.now < 1_800_000_000 + 3 * 86_400:
        cinema.now += max(1, came.state["seconds"])
        came = cinema.step({"step": "look", "state": came.state}, "x:1")
        assert came.state["next"] == "wait" and came.waiting == ("moderation", "text")
    assert came.age > 3 * 86_400 - 400 and cinema.count()["StartContentModeration"] < 1_000
    cinema.at_once = 20
    assert cinema.step({"step": "look", "state": came.state}, "x:1").waiting == ()


def test_a_second_execution_leaves_the_first_alone(cinema: Cinema):
    version = cinema.film()
    first = cinema.play(version, "x:1", looks=1)
    assert first.state["next"] == "wait"
    assert cinema.play(version, "x:2").state["outcome"] == "busy"
    cinema.now += LEASE_SECONDS + 1  # the first was stopped
    assert cinema.play(version, "x:3").state["outcome"] == "analysed"
    assert cinema.started() == BOTH, "the jobs of the first are used"
    assert cinema.step({"step": "look", "state": first.state}, "x:1").state["outcome"] == "lost"
    assert cinema.play(version, "x:4").state["outcome"] == "repeated"
    assert len(cinema.bus) == 1


def test_a_job_that_fails_is_started_once_more(cinema: Cinema):
    cinema.failing = {"StartTextDetection": 1}
    version = cinema.film()
    cinema.play(version)
    assert cinema.video(version)["decision"] == "accept"
    assert cinema.started() == [*BOTH, "StartTextDetection"]


def test_what_failed_is_said_and_nothing_is_accepted_unseen(cinema: Cinema):
    cinema.failing = {"StartTextDetection": 2}
    version = cinema.film()
    cinema.play(version)
    record = cinema.video(version)
    assert record["decision"] == "review" and record["analyses"]["text"] == {"failed": "job_failed"}
    assert record["reasons"] == [
        {"code": "job_failed", "analysis": "text", "message": "text: an internal error"}
    ]
    smoking(cinema)
    cinema.failing = {"StartTextDetection": 2}
    other = cinema.film(key="videos/b.mp4")
    cinema.play(other)
    assert cinema.video(other)["decision"] == "reject", "a failure softens nothing"


def test_if_every_job_fails_the_file_is_unusable(cinema: Cinema):
    cinema.failing = dict.fromkeys(BOTH, 2)
    version = cinema.film()
    cinema.play(version)
    record = cinema.video(version)
    assert (record["decision"], len(record["reasons"])) == ("unusable", 2)
    assert not cinema.kept and len(cinema.bus) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [(mp4(b"hvc1"), "unsupported_codec"), (b"GIF89a" * 9, "unsupported_format"), (b"", "empty")],
)
def test_hopeless_files_cost_no_job(cinema: Cinema, data: bytes, code: str):
    version = cinema.film(data)
    assert cinema.play(version).state["outcome"] == "analysed"
    assert [each["code"] for each in cinema.video(version)["reasons"]] == [code]
    assert not cinema.jobs


def test_a_video_that_goes_meanwhile(cinema: Cinema):
    version = cinema.film()
    begun = cinema.play(version, looks=0)
    cinema.objects.clear()
    cinema.step({"step": "look", "state": begun.state}, "x:1")
    assert cinema.video(version)["reasons"][0]["code"] == "object_gone"


@pytest.mark.parametrize(
    ("code", "says"),
    [("VideoTooLargeException", "too_large"), ("InvalidParameterException", "refused")],
)
def test_a_start_that_no_other_try_mends(cinema: Cinema, code: str, says: str):
    cinema.fail("StartTextDetection", code)
    version = cinema.film()
    cinema.play(version)
    assert cinema.video(version)["analyses"]["text"] == {"failed": says}


def test_all_pages_are_read(cinema: Cinema):
    ends = [moderation(("Smoking", 70.0, n * 10, n * 10 + 5), NextToken=str(n + 1)) for n in (0, 1)]
    cinema.pages["GetContentModeration"] = [*ends, moderation(("Alcohol", 10.0, 30, 40))]
    version = cinema.film()
    cinema.play(version)
    assert cinema.video(version)["analyses"]["moderation"]["count"] == 3


def test_pages_that_lead_back_are_cut_and_it_is_said(cinema: Cinema):
    cinema.pages["GetContentModeration"] = [moderation(NextToken="1"), moderation(NextToken="1")]
    version = cinema.film()
    cinema.play(version)
    record = cinema.video(version)
    (reason,) = record["reasons"]
    assert (record["decision"], reason["code"]) == ("review", "results_cut")
    assert reason["message"] == "moderation: a result page leads back to an earlier one"


def test_more_pages_than_can_be_are_cut(cinema: Cinema):
    pages = [moderation(("Smoking", 70.0, n, n + 1), NextToken=str(n + 1)) for n in range(4)]
    cinema.pages["GetContentModeration"] = pages
    analysis, token = job_of(cinema)
    few = reading.Pages(cinema.clients.rekognition, cinema.clock, lambda: 900.0, most=3)
    read = few.read(analysis, token)
    assert read.cut == "there are more than 3 result pages" and read.answer.fields["count"] == 3


def job_of(cinema: Cinema) -> tuple[Analysis, str]:
    """The moderation of a video, and its job, which has ended."""
    cinema.runs = 0
    begun = cinema.play(cinema.film(), looks=0)
    cinema.step({"step": "look", "state": begun.state}, "x:1")
    analysis = cinema.read.analyses[0]
    return analysis, next(t for t, job in cinema.jobs.items() if job["operation"] == analysis.start)


def test_a_busy_service_is_asked_again_until_time_is_up(cinema: Cinema):
    analysis, token = job_of(cinema)
    cinema.fail(analysis.get, "ThrottlingException", times=4)
    pages = reading.Pages(cinema.clients.rekognition, cinema.clock, lambda: 900.0)
    assert pages.read(analysis, token).answer.fields["count"] == 0
    cinema.fail(analysis.get, "ThrottlingException", times=99)
    hurried = reading.Pages(cinema.clients.rekognition, cinema.clock, lambda: 30.0)
    with pytest.raises(Transient, match="no time is left"):
        hurried.read(analysis, token)


def trace(sure: float) -> list[str]:
    cinema = Cinema()
    smoking(cinema, sure)
    cinema.play(cinema.film())
    return cinema.calls


@pytest.mark.parametrize("sure", [95.0, 70.0, 10.0])
def test_a_crash_anywhere_ends_as_if_there_had_been_none(sure: float):
    """Cut off before and after each call; the state machine tries the step again."""
    for place, when in [(n, w) for n in range(len(trace(sure))) for w in ("before", "after")]:
        cinema = Cinema()
        smoking(cinema, sure)
        version = cinema.film()

        def strike(number: int, then: str, operation: str, at: Any = (place, when)) -> None:
            if (number, then) == at:
                raise Killed

        cinema.strike = strike
        carry_out = cinema.step

        def step(event: dict[str, Any], owner: str, run: Any = carry_out) -> Any:
            try:
                return run(event, owner)
            except Killed:
                return run(event, owner)

        cinema.step = step  # type: ignore[method-assign]
        came = cinema.play(version)
        record = cinema.video(version)
        assert record["announced"] and came.state["next"] == "end", (place, when)
        assert cinema.started() == BOTH, (place, when)
        assert record["quarantined"] is (sure > 90), (place, when)
        assert len({each["id"] for each in cinema.details()}) == 1


def test_looks_come_after_a_twentieth_of_the_time_that_passed():
    polling = Polling(30, 300)
    assert [polling.seconds(age) for age in (0, 600, 1200, 6000, 86_400)] == [30, 30, 60, 300, 300]


class Context:
    aws_request_id = "r1"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def call(cinema: Cinema, monkeypatch: pytest.MonkeyPatch, **event: Any) -> dict[str, Any]:
    monkeypatch.setattr(handler, "_flow", lambda: cinema.video_flow)
    monkeypatch.setattr(settings, "current", lambda: cinema.read)
    return handler.handler({"owner": "arn:aws:states:r:1:execution:m:e1", **event}, Context())


@pytest.mark.parametrize(
    ("operation", "code", "name"),
    [
        ("UpdateItem", "AccessDeniedException", "Denied"),
        ("UpdateItem", "ThrottlingException", "Transient"),
        ("UpdateItem", "ValidationException", "Failed"),
        ("GetObject", "SlowDown", "Transient"),
    ],
)
def test_errors_have_the_names_that_the_state_machine_knows(
    cinema: Cinema, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    operation: str, code: str, name: str,
):  # fmt: skip
    version = cinema.film(key="videos/personal.mp4")
    cinema.fail(operation, code)
    with pytest.raises(Exception) as raised:
        call(cinema, monkeypatch, step="begin", event=cinema.event(version))
    assert type(raised.value).__name__ == name
    assert raised.value.__cause__ is None and raised.value.__suppress_context__
    assert "personal" not in capsys.readouterr().out + str(raised.value)


def test_an_event_of_something_else_is_malformed(cinema: Cinema, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(Malformed):
        call(cinema, monkeypatch, step="begin", event={"source": "aws.ec2"})


def test_what_is_logged_and_measured(
    cinema: Cinema, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    smoking(cinema)
    cinema.at_once, cinema.failing = 1, {"StartTextDetection": 2}
    version = cinema.film(key="videos/personal.mp4")
    state = call(cinema, monkeypatch, step="begin", event=cinema.event(version))
    while state["next"] != "end":
        cinema.now += state["seconds"]
        step = "finish" if state["next"] == "finish" else "look"
        state = call(cinema, monkeypatch, step=step, state=state)
    told = capsys.readouterr().out
    lines = [json.loads(line) for line in told.splitlines()]
    (last,) = [line for line in lines if line["message"] == "video analysed"]
    assert (last["VideosRejected"], last["VideosPartial"]) == (1, 1)
    assert last["AnalysedMinutes"] == pytest.approx(1 / 6) and last["execution"] == "e1"
    waits = [line for line in lines if "VideoWaitMilliseconds" in line]
    assert waits and waits[0]["missing"] == ["text"]
    assert "personal" not in told and "Smoking" not in told and "left_out" not in told


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"analyses": {}}, "analyses is empty"),
        ({"analyses": {"smell": {}}}, "there is no video analysis 'smell'"),
        ({"policy": {"text": {"*": {"accept": [0, 100]}}}}, r"no rules for \['moderation'\]"),
        ({"polling": {"first": 1}}, "'most' is missing"),
    ],
)
def test_wrong_settings_are_explained(change: dict[str, Any], says: str):
    given = variables()
    given["SETTINGS"] = json.dumps({**json.loads(given["SETTINGS"]), **change})
    with pytest.raises(ValueError, match=says):
        settings.read(given)
