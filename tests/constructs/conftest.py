"""A stranger's stack for each construct under test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import pytest

import app as sagelens_app
from sagelens import (
    AlarmTopic,
    EncryptionKey,
    PlatformBus,
    ResultsTable,
    SecureBucket,
)

SETTINGS: dict[str, Any] = {
    "analyses": {"moderation": {"minimum_confidence": 60}},
    "policy": {"moderation": {"*": {"accept": [0, 60], "reject": [60, 100]}}},
}


@dataclass(frozen=True)
class Resources:
    """The resources of a template, asked by type."""

    by_id: dict[str, dict[str, Any]]

    def of(self, type: str) -> list[dict[str, Any]]:
        """The properties of all resources of a type."""
        return [found["Properties"] for found in self.by_id.values() if found["Type"] == type]

    def one(self, type: str) -> dict[str, Any]:
        """The properties of the only resource of a type."""
        (found,) = self.of(type)
        return found

    def types(self) -> set[str]:
        """The types that there are."""
        return {found["Type"] for found in self.by_id.values()}


def resources(stack: cdk.Stack) -> Resources:
    """Synthesize the stack's app and return the stack's resources."""
    root = stack.node.root
    assert isinstance(root, cdk.App)
    return Resources(root.synth().get_stack_by_name(stack.stack_name).template["Resources"])


@pytest.fixture
def stack(tmp_path: Any) -> cdk.Stack:
    """An empty stack of no particular account or Region."""
    return cdk.Stack(sagelens_app.new_app(outdir=str(tmp_path)), "Stranger")


@dataclass(frozen=True)
class Parts:
    """What an analysis needs around it."""

    bucket: SecureBucket
    results: ResultsTable
    bus: PlatformBus
    encryption_key: EncryptionKey
    alarm_topic: AlarmTopic

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """The keyword arguments of an ``ImageAnalysis`` of these parts."""
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "prefix": "incoming/",
            "environment_name": "test",
            **SETTINGS,
            **changes,
        }


@pytest.fixture
def parts(stack: cdk.Stack) -> Parts:
    """Real surroundings for an analysis, in the same stack."""
    key = EncryptionKey(stack, "Key")
    return Parts(
        bucket=SecureBucket(stack, "Images", encryption_key=key, event_notifications=True),
        results=ResultsTable(stack, "Results", encryption_key=key),
        bus=PlatformBus(stack, "Bus", encryption_key=key, description="news"),
        encryption_key=key,
        alarm_topic=AlarmTopic(stack, "Alarms", encryption_key=key),
    )


def statements(role: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A role's inline statements by their id."""
    return {
        statement["Sid"]: statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    }


def actions(found: Iterable[dict[str, Any]]) -> set[str]:
    """All actions that statements allow."""
    lists = [
        [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        for statement in found
        if statement["Effect"] == "Allow"
    ]
    return {action for several in lists for action in several}
