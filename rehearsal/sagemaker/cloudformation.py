# pyright: reportMissingTypeStubs=false
"""CloudFormation's types of SageMaker: each made, changed and deleted through SageMaker's own API.

What Ref and GetAtt answer, and what replaces a resource, are its registry schema's
`primaryIdentifier`, `readOnlyProperties` and `createOnlyProperties`, as cfn-lint brings them.
"""

import json
import secrets
import string
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import botocore
from botocore.exceptions import ClientError

from rehearsal.recorded_types import check, schema
from rehearsal.sagemaker.cloudformation_properties import (
    attributes_of,
    card_content,
    pipeline_definition,
    policy_text,
)
from rehearsal.sagemaker.context import Context

Properties = dict[str, Any]
Attributes = Mapping[str, Any]
POLL_SECONDS = 0.05
MISSING = ("does not exist", "Could not find", "Cannot find", "RecordNotFound")
_xform_name: Any = vars(botocore)["xform_name"]


@dataclass(frozen=True)
class ResourceType:
    """How one type maps onto the API.

    Attributes:
        name: the last part of AWS::SageMaker::….
        named: the property that holds the physical name.
        identifier: the member by which Describe, Update and Delete name a resource.
        ref: the member of Describe's answer that Ref gives.
        arn: the member of Describe's answer that holds the ARN.
        updated: properties that its Update operation takes; empty: it has none.
        one_by_one: Update takes one property a call.
        always: properties that Update takes even where they have not changed.
        only_updated: properties that Create does not know.
        status: the member of Describe's answer that tells how it is.
        translated: properties that the API takes in another form: (members) of the value given.
    """

    name: str
    named: str
    identifier: str
    ref: str
    arn: str
    updated: tuple[str, ...] = ()
    one_by_one: bool = False
    always: tuple[str, ...] = ()
    only_updated: tuple[str, ...] = ()
    status: str = "Status"
    translated: Mapping[str, Callable[[Any], Properties]] = field(default_factory=dict[str, Any])

    @property
    def type(self) -> str:
        """The type's whole name."""
        return f"AWS::SageMaker::{self.name}"


TYPES = (
    ResourceType(
        "Pipeline",
        "PipelineName",
        "PipelineName",
        "PipelineName",
        "PipelineArn",
        (
            "PipelineDefinition",
            "PipelineDescription",
            "PipelineDisplayName",
            "ParallelismConfiguration",
            "RoleArn",
        ),
        translated={"PipelineDefinition": pipeline_definition},
    ),
    ResourceType(
        "ModelPackageGroup",
        "ModelPackageGroupName",
        "ModelPackageGroupName",
        "ModelPackageGroupArn",
        "ModelPackageGroupArn",
        translated={"ModelPackageGroupPolicy": lambda value: {}},  # by an operation of its own
    ),
    ResourceType(
        "ModelCard",
        "ModelCardName",
        "ModelCardName",
        "ModelCardName",
        "ModelCardArn",
        ("Content", "ModelCardStatus"),
        one_by_one=True,
        translated={"Content": card_content},
    ),
    ResourceType("Model", "ModelName", "ModelName", "ModelArn", "ModelArn"),
    ResourceType(
        "EndpointConfig",
        "EndpointConfigName",
        "EndpointConfigName",
        "EndpointConfigArn",
        "EndpointConfigArn",
    ),
    ResourceType(
        "Endpoint",
        "EndpointName",
        "EndpointName",
        "EndpointArn",
        "EndpointArn",
        ("EndpointConfigName", "DeploymentConfig"),
        always=("EndpointConfigName", "DeploymentConfig", "RetainAllVariantProperties"),
        only_updated=(
            "RetainAllVariantProperties",
            "ExcludeRetainedVariantProperties",
            "RetainDeploymentConfig",
        ),
        status="EndpointStatus",
    ),
    ResourceType(
        "MlflowApp",
        "Name",
        "Arn",
        "Arn",
        "Arn",
        ("ArtifactStoreUri", "ModelRegistrationMode", "WeeklyMaintenanceWindowStart"),
    ),
)


