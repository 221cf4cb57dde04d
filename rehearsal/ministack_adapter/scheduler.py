# pyright: reportMissingTypeStubs=false
"""EventBridge Scheduler: whatever a schedule does, it does as its role.

A target is a real call (sdk_tasks.py): the universal one (`aws-sdk:`), and of the templated ones
functions, SageMaker pipelines and state machines. What fails goes to the dead-letter queue at once,
as the role too; on AWS it is tried again first, as the retry policy says. ("Using universal targets
with EventBridge Scheduler", "Configuring a schedule's dead-letter queue", Amazon EventBridge
Scheduler User Guide.)
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import uuid4

from rehearsal.ministack_adapter import iam, sdk_tasks
from rehearsal.ministack_adapter.modules import (
    eventbridge,
    iam_actions,
    responses,
    scheduler,
    sqs,
)

PRINCIPAL = "scheduler.amazonaws.com"
SDK = ":::aws-sdk:"
TICK_SECONDS = 1.0
WRITES = ("POST", "PUT", "DELETE")
Fields = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
logger = logging.getLogger("rehearsal")


class _Clock:
    """The time as Scheduler sees it: ahead of the real one in a sweep that was asked for."""

    def __init__(self) -> None:
        self._here = threading.local()

    def ahead(self, seconds: float) -> None:
        self._here.seconds = seconds

    def time(self) -> float:
        return time.time() + getattr(self._here, "seconds", 0.0)

    @staticmethod
    def sleep(seconds: float) -> None:
        time.sleep(seconds)


_clock = _Clock()
_sweeping = threading.Lock()


def install() -> None:
    """Wrap the requests, the sweeps and what they set off."""
    _name_resources()
    _requests()
    _sweeps()
    _targets()


def fire_schedules(within: float) -> None:
    """Let every schedule that is due within so many seconds fire now, and return before it has."""
    if not 0 <= within <= 86_400:
        raise ValueError(f"within is 0 to 86400 seconds, given {within:g}")

    def sweep() -> None:
        _clock.ahead(within)
        scheduler._tick_schedules()

    threading.Thread(target=sweep, name="rehearsal-schedules", daemon=True).start()


def _sweeps() -> None:
    """One sweep at a time, and each second one."""
    original: Callable[[], None] = scheduler._tick_schedules

    def sweep() -> None:
        with _sweeping:
            original()

    forget: Callable[[], None] = scheduler.reset

    def reset() -> None:
        forget()
        scheduler._schedule_last_fired.clear()

    scheduler.reset = reset
    scheduler._tick_schedules = sweep
    scheduler._SCHEDULE_TICK_INTERVAL = TICK_SECONDS
    scheduler.time = _clock


# --- requests ------------------------------------------------------------------------------------


def _name_resources() -> None:
    """A schedule's ARN holds its group, which a request names in its body or its query."""
    original: Callable[..., str] = iam_actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        known = original(service, method, path, headers, body, *rest)
        if service != "scheduler" or ":schedule/" not in known:
            return known
        group = _fields(body).get("GroupName") or _first(rest[0] if rest else None, "groupName")
        return known.replace(":schedule/default/", f":schedule/{group or 'default'}/")

    iam_actions.extract_resource_arn = extract


def _requests() -> None:
    """A schedule is made with a role that its maker may pass and that Scheduler may assume."""
    original = scheduler.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Answer:
        name = path.removeprefix("/schedules/")
        writes = name != path and method in WRITES
        given = _fields(body)
        problem = _problem(iam.Caller.of(headers, query), given) if writes and given else None
        if problem is not None:
            return problem
        answer: Answer = await original(method, path, headers, body, query)
        if writes and answer[0] == 200:
            group = given.get("GroupName") or _first(query, "groupName") or "default"
            place = responses.get_account_id(), responses.get_region(), f"{group}/{name}"
            # What was changed or made anew has not fired yet.
            scheduler._schedule_last_fired.pop(place, None)
        return answer

    scheduler.handle_request = handle


def _problem(caller: iam.Caller, given: Fields) -> Answer | None:
    target = cast("Fields", given.get("Target") or {})
    role = str(target.get("RoleArn", ""))
    moment = scheduler._at_time_epoch(str(given.get("ScheduleExpression", "")))
    refused = caller.pass_role_refusal(role, PRINCIPAL)
    if refused:
        return scheduler._error(403, "AccessDeniedException", refused)
    problem = ""
    if not iam.role_trusts(role, PRINCIPAL, _group_arn(given)):
        problem = (
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the "
            f"role: {role}"
        )
    elif moment is not None and moment <= time.time():
        problem = f"Invalid Schedule Expression {given['ScheduleExpression']}: it lies in the past"
    return scheduler._error(400, "ValidationException", problem) if problem else None


