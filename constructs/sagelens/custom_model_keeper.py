"""Starts Custom Labels models on a lease, and stops whatever outlives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .custom_models_table import CustomModelsTable, project_arn, version_arns
from .errors import ArgumentErrors
from .job_role import allow
from .machine_schedule import FunctionSchedule
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .work_queue import WorkQueue

SWEEP_MINUTES = 1
# Less than the time between two sweeps, so that they do not overlap.
TIMEOUT_SECONDS = 50


@dataclass(frozen=True, kw_only=True)
class Lease:
    """How long a Custom Labels model runs, and on how much.

    Args:
        minutes: Minutes that it runs on after its last use, 5 to 1,440.
        inference_units: Inference units that run at least, 1 to 5; each bills by the hour.
        most_inference_units: Up to how many are added under load; None: none.
        alarm_hours: In how many of the last 24 hours it may run before an alarm rings, 1 to 24.
    """

    minutes: int = 60
    inference_units: int = 1
    most_inference_units: int | None = None
    alarm_hours: int = 12

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with it."""
        errors.between("minutes", self.minutes, 5, 1440)
        errors.between("inference_units", self.inference_units, 1, 5)
        errors.between("alarm_hours", self.alarm_hours, 1, 24)
        most = self.most_inference_units
        if most is not None:
            errors.between("most_inference_units", most, self.inference_units, 5)


@dataclass(frozen=True, kw_only=True)
class KeptModel:
    """A model that a keeper looks after.

    Args:
        project: Name of its Amazon Rekognition project.
        project_arn: The project's ARN.
        lease: How long it runs, and on how much.
    """

    project: str
    project_arn: str
    lease: Lease = Lease()


