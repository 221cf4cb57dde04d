"""CloudWatch: alarms that are evaluated as time passes, over their own dimensions."""

import logging
import operator
import time
from collections.abc import Callable
from typing import Any

from rehearsal.ministack_adapter import encryption
from rehearsal.ministack_adapter.modules import cloudwatch, responses, sns
from rehearsal.ministack_adapter.sqs import QueueState, queue_states

logger = logging.getLogger("rehearsal")
CLOUDWATCH = "cloudwatch.amazonaws.com"
REPEAT_SECONDS = 15.0
_scale = 1.0
_published: dict[tuple[str, str, str, str], tuple[float, float]] = {}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def install() -> None:
    """MiniStack evaluates only when a metric is put, and over all dimensions at once."""
    cloudwatch._evaluate_alarm = evaluate
    _topic_permissions()
    original = cloudwatch.reset

    def reset() -> None:
        _published.clear()
        scale_periods(1.0)
        original()

    cloudwatch.reset = reset


def scale_periods(scale: float) -> None:
    """Let alarms look at periods so many times as long as they say, so that a demonstration need
    not wait a minute for one to be over."""
    global _scale
    if not 0 < scale <= 1:
        raise ValueError(f"scale is above 0 and up to 1, given {scale:g}")
    _scale = scale


def _topic_permissions() -> None:
    """An alarm tells a topic only if the topic's policy, and its key's, let CloudWatch.

    ("Notifying users on alarm changes", Amazon CloudWatch User Guide.)
    """
    original = cloudwatch._dispatch_alarm_actions

    def dispatch(alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
        account, source = responses.get_account_id(), str(alarm.get("AlarmArn", ""))
        reduced = dict(alarm)
        for name in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            topics: list[str] = alarm.get(name) or []
            reduced[name] = [topic for topic in topics if _may_tell(topic, source, account)]
        original(reduced, old, new, reason)

    cloudwatch._dispatch_alarm_actions = dispatch


def _may_tell(topic: str, source: str, account: str) -> bool:
    if ":sns:" not in topic:
        return True
    refused = encryption.service_refusal(CLOUDWATCH, "sns", topic, source)
    if not sns.topic_policy_allows(topic, CLOUDWATCH, source, account):
        refused = "the topic's policy does not allow cloudwatch.amazonaws.com to publish"
    if refused:
        logger.warning("alarm %s could not tell %s: %s", source, topic, refused)
    return refused is None


def put_metric(
    account: str,
    region: str,
    namespace: str,
    name: str,
    value: float,
    unit: str,
    dimensions: dict[str, str],
) -> None:
    """Record one value of a service's own metric."""
    with responses.request_scope(account, region):
        cloudwatch.record_metric(namespace, name, value, unit, dimensions)


def evaluate_alarms() -> None:
    """Publish what AWS/SQS publishes, then evaluate every alarm. Called once a second."""
    for state in queue_states():
        _publish(state)
    for account, region in {(key[0], key[1]) for key in list(cloudwatch._alarms._data)}:
        with responses.request_scope(account, region):
            for alarm in cloudwatch._alarms.values():
                evaluate(alarm)


def _publish(state: QueueState) -> None:
    values = {
        "ApproximateNumberOfMessagesVisible": float(state.visible),
        "ApproximateNumberOfMessagesNotVisible": float(state.in_flight),
        "ApproximateNumberOfMessagesDelayed": float(state.delayed),
        "ApproximateAgeOfOldestMessage": float(int(state.oldest_seconds)),
    }
    now = time.monotonic()
    for name, value in values.items():
        key = (state.account, state.region, state.name, name)
        last = _published.get(key)
        if last is not None and last[0] == value and now - last[1] < REPEAT_SECONDS:
            continue
        _published[key] = (value, now)
        unit = "Seconds" if name == "ApproximateAgeOfOldestMessage" else "Count"
        with responses.request_scope(state.account, state.region):
            cloudwatch.record_metric("AWS/SQS", name, value, unit, {"QueueName": state.name})


def evaluate(alarm: dict[str, Any]) -> None:
    """Set an alarm's state from its own metric: M of N periods, missing data treated as it says.

    ("Using Amazon CloudWatch alarms", evaluating an alarm.) Unlike CloudWatch, which looks once a
    period, this looks back from now, so an alarm fires at once.
    """
    if not alarm.get("MetricName"):
        return  # metric math is recorded, not evaluated
    breaching, present, latest = _periods(alarm)
    wanted = int(alarm.get("EvaluationPeriods") or 1)
    enough = int(alarm.get("DatapointsToAlarm") or wanted)
    missing = wanted - present
    treat = alarm.get("TreatMissingData") or "missing"
    if present == 0 and treat in ("missing", "ignore"):
        state = "INSUFFICIENT_DATA" if treat == "missing" else alarm["StateValue"]
    else:
        if treat == "breaching":
            breaching += missing
        state = "ALARM" if breaching >= enough else "OK"
    _transition(alarm, state, latest)


def _periods(alarm: dict[str, Any]) -> tuple[int, int, float | None]:
    """How many periods breach, how many hold data, and the newest value."""
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    # Anomaly detection bands have no stand-in: such an alarm never breaches.
    compare = COMPARISONS.get(alarm.get("ComparisonOperator", ""))
    period = int(alarm.get("Period") or 60) * _scale
    points = _points(alarm)
    now = time.time()
    breaching = present = 0
    latest: float | None = None
    for index in range(int(alarm.get("EvaluationPeriods") or 1)):
        end, start = now - period * index, now - period * (index + 1)
        inside = [p for p in points if start < p["Timestamp"] <= end + (1 if index == 0 else 0)]
        stats: dict[str, float] = cloudwatch._calc_stats(inside) if inside else {}
        value = cloudwatch._stat_value(stats, statistic, inside) if stats else None
        if value is None:
            continue
        present += 1
        latest = value if latest is None else latest
        breaching += bool(compare and compare(value, float(alarm.get("Threshold") or 0)))
    return breaching, present, latest


def _points(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    return list(cloudwatch._metrics.get(key) or [])


def _transition(alarm: dict[str, Any], state: str, value: float | None) -> None:
    old = alarm["StateValue"]
    if state == old:
        return
    reason = (
        f"Threshold Crossed: {value} {alarm.get('ComparisonOperator')} {alarm.get('Threshold')}"
        if value is not None
        else "Insufficient Data"
    )
    alarm["StateValue"] = state
    alarm["StateReason"] = reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