def _group_arn(schedule: Fields) -> str:
    return str(scheduler._group_arn(schedule.get("GroupName") or "default"))


def _fields(body: bytes) -> Fields:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        return {}
    return cast("Fields", given) if isinstance(given, dict) else {}


def _first(query: Any, name: str) -> str:
    """A parameter of a query: its only value, or the first of several."""
    found: Any = cast("Mapping[str, Any]", query or {}).get(name) or ""
    return str(found if isinstance(found, str) else found[0])


# --- targets -------------------------------------------------------------------------------------


def _targets() -> None:
    original: Callable[..., None] = eventbridge._invoke_target

    def invoke(target: Fields, event: Fields, rule: Fields, view: Any = None) -> None:
        if ":schedule/" in str(rule.get("Arn", "")):
            _fire(target, rule)
        else:
            original(target, event, rule, view)

    eventbridge._invoke_target = invoke


def _fire(target: Fields, schedule: Fields) -> None:
    """Call the target; keep what fails."""
    role, given = str(target["RoleArn"]), _filled(str(target.get("Input") or "{}"), schedule)
    try:
        _check(role, schedule)
        resource, parameters = _call(target, given)
        sdk_tasks.call(resource, parameters, role)
    except sdk_tasks.TaskError as error:
        logger.warning("the schedule %s could not start: %s", schedule["Name"], error)
        _keep(target, schedule, given, error)


def _filled(given: str, schedule: Fields) -> str:
    """An input with its context attributes put in ("Adding context attributes")."""
    values = {
        "attempt-number": "1",
        "execution-id": uuid4().hex,
        "schedule-arn": str(schedule["Arn"]),
        "scheduled-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_clock.time())),
    }
    for name, value in values.items():
        given = given.replace(f"<aws.scheduler.{name}>", value)
    return given


def _check(role: str, schedule: Fields) -> None:
    if not iam.role_trusts(role, PRINCIPAL, _group_arn(schedule)):
        raise sdk_tasks.TaskError("AccessDenied", f"{PRINCIPAL} may not assume {role}")
    key = schedule.get("KmsKeyArn")
    if key and not iam.role_may_use_key(role, "kms:Decrypt", str(key), "scheduler"):
        raise sdk_tasks.TaskError("AccessDenied", f"{role} lacks kms:Decrypt on {key}")


def _call(target: Fields, given: str) -> tuple[str, Any]:
    """The call that a target stands for, in the form of Step Functions' `aws-sdk:` tasks."""
    arn = str(target["Arn"])
    if SDK in arn:
        try:
            return arn, json.loads(given)
        except ValueError as error:
            raise sdk_tasks.TaskError("InvalidInput", f"Input is not JSON: {error}") from error
    if ":sagemaker:" in arn:
        more: Fields = target.get("SageMakerPipelineParameters") or {}
        name = arn.rpartition("/")[2]
        parameters = more.get("PipelineParameterList", [])
        asked = {"PipelineName": name, "PipelineParameters": parameters}
        return f"arn:aws:scheduler{SDK}sagemaker:startPipelineExecution", asked
    if ":states:" in arn:
        asked = {"StateMachineArn": arn, "Input": given}
        return f"arn:aws:scheduler{SDK}sfn:startExecution", asked
    if ":lambda:" in arn:
        asked = {"FunctionName": arn, "InvocationType": "Event", "Payload": given}
        return f"arn:aws:scheduler{SDK}lambda:invoke", asked
    raise sdk_tasks.TaskError(
        "NotRehearsed",
        "the rehearsal knows universal targets, functions, SageMaker pipelines and state machines, "
        f"not {arn}",
    )


def _keep(target: Fields, schedule: Fields, given: str, failed: sdk_tasks.TaskError) -> None:
    """Put what failed into the dead-letter queue, if there is one and the role may."""
    place: Fields = target.get("DeadLetterConfig") or {}
    queue: Any = sqs._queue_by_arn(place["Arn"]) if place.get("Arn") else None
    if queue is None:
        return
    attributes = {
        "SCHEDULE_ARN": str(schedule["Arn"]),
        "TARGET_ARN": str(target["Arn"]),
        "ERROR_CODE": failed.error,
        "ERROR_MESSAGE": failed.cause[:1024],
    }
    message = {
        "QueueUrl": queue["url"],
        "MessageBody": given,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    try:
        sdk_tasks.call(f"arn:aws:scheduler{SDK}sqs:sendMessage", message, str(target["RoleArn"]))
    except sdk_tasks.TaskError as error:
        logger.warning("what %s was to start is lost: %s", schedule["Name"], error)
