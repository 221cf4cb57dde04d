"""Notebook instances: made, started, stopped, listed; there is no machine behind them."""

import time
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.notebook_parts import LIFECYCLE, REPOSITORY
from rehearsal.sagemaker.service import Action, Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table

NOTEBOOK = "notebook-instance"
STATUS = "NotebookInstanceStatus"
# How long an instance is on its way: long enough to be seen, short enough not to be waited for.
TRANSITION_SECONDS = 0.05
KEPT = (
    "AdditionalCodeRepositories",
    "DefaultCodeRepository",
    "DirectInternetAccess",
    "InstanceMetadataServiceConfiguration",
    "InstanceType",
    "KmsKeyId",
    "PlatformIdentifier",
    "RoleArn",
    "RootAccess",
    "SubnetId",
    "VolumeSizeInGB",
)
DEFAULTS: Fields = {
    "DirectInternetAccess": "Enabled",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
    "PlatformIdentifier": "notebook-al2023-v1",
    "RootAccess": "Enabled",
    "VolumeSizeInGB": 5,
}


def operations(context: Context) -> Registry:
    """The operations of notebook instances."""
    api = NotebookOperations(context)
    return {
        "CreateNotebookInstance": api.create,
        "DescribeNotebookInstance": api.describe,
        "ListNotebookInstances": api.list,
        "UpdateNotebookInstance": api.update,
        "StartNotebookInstance": api.start,
        "StopNotebookInstance": api.stop,
        "DeleteNotebookInstance": api.delete,
    }


def actions(context: Context) -> dict[str, Action]:
    """For the control API: `notebook_credentials`, what programs on a running instance act with."""

    def credentials(body: dict[str, Any]) -> dict[str, str]:
        found = context.tables.table(NOTEBOOK).view(str(body["name"]))
        if found.fields[STATUS] != "InService":
            raise ValueError(f"{found.name} is {found.fields[STATUS]}, not InService")
        access, secret, token = context.credentials(found.fields["RoleArn"])
        return {
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token or "",
        }

    return {"notebook_credentials": credentials}


class NotebookOperations:
    """Notebook instances.

    Args:
        context: of the service.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table: Table = context.tables.table(NOTEBOOK, _missing, _taken)

    def create(self, call: Call) -> Fields:
        """CreateNotebookInstance."""
        given = call.parameters
        name = given["NotebookInstanceName"]
        arn = self._context.arn(NOTEBOOK, name)
        self._context.check_role(call, given["RoleArn"], arn)
        if given.get("DirectInternetAccess") == "Disabled" and not given.get("SubnetId"):
            raise _refusal("DirectInternetAccess can be Disabled only with a SubnetId.")
        fields = {**DEFAULTS, **self._kept(given), STATUS: "Pending"}
        fields["Url"] = f"{name}.notebook.{self._context.region}.sagemaker.aws"
        if given.get("SecurityGroupIds"):
            fields["SecurityGroups"] = given["SecurityGroupIds"]
        self._table.add(name, arn, fields, tags=given.get("Tags"))
        self._move(name, "InService")
        return {"NotebookInstanceArn": arn}

    def describe(self, call: Call) -> Fields:
        """DescribeNotebookInstance."""
        found = self._table.view(call.parameters["NotebookInstanceName"])
        return {**_summary(found), **found.fields}

    def list(self, call: Call) -> Fields:
        """ListNotebookInstances."""
        return page(
            self._table.all(), call.parameters, "NotebookInstances", _summary, status=STATUS
        )

    def update(self, call: Call) -> Fields:
        """UpdateNotebookInstance: of a stopped one."""
        given = call.parameters
        name = given["NotebookInstanceName"]
        changes: dict[str, Any] = self._kept(given)
        for member, field in (
            ("DisassociateLifecycleConfig", "NotebookInstanceLifecycleConfigName"),
            ("DisassociateDefaultCodeRepository", "DefaultCodeRepository"),
            ("DisassociateAdditionalCodeRepositories", "AdditionalCodeRepositories"),
        ):
            if given.get(member):
                changes[field] = None
        with self._table.lock:
            found = self._table.require(name)
            self._from(found, ("Stopped", "Failed"), "Updating")
            if "RoleArn" in changes:
                self._context.check_role(call, changes["RoleArn"], found.arn)
            if changes.get("VolumeSizeInGB", 16384) < found.fields["VolumeSizeInGB"]:
                raise _refusal("The volume of a notebook instance cannot shrink.")
            self._table.update(name, **changes, **{STATUS: "Updating"})
        self._move(name, "Stopped")
        return {}

    def start(self, call: Call) -> Fields:
        """StartNotebookInstance."""
        return self._transit(call, ("Stopped", "Failed"), "Pending", "InService")

    def stop(self, call: Call) -> Fields:
        """StopNotebookInstance."""
        return self._transit(call, ("InService",), "Stopping", "Stopped")

    def delete(self, call: Call) -> Fields:
        """DeleteNotebookInstance: of a stopped one."""
        return self._transit(call, ("Stopped", "Failed"), "Deleting", None)

    def _kept(self, given: Fields) -> Fields:
        """Fields of a request, once what they name is there."""
        fields = {name: given[name] for name in KEPT if name in given}
        if "LifecycleConfigName" in given:
            lifecycle = given["LifecycleConfigName"]
            self._context.tables.table(LIFECYCLE).require(lifecycle)
            fields["NotebookInstanceLifecycleConfigName"] = lifecycle
        default = given.get("DefaultCodeRepository")
        for name in [default, *given.get("AdditionalCodeRepositories", [])]:
            if name and not name.startswith("https://"):
                self._context.tables.table(REPOSITORY).require(name)
        return fields

    def _transit(
        self, call: Call, allowed: tuple[str, ...], passing: str, end: str | None
    ) -> Fields:
        name = call.parameters["NotebookInstanceName"]
        with self._table.lock:
            self._from(self._table.require(name), allowed, passing)
            self._table.update(name, **{STATUS: passing})
        self._move(name, end)
        return {}

    @staticmethod
    def _from(found: Resource, allowed: tuple[str, ...], passing: str) -> None:
        status = found.fields[STATUS]
        if status not in allowed:
            raise _refusal(
                f"Status ({status}) not in ([{', '.join(allowed)}]). Unable to transition to "
                f"({passing}) for Notebook Instance ({found.arn})"
            )

    def _move(self, name: str, end: str | None) -> None:
        """Let an instance arrive, or be gone, in a moment."""

        def arrive() -> None:
            time.sleep(TRANSITION_SECONDS)
            if end is None:
                self._table.remove(name)
            else:
                self._table.update(name, **{STATUS: end})

        self._context.start(f"notebook instance {name}", arrive)


def _summary(found: Resource) -> Fields:
    shown = ("DefaultCodeRepository", "InstanceType", "NotebookInstanceLifecycleConfigName", "Url")
    return {
        "NotebookInstanceName": found.name,
        "NotebookInstanceArn": found.arn,
        STATUS: found.fields[STATUS],
        "CreationTime": found.created,
        "LastModifiedTime": found.modified,
        **{name: found.fields[name] for name in shown if name in found.fields},
    }


def _refusal(text: str) -> ServiceError:
    return ServiceError("ValidationException", text)


def _missing(name: str) -> ServiceError:
    return _refusal("RecordNotFound")


def _taken(arn: str) -> ServiceError:
    return _refusal(f"Cannot create a duplicate NotebookInstance ({arn})")
