"""Scores the records of a folder with the live version of a model, without an endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .batch_definition import BatchPlaces, batch_definition
from .batch_options import BatchLimits, BatchRecords
from .batch_roles import BatchMachineRole, BatchModelRole
from .errors import ArgumentErrors
from .image_repository import repository_arn
from .job_machine import JobMachine
from .job_network import SelectedNetwork
from .job_tags import tags_of
from .jobs import JobSurroundings, has_local_storage
from .live_version import parameter_arn
from .machine_schedule import MachineSchedule
from .s3_folder import S3Folder

JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,53}")
"""A job's name has 63 characters, nine of which make it unique."""
MOST_FILTER = 63
"""Characters of a filter ("DataProcessing", Amazon SageMaker API Reference)."""


class BatchScoring(Construct):
    """Input → state machine → transform job with the live version → results beside their records.

    Start an execution with ``{}`` for the whole input folder, or with
    ``{"prefix": "churn/batch/2026-11-23/"}`` for a part of it. Results go to
    ``<outputs><job>/<file>.out``. The job runs a model of its own, which is deleted again.

    Sources: "Create and manage Amazon SageMaker AI jobs with Step Functions" (AWS Step Functions);
    "Batch transform for inference with Amazon SageMaker AI".

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: Names of jobs and models begin with it: 1 to 54 letters, digits and hyphens, for
            example ``sagelens-dev-churn-batch``.
        model: What events call the model.
        live_version: Name of the SSM parameter with the live version.
        model_group_name: Model package group of the versions.
        models: Folder that the versions' artifacts lie in, such as ``churn/runs/``.
        inputs: Folder of what is scored.
        outputs: Folder of the results; not inside ``inputs``.
        images: Addresses of the images that serve the versions.
        encryption_key: Key of all these folders, of the job's volume, logs and state machine.
        alarm_topic: Hears of failures.
        bus: Event bus that hears ``Batch Scored`` and ``Batch Scoring Failed``; None: none does.
        records: What the files hold, and what becomes of them.
        limits: What the job runs on, and how far it may go.
        schedule: ``rate(1 day)``, or in UTC ``cron(0 2 * * ? *)``: scores the whole input folder;
            None: started by hand only.
        surroundings: What the job runs within.
        log_retention_days: Days to keep the state machine's logs.
        removal_policy: What becomes of logs and queue when the stack is deleted.

    Attributes:
        model_role: What the model and its job may do.
        machine_role: What the state machine may do.
        machine: State machine, its log group and the alarms on its failures.
        schedule: Starts it, or None.
        definition: The state machine's definition, as plain data.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        model: str,
        live_version: str,
        model_group_name: str,
        models: S3Folder,
        inputs: S3Folder,
        outputs: S3Folder,
        images: Sequence[str],
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        bus: events.IEventBus | None,
        records: BatchRecords = BatchRecords(),
        limits: BatchLimits = BatchLimits(),
        schedule: str | None = None,
        surroundings: JobSurroundings = JobSurroundings(),
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"BatchScoring {self.node.path}")
        self._check(errors, name, images, records)
        _check_folders(errors, models, inputs, outputs)
        limits.check(errors)
        network = SelectedNetwork.of(surroundings.network, errors)
        errors.throw()
        self.model_role = BatchModelRole(
            self,
            "ModelRole",
            models=models,
            inputs=inputs,
            outputs=outputs,
            encryption_key=encryption_key,
            images=images,
            network=network,
        )
        self.machine_role = BatchMachineRole(
            self,
            "MachineRole",
            name=name,
            parameter_arn=parameter_arn(self, live_version),
            group_name=model_group_name,
            inputs=inputs,
            model_role=self.model_role,
            bus=bus,
            encryption_key=encryption_key,
        )
        self.definition = batch_definition(
            BatchPlaces(
                partition=cdk.Aws.PARTITION,
                name=name,
                model=model,
                parameter=live_version,
                input_bucket=inputs.bucket.bucket_name,
                input_prefix=inputs.prefix,
                output_bucket=outputs.bucket.bucket_name,
                output_prefix=outputs.prefix,
                create=self._model(surroundings, network),
                transform=self._transform(records, limits, encryption_key),
                transform_input={
                    "ContentType": records.content_type,
                    "SplitType": "Line",
                    "CompressionType": "None",
                },
                transform_output={
                    "Accept": records.accept,
                    "AssembleWith": "Line",
                    "KmsKeyId": encryption_key.key_arn,
                },
                timeout_seconds=limits.max_seconds,
                bus=bus.event_bus_name if bus else None,
            )
        )
        self.machine = JobMachine(
            self,
            "Machine",
            role=self.machine_role,
            definition=self.definition,
            what=f"Batch scoring with {model}",
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            log_retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self.schedule = (
            MachineSchedule(
                self,
                "Schedule",
                state_machine=self.machine.state_machine,
                description=f"Batch scoring with {model}",
                expression=schedule,
                input={},
                encryption_key=encryption_key,
                alarm_topic=alarm_topic,
                removal_policy=removal_policy,
            )
            if schedule
            else None
        )

    def _check(
        self, errors: ArgumentErrors, name: str, images: Sequence[str], records: BatchRecords
    ) -> None:
        errors.require(
            cdk.Token.is_unresolved(name) or bool(JOB_NAME.fullmatch(name)),
            f"name: got {name!r}, allowed are 1 to 54 letters, digits and hyphens",
        )
        errors.require(bool(images), "images: got none, allowed is at least one address")
        for image in images:
            try:
                repository_arn(image)
            except ValueError as error:
                errors.require(False, str(error))
        for argument, filter in (("sent", records.sent), ("kept", records.kept)):
            errors.require(
                filter.startswith("$") and len(filter) <= MOST_FILTER,
                f"records.{argument}: got {filter!r}, allowed is a JSONPath of at most "
                f"{MOST_FILTER} characters such as '$[1:]'",
            )
        errors.require(
            not records.joined or records.content_type == records.accept,
            f"records: got {records.accept!r} to be joined with {records.content_type!r}, allowed "
            "is the same form",
        )

    def _model(
        self, surroundings: JobSurroundings, network: SelectedNetwork | None
    ) -> Mapping[str, Any]:
        return {
            "ExecutionRoleArn": self.model_role.role_arn,
            "EnableNetworkIsolation": surroundings.network_isolation,
            **({"VpcConfig": network.config} if network else {}),
            "Tags": tags_of(lambda: self.machine.state_machine),
        }

    def _transform(
        self, records: BatchRecords, limits: BatchLimits, key: kms.IKey
    ) -> Mapping[str, Any]:
        # AWS refuses a key for the volume of an instance with disks of its own.
        volume = {} if has_local_storage(limits.instance_type) else {"VolumeKmsKeyId": key.key_arn}
        return {
            "BatchStrategy": limits.strategy,
            "DataProcessing": {
                "InputFilter": records.sent,
                "JoinSource": "Input" if records.joined else "None",
                "OutputFilter": records.kept,
            },
            "MaxConcurrentTransforms": limits.concurrent,
            "MaxPayloadInMB": limits.payload_mb,
            "ModelClientConfig": {
                "InvocationsMaxRetries": limits.retries,
                "InvocationsTimeoutInSeconds": limits.answer_seconds,
            },
            "TransformResources": {
                "InstanceCount": limits.instance_count,
                "InstanceType": limits.instance_type,
                **volume,
            },
            "Tags": tags_of(lambda: self.machine.state_machine),
        }

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start an execution and see how it goes.

        Args:
            grantee: A role, user or function.
        """
        self.machine.grant_start(grantee)


def _check_folders(
    errors: ArgumentErrors, models: S3Folder, inputs: S3Folder, outputs: S3Folder
) -> None:
    for argument, folder in (("models", models), ("inputs", inputs), ("outputs", outputs)):
        problem = folder.problem()
        errors.require(problem is None, f"{argument}.{problem}")
    errors.require(
        outputs.bucket is not inputs.bucket or not outputs.prefix.startswith(inputs.prefix),
        f"outputs.prefix: got {outputs.prefix!r}, allowed is a folder outside of inputs, "
        f"{inputs.prefix!r}: results would be scored again",
    )
