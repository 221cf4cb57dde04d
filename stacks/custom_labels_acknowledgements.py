"""Each finding of cdk-nag that stands in the Custom Labels stack, and why."""

from __future__ import annotations

from collections.abc import Iterable

from constructs import IConstruct

from sagelens import CustomModelKeeper, CustomModelsTable
from stacks.acknowledgements import (
    ARN,
    INLINE,
    function_findings,
    schedule_findings,
    stands,
    table_findings,
)

_SCHEDULED = (
    "A schedule invokes it, whose own queue keeps what could not be; the next sweep, a minute "
    "later, does whatever one that failed left undone"
)


def versions_finding(project: str) -> str:
    """The name that cdk-nag gives to the wildcard over a project's versions."""
    return f"AwsSolutions-IAM5[Resource::{ARN.format('rekognition')}:project/{project}/version/*]"


def calls_findings(role: IConstruct, projects: Iterable[str]) -> None:
    """What stands where a role calls models by their names."""
    for project in projects:
        stands(role, versions_finding(project), "Versions come with each training")


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
        stands(
            role,
            f"AwsSolutions-IAM5[Resource::{ARN.format('rekognition')}:project/{project}/*]",
            "A project's ARN ends in the time at which it was made",
        )
    function_findings(keeper.worker.function, _SCHEDULED)
    schedule_findings(keeper.schedule)


def custom_labels_findings(
    *, keeper: CustomModelKeeper, table: CustomModelsTable, projects: Iterable[str]
) -> None:
    """What stands of the findings of the models, their table and their keeper."""
    table_findings(table)
    keeper_findings(keeper, projects)
