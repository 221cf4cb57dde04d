# pyright: reportMissingTypeStubs=false
"""Deploy the stacks of a cloud assembly by boto3: what the CDK CLI does, without its seconds.

The tests use it; the demo uses the unmodified CLI. It publishes the file assets, then creates or
updates each stack in the order of their dependencies. Roles of a bootstrap stack are not assumed.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError

from rehearsal.assets import QUALIFIER, asset_bucket, create_bucket, publish
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal

BOOTSTRAP_VERSION = "30"
INLINE_TEMPLATE_BYTES = 51_200  # CloudFormation's limit for TemplateBody
POLL_SECONDS = 0.05
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
NOTHING_TO_DO = "No updates are to be performed"
# A stack in one of these can only be deleted.
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED")
Outputs = dict[str, str]


@dataclass(frozen=True)
class StackArtifact:
    """One stack of a cloud assembly."""

    id: str
    name: str
    template: Path
    dependencies: tuple[str, ...]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


def deploy(
    aws: Rehearsal,
    assembly_dir: Path | str,
    stacks: Iterable[str] | None = None,
    *,
    timeout: float = 300,
) -> dict[str, Outputs]:
    """Publish the assets of an assembly and create or update its stacks.

    Args:
        aws: the running rehearsal.
        assembly_dir: the folder that `cdk synth` wrote, with manifest.json.
        stacks: names or artifact ids; all if None. What they depend on is not added.
        timeout: seconds for each stack.

    Returns:
        the outputs of each stack, by stack name and output key.

    Raises:
        RehearsalError: no such assembly or stack, or a stack failed (with its failed resources).
    """
    assembly = Path(assembly_dir)
    manifest = _manifest(assembly)
    chosen = _choose(list(_stacks(assembly, manifest)), stacks)
    prepare(aws)
    for artifact in manifest["artifacts"].values():
        if artifact["type"] == "cdk:asset-manifest":
            publish(aws, assembly / artifact["properties"]["file"])
    outputs: dict[str, Outputs] = {}
    for stack in chosen:
        text = stack.template.read_text(encoding="utf-8")
        outputs[stack.name] = deploy_template(
            aws, stack.name, text, parameters=stack.parameters, tags=stack.tags, timeout=timeout
        )
    return outputs


def prepare(aws: Rehearsal) -> None:
    """Stand in for `cdk bootstrap`: the asset bucket, and the version that templates ask for."""
    create_bucket(aws, asset_bucket(aws))
    aws.client("ssm").put_parameter(
        Name=f"/cdk-bootstrap/{QUALIFIER}/version",
        Value=BOOTSTRAP_VERSION,
        Type="String",
        Overwrite=True,
    )


def deploy_template(
    aws: Rehearsal,
    name: str,
    template: str | Mapping[str, Any],
    *,
    parameters: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> Outputs:
    """Create or update one stack and wait for it.

    Args:
        aws: the running rehearsal.
        name: of the stack.
        template: JSON or YAML text, or the template as an object.
        parameters: values for the template's parameters.
        tags: of the stack.
        timeout: seconds to wait.

    Returns:
        its outputs.
    """
    text = template if isinstance(template, str) else json.dumps(template)
    cloudformation = aws.client("cloudformation")
    request: dict[str, Any] = {
        "StackName": name,
        "Capabilities": CAPABILITIES,
        "Parameters": [
            {"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()
        ],
        "Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()],
        **_template_argument(aws, name, text),
    }
    status = _status(cloudformation, name)
    if status in DEAD:
        delete(aws, [name], timeout=timeout)
        status = None
    try:
        if status is None:
            cloudformation.create_stack(**request, OnFailure="ROLLBACK")
        else:
            cloudformation.update_stack(**request)
    except ClientError as error:
        if NOTHING_TO_DO not in str(error):
            raise RehearsalError(f"stack {name}: {error}") from error
    _wait(cloudformation, name, timeout)
    return outputs(aws, name)


def outputs(aws: Rehearsal, name: str) -> Outputs:
    """The outputs of a stack that is there, by output key."""
    stack = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def delete(aws: Rehearsal, names: Iterable[str], *, timeout: float = 300) -> None:
    """Delete stacks, the last named first; one that is not there is passed over."""
    cloudformation = aws.client("cloudformation")
    for name in reversed(list(names)):
        if _status(cloudformation, name) is None:
            continue
        cloudformation.delete_stack(StackName=name)
        _wait(cloudformation, name, timeout, deleting=True)


def _manifest(assembly: Path) -> dict[str, Any]:
    try:
        text = (assembly / "manifest.json").read_text(encoding="utf-8")
    except OSError as error:
        raise RehearsalError(f"{assembly} is not a cloud assembly: {error}") from error
    return cast("dict[str, Any]", json.loads(text))


def _stacks(assembly: Path, manifest: dict[str, Any]) -> Iterable[StackArtifact]:
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        properties = artifact["properties"]
        yield StackArtifact(
            id=name,
            name=properties.get("stackName", name),
            template=assembly / properties["templateFile"],
            dependencies=tuple(artifact.get("dependencies", ())),
            parameters=properties.get("parameters", {}),
            tags=properties.get("tags", {}),
        )


def _choose(found: list[StackArtifact], wanted: Iterable[str] | None) -> list[StackArtifact]:
    """The wanted stacks, each after those that it depends on."""
    names = {stack.id for stack in found}
    if wanted is not None:
        ids = {key: stack.id for stack in found for key in (stack.id, stack.name)}
        missing = [name for name in wanted if name not in ids]
        if missing:
            raise RehearsalError(f"no stack {missing[0]!r}; there are {', '.join(sorted(ids))}")
        names = {ids[name] for name in wanted}
    ordered: list[StackArtifact] = []
    left = [stack for stack in found if stack.id in names]
    while left:
        waiting = {stack.id for stack in left}
        ready = [stack for stack in left if not waiting & set(stack.dependencies)]
        if not ready:
            raise RehearsalError(f"stacks depend on each other in a circle: {sorted(waiting)}")
        ordered += ready
        left = [stack for stack in left if stack not in ready]
    return ordered


def _template_argument(aws: Rehearsal, name: str, text: str) -> dict[str, str]:
    if len(text.encode()) <= INLINE_TEMPLATE_BYTES:
        return {"TemplateBody": text}
    bucket = asset_bucket(aws)
    create_bucket(aws, bucket)
    aws.client("s3").put_object(Bucket=bucket, Key=f"{name}.template.json", Body=text.encode())
    return {"TemplateURL": f"{aws.endpoint}/{bucket}/{name}.template.json"}


def _status(cloudformation: Any, name: str) -> str | None:
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else str(stack["StackStatus"])


def _wait(cloudformation: Any, name: str, timeout: float, *, deleting: bool = False) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        status = _status(cloudformation, name)
        if deleting and status is None:
            return
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") and not deleting:
            return
        if status is None or not status.endswith("_IN_PROGRESS"):
            raise RehearsalError(f"stack {name}: {status}\n{_failures(cloudformation, name)}")
        time.sleep(POLL_SECONDS)
    raise RehearsalError(f"stack {name}: not done after {timeout} s")


def _failures(cloudformation: Any, name: str) -> str:
    try:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return "its events are gone"
    lines = [
        f"  {e['LogicalResourceId']} ({e['ResourceType']}): {e.get('ResourceStatusReason', '')}"
        for e in reversed(events)
        if e["ResourceStatus"].endswith("_FAILED")
    ]
    return "\n".join(lines) or "no event tells why"