class Provisioner:
    """Creates, updates and deletes the resources of one type.

    Args:
        kind: of the resources.
        context: of the service.

    Attributes:
        kind: of the resources.
    """

    def __init__(self, kind: ResourceType, context: Context) -> None:
        self.kind = kind
        self._context = context

    def create(self, logical_id: str, props: Properties, stack: str) -> tuple[str, Attributes]:
        """Make the resource; its Ref and its attributes."""
        kind = self.kind
        check(kind.type, schema(kind.type), props)
        given = {**props}
        given.setdefault(kind.named, _generated(logical_id))
        asked = {name: value for name, value in given.items() if name not in kind.only_updated}
        answer = self._call(f"Create{kind.name}", self._members(asked))
        identifier = answer["Arn"] if kind.identifier == "Arn" else given[kind.named]
        try:
            self._set_policy(identifier, None, given)
            return self._described(identifier, given)
        except ValueError:
            self._remove(identifier)  # nobody else knows of it yet
            raise

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack: str
    ) -> tuple[str, Attributes]:
        """Change the resource in place: what would replace it never comes here."""
        kind = self.kind
        check(kind.type, schema(kind.type), new)
        identifier = self._identifier(physical_id)
        changed = [name for name in kind.updated if old.get(name) != new.get(name)]
        groups = [[name] for name in changed] if kind.one_by_one else [changed]
        for names in groups:
            wanted = [*names, *(kind.always if names else ())]
            members = self._members({n: new[n] for n in wanted if n in new})
            if members:
                self._call(f"Update{kind.name}", {kind.identifier: identifier, **members})
        self._set_policy(identifier, old, new)
        self._set_tags(identifier, old, new)
        return self._described(identifier, new)

    def delete(self, physical_id: str, props: Properties) -> None:
        """Delete the resource, once nothing is going on with it; gone already is as well."""
        identifier = self._identifier(physical_id)
        if self.kind.status != "Status":
            self._wait(identifier)
        self._remove(identifier)

    def _remove(self, identifier: str) -> None:
        kind = self.kind
        try:
            self._call(f"Delete{kind.name}", {kind.identifier: identifier})
        except ValueError as error:
            if not any(words in str(error) for words in MISSING):
                raise

    def _identifier(self, physical_id: str) -> str:
        """What the API calls a resource by: its ARN, or the name in it."""
        if self.kind.identifier == "Arn":
            return physical_id
        return physical_id.rpartition("/")[2]

    def _members(self, wanted: Properties) -> Properties:
        """Properties as members of a request."""
        members: Properties = {}
        for name, value in wanted.items():
            translate = self.kind.translated.get(name)
            members.update(translate(value) if translate else {name: value})
        return cast("Properties", _typed(members))

    def _set_policy(self, identifier: str, old: Properties | None, new: Properties) -> None:
        if self.kind.name != "ModelPackageGroup":
            return
        name = "ModelPackageGroupPolicy"
        before, after = (old or {}).get(name), new.get(name)
        named = {"ModelPackageGroupName": identifier}
        if after and after != before:
            text = policy_text(after)
            self._call("PutModelPackageGroupPolicy", {**named, "ResourcePolicy": text})
        elif before and not after:
            self._call("DeleteModelPackageGroupPolicy", named)

    def _set_tags(self, identifier: str, old: Properties, new: Properties) -> None:
        before, after = _tags(old), _tags(new)
        if before == after:
            return
        arn = self._describe(identifier)[self.kind.arn]
        gone = sorted(before.keys() - after.keys())
        if gone:
            self._call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        tags = [{"Key": key, "Value": value} for key, value in after.items()]
        self._call("AddTags", {"ResourceArn": arn, "Tags": tags})

    def _settled(self, identifier: str) -> Properties:
        """The resource once it is neither being made nor being changed.

        Raises:
            ValueError: making or changing it has failed.
        """
        answer = self._wait(identifier) or self._describe(identifier)
        status = str(answer.get(self.kind.status, ""))
        if status.endswith("Failed"):
            raise ValueError(str(answer.get("FailureReason") or f"{identifier}: {status}"))
        return answer

    def _wait(self, identifier: str) -> Properties | None:
        """The resource once nothing is going on with it; None if it is not there.

        An update that SageMaker has rolled back ends like one that went well: InService.
        """
        while True:
            try:
                answer = self._describe(identifier)
            except ValueError as error:
                if any(words in str(error) for words in MISSING):
                    return None
                raise
            status = str(answer.get(self.kind.status, ""))
            if not status.endswith("ing") and status != "RollingBack":
                return answer
            time.sleep(POLL_SECONDS)

    def _describe(self, identifier: str) -> Properties:
        return self._call(f"Describe{self.kind.name}", {self.kind.identifier: identifier})

    def _described(self, identifier: str, props: Properties) -> tuple[str, Attributes]:
        answer = self._settled(identifier)
        return str(answer[self.kind.ref]), {**props, **attributes_of(answer)}

    def _call(self, operation: str, members: Properties) -> Properties:
        client = self._context.client("sagemaker")
        try:
            return getattr(client, _xform_name(operation))(**members)
        except ClientError as error:
            details = cast("dict[str, Any]", error.response)
            status = details.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
            text = details.get("Error", {}).get("Message", "")
            raise ValueError(f"{text} (Service: SageMaker, Status Code: {status})") from error
        except Exception as error:
            raise ValueError(f"{operation}: {error}") from error


