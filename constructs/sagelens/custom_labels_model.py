"""A Custom Labels model of one's own: trained, gated, started on a lease and stopped."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_rekognition as rekognition
from constructs import Construct

from .custom_labels_training import CustomLabelsGate, CustomLabelsTraining, TrainingPlaces
from .custom_model_keeper import KeptModel, Lease
from .custom_models_table import project_arn, version_arns
from .errors import ArgumentErrors
from .job_role import allow
from .private_network import Network
from .stack_emptier import StackEmptier

NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")


class CustomLabelsModel(Construct):
    """A project of Amazon Rekognition Custom Labels, whose versions are trained models.

    A version is trained by a state machine that people start, and goes live if it passes the gate.
    It runs while a :class:`CustomModelKeeper` finds it wanted.

    Sources: "AWS::Rekognition::Project" (AWS CloudFormation); "CreateProject", "DeleteProject" and
    "DeleteProjectVersion" (Amazon Rekognition API reference).

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: The model's name, by which analyses call it.
        project_name: The project's name, unique in account and Region.
        places: What a training works with.
        gate: What a version must reach to go live.
        lease: How long the model runs, and on how much.
        poll_seconds: How often it is looked whether a training has ended.
        log_retention_days: Days to keep the logs.
        network: Where the function that checks and judges runs.
        removal_policy: What becomes of the project and its versions when the stack is deleted.
            AWS deletes a project only when it holds no version: with ``DESTROY`` they are stopped
            and deleted first, but only when the whole stack is.

    Attributes:
        name: The model's name.
        project: The project.
        project_name: Its name.
        training: What trains it.
        emptier: What deletes the versions; None unless the project is to be deleted.
        kept: What a :class:`CustomModelKeeper` needs to know of it.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        project_name: str,
        places: TrainingPlaces,
        gate: CustomLabelsGate = CustomLabelsGate(),
        lease: Lease = Lease(),
        poll_seconds: int = 120,
        log_retention_days: int = 30,
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"CustomLabelsModel {self.node.path}")
        errors.require(
            cdk.Token.is_unresolved(project_name) or bool(NAME.fullmatch(project_name)),
            f"project_name: got {project_name!r}, allowed are 1 to 255 letters, digits, _ . -",
        )
        errors.throw()
        self.name = name
        self.project_name = project_name
        # The name is a contract: roles know versions by it, whose ARNs come into being later.
        self.project = rekognition.CfnProject(self, "Project", project_name=project_name)
        self.project.apply_removal_policy(removal_policy)
        self.training = CustomLabelsTraining(
            self,
            "Training",
            name=name,
            project_name=project_name,
            project=self.project.attr_arn,
            places=places,
            gate=gate,
            poll_seconds=poll_seconds,
            log_retention_days=log_retention_days,
            network=network,
            removal_policy=removal_policy,
        )
        goes = removal_policy == cdk.RemovalPolicy.DESTROY
        self.emptier = self._emptier(places, log_retention_days) if goes else None
        self.kept = KeptModel(project=project_name, project_arn=self.project.attr_arn, lease=lease)

    def _emptier(self, places: TrainingPlaces, log_retention_days: int) -> StackEmptier:
        actions = ["rekognition:DeleteProjectVersion", "rekognition:StopProjectVersion"]
        see = ["rekognition:DescribeProjectVersions"]
        return StackEmptier(
            self,
            "Emptier",
            holder=self.project,
            handler="custom_model_emptier.handler.handler",
            description="Stops and deletes the versions of a Custom Labels model with its stack",
            statements=[
                allow("SeeVersions", see, [project_arn(self.project_name)]),
                allow("StopAndDelete", actions, [version_arns(self.project_name)]),
            ],
            kind="CustomModelEmptier",
            held="Versions",
            properties={"ProjectArn": self.project.attr_arn},
            encryption_key=places.encryption_key,
            log_retention_days=log_retention_days,
        )
