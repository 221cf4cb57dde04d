"""Make the parameter once, keep its tags, and let it go with its environment.

Its value belongs to releases: nothing here writes it but the first time. So a stack update, a
changed tag or a resource that CloudFormation believes new never undoes a release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.custom_resource import Request

NONE_YET = "none"
# A resource is also deleted when it leaves the template or is replaced; then it stays.
GOING = frozenset({"DELETE_IN_PROGRESS"})
# A first deployment that failed leaves nothing behind but what was released meanwhile.
NEVER_WAS = frozenset({"ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"})


@dataclass(frozen=True)
class LiveVersions:
    """The parameters.

    ssm, cloudformation: clients.
    """

    ssm: Any
    cloudformation: Any

    def carry_out(self, request: Request) -> str:
        """Do what CloudFormation asks for; returns the parameter's name as the physical id."""
        if request.kind == "Delete":
            self._delete(request)
            return request.physical_id
        name = str(request.properties["Name"])
        self._create_if_absent(name, request.properties)
        self._tag(name, request.properties, request.old_properties)
        return name

    def _create_if_absent(self, name: str, properties: Mapping[str, Any]) -> None:
        try:
            self.ssm.put_parameter(
                Name=name,
                Description=str(properties.get("Description", "")),
                Value=NONE_YET,
                Type="String",
                Overwrite=False,
            )
        except self.ssm.exceptions.ParameterAlreadyExists:
            return

    def _tag(self, name: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
        wanted: Mapping[str, str] = new.get("Tags") or {}
        gone = sorted(set(old.get("Tags") or {}) - set(wanted))
        if gone and old.get("Name") == new.get("Name"):
            self.ssm.remove_tags_from_resource(
                ResourceType="Parameter", ResourceId=name, TagKeys=gone
            )
        if wanted:
            tags = [{"Key": key, "Value": wanted[key]} for key in sorted(wanted)]
            self.ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags)

    def _delete(self, request: Request) -> None:
        name = str(request.properties.get("Name", ""))
        if request.physical_id != name:
            return  # its creation failed: the id is none of ours
        status = self._stack_status(request.stack_id)
        if status in GOING or (status in NEVER_WAS and self._value(name) == NONE_YET):
            try:
                self.ssm.delete_parameter(Name=name)
            except self.ssm.exceptions.ParameterNotFound:
                return

    def _value(self, name: str) -> str | None:
        try:
            return self.ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except self.ssm.exceptions.ParameterNotFound:
            return None

    def _stack_status(self, stack_id: str) -> str:
        (stack,) = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        return stack["StackStatus"]
