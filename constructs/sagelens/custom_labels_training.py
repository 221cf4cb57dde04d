"""Trains a version of a Custom Labels model: checked before, judged after, live if it passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .custom_labels_definition import definition
from .custom_models_table import CustomModelsTable, project_arn, version_arns
from .errors import ArgumentErrors
from .job_machine import JobMachine
from .job_role import allow, volume_grant
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .release_roles import log_and_trace
from .s3_folder import S3Folder
from .state_machine import states_principal

_LOOKS = ("s3:GetBucketAcl", "s3:GetBucketLocation")
_READS = ("s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging", "s3:GetObjectVersion")


@dataclass(frozen=True, kw_only=True)
class CustomLabelsGate:
    """What a trained version must reach on its test images to go live.

    Args:
        f1: Least F1 score over all labels, 0 to 1.
        recall: Least recall of each label, 0 to 1.
        least_images: Training images that each label must have, 1 to 1,000.
    """

    f1: float = 0.8
    recall: float = 0.5
    least_images: int = 10

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with it."""
        errors.between("f1", self.f1, 0, 1)
        errors.between("recall", self.recall, 0, 1)
        errors.between("least_images", self.least_images, 1, 1000)


@dataclass(frozen=True, kw_only=True)
class TrainingPlaces:
    """What a training works with.

    Args:
        data: Folder with ``train.manifest``, ``test.manifest`` and their images.
        output: Folder of what a training writes.
        table: The models' table.
        encryption_key: Key of all of these, and of the copies that Amazon makes of the images.
        alarm_topic: Hears of trainings that did not end well.
    """

    data: S3Folder
    output: S3Folder
    table: CustomModelsTable
    encryption_key: kms.IKey
    alarm_topic: sns.ITopic


class CustomLabelsTraining(Construct):
    """A state machine that people start: check both manifests, train, judge, go live.

    Sources: "CreateProjectVersion" (Amazon Rekognition API reference); "Creating a manifest file",
    "Validation rules for manifest files" and "Step 5: Encrypt training files" (Amazon Rekognition
    Custom Labels), by which the caller's permissions suffice and the buckets need no policy. Which
    S3 actions a training takes is not said: these are the ones of the managed policy
    AmazonRekognitionCustomLabelsFullAccess, on these folders.

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: The model's name.
        project_name: Its project's.
        project: The project's ARN.
        places: What a training works with.
        gate: What a version must reach.
        poll_seconds: How often the machine looks whether a training has ended, 1 to 3,600.
        log_retention_days: Days to keep the logs.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        worker: The function that checks and judges, its role and its log group.
        role: What the machine may do, and so what a training may.
        machine: The state machine with its alarms.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        project_name: str,
        project: str,
        places: TrainingPlaces,
        gate: CustomLabelsGate = CustomLabelsGate(),
        poll_seconds: int = 120,
        log_retention_days: int = 30,
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._project_name, self._places = project_name, places
        self._check(gate, poll_seconds)
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="custom_labels_training.handler.handler",
            description=f"Checks the manifests of {name} and judges what was trained on them",
            statements=self._worker_statements(),
            encryption_key=places.encryption_key,
            environment={
                "MODELS_TABLE": places.table.table_name,
                "MODEL": cdk.Stack.of(self).to_json_string(self._told(name, gate)),
            },
            # A quarter of a million images are looked at, each by its first bytes.
            options=FunctionOptions(
                timeout_seconds=900, memory_mb=1024, log_retention_days=log_retention_days
            ),
            network=network,
            removal_policy=removal_policy,
        )
        self.role = iam.Role(
            self,
            "Role",
            description=f"Trains the Custom Labels model {name}",
            assumed_by=states_principal(),
            inline_policies={"train": iam.PolicyDocument(statements=self._machine_statements())},
        )
        self.machine = JobMachine(
            self,
            "Machine",
            role=self.role,
            definition=definition(
                project=project,
                function=self.worker.function.function_arn,
                output=places.output,
                key=places.encryption_key.key_arn,
                poll_seconds=poll_seconds,
            ),
            what=f"A training of the Custom Labels model {name}",
            encryption_key=places.encryption_key,
            alarm_topic=places.alarm_topic,
            log_retention_days=log_retention_days,
            removal_policy=removal_policy,
        )

    def _check(self, gate: CustomLabelsGate, poll_seconds: int) -> None:
        errors = ArgumentErrors(f"CustomLabelsTraining {self.node.path}")
        gate.check(errors)
        errors.between("poll_seconds", poll_seconds, 1, 3600, unit="s")
        for place in (self._places.data, self._places.output):
            problem = place.problem()
            errors.require(problem is None, problem or "")
        errors.throw()

    def _told(self, name: str, gate: CustomLabelsGate) -> dict[str, Any]:
        return {
            "name": name,
            "project": self._project_name,
            "bucket": self._places.data.bucket.bucket_name,
            "prefix": self._places.data.prefix,
            "least_images": gate.least_images,
            "f1": gate.f1,
            "recall": gate.recall,
        }

    def _worker_statements(self) -> list[iam.PolicyStatement]:
        places = self._places
        return [
            allow("ReadData", ["s3:GetObject", "s3:GetObjectVersion"], [places.data.objects_arn]),
            # Without it S3 answers 403, not 404, for an image that is missing.
            allow("TellGoneFromDenied", ["s3:ListBucket"], [places.data.bucket.bucket_arn]),
            allow("ReadFigures", ["s3:GetObject"], [places.output.objects_arn]),
            # It takes no resource.
            allow("SeeProject", ["rekognition:DescribeProjects"], ["*"]),
            allow("TagVersions", ["rekognition:TagResource"], [version_arns(self._project_name)]),
            allow(
                "RecordTraining",
                ["dynamodb:PutItem", "dynamodb:UpdateItem"],
                [places.table.table_arn],
            ),
            allow("UseKey", ["kms:Decrypt"], [places.encryption_key.key_arn]),
        ]

    def _machine_statements(self) -> list[iam.PolicyStatement]:
        places, key = self._places, self._places.encryption_key
        buckets = {each.bucket.bucket_arn: None for each in (places.data, places.output)}
        return [
            allow("Step", ["lambda:InvokeFunction"], [self.worker.function.function_arn]),
            allow(
                "Train",
                ["rekognition:CreateProjectVersion", "rekognition:DescribeProjectVersions"],
                [project_arn(self._project_name)],
            ),
            allow("SeeBuckets", _LOOKS, list(buckets)),
            allow("ReadData", _READS, [places.data.objects_arn]),
            allow("WriteResults", ["s3:PutObject"], [places.output.objects_arn]),
            allow(
                "UseKey", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], [key.key_arn]
            ),
            volume_grant(key),
            *log_and_trace(),
        ]
