"""The custom resource that empties a model package group: with its stack only, and completely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from model_group_emptier.emptier import Emptier, NotInTimeError
from shared.custom_resource import Request
from tests.unit.lambda_src.world import check, error, model

GROUP = "sagelens-demo-churn"
STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1"
Refuse = Callable[[str], ClientError | None]


def version(number: int) -> str:
    return f"arn:aws:sagemaker:eu-west-1:111122223333:model-package/{GROUP}/{number}"


class Registry:
    """A group of versions and the stack's status, each call checked by botocore's own model."""

    def __init__(self, versions: int, status: str = "DELETE_IN_PROGRESS") -> None:
        self.versions: list[str] = [version(number) for number in range(1, versions + 1)]
        self.lingering: dict[str, int] = {}  # lists that still show what is deleted
        self.linger = 0
        self.status = status
        self.exists = True
        self.refuse: Refuse = lambda arn: None
        self.now = 0.0
        self.pages: list[int] = []
        self.asked: list[str] = []

    def list_model_packages(self, **given: Any) -> dict[str, Any]:
        check(model("sagemaker").operation_model("ListModelPackages").input_shape, given)
        assert given["ModelPackageGroupName"] == GROUP
        if not self.exists:
            raise error(
                "ValidationException", "List", message=f"ModelPackageGroup {GROUP} does not exist."
            )
        first = int(given.get("NextToken", "0"))
        if first == 0:
            self.lingering = {arn: left - 1 for arn, left in self.lingering.items() if left > 0}
        every = [*self.lingering, *self.versions]
        page = every[first : first + given["MaxResults"]]
        self.pages.append(len(page))
        answer: dict[str, Any] = {
            "ModelPackageSummaryList": [{"ModelPackageArn": arn} for arn in page]
        }
        if first + len(page) < len(every):
            answer["NextToken"] = str(first + len(page))
        return answer

    def delete_model_package(self, **given: Any) -> None:
        check(model("sagemaker").operation_model("DeleteModelPackage").input_shape, given)
        self.now += 0.25
        arn = given["ModelPackageName"]
        self.asked.append(arn)
        refusal = self.refuse(arn)
        if refusal:
            raise refusal
        if arn not in self.versions:
            raise error(
                "ValidationException", "Delete", message=f"ModelPackage {arn} does not exist."
            )
        self.versions.remove(arn)
        if self.linger:
            self.lingering[arn] = self.linger

    def describe_stacks(self, **given: Any) -> dict[str, Any]:
        check(model("cloudformation").operation_model("DescribeStacks").input_shape, given)
        assert given["StackName"] == STACK
        return {"Stacks": [{"StackStatus": self.status}]}

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


def ask(
    registry: Registry, kind: str, physical: str = GROUP, *, seconds: float = 800, **old: str
) -> str:
    request = Request(
        kind=kind,
        request_id="r",
        stack_id=STACK,
        logical_id="Versions",
        physical_id="" if kind == "Create" else physical,
        properties={"GroupName": GROUP},
        old_properties=old,
    )
    emptier = Emptier(
        registry,
        registry,
        deadline=registry.now + seconds,
        clock=lambda: registry.now,
        sleep=registry.sleep,
    )
    return emptier.carry_out(request)


def test_a_group_goes_empty_page_by_page() -> None:
    registry = Registry(versions=250)
    assert ask(registry, "Delete") == GROUP
    assert not registry.versions
    assert registry.pages == [100, 100, 50, 0]
    assert registry.asked == [version(number) for number in range(1, 251)]


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_nothing_is_deleted_while_the_stack_is_made_or_changed(kind: str) -> None:
    registry = Registry(versions=3, status=f"{kind.upper()}_IN_PROGRESS")
    assert ask(registry, kind, GroupName="before") == GROUP
    assert len(registry.versions) == 3


@pytest.mark.parametrize(
    "status",
    [
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
    ],
)
def test_versions_stay_where_only_the_resource_goes(status: str) -> None:
    registry = Registry(versions=3, status=status)
    ask(registry, "Delete")
    assert len(registry.versions) == 3


def test_what_could_not_be_made_deletes_nothing() -> None:
    registry = Registry(versions=3)
    assert ask(registry, "Delete", "failed-r") == "failed-r"
    assert len(registry.versions) == 3


def test_group_and_versions_may_be_gone_already() -> None:
    registry = Registry(versions=0)
    ask(registry, "Delete")
    registry.exists = False
    ask(registry, "Delete")
    late = Registry(versions=2)

    def deleted_by_another(arn: str) -> None:
        late.versions = [one for one in late.versions if one != arn]

    late.refuse = deleted_by_another
    ask(late, "Delete")
    assert not late.versions


def test_it_waits_until_what_it_deleted_is_really_gone() -> None:
    registry = Registry(versions=2)
    registry.linger = 3
    ask(registry, "Delete")
    assert not registry.versions and not registry.lingering


@pytest.mark.parametrize("code", ["ConflictException", "ThrottlingException"])
def test_a_passing_refusal_is_tried_again(code: str) -> None:
    registry = Registry(versions=3)
    registry.refuse = lambda arn: error(code, "Delete") if registry.now < 30 else None
    ask(registry, "Delete")
    assert not registry.versions


def test_a_lasting_refusal_is_told_at_once() -> None:
    registry = Registry(versions=3)
    registry.refuse = lambda arn: error("AccessDeniedException", "DeleteModelPackage")
    with pytest.raises(ClientError, match="AccessDenied"):
        ask(registry, "Delete")
    assert len(registry.asked) == 1


def test_time_that_is_over_is_told_and_the_next_attempt_goes_on() -> None:
    registry = Registry(versions=250)
    with pytest.raises(NotInTimeError, match=r"40 versions are deleted, 210 are left.*again"):
        ask(registry, "Delete", seconds=10)
    assert registry.now == pytest.approx(10, abs=0.3)
    ask(registry, "Delete")
    assert not registry.versions


def test_a_version_that_never_goes_is_told_with_the_refusal() -> None:
    registry = Registry(versions=2)
    stuck = version(1)
    registry.refuse = lambda arn: (
        error("ConflictException", "Delete", message="it is in use") if arn == stuck else None
    )
    with pytest.raises(NotInTimeError, match=r"1 versions are deleted, 1 are left.*it is in use"):
        ask(registry, "Delete", seconds=60)
    assert registry.now <= 61
    assert len(registry.asked) < 15  # with pauses between
