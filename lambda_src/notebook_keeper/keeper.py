"""Which notebook instances to start and to stop, and why.

An instance stops itself (`notebook_scripts/idle-stop.sh` in the construct library) and reports its
idle minutes every five minutes. The sweep is the second line: it stops an instance that has not
reported for so long that nobody knows any more whether it is idle, and one that reports that it is
idle and has not stopped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clock import Clock
from shared.logs import NAMESPACE, Log

METRIC = "IdleMinutes"
PERIOD_SECONDS = 300
GRACE = timedelta(minutes=30)
"""How much later than the instance itself the sweep acts."""
LONGEST_SILENCE = timedelta(days=1)
STOPPED = ("Stopped", "Failed")


class NotNowError(Exception):
    """An instance is on its way elsewhere; the invocation is to be tried again."""


class SweepError(Exception):
    """Some instances could not be looked after; the others were."""


@dataclass(frozen=True)
class Keeper:
    """Looks after notebook instances.

    limits: idle minutes allowed, by the instance's name. sagemaker, cloudwatch: clients.
    """

    environment: str
    limits: Mapping[str, int]
    sagemaker: Any
    cloudwatch: Any
    clock: Clock
    log: Log

    def sweep(self) -> None:
        """Stop whatever should have stopped itself.

        Raises:
            SweepError: naming the instances that could not be looked after.
        """
        reports = self._reports()
        failed: dict[str, str] = {}
        for name, limit in self.limits.items():
            try:
                self._sweep_one(name, limit, reports.get(name))
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
                self.log.error("the notebook instance could not be looked after", notebook=name,
                               reason=failed[name])  # fmt: skip
        if failed:
            raise SweepError("; ".join(f"{name}: {reason}" for name, reason in failed.items()))

    def start(self, name: str) -> None:
        """Start an instance, unless it runs.

        Raises:
            NotNowError: it is stopping.
        """
        status = self._describe(name)["NotebookInstanceStatus"]
        if status in STOPPED:
            self._do(self.sagemaker.start_notebook_instance, name, "its hours begin", "started")
        elif status in ("Stopping", "Deleting"):
            raise NotNowError(f"{name} is {status} and cannot be started yet")

    def stop(self, name: str) -> None:
        """Stop an instance, unless it is stopped.

        Raises:
            NotNowError: it is starting.
        """
        status = self._describe(name)["NotebookInstanceStatus"]
        if status == "InService":
            self._stop(name, "its hours end")
        elif status in ("Pending", "Updating"):
            raise NotNowError(f"{name} is {status} and cannot be stopped yet")

    def _sweep_one(self, name: str, limit: int, report: "Report | None") -> None:
        found = self._describe(name)
        if found["NotebookInstanceStatus"] == "InService":
            now = datetime.fromtimestamp(self.clock.time(), UTC)
            reason = reason_to_stop(now, limit, found["LastModifiedTime"], report)
            if reason:
                self._stop(name, reason)

    def _describe(self, name: str) -> Mapping[str, Any]:
        return self.sagemaker.describe_notebook_instance(NotebookInstanceName=name)

    def _stop(self, name: str, reason: str) -> None:
        self._do(self.sagemaker.stop_notebook_instance, name, reason, "stopped")

    def _do(self, call: Callable[..., Any], name: str, reason: str, done: str) -> None:
        call(NotebookInstanceName=name)
        metrics = {f"Notebooks{done.title()}": 1}
        self.log.info(f"the notebook instance is {done}", metrics, notebook=name, reason=reason)

    def _reports(self) -> dict[str, "Report"]:
        """The newest report of each instance, as far back as anybody could ask."""
        names = list(self.limits)
        now = datetime.fromtimestamp(self.clock.time(), UTC)
        longest = max(silence(limit) for limit in self.limits.values())
        asked: dict[str, Any] = {
            "MetricDataQueries": [self._query(i, name) for i, name in enumerate(names)],
            "StartTime": now - longest - timedelta(seconds=PERIOD_SECONDS),
            "EndTime": now + timedelta(seconds=PERIOD_SECONDS),
        }
        found: dict[str, Report] = {}
        while True:
            answer = self.cloudwatch.get_metric_data(**asked)
            for each in answer["MetricDataResults"]:
                name = names[int(each["Id"].removeprefix("n"))]
                given = zip(each["Timestamps"], each["Values"], strict=True)
                known = [found[name]] if name in found else []
                newest = max([*known, *(Report(*one) for one in given)], default=None)
                found |= {name: newest} if newest else {}
            if not answer.get("NextToken"):
                return found
            asked["NextToken"] = answer["NextToken"]

    def _query(self, number: int, name: str) -> dict[str, Any]:
        dimensions = {"Environment": self.environment, "NotebookInstance": name}
        return {
            "Id": f"n{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": METRIC,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                },
                "Period": PERIOD_SECONDS,
                "Stat": "Maximum",
            },
        }


@dataclass(frozen=True, order=True)
class Report:
    """What an idle script said.

    time: the beginning of the five minutes in which it said so. minutes: of idleness.
    """

    time: datetime
    minutes: float


def silence(limit: int) -> timedelta:
    """How long an idle script may be silent, by the idle minutes that its instance is allowed."""
    return min(timedelta(minutes=limit), LONGEST_SILENCE) + GRACE


def reason_to_stop(
    now: datetime, limit: int, changed: datetime, report: Report | None
) -> str | None:
    """Why a running instance is to be stopped; None if it is not.

    limit: idle minutes allowed. changed: when it was last started or changed. report: the newest
    one, of this run of the instance or of an earlier one.
    """
    heard = max(changed, report.time) if report else changed
    if now - heard > silence(limit):
        minutes = int((now - heard).total_seconds() // 60)
        return f"its idle script has not been heard of for {minutes} minutes"
    late = limit + GRACE.total_seconds() / 60
    if report and report.time > changed and report.minutes >= late:
        return f"it has been idle for {report.minutes:g} minutes, and has not stopped itself"
    return None