def _generated(logical_id: str) -> str:
    """A name for a resource whose template gives none, such as Model-AbCdEfGhIjKl."""
    letters = string.ascii_letters + string.digits
    return f"{logical_id[:50]}-{''.join(secrets.choice(letters) for _ in range(12))}"


def _tags(props: Properties) -> dict[str, str]:
    tags: list[dict[str, str]] = props.get("Tags") or []
    return {tag["Key"]: tag["Value"] for tag in tags}


def _typed(value: Any) -> Any:
    """Numbers and Booleans that a template wrote as text, where the API wants them so."""
    if isinstance(value, dict):
        members = cast("Properties", value)
        return {
            name: _from_text(item) if name in TYPED else _typed(item)
            for name, item in members.items()
        }
    if isinstance(value, list):
        return [_typed(item) for item in cast("list[Any]", value)]
    return value


TYPED = (
    "EnableCapture",
    "EnableNetworkIsolation",
    "InitialInstanceCount",
    "InitialSamplingPercentage",
    "InitialVariantWeight",
    "MaxConcurrency",
    "MaxParallelExecutionSteps",
    "MemorySizeInMB",
    "RetainAllVariantProperties",
    "VolumeSizeInGB",
)


def _from_text(value: Any) -> Any:
    return json.loads(value.lower()) if isinstance(value, str) else value


def register(
    context: Context,
    register_type: Any,
    describe_type: Any,
    more: Iterable[Provisioner] = (),
) -> None:
    """Join the types to CloudFormation.

    Args:
        context: of the service.
        register_type, describe_type: the adapter's functions.
        more: provisioners of types that are not in TYPES.
    """
    for provisioner in (*(Provisioner(kind, context) for kind in TYPES), *more):
        kind = provisioner.kind
        register_type(
            kind.type,
            provisioner.create,
            provisioner.update,
            provisioner.delete,
            threaded=True,
        )
        describe_type(kind.type, named=kind.named, replacing=_create_only(kind))


def _create_only(kind: ResourceType) -> Iterable[str]:
    """The properties whose change replaces a resource."""
    pointers = cast("list[str]", schema(kind.type).get("createOnlyProperties", []))
    return [pointer.removeprefix("/properties/").partition("/")[0] for pointer in pointers]
