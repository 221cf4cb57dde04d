"""Retry policies of steps ("Retry policy for pipeline steps", SageMaker Developer Guide)."""

from dataclasses import dataclass
from typing import Any, cast

SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"
# Its name in the documentation until 2023; definitions still carry it.
ALIASES = {"SageMaker.JOB_CAPACITY_ERROR": CAPACITY_ERROR}
KINDS = (SERVICE_FAULT, THROTTLING, JOB_INTERNAL_ERROR, CAPACITY_ERROR, RESOURCE_LIMIT)
FIELDS = ("BackoffRate", "ExceptionType", "ExpireAfterMin", "IntervalSeconds", "MaxAttempts")
MOST = {"IntervalSeconds": 43_200, "MaxAttempts": 20, "ExpireAfterMin": 14_400}
DEFAULT_ATTEMPTS = 5
# Jobs of a tuning step retry by themselves, the step does not.
NOT_RETRIED = {"Tuning": (JOB_INTERNAL_ERROR,)}


@dataclass(frozen=True)
class RetryPolicy:
    """When a step is tried again.

    Attributes:
        kinds: exception types that it holds for.
        interval: seconds before the first retry.
        backoff: by which the interval is multiplied from retry to retry.
        attempts: retries at most, or None if the time decides.
        minutes: after which no retry starts, or None.
    """

    kinds: tuple[str, ...]
    interval: float = 1.0
    backoff: float = 2.0
    attempts: int | None = DEFAULT_ATTEMPTS
    minutes: int | None = None

    def delay(self, retries: int, elapsed: float) -> float | None:
        """Seconds to wait before the next try, or None if there is none.

        Args:
            retries: how many have been made.
            elapsed: seconds since the step was first started.
        """
        if self.attempts is not None and retries >= self.attempts:
            return None
        wait = self.interval * self.backoff**retries
        if self.minutes is not None and elapsed + wait > self.minutes * 60:
            return None
        return wait


# "Pipelines retries on this type of error automatically": with what, it does not say.
AUTOMATIC = RetryPolicy((SERVICE_FAULT, THROTTLING))


def next_delay(
    policies: tuple[RetryPolicy, ...], step_type: str, kind: str, retries: int, elapsed: float
) -> float | None:
    """Seconds to wait before a failed step is tried again; None: it stays failed.

    Args:
        policies: of the step; the first that names the kind holds.
        step_type: Tuning steps do not retry internal errors of jobs.
        kind: the exception type.
        retries: how many have been made for this kind.
        elapsed: seconds since the step was first started.
    """
    if kind in NOT_RETRIED.get(step_type, ()):
        return None
    for policy in (*policies, AUTOMATIC):
        if kind in policy.kinds:
            return policy.delay(retries, elapsed)
    return None


def has_policy(policies: tuple[RetryPolicy, ...], kind: str) -> bool:
    """Whether a step's own policies, or the automatic one, name an exception type."""
    return any(kind in policy.kinds for policy in (*policies, AUTOMATIC))


def policy_problems(given: Any, where: str) -> list[str]:
    """Everything wrong with a step's RetryPolicies."""
    if not isinstance(given, list):
        return [f"{where} is a list of policies, given {given!r:.60}."]
    found: list[str] = []
    for index, policy in enumerate(cast("list[Any]", given)):
        place = f"{where}[{index}]"
        if isinstance(policy, dict):
            found += _problems(cast("dict[str, Any]", policy), place)
        else:
            found.append(f"{place} is an object, given {policy!r:.60}.")
    return found


def _problems(policy: dict[str, Any], place: str) -> list[str]:
    found = [
        f"{place}: Cannot parse object, unknown property '{name}'; allowed are {', '.join(FIELDS)}."
        for name in policy
        if name not in FIELDS
    ]
    kinds: Any = policy.get("ExceptionType")
    if not isinstance(kinds, list) or not kinds:
        found.append(f"{place}.ExceptionType is a list of at least one type, given {kinds!r:.60}.")
    else:
        found += [
            f"{place}.ExceptionType: given {kind!r}, allowed are {', '.join(KINDS)}."
            for kind in cast("list[Any]", kinds)
            if ALIASES.get(kind, kind) not in KINDS
        ]
    if "MaxAttempts" in policy and "ExpireAfterMin" in policy:
        found.append(f"{place}: only one of MaxAttempts and ExpireAfterMin can be given.")
    for name, most in MOST.items():
        value: Any = policy.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            found.append(f"{place}.{name} is a whole number from 0 to {most}, given {value!r:.60}.")
    rate: Any = policy.get("BackoffRate", 2.0)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 1:
        found.append(f"{place}.BackoffRate is a number from 1, given {rate!r:.60}.")
    return found


def parse_policies(given: list[dict[str, Any]]) -> tuple[RetryPolicy, ...]:
    """The policies of a step that have been checked."""
    return tuple(
        RetryPolicy(
            kinds=tuple(ALIASES.get(str(k), str(k)) for k in policy["ExceptionType"]),
            interval=float(policy.get("IntervalSeconds", 1)),
            backoff=float(policy.get("BackoffRate", 2.0)),
            attempts=(
                None if "ExpireAfterMin" in policy else policy.get("MaxAttempts", DEFAULT_ATTEMPTS)
            ),
            minutes=policy.get("ExpireAfterMin"),
        )
        for policy in given
    )
