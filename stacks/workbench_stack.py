"""Where people work: notebook instances and Studio."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from config import EnvironmentSettings, NotebookSettings, WorkbenchSettings
from sagelens import (
    ExperimentTracking,
    GitRepository,
    IdleStop,
    KeptNotebook,
    Network,
    NotebookHours,
    NotebookInstance,
    NotebookKeeper,
    NotebookScripts,
)
from stacks import workbench_acknowledgements as acknowledgements
from stacks.foundation_stack import FoundationStack
from stacks.platform_stack import PlatformStack
from stacks.training_stack import TrainingStack, pascal


class WorkbenchStack(PlatformStack):
    """Notebook instances, what looks after them, and a Studio domain.

    Args:
        scope: The app.
        settings: The environment's settings.
        workbench: Where people work.
        foundation: The environment's foundation.
        tracking: Where their experiments are kept, if anywhere.

    Attributes:
        notebooks: The notebook instances by name.
        keeper: What looks after them; None without any.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: EnvironmentSettings,
        workbench: WorkbenchSettings,
        foundation: FoundationStack,
        tracking: ExperimentTracking | None,
    ) -> None:
        super().__init__(
            scope,
            "workbench",
            settings=settings,
            description="Sagelens: notebook instances and Studio",
        )
        self.workbench = workbench
        self.foundation = foundation
        self.tracking = tracking
        self.network = self._network()
        self.notebooks = {
            name: self._notebook(name, notebook) for name, notebook in workbench.notebooks.items()
        }
        self.keeper = self._keeper() if self.notebooks else None

    def _network(self) -> Network | None:
        network = self.foundation.network
        if network is None:
            return None
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            description="Where people work: HTTPS out, nothing in",
            allow_all_outbound=False,
        )
        group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "AWS services through the endpoints"
        )
        return Network(vpc=network.vpc, security_groups=[group])

    def _notebook(self, name: str, settings: NotebookSettings) -> NotebookInstance:
        notebook = NotebookInstance(
            self,
            f"{pascal(name)}Notebook",
            name=f"sagelens-{self.settings.name}-{name}",
            instance_type=settings.instance_type,
            volume_gb=settings.volume_gb,
            encryption_key=self.foundation.encryption_key,
            environment_name=self.settings.name,
            network=self.network,
            repositories=[GitRepository(**each.model_dump()) for each in settings.repositories],
            scripts=NotebookScripts(on_create=settings.on_create, on_start=settings.on_start),
            idle=IdleStop(
                minutes=settings.idle_minutes, keep_open_kernels=settings.keep_open_kernels
            ),
        )
        if self.tracking:
            self.tracking.grant_write(notebook.role)
            acknowledgements.tracking_findings(notebook.role, self.tracking)
        acknowledgements.notebook_findings(notebook, network=self.network is not None)
        self.export(f"{pascal(name)}NotebookName", notebook.name, "A notebook instance")
        self.export(f"{pascal(name)}NotebookRoleArn", notebook.role.role_arn, "Its role")
        return notebook

    def _keeper(self) -> NotebookKeeper:
        kept = [
            KeptNotebook(
                notebook=notebook,
                hours=NotebookHours(**hours.model_dump()) if hours else NotebookHours(),
            )
            for name, notebook in self.notebooks.items()
            for hours in [self.workbench.notebooks[name].hours]
        ]
        keeper = NotebookKeeper(
            self,
            "Keeper",
            instances=kept,
            sweep_minutes=self.workbench.sweep_minutes,
            encryption_key=self.foundation.encryption_key,
            environment_name=self.settings.name,
            alarm_topic=self.foundation.alarm_topic,
            log_retention_days=self.settings.log_retention_days,
            removal_policy=self.removal_policy,
        )
        acknowledgements.keeper_findings(keeper)
        function = keeper.worker.function.function_name
        self.export("NotebookKeeperName", function, "Looks after notebook instances")
        return keeper


def add_workbench(
    scope: Construct,
    *,
    settings: EnvironmentSettings,
    foundation: FoundationStack,
    training: TrainingStack | None,
) -> None:
    """Add an environment's workbench, if it has one.

    Args:
        scope: The app.
        settings: The environment's settings.
        foundation: The environment's foundation.
        training: Where models are trained, if they are: its experiments are written from here too.
    """
    if settings.workbench:
        WorkbenchStack(
            scope,
            settings=settings,
            workbench=settings.workbench,
            foundation=foundation,
            tracking=training.tracking if training else None,
        )
