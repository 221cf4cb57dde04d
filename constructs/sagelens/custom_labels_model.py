"""A Custom Labels model of one's own: trained, gated, started on a lease and stopped."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_rekognition as rekognition
from constructs import Construct

from .custom_model_keeper import KeptModel, Lease
from .errors import ArgumentErrors

NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")


class CustomLabelsModel(Construct):
    """A project of Amazon Rekognition Custom Labels, whose versions are trained models.

    Source: "AWS::Rekognition::Project" (AWS CloudFormation); "CreateProject" (Amazon Rekognition
    API reference).

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: The model's name, by which analyses call it.
        project_name: The project's name, unique in account and Region.
        lease: How long it runs, and on how much.

    Attributes:
        name: The model's name.
        project: The project.
        project_name: Its name.
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
        lease: Lease = Lease(),
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
        self.kept = KeptModel(project=project_name, project_arn=self.project.attr_arn, lease=lease)
