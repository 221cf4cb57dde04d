"""Stops notebook instances that should have stopped themselves, and keeps their hours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .alarm import Alarm
from .errors import ArgumentErrors
from .job_role import allow
from .notebook_instance import NotebookInstance
from .python_function import FunctionOptions, PythonFunction

LEAST_SWEEP, MOST_SWEEP = 5, 1440
MOST_INSTANCES = 40
"""Their names have to fit into the function's variables."""


@dataclass(frozen=True, kw_only=True)
class NotebookHours:
    """When a notebook instance is started and stopped, whether or not anybody works on it.

    Args:
        start: ``cron(0 8 ? * MON-FRI *)``; None: people start it.
        stop: The same for its end; None: it stops when idle.
        timezone: Of both, such as ``Europe/Berlin``; daylight saving time is kept.
    """

    start: str | None = None
    stop: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class KeptNotebook:
    """A notebook instance and its hours."""

    notebook: NotebookInstance
    hours: NotebookHours = field(default_factory=NotebookHours)


class NotebookKeeper(Construct):
    """A function that looks after notebook instances, and the schedules that invoke it.

    Every ``sweep_minutes`` it stops an instance whose idle script has not been heard of for its
    idle time (or a day, if that is less) and half an hour more, or says that it has been
    idle for half an hour too long: the script has died, or could not stop the instance. It also
    starts and stops instances at their set times; one that is
    already as it should be is left alone.

    An invocation that fails is tried for a day; then it is kept in a queue, with an alarm. Another
    alarm rings when the function fails.

    Sources: "Using templated targets" and "Configuring a schedule's dead-letter queue" (Amazon
    EventBridge Scheduler).

    Args:
        scope: The parent construct.
        id: The construct's id.
        instances: At most 40.
        sweep_minutes: How often to look, 5 to 1,440.
        encryption_key: Key of schedules, queue, function and logs.
        environment_name: Dimension of the metrics.
        alarm_topic: Hears of what failed.
        log_retention_days: Days to keep the function's logs.
        removal_policy: What becomes of logs and queue when the stack is deleted.

    Attributes:
        worker: The function, its role and its log group.
        group: Group of the schedules, by which their role knows them.
        schedules: The schedules: ``sweep``, ``<notebook>-start`` and ``<notebook>-stop``.
        role: What schedules may do: invoke the function.
        undelivered: Queue of the invocations that failed, for 14 days.
        undelivered_alarm: Rings as soon as there is one.
        failed_alarm: Rings when the function fails.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        instances: Sequence[KeptNotebook],
        sweep_minutes: int = 15,
        encryption_key: kms.IKey,
        environment_name: str,
        alarm_topic: sns.ITopic,
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._check(instances, sweep_minutes)
        self._encryption_key = encryption_key
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="notebook_keeper.handler.handler",
            description="Stops notebook instances that are left running, and keeps their hours",
            statements=self._statements(instances),
            encryption_key=encryption_key,
            environment={
                "ENVIRONMENT": environment_name,
                "NOTEBOOKS": json.dumps(
                    {k.notebook.name: k.notebook.idle.minutes for k in instances}
                ),
            },
            options=FunctionOptions(
                timeout_seconds=120, memory_mb=256, log_retention_days=log_retention_days
            ),
            removal_policy=removal_policy,
        )
        self.group = scheduler.CfnScheduleGroup(self, "Group")
        self.undelivered = self._queue(removal_policy)
        self.role = self._role()
        self.schedules = self._schedules(instances, sweep_minutes)
        self._make_alarms(alarm_topic)

    def _check(self, instances: Sequence[KeptNotebook], sweep_minutes: int) -> None:
        errors = ArgumentErrors(f"NotebookKeeper {self.node.path}")
        errors.between("sweep_minutes", sweep_minutes, LEAST_SWEEP, MOST_SWEEP, unit="minutes")
        errors.require(
            1 <= len(instances) <= MOST_INSTANCES,
            f"instances: got {len(instances)}, allowed are 1 to {MOST_INSTANCES}",
        )
        errors.throw()

    def _statements(self, instances: Sequence[KeptNotebook]) -> list[iam.PolicyStatement]:
        arns = [kept.notebook.arn for kept in instances]
        started = [kept.notebook.arn for kept in instances if kept.hours.start]
        statements = [
            allow("SeeNotebooks", ["sagemaker:DescribeNotebookInstance"], arns),
            allow("StopNotebooks", ["sagemaker:StopNotebookInstance"], arns),
            # It takes no resource.
            allow("ReadIdleness", ["cloudwatch:GetMetricData"], ["*"]),
            allow("UseKey", ["kms:Decrypt"], [self._encryption_key.key_arn]),
        ]
        if started:
            statements.append(allow("StartNotebooks", ["sagemaker:StartNotebookInstance"], started))
        return statements

    def _queue(self, removal_policy: cdk.RemovalPolicy) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._encryption_key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=removal_policy,
        )

    def _role(self) -> iam.Role:
        statements = [
            allow("InvokeKeeper", ["lambda:InvokeFunction"], [self.worker.function.function_arn]),
            allow("KeepUndelivered", ["sqs:SendMessage"], [self.undelivered.queue_arn]),
            # Decrypt reads the schedule and, with GenerateDataKey, fills the queue.
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [self._encryption_key.key_arn]),
        ]
        return iam.Role(
            self,
            "Role",
            description="Lets schedules look after notebook instances",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                # "Cross-service confused deputy prevention": the source is the schedules' group.
                conditions={
                    "ArnEquals": {"aws:SourceArn": self.group.attr_arn},
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                },
            ),
            inline_policies={"keep": iam.PolicyDocument(statements=statements)},
        )

    def _schedules(
        self, instances: Sequence[KeptNotebook], sweep_minutes: int
    ) -> dict[str, scheduler.CfnSchedule]:
        found = {
            "sweep": self._schedule(
                "Sweep",
                "Stops notebook instances that are left running",
                f"rate({sweep_minutes} minutes)",
                {"action": "sweep"},
            )
        }
        for kept in instances:
            name, hours = kept.notebook.name, kept.hours
            for action, expression in (("start", hours.start), ("stop", hours.stop)):
                if expression:
                    found[f"{name}-{action}"] = self._schedule(
                        f"{name}-{action}",
                        f"{action.title()}s {name} at its set time",
                        expression,
                        {"action": action, "notebook": name},
                        hours.timezone,
                    )
        return found

    def _schedule(
        self,
        id: str,
        description: str,
        expression: str,
        event: Mapping[str, str],
        timezone: str = "UTC",
    ) -> scheduler.CfnSchedule:
        return scheduler.CfnSchedule(
            self,
            id,
            description=description,
            group_name=self.group.ref,
            schedule_expression=expression,
            schedule_expression_timezone=timezone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=self._encryption_key.key_arn,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.worker.function.function_arn,
                role_arn=self.role.role_arn,
                input=json.dumps(dict(event)),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.undelivered.queue_arn
                ),
            ),
        )

    def _make_alarms(self, topic: sns.ITopic) -> None:
        self.undelivered_alarm = Alarm(
            self,
            "UndeliveredAlarm",
            metric=self.undelivered.metric_approximate_number_of_messages_visible(
                statistic="max", period=cdk.Duration.minutes(1)
            ),
            description="Notebook instances could not be looked after at a set time",
            topic=topic,
        )
        self.failed_alarm = Alarm(
            self,
            "FailedAlarm",
            metric=self.worker.function.metric_errors(period=cdk.Duration.minutes(5)),
            description="Notebook instances could not be stopped or started; the function's log "
            "says which and why",
            topic=topic,
        )
