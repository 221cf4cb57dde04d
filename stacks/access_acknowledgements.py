"""What stands of the access stack's findings of cdk-nag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from sagelens.data_scientist_role import KINDS, TeamModel
from sagelens.job_role import LOG_GROUPS
from stacks.acknowledgements import ARN, INLINE, objects_in, stands

if TYPE_CHECKING:
    from stacks.access_stack import AccessStack

FOLDER = "Whatever lies in this folder, and nothing beside it"
LISTS = "These actions take no resource in a policy"
RUNS = "Each execution has an id that is not known beforehand"
VERSIONS = "Each version has a number that is not known beforehand"
STACK = "A stack's ARN ends with an id that is not known beforehand"
OWN = "Jobs that people start by hand, and their logs, are told by what their names begin with"


def findings(stack: AccessStack) -> None:
    """Let the wildcards stand that the roles cannot do without."""
    _data_scientist(stack)
    if stack.data_scientist.job_role:
        _jobs(stack, stack.data_scientist.role, stack.data_scientist.job_role)
    _auditor(stack)


def _wildcard(service: str, resource: str) -> str:
    return f"AwsSolutions-IAM5[Resource::{ARN.format(service)}:{resource}]"


def _folders(stack: AccessStack) -> Iterator[str]:
    folders = [stack.workspace]
    for model in stack.models:
        folders += [model.data, model.runs]
    for folder in folders:
        yield objects_in(folder.bucket, folder.prefix)


def _of_model(role: iam.Role, model: TeamModel) -> None:
    stands(role, _wildcard("sagemaker", f"model-package/{model.model_group_name}/*"), VERSIONS)
    stands(role, _wildcard("sagemaker", f"pipeline/{model.pipeline_name}/execution/*"), RUNS)


def _data_scientist(stack: AccessStack) -> None:
    role = stack.data_scientist.role
    document = role.node.find_child("Resource")
    for folder in _folders(stack):
        stands(role, folder, FOLDER)
    for model in stack.models:
        _of_model(role, model)
    for name in stack.readable:
        stands(role, _wildcard("cloudformation", f"stack/{name}/*"), STACK)
    stands(document, "AwsSolutions-IAM5[Resource::*]", LISTS)
    stands(document, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
    granted = role.node.try_find_child("DefaultPolicy")
    if granted is not None:
        stands(granted, "AwsSolutions-IAM5[Resource::*]", LISTS)
        stands(granted, objects_in(stack.foundation.models_bucket, "mlflow/"), FOLDER)
        stands(granted, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)


def _jobs(stack: AccessStack, starter: iam.Role, role: iam.Role) -> None:
    for kind in KINDS:
        stands(starter, _wildcard("sagemaker", f"{kind}/{stack.job_prefix}*"), OWN)
    for group in LOG_GROUPS:
        streams = f"log-group:/aws/sagemaker/{group}:log-stream:{stack.job_prefix}*"
        stands(starter, _wildcard("logs", streams), OWN)
    for folder in _folders(stack):
        stands(role, folder, FOLDER)
    for group in LOG_GROUPS:
        logs = _wildcard("logs", f"log-group:/aws/sagemaker/{group}*")
        stands(role, logs, "SageMaker names the log streams below its own groups")
    if stack.foundation.network:
        interfaces = _wildcard("ec2", "network-interface/*")
        stands(role, interfaces, "The interfaces are made with the job, in the named subnets only")
    stands(role, "AwsSolutions-IAM5[Resource::*]", LISTS)
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)


def _auditor(stack: AccessStack) -> None:
    role, prefix = stack.auditor.role, f"sagelens-{stack.settings.name}-"
    path = stack.settings.security.role_path
    roles = f"arn:<AWS::Partition>:iam::<AWS::AccountId>:role{path}{prefix}*"
    for model in stack.models:
        _of_model(role, model)
    if stack.models:
        stands(role, "AwsSolutions-IAM5[Resource::*]", LISTS)
    stands(role, objects_in(stack.foundation.log_bucket), "Access logs are what is looked at")
    stands(role, _wildcard("cloudformation", f"stack/{prefix}*/*"), STACK)
    stands(role, _wildcard("cloudwatch", f"alarm:{prefix}*"), "The alarms of its stacks")
    stands(role, f"AwsSolutions-IAM5[Resource::{roles}]", "The roles of its stacks")
    stands(role, "NIST.800.53.R5-IAMNoInlinePolicy", INLINE)
