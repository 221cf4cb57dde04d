"""States around one SageMaker job that Step Functions starts and waits for.

Sources: "Create and manage Amazon SageMaker AI jobs with Step Functions", "IAM policies for calling
Amazon SageMaker AI with Step Functions" and "Run a Job (.sync)" (AWS Step Functions): Step
Functions hears of the job's end by an EventBridge rule that it keeps itself, looks at the job now
and then, and stops it when the execution is stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from .job_role import allow
from .release_states import ANY_ERROR, States, choice, on, sdk, take, task

Kind = Literal["ProcessingJob", "TransformJob"]
RESOURCES: Mapping[str, str] = {"ProcessingJob": "processing-job", "TransformJob": "transform-job"}
THROTTLED = ["SageMaker.AmazonSageMakerException", "SageMaker.ResourceLimitExceededException"]
"""As these integrations name faults of the service, throttling, and a quota that is used up."""


def running_job(
    state: str,
    kind: Kind,
    parameters: Mapping[str, Any],
    *,
    partition: str,
    name: str,
    timeout_seconds: int,
    then: str,
    failed: str,
) -> States:
    """Run a job to its end; a failure's reason in words ends up in ``$.error``.

    Args:
        state: Name of the state that runs it; the others' names begin with it.
        kind: What it is.
        parameters: Of the call that creates it.
        partition: Of AWS.
        name: Path of the job's name.
        timeout_seconds: After so long it is stopped.
        then: The next state.
        failed: The next state when it failed.
    """
    by_name = {f"{kind}Name.$": name}
    found = f"$.{state[0].lower()}{state[1:]}Job"
    why = f"{state}Why"
    return {
        state: {
            **task(
                f"arn:{partition}:states:::sagemaker:create{kind}.sync",
                parameters,
                then=then,
                catch=[
                    on(["States.Timeout"], f"{state}TookTooLong"),
                    on(ANY_ERROR, f"{state}Look"),
                ],
                retry=False,
            ),
            "TimeoutSeconds": timeout_seconds,
            "Retry": [
                {
                    "ErrorEquals": THROTTLED,
                    "IntervalSeconds": 30,
                    "MaxAttempts": 4,
                    "BackoffRate": 2,
                    "JitterStrategy": "FULL",
                }
            ],
        },
        f"{state}Look": task(
            sdk("sagemaker", f"describe{kind}", partition),
            by_name,
            keep=found,
            then=why,
            # There is no such job: what was said about its creation is the reason.
            catch=[{"ErrorEquals": ANY_ERROR, "ResultPath": found, "Next": failed}],
        ),
        # What a script says of itself tells more than what SageMaker says of it.
        why: choice(
            *(
                ({"Variable": f"{found}.{field}", "IsPresent": True}, f"{state}{field}")
                for field in ("ExitMessage", "FailureReason")
            ),
            otherwise=f"{state}Silent",
        ),
        **{
            f"{state}{field}": take(
                "$.error",
                {
                    "Error": f"{kind}Failed",
                    "Cause.$": f"States.Format('The job {{}} failed: {{}}', {name}, "
                    f"{found}.{field})",
                },
                then=failed,
            )
            for field in ("ExitMessage", "FailureReason")
        },
        f"{state}Silent": take(
            "$.error",
            {
                "Error": f"{kind}Failed",
                "Cause.$": f"States.Format('The job {{}} is {{}} and gave no reason', {name}, "
                f"{found}.{kind}Status)",
            },
            then=failed,
        ),
        f"{state}TookTooLong": take(
            "$.error",
            {
                "Error": f"{kind}TookTooLong",
                "Cause.$": f"States.Format('The job {{}} did not end in {timeout_seconds:,} s; it "
                f"is stopped', {name})",
            },
            then=f"{state}Stop",
        ),
        f"{state}Stop": task(
            sdk("sagemaker", f"stop{kind}", partition),
            by_name,
            then=failed,
            # What led here is the reason, whether or not it can be stopped.
            catch=[{"ErrorEquals": ANY_ERROR, "ResultPath": found, "Next": failed}],
        ),
    }


def job_statements(scope: Construct, kind: Kind, prefix: str) -> list[iam.PolicyStatement]:
    """What a state machine's role takes to run jobs of a kind.

    Args:
        scope: A construct of the account and Region.
        kind: What they are.
        prefix: What their names begin with.
    """
    stack = cdk.Stack.of(scope)
    jobs = stack.format_arn(
        service="sagemaker", resource=RESOURCES[kind], resource_name=f"{prefix}-*"
    )
    rule = stack.format_arn(
        service="events",
        resource="rule",
        resource_name=f"StepFunctionsGetEventsForSageMaker{kind}sRule",
    )
    return [
        allow(
            "RunJobs",
            [
                "sagemaker:AddTags",
                f"sagemaker:Create{kind}",
                f"sagemaker:Describe{kind}",
                "sagemaker:ListTags",
                f"sagemaker:Stop{kind}",
            ],
            [jobs],
        ),
        allow(
            "HearOfJobs",
            ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            [rule],
        ),
    ]
