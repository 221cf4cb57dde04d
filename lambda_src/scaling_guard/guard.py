"""Three custom resources around an endpoint: Keep and Off come before it, On after it.

CloudFormation updates in the order of dependencies. When an instance type changes, Off takes the
scalable targets off, then the endpoint is updated, then On puts them on again. A roll-back goes the
same way with the old properties, but to what had been updated only: if the update failed between
the two, On is not called, and nobody would put the targets back.

That is what Keep is for. Whenever something is to be taken off it answers with a new physical id,
and the id says what that was. CloudFormation takes a new id for a replacement and deletes one of
the two at the very end: after a success the old one, for which nothing is to be done, and after a
roll-back the new one, for which Keep puts back what its id says, when the endpoint runs on its old
instances again. Off keeps its id, or CloudFormation might not call it in a roll-back.

Sources: "Update request for CloudFormation custom resources"; "Update endpoints that use auto
scaling" (Amazon SageMaker AI).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling_guard.targets import Settings, Targets
from shared.custom_resource import Request

ROLLED_BACK = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
MARK = "/kept/"


@dataclass(frozen=True)
class Guard:
    """Answers for all three.

    scaling, cloudformation: clients.
    """

    scaling: Any
    cloudformation: Any

    def carry_out(self, request: Request) -> str:
        """Do what CloudFormation asks for; returns the physical id."""
        roles = {"Keep": self._keep, "Off": self._off, "On": self._on}
        return roles[request.properties["Role"]](request)

    def _keep(self, request: Request) -> str:
        if request.kind == "Delete":
            self._undo(request)
            return request.physical_id
        endpoint = str(request.properties["EndpointName"])
        leaving = _leaving(request)
        if not leaving:
            return request.physical_id or f"{endpoint}/keep"
        old: Mapping[str, Any] = request.old_properties.get("Scaling") or {}
        taken = {variant: old[variant] for variant in leaving if variant in old}
        said = json.dumps(taken, sort_keys=True, separators=(",", ":"))
        return f"{endpoint}{MARK}{request.request_id}{MARK}{said}"

    def _undo(self, request: Request) -> None:
        """Put back what the id that goes says, if the update that made it was rolled back."""
        endpoint, *rest = request.physical_id.split(MARK, 2)
        if len(rest) != 2 or self._stack_status(request.stack_id) != ROLLED_BACK:
            return
        for variant, settings in json.loads(rest[1]).items():
            Targets(self.scaling, endpoint).put_on(variant, Settings.of(settings))

    def _off(self, request: Request) -> str:
        endpoint = str(request.properties["EndpointName"])
        if request.kind == "Update":
            for variant in _leaving(request):
                Targets(self.scaling, endpoint).take_off(variant)
        return request.physical_id or f"{endpoint}/off"

    def _on(self, request: Request) -> str:
        targets = Targets(self.scaling, str(request.properties["EndpointName"]))
        wanted: Mapping[str, Any] = request.properties.get("Scaling") or {}
        if request.kind == "Delete":
            wanted = {}
        for variant in request.properties["InstanceTypes"]:
            if variant in wanted:
                targets.put_on(variant, Settings.of(wanted[variant]))
            else:
                targets.take_off(variant)
        return request.physical_id or f"{targets.endpoint}/on"

    def _stack_status(self, stack_id: str) -> str:
        (stack,) = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        return stack["StackStatus"]


def _leaving(request: Request) -> list[str]:
    """The variants whose instance type changes, or that go; none but in an update."""
    before: Mapping[str, str] = request.old_properties.get("InstanceTypes") or {}
    after: Mapping[str, str] = request.properties.get("InstanceTypes") or {}
    return sorted(variant for variant in before if before[variant] != after.get(variant))
