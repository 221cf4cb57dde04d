"""A job's output: into its log group as its role may, and searched for metrics on the way."""

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.tables import now

Observe = Callable[[str, float], None]
NAMESPACE = "/aws/sagemaker/TrainingJobs"
logger = logging.getLogger("rehearsal")


class JobLog:
    """The log stream of one job.

    On AWS the agent beside the container writes with the job's role: without permission there is no
    log, and the job goes on all the same.

    Args:
        context: SageMaker's.
        group: for example /aws/sagemaker/TrainingJobs.
        stream: of this job's one instance.
        role_arn: of the job.
        metrics: what to look for in each line, or None.
    """

    def __init__(
        self,
        context: Context,
        group: str,
        stream: str,
        role_arn: str,
        metrics: "JobMetrics | None" = None,
    ) -> None:
        self.group = group
        self.stream = stream
        self._context = context
        self._metrics = metrics
        lacking = self._lacking(role_arn)
        if lacking:
            logger.warning("%s may not %s: nothing is logged to %s", role_arn, lacking, group)
        self._allowed = lacking is None

    def lines(self, lines: Sequence[str]) -> None:
        """Write lines as they come, control characters as the log agent escapes them."""
        when = int(now() * 1000)
        escaped = [escape(line) for line in lines]
        if self._allowed:
            kept = [(when, line) for line in escaped if line]
            if kept:
                self._context.platform.put_log(self.group, self.stream, kept)
        if self._metrics is not None:
            for line in escaped:
                self._metrics.line(line)

    def _lacking(self, role_arn: str) -> str | None:
        place = f"arn:aws:logs:{self._context.region}:{self._context.account}:log-group"
        group, stream = (f"{place}:{self.group}", f"{place}:{self.group}:log-stream:{self.stream}")
        wanted = [("logs:CreateLogStream", stream), ("logs:PutLogEvents", stream)]
        if not self._context.platform.has_log_group(self.group):
            wanted.insert(0, ("logs:CreateLogGroup", group))
        for action, arn in wanted:
            if not self._context.role_may(role_arn, action, arn):
                return action
        return None


def escape(line: str) -> str:
    """A line as it stands in the log: a tab is `#011`, which XGBoost's metric definitions count on.

    ("Tune an XGBoost Model" and "Define Training Metrics", Amazon SageMaker Developer Guide: their
    expressions read `#011validation-auc:`.)
    """
    return line.replace("\t", "#011")


class JobMetrics:
    """The metrics that a training job's definitions find in its log.

    Args:
        context: SageMaker's.
        job: the training job's name, the metrics' dimension.
        definitions: of the request, or the image's own: [{"Name":, "Regex":}].
        role_arn: of the job; without cloudwatch:PutMetricData only the final values are kept.
        observe: told the name and value of each as it is found.
    """

    def __init__(
        self,
        context: Context,
        job: str,
        definitions: Sequence[Mapping[str, str]],
        role_arn: str,
        observe: Observe,
    ) -> None:
        self._observe = observe
        self._context = context
        self._job = job
        self._found: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._patterns = [(each["Name"], re.compile(each["Regex"])) for each in definitions]
        self._published = context.role_may(
            role_arn, "cloudwatch:PutMetricData", "*", cloudwatch__namespace=NAMESPACE
        )

    def line(self, line: str) -> None:
        """Look for every metric in a line of the log."""
        for name, pattern in self._patterns:
            match = pattern.search(line)
            if match is None:
                continue
            try:
                value = float(match[1] if pattern.groups else match[0])
            except (ValueError, TypeError):
                continue
            with self._lock:
                self._found[name] = (value, now())
            self._observe(name, value)
            if self._published:
                dimensions = {"TrainingJobName": self._job}
                self._context.metric(NAMESPACE, name, value, "None", dimensions)

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: the last value of each metric."""
        with self._lock:
            return [
                {"MetricName": name, "Value": value, "Timestamp": when}
                for name, (value, when) in self._found.items()
            ]
