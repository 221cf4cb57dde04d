"""Stop and delete a project's versions while its stack is being deleted, and at no other time.

Rekognition deletes a project only when it holds no version, deletes none that runs, and stops none
that is only starting ("DeleteProject", "DeleteProjectVersion"). The resource is also deleted when
it leaves the template, for example because the project is to be retained from now on: then nothing
is stopped or deleted here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.custom_resource import Request
from shared.errors import code_of

GOING = frozenset({"DELETE_IN_PROGRESS"})
# Each passes by itself, and the version is stopped or deleted then.
PASSING = frozenset(
    {"STARTING", "STOPPING", "DELETING", "TRAINING_IN_PROGRESS", "COPYING_IN_PROGRESS"}
)
PAUSE_SECONDS = 2.0
GONE = "ResourceNotFoundException"
CHANGING = "ResourceInUseException"


class NotInTimeError(Exception):
    """Versions are left, and the function's time is over."""


@dataclass
class Emptier:
    """Empties projects.

    rekognition, cloudformation: clients. deadline: when to give up, by `clock`, in seconds.
    """

    rekognition: Any
    cloudformation: Any
    deadline: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def carry_out(self, request: Request) -> str:
        """Do what CloudFormation asks for; returns the project's ARN as the physical id."""
        arn = str(request.properties["ProjectArn"])
        if request.kind != "Delete":
            return arn
        # Another id is none of ours: the creation failed.
        if request.physical_id == arn and self._stack_status(request.stack_id) in GOING:
            self._empty(arn)
        return request.physical_id

    def _empty(self, project: str) -> None:
        while versions := self._versions(project):
            if self.clock() >= self.deadline:
                left = ", ".join(f"{arn.split('/')[3]} {status}" for arn, status in versions)
                raise NotInTimeError(
                    f"{project}: versions are left ({left}), and the time is over; delete the "
                    "stack again to go on"
                )
            for arn, status in versions:
                self._advance(arn, status)
            self.sleep(PAUSE_SECONDS)

    def _advance(self, arn: str, status: str) -> None:
        """Stop or delete a version, whichever it is ripe for."""
        if status in PASSING:
            return
        act = "stop_project_version" if status == "RUNNING" else "delete_project_version"
        try:
            getattr(self.rekognition, act)(ProjectVersionArn=arn)
        except Exception as error:
            if code_of(error) not in (GONE, CHANGING):
                raise

    def _versions(self, project: str) -> list[tuple[str, str]]:
        """ARN and status of all versions; none without the project."""
        found: list[tuple[str, str]] = []
        asked: dict[str, Any] = {"ProjectArn": project}
        while True:
            try:
                answer = self.rekognition.describe_project_versions(**asked)
            except Exception as error:
                if code_of(error) == GONE:
                    return []
                raise
            found += [
                (each["ProjectVersionArn"], each["Status"])
                for each in answer["ProjectVersionDescriptions"]
            ]
            if not answer.get("NextToken"):
                return found
            asked["NextToken"] = answer["NextToken"]

    def _stack_status(self, stack_id: str) -> str:
        (stack,) = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        return stack["StackStatus"]
