"""The custom resource that empties a project: with its stack only; what runs is stopped first."""

from typing import Any

import pytest
from custom_model_emptier.emptier import Emptier, NotInTimeError

from shared.custom_resource import Request
from tests.unit.lambda_src.model_world import PROJECT, ModelWorld, version
from tests.unit.lambda_src.world import error


class Project(ModelWorld):
    """A project whose versions move on while the emptier sleeps."""

    def __init__(self, *statuses: str, stack: str = "DELETE_IN_PROGRESS") -> None:
        super().__init__()
        self.versions = {version(f"v{at}"): status for at, status in enumerate(statuses)}
        self.stack = stack
        self.now = 0.0

    def delete_project_version(self, ProjectVersionArn: str) -> None:
        if self.versions[ProjectVersionArn] in ("RUNNING", "STARTING", "STOPPING"):
            raise error("ResourceInUseException", "DeleteProjectVersion")
        del self.versions[ProjectVersionArn]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self.stack}]}

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        after = {"STARTING": "RUNNING", "STOPPING": "STOPPED"}
        self.versions = {arn: after.get(status, status) for arn, status in self.versions.items()}

    def carry_out(self, kind: str, physical_id: str = PROJECT) -> str:
        emptier = Emptier(
            self.client("rekognition"),
            self.client("cloudformation"),
            deadline=60,
            clock=lambda: self.now,
            sleep=self.sleep,
        )
        properties = {"ProjectArn": PROJECT}
        return emptier.carry_out(Request(kind, "r", "stack", "l", physical_id, properties))


def test_whatever_is_there_is_stopped_and_deleted():
    project = Project("RUNNING", "STARTING", "STOPPED", "TRAINING_FAILED", "FAILED")
    assert project.carry_out("Delete") == PROJECT
    assert project.versions == {}


@pytest.mark.parametrize("stack", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_nothing_is_touched_while_the_stack_stays(stack: str):
    project = Project("RUNNING", stack=stack)
    project.carry_out("Delete")
    assert list(project.versions.values()) == ["RUNNING"]


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_making_it_touches_nothing(kind: str):
    project = Project("RUNNING")
    assert project.carry_out(kind) == PROJECT
    assert project.calls == []


def test_one_whose_creation_failed_touches_nothing():
    project = Project("STOPPED")
    assert project.carry_out("Delete", "failed-1") == "failed-1"
    assert len(project.versions) == 1


def test_a_project_that_is_gone_is_empty():
    project = Project("STOPPED")

    def strike(operation: str, when: str) -> None:
        if operation == "DescribeProjectVersions":
            raise error("ResourceNotFoundException", operation)

    project.strike = strike
    assert project.carry_out("Delete") == PROJECT


def test_what_is_left_when_the_time_is_over_is_named():
    project = Project("TRAINING_IN_PROGRESS")
    with pytest.raises(NotInTimeError, match="v0 TRAINING_IN_PROGRESS"):
        project.carry_out("Delete")