class CustomModelKeeper(Construct):
    """Each minute a function compares which models run with which are wanted.

    A model is wanted while work waits for it, for a time after its last use, and until the end of
    a lease that someone wrote into the table. It starts what is wanted, stops everything else, and
    sends work that waited back to its queue once its models run. It decides from what it finds and
    remembers nothing, so that a sweep which is cut off leaves nothing running by mistake.

    Sources: "StartProjectVersion" and "StopProjectVersion" (Amazon Rekognition API reference);
    "Running a trained Amazon Rekognition Custom Labels model" (Amazon Rekognition Custom Labels).

    Args:
        scope: The parent construct.
        id: The construct's id.
        models: The models by name.
        table: The models' table.
        encryption_key: Key of table, logs and schedule, and of the queues that work goes back to.
        alarm_topic: Receives the alarms.
        environment_name: Dimension of the metrics.
        waiting_alarm_minutes: From how many minutes on that work waits an alarm rings.
        log_retention_days: Days to keep the logs.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of logs and queue when the stack is deleted.

    Attributes:
        worker: The function, its role and its log group.
        schedule: What invokes it.
        error_alarm: Rings when models could not be started or stopped.
        waiting_alarm: Rings when work waits too long for its models.
        running_alarms: Rings when a model runs for too many hours of a day, by the model's name.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: Mapping[str, KeptModel],
        table: CustomModelsTable,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        environment_name: str,
        waiting_alarm_minutes: int = 120,
        log_retention_days: int = 30,
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._models = models
        self._environment_name = environment_name
        self._check()
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="custom_model_keeper.handler.handler",
            description="Starts Custom Labels models on a lease and stops what outlives it",
            statements=self._statements(table, encryption_key),
            encryption_key=encryption_key,
            environment={
                "ENVIRONMENT": environment_name,
                "MODELS": cdk.Stack.of(self).to_json_string(
                    {name: _told(model) for name, model in sorted(models.items())}
                ),
                "MODELS_TABLE": table.table_name,
                "SWEEP_MINUTES": str(SWEEP_MINUTES),
            },
            options=FunctionOptions(
                timeout_seconds=TIMEOUT_SECONDS,
                memory_mb=256,
                log_retention_days=log_retention_days,
            ),
            network=network,
            removal_policy=removal_policy,
        )
        self.schedule = FunctionSchedule(
            self,
            "Schedule",
            function=self.worker.function,
            description="Sweeps over the Custom Labels models",
            expression=f"rate({SWEEP_MINUTES} minute)",
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            removal_policy=removal_policy,
        )
        self._watch(alarm_topic, waiting_alarm_minutes)

    def _check(self) -> None:
        errors = ArgumentErrors(f"CustomModelKeeper {self.node.path}")
        errors.require(bool(self._models), "models: got none, allowed are one or more")
        for model in self._models.values():
            model.lease.check(errors)
        errors.throw()

    def _statements(self, table: CustomModelsTable, key: kms.IKey) -> list[iam.PolicyStatement]:
        projects = [model.project for model in self._models.values()]
        return [
            allow("SeeVersions", ["rekognition:DescribeProjectVersions"], _arns(projects)),
            allow(
                "StartAndStop",
                ["rekognition:StartProjectVersion", "rekognition:StopProjectVersion"],
                [version_arns(project) for project in projects],
            ),
            allow(
                "KeepModels",
                [
                    "dynamodb:DeleteItem",
                    "dynamodb:GetItem",
                    "dynamodb:Query",
                    "dynamodb:UpdateItem",
                ],
                [table.table_arn],
            ),
            # Sending to an encrypted queue takes both.
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn]),
        ]

    def send_back_to(self, work: WorkQueue) -> iam.Policy:
        """Let work that waited go back to a queue.

        The policy belongs to the queue's stack, which may come after this one and go before it.

        Args:
            work: The queue.
        """
        statement = allow("SendBack", ["sqs:SendMessage"], [work.queue.queue_arn])
        return iam.Policy(work, "SendBack", roles=[self.worker.role], statements=[statement])

    def metric(self, name: str, model: str | None = None) -> cloudwatch.Metric:
        """A metric of the keeper, summed over an hour.

        Args:
            name: Of each model ``ModelRunningMinutes``, ``ModelsStarted``, ``ModelsStopped`` or
                ``ModelsFailed``; of all together ``ParkedMinutes`` or ``MessagesSentBack``.
            model: The model's name, for a metric of each.
        """
        dimensions = {"Environment": self._environment_name}
        return cloudwatch.Metric(
            namespace="Sagelens",
            metric_name=name,
            dimensions_map=dimensions | ({"Model": model} if model else {}),
            statistic="Sum",
            period=cdk.Duration.hours(1),
        )

    def _watch(self, topic: sns.ITopic, waiting_minutes: int) -> None:
        self.error_alarm = Alarm(
            self,
            "ErrorAlarm",
            metric=self.worker.function.metric_errors(period=cdk.Duration.minutes(5)),
            # One that failed and came right at once, such as by throttling, wakes nobody.
            threshold=3,
            description="Custom Labels models could not be started or stopped: see the keeper's "
            "log group; what runs bills by the hour",
            topic=topic,
        )
        self.waiting_alarm = Alarm(
            self,
            "WaitingAlarm",
            metric=self.metric("ParkedMinutes").with_(
                statistic="max", period=cdk.Duration.minutes(5)
            ),
            threshold=waiting_minutes,
            description="Work waits too long for its Custom Labels models",
            topic=topic,
        )
        self.running_alarms = {
            name: Alarm(
                self,
                f"{name}RunningAlarm",
                metric=self.metric("ModelRunningMinutes", name),
                periods=model.lease.alarm_hours,
                of_periods=24,
                description=f"The Custom Labels model {name} ran in {model.lease.alarm_hours} of "
                "the last 24 hours; it bills for each",
                topic=topic,
            )
            for name, model in sorted(self._models.items())
        }


def _told(model: KeptModel) -> dict[str, object]:
    lease = model.lease
    told: dict[str, object] = {
        "project": model.project_arn,
        "lease_minutes": lease.minutes,
        "units": lease.inference_units,
    }
    most = lease.most_inference_units
    return told if most is None else {**told, "most_units": most}


def _arns(projects: list[str]) -> list[str]:
    return [project_arn(project) for project in projects]
