"""The function that stops what did not stop itself: when, why, and what it leaves alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notebook_keeper.handler import carry_out
from notebook_keeper.keeper import Keeper, NotNowError, Report, SweepError, reason_to_stop
from shared.clock import Clock
from shared.logs import Log
from tests.unit.lambda_src.world import check, error, model

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Ago = float


def ago(minutes: Ago) -> datetime:
    return NOW - timedelta(minutes=minutes)


class Service:
    """SageMaker and CloudWatch, each call checked by botocore's own model."""

    def __init__(self, **status: str) -> None:
        self.status = dict(status)
        self.changed = ago(10_000)
        self.reports: dict[str, list[tuple[datetime, float]]] = {}
        self.pages = 1
        self.did: list[tuple[str, str]] = []
        self.denied: set[str] = set()

    def describe_notebook_instance(self, **given: Any) -> dict[str, Any]:
        name = self._check("DescribeNotebookInstance", given)
        return {"NotebookInstanceStatus": self.status[name], "LastModifiedTime": self.changed}

    def stop_notebook_instance(self, **given: Any) -> None:
        self.did.append(("stop", self._check("StopNotebookInstance", given)))

    def start_notebook_instance(self, **given: Any) -> None:
        self.did.append(("start", self._check("StartNotebookInstance", given)))

    def get_metric_data(self, **given: Any) -> dict[str, Any]:
        check(model("cloudwatch").operation_model("GetMetricData").input_shape, given)
        assert given["StartTime"] < NOW < given["EndTime"]
        page = int(given.get("NextToken", "1"))
        results: list[dict[str, Any]] = []
        for query in given["MetricDataQueries"]:
            dimensions = query["MetricStat"]["Metric"]["Dimensions"]
            name = {each["Name"]: each["Value"] for each in dimensions}["NotebookInstance"]
            points = self.reports.get(name, [])[page - 1 :: self.pages]
            times, values = ([p[0] for p in points], [p[1] for p in points])
            results.append({"Id": query["Id"], "Timestamps": times, "Values": values})
        more = {"NextToken": str(page + 1)} if page < self.pages else {}
        return {"MetricDataResults": results, **more}

    def _check(self, operation: str, given: dict[str, Any]) -> str:
        check(model("sagemaker").operation_model(operation).input_shape, given)
        name = str(given["NotebookInstanceName"])
        if name in self.denied:
            raise error("AccessDeniedException", operation)
        return name

    def keeper(self, **limits: int) -> Keeper:
        clock = Clock(time=NOW.timestamp)
        chosen = limits or dict.fromkeys(self.status, 60)
        return Keeper("test", chosen, self, self, clock, Log("test"))


@pytest.mark.parametrize(
    ("changed", "report", "words"),
    [
        (89, None, None),
        (91, None, "not been heard of for 91 minutes"),
        (500, (89, 0), None),
        (500, (91, 0), "not been heard of for 91 minutes"),
        (500, (5, 89), None),
        (500, (5, 90), "idle for 90 minutes"),
        (4, (5, 90), None),  # of the run before: it was started since
    ],
)
def test_reasons_to_stop(changed: Ago, report: tuple[Ago, float] | None, words: str | None) -> None:
    heard = Report(ago(report[0]), report[1]) if report else None
    reason = reason_to_stop(NOW, 60, ago(changed), heard)
    assert (reason is None) is (words is None)
    assert words is None or words in str(reason)


def test_silence_of_a_day_is_enough_however_long_an_instance_may_idle() -> None:
    assert reason_to_stop(NOW, 43_200, ago(1469), None) is None
    assert reason_to_stop(NOW, 43_200, ago(1471), None)


def test_sweep_stops_running_instances_alone_and_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = Service(silent="InService", well="InService", off="Stopped", coming="Pending")
    service.reports = {"well": [(ago(5), 3)]}
    service.keeper().sweep()
    assert service.did == [("stop", "silent")]
    line = json.loads(capsys.readouterr().out)
    assert (line["notebook"], line["NotebooksStopped"]) == ("silent", 1)
    assert "has not been heard of" in line["reason"]


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_newest_report_counts_in_whatever_order_they_come(pages: int) -> None:
    service = Service(a="InService", b="InService")
    service.pages = pages
    service.reports = {
        "a": [(ago(15), 95), (ago(5), 0), (ago(10), 95)],
        "b": [(ago(15), 0), (ago(5), 95), (ago(10), 0)],
    }
    service.keeper().sweep()
    assert service.did == [("stop", "b")]


def test_one_that_fails_keeps_none_of_the_others() -> None:
    service = Service(a="InService", b="InService")
    service.denied = {"a"}
    with pytest.raises(SweepError, match="a: ClientError"):
        service.keeper().sweep()
    assert service.did == [("stop", "b")]


@pytest.mark.parametrize(
    ("action", "status", "done"),
    [
        ("start", "Stopped", True),
        ("start", "Failed", True),
        ("start", "InService", False),
        ("start", "Pending", False),
        ("stop", "InService", True),
        ("stop", "Stopped", False),
        ("stop", "Stopping", False),
        ("stop", "Failed", False),
    ],
)
def test_hours(action: str, status: str, done: bool) -> None:
    service = Service(mine=status)
    carry_out({"action": action, "notebook": "mine"}, service.keeper())
    assert service.did == ([(action, "mine")] if done else [])


@pytest.mark.parametrize(
    ("action", "status"),
    [("start", "Stopping"), ("start", "Deleting"), ("stop", "Pending"), ("stop", "Updating")],
)
def test_what_is_on_its_way_is_tried_again(action: str, status: str) -> None:
    service = Service(mine=status)
    with pytest.raises(NotNowError, match=f"mine is {status}"):
        carry_out({"action": action, "notebook": "mine"}, service.keeper())


@pytest.mark.parametrize(
    "event",
    [{}, {"action": "delete"}, {"action": "stop"}, {"action": "stop", "notebook": "others"}],
)
def test_other_events_are_refused(event: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="allowed are"):
        carry_out(event, Service(mine="InService").keeper())
