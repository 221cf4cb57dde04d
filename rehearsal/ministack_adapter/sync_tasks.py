"""SageMaker jobs that a state machine starts and waits for: `sagemaker:create…Job.sync`.

Step Functions starts the job as the state machine's role, looks at it as that role, and stops it
when the execution ends first ("Create and manage Amazon SageMaker AI jobs with Step Functions",
"Run a Job (.sync)"). On AWS it also hears of the job's end by an EventBridge rule of its own, and
makes no state machine whose role may not keep that rule ("is not authorized to create
managed-rule").
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from rehearsal.ministack_adapter import iam, sdk_tasks

PREFIX = "arn:aws:states:::sagemaker:create"
SUFFIX = ".sync"
KINDS = ("ProcessingJob", "TrainingJob", "TransformJob")
LOOK_SECONDS = 0.2
RULE_ACTIONS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")


def kind_of(resource: str) -> str | None:
    """The kind of job that a task runs, or None where it runs none."""
    if not (resource.startswith(PREFIX) and resource.endswith(SUFFIX)):
        return None
    kind = resource.removeprefix(PREFIX).removesuffix(SUFFIX)
    return kind if kind in KINDS else None


def run(resource: str, given: Any, role: str, going_on: Callable[[], bool]) -> Any:
    """Run a job to its end and answer its description.

    Args:
        resource: the state's Resource.
        given: its Parameters, resolved.
        role: the ARN of the state machine's role.
        going_on: whether the execution still runs.

    Raises:
        sdk_tasks.TaskError: the job was refused, failed or was stopped.
    """
    kind = kind_of(resource)
    assert kind is not None
    _call(f"create{kind}", given, role)
    by_name = {f"{kind}Name": given[f"{kind}Name"]}
    while True:
        found = _call(f"describe{kind}", by_name, role)
        status = found[f"{kind}Status"]
        if status == "Completed":
            return found
        if status in ("Failed", "Stopped"):
            raise sdk_tasks.TaskError("States.TaskFailed", json.dumps(found))
        if status == "InProgress" and not going_on():
            _call(f"stop{kind}", by_name, role)
        time.sleep(LOOK_SECONDS)


def _call(action: str, given: Any, role: str) -> Any:
    try:
        return sdk_tasks.call(f"arn:aws:states:::aws-sdk:sagemaker:{action}", given, role)
    except sdk_tasks.TaskError as error:
        # What the service does not document has another class than in AWS SDK integrations.
        name = error.error.replace("SageMaker.SageMaker", "SageMaker.AmazonSageMaker")
        raise sdk_tasks.TaskError(name, error.cause) from error


def refusal(role: str, definition: Any, arn: Callable[[str, str], str]) -> str | None:
    """Why no state machine is made of a definition: its role may not keep a managed rule.

    Args:
        role: the ARN of the state machine's role.
        definition: a text, or what it says.
        arn: gives the ARN of a service's resource.
    """
    try:
        known = json.loads(definition) if isinstance(definition, str) else definition
    except ValueError:
        return None
    for kind in {kind for each in _resources(known) if (kind := kind_of(each))}:
        rule = arn("events", f"rule/StepFunctionsGetEventsForSageMaker{kind}sRule")
        if not all(iam.role_may(role, action, "events", rule) for action in RULE_ACTIONS):
            return f"'{role}' is not authorized to create managed-rule."
    return None


def _resources(value: Any) -> Iterator[str]:
    """Every Resource in a definition."""
    if isinstance(value, dict):
        for key, each in cast("dict[str, Any]", value).items():
            if key == "Resource" and isinstance(each, str):
                yield each
            else:
                yield from _resources(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _resources(each)
