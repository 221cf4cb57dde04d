"""What notebook instances and Studio refer to: lifecycle scripts and code repositories."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table

LIFECYCLE = "notebook-instance-lifecycle-config"
REPOSITORY = "code-repository"
STUDIO_LIFECYCLE = "studio-lifecycle-config"


@dataclass(frozen=True)
class Kind:
    """A kind of things that are only kept.

    Attributes:
        kind: as in the ARN.
        name: as in the names of operations and members.
        plural: in the List operation.
        result: of the List operation.
        kept: members of a request that Describe answers.
        scripts: members that hold scripts in base64, each as text or as hooks.
        changed: members that Update takes; empty: there is no Update.
    """

    kind: str
    name: str
    plural: str
    result: str
    kept: tuple[str, ...]
    scripts: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


KINDS = (
    Kind(
        LIFECYCLE,
        "NotebookInstanceLifecycleConfig",
        "NotebookInstanceLifecycleConfigs",
        "NotebookInstanceLifecycleConfigs",
        ("OnCreate", "OnStart"),
        ("OnCreate", "OnStart"),
        ("OnCreate", "OnStart"),
    ),
    Kind(
        REPOSITORY,
        "CodeRepository",
        "CodeRepositories",
        "CodeRepositorySummaryList",
        ("GitConfig",),
        changed=("GitConfig",),
    ),
    Kind(
        STUDIO_LIFECYCLE,
        "StudioLifecycleConfig",
        "StudioLifecycleConfigs",
        "StudioLifecycleConfigs",
        ("StudioLifecycleConfigAppType", "StudioLifecycleConfigContent"),
        ("StudioLifecycleConfigContent",),
    ),
)


def operations(context: Context) -> Registry:
    """The operations of all kinds."""
    found: Registry = {}
    for kind in KINDS:
        api = _Operations(kind, context)
        found |= {
            f"Create{kind.name}": api.create,
            f"Describe{kind.name}": api.describe,
            f"List{kind.plural}": api.list,
            f"Delete{kind.name}": api.delete,
        }
        if kind.changed:
            found[f"Update{kind.name}"] = api.update
    return found


class _Operations:
    def __init__(self, kind: Kind, context: Context) -> None:
        self._kind = kind
        self._context = context
        self._table: Table = context.tables.table(kind.kind, _missing, _taken)

    def create(self, call: Call) -> Fields:
        kind, given = self._kind, call.parameters
        name = given[f"{kind.name}Name"]
        arn = self._context.arn(kind.kind, name)
        self._check(given)
        fields = {member: given[member] for member in kind.kept if member in given}
        self._table.add(name, arn, fields, tags=given.get("Tags"))
        return {f"{kind.name}Arn": arn}

    def describe(self, call: Call) -> Fields:
        found = self._find(call)
        return {**self._summary(found), **found.fields}

    def list(self, call: Call) -> Fields:
        return page(self._table.all(), call.parameters, self._kind.result, self._summary)

    def update(self, call: Call) -> Fields:
        kind, given = self._kind, call.parameters
        self._check(given)
        changes = {member: given[member] for member in kind.changed if member in given}
        if "GitConfig" in changes:  # only the secret can change
            changes["GitConfig"] = {**self._find(call).fields["GitConfig"], **changes["GitConfig"]}
        found = self._table.update(given[f"{kind.name}Name"], **changes)
        return {"CodeRepositoryArn": found.arn} if kind.kind == REPOSITORY else {}

    def delete(self, call: Call) -> Fields:
        self._table.remove(call.parameters[f"{self._kind.name}Name"])
        return {}

    def _find(self, call: Call) -> Resource:
        return self._table.view(call.parameters[f"{self._kind.name}Name"])

    def _check(self, given: Mapping[str, Any]) -> None:
        for member in self._kind.scripts:
            for script in _scripts(given.get(member)):
                try:
                    base64.b64decode(script, validate=True).decode()
                except (binascii.Error, UnicodeDecodeError) as error:
                    raise ServiceError(
                        "ValidationException", f"{member} is no script in base64: {error}"
                    ) from error

    def _summary(self, found: Resource) -> Fields:
        name = self._kind.name
        shown = ("GitConfig", "StudioLifecycleConfigAppType")
        return {
            f"{name}Name": found.name,
            f"{name}Arn": found.arn,
            "CreationTime": found.created,
            "LastModifiedTime": found.modified,
            **{member: found.fields[member] for member in shown if member in found.fields},
        }


def _scripts(given: Any) -> Iterable[str]:
    if isinstance(given, str):
        return [given]
    hooks = cast("list[dict[str, str]]", given or [])
    return [hook["Content"] for hook in hooks if hook.get("Content")]


def _missing(name: str) -> ServiceError:
    return ServiceError("ValidationException", f"{name} does not exist.")


def _taken(arn: str) -> ServiceError:
    return ServiceError("ValidationException", f"{arn} already exists.")
