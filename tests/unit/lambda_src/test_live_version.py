"""The custom resource of the live version: made once, tagged, and gone with its stack only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from live_version.parameter import LiveVersions
from shared import custom_resource
from shared.custom_resource import Request
from tests.unit.lambda_src.world import check, error, model

NAME = "/test/live/churn"
PACKAGE = "arn:aws:sagemaker:eu-west-1:1:model-package/churn/3"


class Errors:
    """The errors of a client, as classes."""

    class ParameterAlreadyExists(Exception):
        pass

    class ParameterNotFound(Exception):
        pass


class Store:
    """Parameter Store and the stack's status, each call checked by botocore's own model."""

    exceptions = Errors

    def __init__(self, status: str = "UPDATE_IN_PROGRESS") -> None:
        self.values: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.writes = 0
        self.status = status

    def _check(self, operation: str, given: dict[str, Any]) -> None:
        service = "cloudformation" if operation == "DescribeStacks" else "ssm"
        check(model(service).operation_model(operation).input_shape, given)

    def put_parameter(self, **given: Any) -> None:
        self._check("PutParameter", given)
        if given["Name"] in self.values and not given["Overwrite"]:
            raise Errors.ParameterAlreadyExists
        self.writes += 1
        self.values[given["Name"]] = given["Value"]

    def get_parameter(self, **given: Any) -> dict[str, Any]:
        self._check("GetParameter", given)
        if given["Name"] not in self.values:
            raise Errors.ParameterNotFound
        return {"Parameter": {"Value": self.values[given["Name"]]}}

    def delete_parameter(self, **given: Any) -> None:
        self._check("DeleteParameter", given)
        if self.values.pop(given["Name"], None) is None:
            raise Errors.ParameterNotFound

    def add_tags_to_resource(self, **given: Any) -> None:
        self._check("AddTagsToResource", given)
        self.tags |= {tag["Key"]: tag["Value"] for tag in given["Tags"]}

    def remove_tags_from_resource(self, **given: Any) -> None:
        self._check("RemoveTagsFromResource", given)
        for key in given["TagKeys"]:
            del self.tags[key]

    def describe_stacks(self, **given: Any) -> dict[str, Any]:
        self._check("DescribeStacks", given)
        return {"Stacks": [{"StackStatus": self.status}]}


def ask(store: Store, kind: str, physical: str = "", old: Any = None, **properties: Any) -> str:
    request = Request(
        kind=kind,
        request_id="r",
        stack_id="arn:aws:cloudformation:eu-west-1:1:stack/s/1",
        logical_id="Parameter",
        physical_id=physical,
        properties={"Name": NAME, **properties},
        old_properties=old or {},
    )
    return LiveVersions(store, store).carry_out(request)


def test_first_time_it_is_made_with_none_and_its_tags() -> None:
    store = Store()
    assert ask(store, "Create", Tags={"a": "1"}) == NAME
    assert store.values == {NAME: "none"}
    assert store.tags == {"a": "1"}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_what_was_released_is_never_written_again(kind: str) -> None:
    store = Store()
    store.values[NAME] = PACKAGE
    ask(store, kind, physical=NAME, Tags={"a": "2"}, old={"Name": NAME, "Tags": {"a": "1"}})
    assert store.values == {NAME: PACKAGE}
    assert store.writes == 0


def test_tags_follow_the_template() -> None:
    store = Store()
    ask(store, "Create", Tags={"a": "1", "b": "1"})
    ask(store, "Update", NAME, {"Name": NAME, "Tags": {"a": "1", "b": "1"}}, Tags={"a": "2"})
    assert store.tags == {"a": "2"}


@pytest.mark.parametrize(
    ("status", "value", "stays"),
    [
        ("DELETE_IN_PROGRESS", PACKAGE, False),
        ("ROLLBACK_IN_PROGRESS", "none", False),
        ("ROLLBACK_IN_PROGRESS", PACKAGE, True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", PACKAGE, True),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "none", True),
    ],
)
def test_it_goes_with_its_stack_and_at_no_other_time(status: str, value: str, stays: bool) -> None:
    store = Store(status)
    store.values[NAME] = value
    ask(store, "Delete", NAME)
    assert (NAME in store.values) is stays


def test_it_may_be_gone_already() -> None:
    ask(Store("DELETE_IN_PROGRESS"), "Delete", NAME)
    ask(Store("ROLLBACK_IN_PROGRESS"), "Delete", NAME)


def test_what_could_not_be_made_is_not_deleted() -> None:
    store = Store("DELETE_IN_PROGRESS")
    store.values[NAME] = PACKAGE
    ask(store, "Delete", "failed-r")
    assert NAME in store.values


EVENT = {
    "RequestType": "Create",
    "RequestId": "r",
    "StackId": "arn:aws:cloudformation:eu-west-1:1:stack/s/1",
    "LogicalResourceId": "Parameter",
    "ResponseURL": "https://answers.example/1",
    "ResourceProperties": {"Name": NAME},
}


def test_cloudformation_is_answered_in_every_case() -> None:
    sent: list[tuple[str, dict[str, Any]]] = []

    def send(url: str, body: bytes) -> None:
        sent.append((url, json.loads(body)))

    custom_resource.answer(EVENT, lambda request: request.properties["Name"], send)

    def refuse(request: Request) -> str:
        raise error("AccessDeniedException", "PutParameter", message="x" * 5000)

    custom_resource.answer({**EVENT, "PhysicalResourceId": "kept"}, refuse, send)
    custom_resource.answer(EVENT, refuse, send)
    answers = [body for _, body in sent]
    assert [one["Status"] for one in answers] == ["SUCCESS", "FAILED", "FAILED"]
    assert [one["PhysicalResourceId"] for one in answers] == [NAME, "kept", "failed-r"]
    assert all(len(json.dumps(one)) < 4096 for one in answers)
    assert "AccessDeniedException" in answers[1]["Reason"]
    assert sent[0][0] == "https://answers.example/1"
