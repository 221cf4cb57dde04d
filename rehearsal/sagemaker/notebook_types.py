"""CloudFormation's types of notebook instances, their scripts and code repositories."""

from typing import Any

from rehearsal.sagemaker.cloudformation import Attributes, Properties, Provisioner, ResourceType
from rehearsal.sagemaker.context import Context

LIFECYCLE_TYPE = ResourceType(
    "NotebookInstanceLifecycleConfig",
    "NotebookInstanceLifecycleConfigName",
    "NotebookInstanceLifecycleConfigName",
    "NotebookInstanceLifecycleConfigArn",
    "NotebookInstanceLifecycleConfigArn",
    ("OnCreate", "OnStart"),
)
REPOSITORY_TYPE = ResourceType(
    "CodeRepository",
    "CodeRepositoryName",
    "CodeRepositoryName",
    "CodeRepositoryArn",
    "CodeRepositoryArn",
    ("GitConfig",),
)
KEPT_TYPES = (LIFECYCLE_TYPE, REPOSITORY_TYPE)
NOTEBOOK_TYPE = ResourceType(
    "NotebookInstance",
    "NotebookInstanceName",
    "NotebookInstanceName",
    "NotebookInstanceArn",
    "NotebookInstanceArn",
    (
        "AdditionalCodeRepositories",
        "DefaultCodeRepository",
        "InstanceMetadataServiceConfiguration",
        "InstanceType",
        "LifecycleConfigName",
        "RoleArn",
        "RootAccess",
        "VolumeSizeInGB",
    ),
    status="NotebookInstanceStatus",
)


class NotebookProvisioner(Provisioner):
    """Notebook instances: CloudFormation stops one to change it, and before it deletes it."""

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str
    ) -> tuple[str, Attributes]:
        """Stop it if it runs, change it, and start it again."""
        if not any(old.get(name) != new.get(name) for name in NOTEBOOK_TYPE.updated):
            return super().update(physical_id, old, new, stack)
        runs = self._stop(physical_id)
        result = super().update(physical_id, old, new, stack)
        if runs:
            self._call("StartNotebookInstance", self._named(physical_id))
            self._wait(self._identifier(physical_id))
        return result

    def delete(self, physical_id: str, props: Properties) -> None:
        """Stop it, delete it, and wait until it is gone."""
        self._stop(physical_id)
        super().delete(physical_id, props)
        self._wait(self._identifier(physical_id))

    def _stop(self, physical_id: str) -> bool:
        """Stop it; whether it ran."""
        identifier = self._identifier(physical_id)
        found: Any = self._wait(identifier)
        if not found or found["NotebookInstanceStatus"] != "InService":
            return False
        self._call("StopNotebookInstance", self._named(physical_id))
        self._wait(identifier)
        return True

    def _named(self, physical_id: str) -> Properties:
        return {"NotebookInstanceName": self._identifier(physical_id)}


def provisioners(context: Context) -> list[Provisioner]:
    """One of each type."""
    kept = [Provisioner(kind, context) for kind in KEPT_TYPES]
    return [*kept, NotebookProvisioner(NOTEBOOK_TYPE, context)]
