"""The role of people who train and try models, and of the jobs that they start by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from .errors import ArgumentErrors
from .job_network import SelectedNetwork
from .job_role import LOG_GROUPS, allow, reading, running, sagemaker_principal, using_key
from .private_network import Network
from .s3_folder import S3Folder
from .training_pipeline import EXECUTION_ACTIONS

SECONDS = 3600
MOST_MODELS = 8
KINDS = ("training-job", "processing-job")
LISTS = (
    "sagemaker:ListEndpoints",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListModelPackages",
    "sagemaker:ListPipelines",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListTrainingJobs",
)
"""They take no resource, or none that a group is asked for with: who may list sees the names of
all in the account and Region."""


@dataclass(frozen=True, kw_only=True)
class TeamModel:
    """A model that people work on.

    Args:
        data: Where its raw data lie.
        runs: Where the runs of its pipeline lie, with metrics and plots.
        pipeline_name: Its pipeline.
        model_group_name: Its model package group.
        endpoint_name: Its endpoint, if it has one.
    """

    data: S3Folder
    runs: S3Folder
    pipeline_name: str
    model_group_name: str
    endpoint_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class OwnJobs:
    """Which training and processing jobs people may start by hand.

    Args:
        prefix: What their names begin with, such as ``lab-dev-``: 1 to 30 characters, the last one
            a hyphen.
        images: Addresses of the images that may run, those in Amazon ECR.
        instance_types: What they may run on.
        hours: How long each may run.
        network: Where they must run; by default where their maker says.
        network_isolation: Whether their containers must have no network.
    """

    prefix: str
    images: Sequence[str]
    instance_types: Sequence[str]
    hours: float = 4
    network: Network | None = None
    network_isolation: bool = True


class DataScientistRole(Construct):
    """Reads models' data and runs, starts pipelines and jobs, asks endpoints and Rekognition.

    It releases nothing unless ``may_approve``, deletes nothing but its own files, changes no
    pipeline, and passes one role, to SageMaker. Its jobs must use the key and the instance types
    that they are given, and the network where there is one. Notebooks and Studio may run as it.

    Grant more by ``role.add_to_policy``, for example the experiments by
    :meth:`~sagelens.ExperimentTracking.grant_write`.

    Sources: "Actions, resources, and condition keys for Amazon SageMaker" (Service Authorization
    Reference); "Control Creation of SageMaker AI Resources with Condition Keys" (Amazon SageMaker
    AI).

    Args:
        scope: The parent construct.
        id: The construct's id.
        models: What is worked on: 8 at most, since a role's policies have 10,240 characters at
            most ("IAM and AWS STS quotas").
        workspace: A folder to read and write; notebooks and jobs leave their files there.
        encryption_key: Key of all these folders, and of the jobs' volumes and output.
        jobs: Which jobs may be started by hand, if any.
        principals: ARNs of who may assume the role; when empty, the account's own IAM policies
            decide.
        stacks: Names of the stacks whose outputs it may read.
        analyses: Operations of Amazon Rekognition, such as ``DetectLabels``.
        may_approve: Whether it may approve and reject model versions.

    Attributes:
        role: The role.
        job_role: What the jobs may do that it starts by hand, or None.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: Sequence[TeamModel],
        workspace: S3Folder,
        encryption_key: kms.IKey,
        jobs: OwnJobs | None = None,
        principals: Sequence[str] = (),
        stacks: Sequence[str] = (),
        analyses: Sequence[str] = (),
        may_approve: bool = False,
    ) -> None:
        super().__init__(scope, id)
        self._models, self._workspace, self._key = models, workspace, encryption_key
        self._network = self._check(jobs)
        policies = {
            "files": _document(self._files()),
            "models": _document(self._work(stacks, analyses, may_approve)),
        }
        self.job_role: iam.Role | None = None
        if jobs:
            self.job_role = self._job_role(jobs)
            policies["jobs"] = _document(self._own_jobs(jobs, self.job_role))
        self.role = iam.Role(
            self,
            "Role",
            description="People who train and try models; their notebooks run as it",
            assumed_by=iam.CompositePrincipal(
                *([iam.ArnPrincipal(arn) for arn in principals] or [iam.AccountRootPrincipal()]),
                sagemaker_principal(),
            ),
            inline_policies=policies,
        )

    def _check(self, jobs: OwnJobs | None) -> SelectedNetwork | None:
        errors = ArgumentErrors(f"DataScientistRole {self.node.path}")
        errors.between("len(models)", len(self._models), 0, MOST_MODELS)
        folders = {"workspace": self._workspace}
        for number, model in enumerate(self._models):
            folders |= {f"models[{number}].data": model.data, f"models[{number}].runs": model.runs}
        for argument, folder in folders.items():
            problem = folder.problem()
            errors.require(problem is None, f"{argument}.{problem}")
        network = _check_jobs(jobs, errors) if jobs else None
        errors.throw()
        return network

    def _files(self) -> Iterator[iam.PolicyStatement]:
        yield from _read_all(self._models)
        yield from self._use_workspace("s3:DeleteObject")
        yield allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [self._key.key_arn])

    def _use_workspace(self, *more: str) -> list[iam.PolicyStatement]:
        reads, finds = reading({"Workspace": self._workspace})
        writes = ["s3:AbortMultipartUpload", *more, "s3:PutObject"]
        return [reads, finds, allow("WriteWorkspace", writes, [self._workspace.objects_arn])]

    def _work(
        self, stacks: Sequence[str], analyses: Sequence[str], may_approve: bool
    ) -> Iterator[iam.PolicyStatement]:
        pipelines = [self._arn("pipeline", model.pipeline_name) for model in self._models]
        packages = [self._arn("model-package", f"{m.model_group_name}/*") for m in self._models]
        groups = [self._arn("model-package-group", m.model_group_name) for m in self._models]
        endpoints = [
            self._arn("endpoint", m.endpoint_name) for m in self._models if m.endpoint_name
        ]
        yield allow("ListWork", LISTS, ["*"])
        if pipelines:
            yield from _pipelines(pipelines)
            yield allow(
                "LookAtVersions",
                [
                    "sagemaker:DescribeModelPackage",
                    "sagemaker:DescribeModelPackageGroup",
                ],
                [*packages, *groups],
            )
        if may_approve and packages:
            yield allow("Approve", ["sagemaker:UpdateModelPackage"], packages)
        if endpoints:
            actions = ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"]
            yield allow("AskEndpoints", actions, endpoints)
        if analyses:
            yield allow("Analyse", [f"rekognition:{name}" for name in analyses], ["*"])
        if stacks:
            yield allow("ReadOutputs", ["cloudformation:DescribeStacks"], self._stack_arns(stacks))

    def _own_jobs(self, jobs: OwnJobs, role: iam.Role) -> list[iam.PolicyStatement]:
        names = [self._arn(kind, f"{jobs.prefix}*") for kind in KINDS]
        groups = [self._log_group(name) for name in LOG_GROUPS]
        streams = [f"{group}:log-stream:{jobs.prefix}*" for group in groups]
        return [
            allow(
                "StartOwnJobs",
                ["sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob"],
                names,
                self._conditions(jobs),
            ),
            allow(
                "FollowOwnJobs",
                [
                    "sagemaker:DescribeProcessingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopProcessingJob",
                    "sagemaker:StopTrainingJob",
                ],
                names,
            ),
            allow("FindOwnLogs", ["logs:DescribeLogStreams"], groups),
            allow("ReadOwnLogs", ["logs:GetLogEvents"], streams),
            allow(
                "PassOwnJobRole",
                ["iam:PassRole"],
                [role.role_arn],
                {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            # Who makes a job with an encrypted volume makes the volume's grant.
            using_key(self._key)[1],
        ]

    def _conditions(self, jobs: OwnJobs) -> Mapping[str, Any]:
        """What a job of one's own must ask for. A key that is not there must not pass as well."""
        lists = {"sagemaker:InstanceTypes": list(jobs.instance_types)}
        if self._network:
            lists["sagemaker:VpcSubnets"] = list(self._network.subnets)
            lists["sagemaker:VpcSecurityGroupIds"] = list(self._network.security_groups)
        key = self._key.key_arn
        found: dict[str, Any] = {
            "ForAllValues:StringEquals": lists,
            "Null": dict.fromkeys(lists, "false"),
            "ArnEquals": {"sagemaker:OutputKmsKey": key, "sagemaker:VolumeKmsKey": key},
            "NumericLessThanEquals": {
                "sagemaker:MaxRuntimeInSeconds": str(round(SECONDS * jobs.hours))
            },
        }
        if jobs.network_isolation:
            found["Bool"] = {"sagemaker:NetworkIsolation": "true"}
        return found

    def _job_role(self, jobs: OwnJobs) -> iam.Role:
        network = self._network
        return iam.Role(
            self,
            "JobRole",
            description="Jobs that people start by hand: models' data in, the workspace out",
            assumed_by=sagemaker_principal(),
            inline_policies={
                "jobs": _document(
                    [
                        *_read_all(self._models),
                        *self._use_workspace(),
                        *using_key(self._key),
                        *running(self, jobs.images, LOG_GROUPS),
                        *(network.statements(cdk.Stack.of(self)) if network else ()),
                    ]
                )
            },
        )

    def _arn(self, resource: str, name: str) -> str:
        return cdk.Stack.of(self).format_arn(
            service="sagemaker", resource=resource, resource_name=name
        )

    def _stack_arns(self, names: Sequence[str]) -> list[str]:
        stack = cdk.Stack.of(self)
        return [
            stack.format_arn(service="cloudformation", resource="stack", resource_name=f"{name}/*")
            for name in names
        ]

    def _log_group(self, name: str) -> str:
        return cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/{name}",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )


def _pipelines(arns: Sequence[str]) -> Iterator[iam.PolicyStatement]:
    yield allow(
        "StartPipelines",
        [
            "sagemaker:DescribePipeline",
            "sagemaker:ListPipelineExecutions",
            "sagemaker:StartPipelineExecution",
        ],
        arns,
    )
    actions = [f"sagemaker:{action}" for action in EXECUTION_ACTIONS]
    yield allow("FollowPipelines", actions, [f"{arn}/execution/*" for arn in arns])


def _read_all(models: Sequence[TeamModel]) -> Iterator[iam.PolicyStatement]:
    """Read the data and runs of all models: a statement for all objects, one for each bucket."""
    folders = [folder for model in models for folder in (model.data, model.runs)]
    if not folders:
        return
    yield allow("ReadModels", ["s3:GetObject"], [folder.objects_arn for folder in folders])
    prefixes: dict[str, list[str]] = {}
    for folder in folders:
        prefixes.setdefault(folder.bucket.bucket_arn, []).append(f"{folder.prefix}*")
    for number, (bucket, found) in enumerate(prefixes.items()):
        condition = {"StringLike": {"s3:prefix": found}}
        yield allow(f"FindModels{number or ''}", ["s3:ListBucket"], [bucket], condition)


def _document(statements: Iterator[iam.PolicyStatement] | list[iam.PolicyStatement]) -> Any:
    return iam.PolicyDocument(statements=list(statements))


def _check_jobs(jobs: OwnJobs, errors: ArgumentErrors) -> SelectedNetwork | None:
    """Note what is wrong with the jobs; give the network that they must run in."""
    errors.require(
        bool(re.fullmatch(r"[a-zA-Z0-9](-?[a-zA-Z0-9]){0,28}-", jobs.prefix)),
        f"jobs.prefix: got {jobs.prefix!r}, allowed are 1 to 30 letters, digits and single "
        "hyphens, the last one a hyphen",
    )
    errors.require(bool(jobs.images), "jobs.images: got none, allowed are one image or more")
    errors.require(
        bool(jobs.instance_types),
        "jobs.instance_types: got none, allowed are one instance type or more",
    )
    errors.between("jobs.hours", jobs.hours, 0.25, 120, unit="h")
    return SelectedNetwork.of(jobs.network, errors)
