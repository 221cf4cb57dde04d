"""Delete a group's versions while its stack is being deleted, and at no other time.

SageMaker deletes a model package group only when it holds no version, and so does CloudFormation.
The resource is also deleted when it leaves the template, for example because the group is to be
retained from now on, and when the group's name changes: then nothing is deleted here, for versions
are the record of what was approved.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

from shared.custom_resource import Request

GOING = frozenset({"DELETE_IN_PROGRESS"})
PAGE = 100  # the most that ListModelPackages gives
# A version that is still being made or deleted, and too many calls: both pass.
PASSING = frozenset({"ConflictException", "ThrottlingException"})
GONE_CODES = frozenset({"ResourceNotFound", "ResourceNotFoundException", "ValidationException"})
GONE_WORDS = ("does not exist", "not found", "cannot find", "could not find")
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


class NotInTimeError(Exception):
    """Versions are left, and the function's time is over."""


@dataclass
class Emptier:
    """Empties groups.

    sagemaker, cloudformation: clients. deadline: when to give up, by `clock`, in seconds.
    """

    sagemaker: Any
    cloudformation: Any
    deadline: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def carry_out(self, request: Request) -> str:
        """Do what CloudFormation asks for; returns the group's name as the physical id."""
        name = str(request.properties["GroupName"])
        if request.kind != "Delete":
            return name
        # Another id is none of ours: the creation failed.
        if request.physical_id == name and self._stack_status(request.stack_id) in GOING:
            deleted = self._empty(name)
            print(json.dumps({"level": "INFO", "message": "emptied", "deleted": deleted}))
        return request.physical_id

    def _empty(self, group: str) -> int:
        """Delete until none is listed; return how many were deleted."""
        deleted: set[str] = set()
        pause, refused = FIRST_PAUSE_SECONDS, ""
        while versions := self._versions(group):
            before = len(deleted)
            for arn in versions:
                if self.clock() >= self.deadline:
                    raise _not_in_time(group, deleted, versions, refused)
                problem = self._delete(arn)
                if problem:
                    refused = problem
                else:
                    deleted.add(arn)
            # What has just been deleted may be listed, and keep the group, for a while yet.
            pause = FIRST_PAUSE_SECONDS if len(deleted) > before else pause
            self.sleep(max(0.0, min(pause, self.deadline - self.clock())))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return len(deleted)

    def _versions(self, group: str) -> list[str]:
        """The ARNs of all versions; none without the group."""
        found: list[str] = []
        given = {"ModelPackageGroupName": group, "MaxResults": PAGE}
        while True:
            try:
                answer = self.sagemaker.list_model_packages(**given)
            except ClientError as error:
                if _gone(error):
                    return []
                raise
            found += [each["ModelPackageArn"] for each in answer["ModelPackageSummaryList"]]
            if not answer.get("NextToken"):
                return found
            given["NextToken"] = answer["NextToken"]

    def _delete(self, arn: str) -> str:
        """Delete a version; return why it could not be deleted yet, if so."""
        try:
            self.sagemaker.delete_model_package(ModelPackageName=arn)
        except ClientError as error:
            if _error(error)["Code"] in PASSING:
                return str(error)
            if not _gone(error):
                raise
        return ""

    def _stack_status(self, stack_id: str) -> str:
        (stack,) = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        return stack["StackStatus"]


def _not_in_time(group: str, deleted: set[str], listed: list[str], refused: str) -> NotInTimeError:
    left = len(set(listed) - deleted)
    why = f"; the last refusal was: {refused}" if refused else ""
    return NotInTimeError(
        f"{group}: {len(deleted):,} versions are deleted, {left:,} are left, and the time is over; "
        f"delete the stack again to go on{why}"
    )


def _gone(error: ClientError) -> bool:
    """Whether what was asked for is not there any more."""
    found = _error(error)
    told = found["Message"].lower()
    return found["Code"] in GONE_CODES and any(words in told for words in GONE_WORDS)


def _error(error: ClientError) -> dict[str, str]:
    response = cast("dict[str, dict[str, str]]", error.response)
    found = response.get("Error", {})
    return {"Code": found.get("Code", ""), "Message": found.get("Message", "")}
