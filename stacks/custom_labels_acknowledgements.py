"""Each finding of cdk-nag that stands in the Custom Labels stack, and why."""

from __future__ import annotations

from collections.abc import Iterable

from constructs import IConstruct

from sagelens import CustomLabelsModel, CustomModelKeeper, CustomModelsTable, S3Folder
from stacks.acknowledgements import (
    ARN,
    INLINE,
    emptier_findings,
    function_findings,
    objects_in,
    schedule_findings,
    stands,
    table_findings,
)

_SCHEDULED = (
    "A schedule invokes it, whose own queue keeps what could not be; the next sweep, a minute "
    "later, does whatever one that failed left undone"
)


_INVOKED = "A state machine invokes it and keeps what failed as the execution's cause"
_MADE = "A project's ARN ends in the time at which it was made"


def versions_finding(project: str) -> str:
    """The name that cdk-nag gives to the wildcard over a project's versions."""
    return f"AwsSolutions-IAM5[Resource::{ARN.format('rekognition')}:project/{project}/version/*]"


def calls_findings(role: IConstruct, projects: Iterable[str]) -> None:
    """What stands where a role calls models by their names."""
    for project in projects:
        stands(role, versions_finding(project), "Versions come with each training")


def project_finding(project: str) -> str:
    """The name that cdk-nag gives to a project whose time of making is not known."""
    return f"AwsSolutions-IAM5[Resource::{ARN.format('rekognition')}:project/{project}/*]"


def model_findings(model: CustomLabelsModel, *, data: S3Folder, output: S3Folder) -> None:
    """What stands of a model's findings.

    Args:
        model: The model.
        data: Where its manifests and images lie.
        output: Where trainings write.
    """
    training, project = model.training, model.project_name
    worker = training.worker
    for role in (training.role, worker.role):
        stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
        stands(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            "Log delivery, tracing, describing projects and joining a network take no resource",
        )
        stands(role, objects_in(data.bucket, data.prefix), "The manifests say which images")
        stands(role, objects_in(output.bucket, output.prefix), "Each version has its own files")
    stands(training.role, project_finding(project), _MADE)
    calls_findings(worker.role, [project])
    function_findings(worker.function, _INVOKED)
    if model.emptier:
        emptier = model.emptier.worker
        emptier_findings(emptier)
        stands(emptier.role, project_finding(project), _MADE)
        calls_findings(emptier.role, [project])


def keeper_findings(keeper: CustomModelKeeper, projects: Iterable[str]) -> None:
    """What stands of the keeper's findings."""
    role = keeper.worker.role
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    stands(
        role,
        "AwsSolutions-IAM5[Resource::*]",
        "The operations by which the Lambda service joins a network take no resource beforehand",
    )
    names = list(projects)
    calls_findings(role, names)
    for project in names:
        stands(role, project_finding(project), _MADE)
    function_findings(keeper.worker.function, _SCHEDULED)
    schedule_findings(keeper.schedule)


def custom_labels_findings(
    *, keeper: CustomModelKeeper, table: CustomModelsTable, projects: Iterable[str]
) -> None:
    """What stands of the findings of the models, their table and their keeper."""
    table_findings(table)
    keeper_findings(keeper, projects)
