"""Who works with the environment, and with which rights."""

from __future__ import annotations

from collections.abc import Iterator

from constructs import Construct

from config import AccessSettings, EnvironmentSettings
from sagelens import AuditorRole, DataScientistRole, Network, OwnJobs, S3Folder, TeamModel
from sagelens.algorithms import algorithm
from sagelens.analysis_calls import operations_of
from stacks import access_acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.hosting_plans import HostingNames
from stacks.platform_stack import PlatformStack
from stacks.training_stack import TrainingStack

WORKSPACE = "workspace/"
BY_MODEL = frozenset(("DetectCustomLabels",))
"""Operations that work on one model, which bills while it runs: not for trying things out."""


def add_access(
    app: Construct,
    *,
    settings: EnvironmentSettings,
    foundation: FoundationStack,
    training: TrainingStack | None,
) -> AccessStack | None:
    """Add the stack, if the environment has the roles.

    Args:
        app: The app.
        settings: The environment's settings.
        foundation: The environment's foundation.
        training: What trains, if anything does.
    """
    if settings.access is None:
        return None
    return AccessStack(
        app, settings=settings, access=settings.access, foundation=foundation, training=training
    )


class AccessStack(PlatformStack):
    """The data scientist's and the auditor's role. The reviewer's is the foundation's.

    It knows what it gives access to by name, so the other stacks may come and go. Only the MLflow
    app has an ARN that nobody can know beforehand.

    Args:
        scope: The app.
        settings: The environment's settings.
        access: Who may what.
        foundation: The environment's foundation.
        training: What trains, if anything does.

    Attributes:
        foundation: The environment's foundation.
        models: What people work on.
        readable: The stacks whose outputs data scientists read.
        job_prefix: What the names of their jobs begin with.
        workspace: The folder that data scientists write to.
        data_scientist: The data scientist's role, and that of the jobs that it starts.
        auditor: The auditor's role.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        access: AccessSettings,
        foundation: FoundationStack,
        training: TrainingStack | None = None,
    ) -> None:
        super().__init__(
            scope,
            "access",
            settings=settings,
            description="Sagelens: roles of the people who work with the environment",
        )
        self.foundation, self._training = foundation, training
        self.models = list(self._models())
        self.readable = list(self._stacks())
        self.job_prefix = f"lab-{settings.name.rstrip('-')}-"
        self.workspace = S3Folder(bucket=foundation.data_bucket, prefix=WORKSPACE)
        self.data_scientist = DataScientistRole(
            self,
            "DataScientist",
            models=self.models,
            workspace=self.workspace,
            jobs=self._jobs(access),
            encryption_key=foundation.encryption_key,
            principals=access.data_scientists,
            stacks=self.readable,
            analyses=list(self._analyses()),
            may_approve=access.may_approve,
        )
        if training and training.tracking:
            training.tracking.grant_write(self.data_scientist.role)
        self.auditor = AuditorRole(
            self,
            "Auditor",
            name_prefix=f"sagelens-{settings.name}-",
            role_path=settings.security.role_path,
            buckets=[foundation.images_bucket, foundation.data_bucket, foundation.models_bucket],
            access_logs=foundation.log_bucket,
            models=[model.model_group_name for model in self.models],
            encryption_key=foundation.encryption_key,
            principals=access.auditors,
        )
        access_acknowledgements.findings(self)
        self.export("DataScientistRoleArn", self.data_scientist.role.role_arn, "Trains and tries")
        job_role = self.data_scientist.job_role
        if job_role is not None:
            self.export("DataScientistJobRoleArn", job_role.role_arn, "Of jobs started by hand")
            self.export("DataScientistJobPrefix", self.job_prefix, "What their names begin with")
        self.export("DataScientistWorkspace", WORKSPACE, "Where it may write in the data bucket")
        self.export("AuditorRoleArn", self.auditor.role.role_arn, "Looks at settings, not at data")

    def _models(self) -> Iterator[TeamModel]:
        training, hosting = self.settings.training, self.settings.hosting
        bucket = self.foundation.models_bucket
        for name, model in training.models.items() if training else ():
            full_name = HostingNames(self.settings.name, name).endpoint
            yield TeamModel(
                data=S3Folder(bucket=self.foundation.data_bucket, prefix=model.data_prefix),
                runs=S3Folder(bucket=bucket, prefix=f"{name}/runs/"),
                pipeline_name=full_name,
                model_group_name=full_name,
                endpoint_name=full_name if hosting and name in hosting.models else None,
            )

    def _jobs(self, access: AccessSettings) -> OwnJobs | None:
        """Jobs run what pipelines run, so there are none without training."""
        training, network = self.settings.training, self.foundation.network
        if training is None:
            return None
        names = [model.algorithm for model in training.models.values()]
        security_group = self._training.job_security_group if self._training else None
        return OwnJobs(
            prefix=self.job_prefix,
            images=[algorithm(name).training_image(self) for name in dict.fromkeys(names)],
            instance_types=access.instance_types,
            hours=access.job_hours,
            network=Network(vpc=network.vpc, security_groups=[security_group])
            if network and security_group
            else None,
            network_isolation=training.network_isolation,
        )

    def _analyses(self) -> Iterator[str]:
        """What images are analysed with, so faces only where the environment has them on."""
        vision = self.settings.vision
        on = vision.analyses.on() if vision else {}
        for operation in operations_of({name: one.model_dump() for name, one in on.items()}):
            if operation.name not in BY_MODEL:
                yield operation.name

    def _stacks(self) -> Iterator[str]:
        settings = self.settings
        yield f"sagelens-{settings.name}-foundation"
        for capability in ("vision", "training"):
            if getattr(settings, capability):
                yield f"sagelens-{settings.name}-{capability}"
        for name in settings.hosting.models if settings.hosting else ():
            yield HostingNames(settings.name, name).stack
        yield self.stack_name
