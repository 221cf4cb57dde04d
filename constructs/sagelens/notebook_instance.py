"""A notebook instance that is encrypted, without root, and stops itself when idle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlparse

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from .errors import ArgumentErrors
from .notebook_lifecycle import (
    IdleStop,
    encoded,
    idle_problem,
    on_create,
    on_start,
    script_problem,
)
from .notebook_role import METRICS, WorkbenchRole, notebook_arn, notebook_statements
from .private_network import Network

PLATFORM = "notebook-al2023-v1"
"""Amazon Linux 2023 and JupyterLab 4 ("Amazon Linux 2023 notebook instances")."""
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
LEAST_VOLUME, MOST_VOLUME = 5, 16_384
MOST_REPOSITORIES = 4
"""One to begin in and three beside it."""


@dataclass(frozen=True, kw_only=True)
class GitRepository:
    """A Git repository that is cloned onto a notebook instance.

    Args:
        url: Its address, beginning with ``https://``.
        branch: What is checked out; by default the repository's own.
        secret_arn: Secret of AWS Secrets Manager with user name and password, for one that takes
            them.
    """

    url: str
    branch: str | None = None
    secret_arn: str | None = None


@dataclass(frozen=True, kw_only=True)
class NotebookScripts:
    """What else runs as root on a notebook instance, as bash scripts.

    Args:
        on_create: Once, when it is made.
        on_start: At each start, after what stops it when idle was installed.
    """

    on_create: str = ""
    on_start: str = ""


class NotebookInstance(Construct):
    """A notebook instance for one person or one purpose.

    Its volume is encrypted, its users are not root, its metadata service speaks version 2 only,
    and it stops itself when nothing is done on it. In a network it has no other way out.

    Its name is given, since its role names it: it may stop itself and nothing else.

    Sources: "AWS::SageMaker::NotebookInstance", "AWS::SageMaker::NotebookInstanceLifecycleConfig"
    and "AWS::SageMaker::CodeRepository" (AWS CloudFormation); "Customization of a SageMaker
    notebook instance using an LCC script" (Amazon SageMaker AI).

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: 1 to 63 letters, digits and hyphens.
        instance_type: Such as ``ml.t3.medium``.
        volume_gb: What people keep there, 5 to 16,384 GB. It may grow later, not shrink.
        role: By which people work on it; it is given what the instance itself needs. By default
            one that may do no more than that.
        encryption_key: Key of the volume.
        environment_name: Dimension of its metric.
        network: Where it runs, without direct internet access: in the first isolated subnet. By
            default in a network of Amazon SageMaker's, with internet access.
        repositories: At most four; it opens in the first.
        scripts: What else runs at its creation and starts.
        idle: When it stops itself; by default after an hour.

    Attributes:
        instance: The notebook instance.
        lifecycle: The scripts that SageMaker runs.
        repositories: The resources of its repositories.
        role: By which people work on it.
        name: Its name.
        arn: Its ARN.
        idle: When it stops itself.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        instance_type: str = "ml.t3.medium",
        volume_gb: int = LEAST_VOLUME,
        role: iam.Role | None = None,
        encryption_key: kms.IKey,
        environment_name: str,
        network: Network | None = None,
        repositories: Sequence[GitRepository] = (),
        scripts: NotebookScripts = NotebookScripts(),
        idle: IdleStop | None = None,
    ) -> None:
        super().__init__(scope, id)
        idle = idle or IdleStop()
        create = on_create(scripts.on_create)
        start = on_start(idle, environment_name=environment_name, yours=scripts.on_start)
        self._check(name, instance_type, volume_gb, repositories, idle, (create, start))
        self._environment_name = environment_name
        self.name, self.idle = name, idle
        self.arn = notebook_arn(self, name)
        self.role = role or WorkbenchRole(self, "Role", description=f"Notebook instance {name}")
        for statement in notebook_statements(
            self, name, secrets=[each.secret_arn for each in repositories if each.secret_arn]
        ):
            self.role.add_to_policy(statement)
        self.lifecycle = sagemaker.CfnNotebookInstanceLifecycleConfig(
            self, "Lifecycle", on_create=_hooks(create), on_start=_hooks(start)
        )
        self.repositories = [
            _repository(self, f"Repository{number}", each)
            for number, each in enumerate(repositories, 1)
        ]
        self.instance = self._make(instance_type, volume_gb, encryption_key, network)
        # What runs at its first start needs the role's policy.
        self.instance.node.add_dependency(self.role.node.find_child("DefaultPolicy"))

    def _make(
        self, instance_type: str, volume_gb: int, key: kms.IKey, network: Network | None
    ) -> sagemaker.CfnNotebookInstance:
        names = [each.attr_code_repository_name for each in self.repositories]
        instance = sagemaker.CfnNotebookInstance(
            self,
            "Instance",
            notebook_instance_name=self.name,
            instance_type=instance_type,
            volume_size_in_gb=volume_gb,
            role_arn=self.role.role_arn,
            kms_key_id=key.key_arn,
            platform_identifier=PLATFORM,
            root_access="Disabled",
            direct_internet_access="Disabled" if network else "Enabled",
            instance_metadata_service_configuration=(
                sagemaker.CfnNotebookInstance.InstanceMetadataServiceConfigurationProperty(
                    minimum_instance_metadata_service_version="2"
                )
            ),
            lifecycle_config_name=self.lifecycle.attr_notebook_instance_lifecycle_config_name,
            default_code_repository=names[0] if names else None,
            additional_code_repositories=names[1:] or None,
        )
        if network:
            chosen = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            instance.subnet_id = network.vpc.select_subnets(
                subnet_type=chosen.subnet_type
            ).subnet_ids[0]
            instance.security_group_ids = [g.security_group_id for g in network.security_groups]
        return instance

    def _check(
        self,
        name: str,
        instance_type: str,
        volume_gb: int,
        repositories: Sequence[GitRepository],
        idle: IdleStop,
        scripts: Sequence[str],
    ) -> None:
        errors = ArgumentErrors(f"NotebookInstance {self.node.path}")
        errors.require(
            bool(NAME.fullmatch(name)) or cdk.Token.is_unresolved(name),
            f"name: got {name!r}, allowed are 1 to 63 letters, digits and hyphens between them",
        )
        errors.require(
            bool(TYPE.fullmatch(instance_type)) or cdk.Token.is_unresolved(instance_type),
            f"instance_type: got {instance_type!r}, allowed are such as 'ml.t3.medium'",
        )
        errors.between("volume_gb", volume_gb, LEAST_VOLUME, MOST_VOLUME, unit="GB")
        problem = idle_problem(idle)
        errors.require(problem is None, f"idle.minutes: {problem}")
        for argument, script in zip(("on_create", "on_start"), scripts, strict=True):
            wrong, allowed = script_problem(script) or ("", "")
            errors.require(not wrong, f"scripts.{argument}: it {wrong}, allowed are {allowed}")
        errors.require(
            len(repositories) <= MOST_REPOSITORIES,
            f"repositories: got {len(repositories)}, allowed are {MOST_REPOSITORIES}",
        )
        for each in repositories:
            errors.require(
                cdk.Token.is_unresolved(each.url) or _fetchable(each.url),
                f"repositories: got {each.url!r}, allowed are addresses beginning with https:// "
                "and without user name or password",
            )
        errors.throw()

    def grant_open(self, grantee: iam.IGrantable) -> None:
        """Let a principal open the instance in a browser, start it and stop it.

        Args:
            grantee: A person's role or user.
        """
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                sid="OpenNotebookInstance",
                actions=[
                    "sagemaker:CreatePresignedNotebookInstanceUrl",
                    "sagemaker:DescribeNotebookInstance",
                    "sagemaker:StartNotebookInstance",
                    "sagemaker:StopNotebookInstance",
                ],
                resources=[self.arn],
            )
        )

    def metric_idle_minutes(self) -> cloudwatch.Metric:
        """For how many minutes nothing has been done on it; no value while it is stopped."""
        return cloudwatch.Metric(
            namespace=METRICS,
            metric_name="IdleMinutes",
            dimensions_map={"Environment": self._environment_name, "NotebookInstance": self.name},
            statistic="Maximum",
            period=cdk.Duration.minutes(5),
        )


def _fetchable(url: str) -> bool:
    place = urlparse(url)
    return place.scheme == "https" and bool(place.hostname) and place.username is None


def _hooks(
    script: str,
) -> (
    list[sagemaker.CfnNotebookInstanceLifecycleConfig.NotebookInstanceLifecycleHookProperty] | None
):
    hook = sagemaker.CfnNotebookInstanceLifecycleConfig.NotebookInstanceLifecycleHookProperty
    return [hook(content=encoded(script))] if script else None


def _repository(scope: Construct, id: str, given: GitRepository) -> sagemaker.CfnCodeRepository:
    return sagemaker.CfnCodeRepository(
        scope,
        id,
        git_config=sagemaker.CfnCodeRepository.GitConfigProperty(
            repository_url=given.url, branch=given.branch, secret_arn=given.secret_arn
        ),
    )
