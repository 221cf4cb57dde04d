"""Scaling gets out of the way of an instance-type change, and comes back however that ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from scaling_guard.guard import Guard
from shared.custom_resource import Request
from tests.unit.lambda_src.world import check, model

ENDPOINT = "test-churn"
SCALING = {"main": {"Least": "2", "Most": "4", "Target": "100", "PauseIn": "300", "PauseOut": "60"}}
MORE = {"main": {**SCALING["main"], "Most": "9"}}
OLD, NEW = {"main": "ml.m5.large"}, {"main": "ml.m5.xlarge"}


class Refused(Exception):
    """SageMaker refuses the change."""


@dataclass
class World:
    """Application Auto Scaling, and a stack with Off, the endpoint and On, as CloudFormation
    updates them: in the order of dependencies, back in the same order, then the clean-up."""

    instance_types: dict[str, str] = field(default_factory=lambda: dict(OLD))
    targets: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    status: str = "UPDATE_IN_PROGRESS"
    requests: int = 0

    class exceptions:
        class ObjectNotFoundException(Exception):
            pass

    def register_scalable_target(self, **given: Any) -> None:
        self._check("RegisterScalableTarget", given)
        self.targets[given["ResourceId"]] = (given["MinCapacity"], given["MaxCapacity"], 0)

    def put_scaling_policy(self, **given: Any) -> None:
        self._check("PutScalingPolicy", given)
        least, most, _ = self.targets[given["ResourceId"]]
        target = given["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        self.targets[given["ResourceId"]] = (least, most, target)

    def deregister_scalable_target(self, **given: Any) -> None:
        self._check("DeregisterScalableTarget", given)
        if self.targets.pop(given["ResourceId"], None) is None:
            raise self.exceptions.ObjectNotFoundException

    def describe_stacks(self, **given: Any) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self.status}]}

    def _check(self, operation: str, given: dict[str, Any]) -> None:
        check(model("application-autoscaling").operation_model(operation).input_shape, given)

    @property
    def scaled(self) -> dict[str, tuple[int, int, float]]:
        """What is registered, by variant."""
        return {name.rpartition("/")[2]: found for name, found in self.targets.items()}

    def ask(
        self, role: str, kind: str, new: Any = (OLD, SCALING), old: Any = None, physical: str = ""
    ) -> str:
        self.requests += 1

        def properties(given: Any) -> dict[str, Any]:
            types, scaling = given
            return {
                "Role": role,
                "EndpointName": ENDPOINT,
                "InstanceTypes": types,
                "Scaling": scaling,
            }

        request = Request(
            kind=kind,
            request_id=f"r{self.requests}",
            stack_id="arn:aws:cloudformation:eu-west-1:1:stack/s/1",
            logical_id=role,
            physical_id=physical,
            properties=properties(new),
            old_properties=properties(old) if old else {},
        )
        return Guard(self, self).carry_out(request)

    def create(self, given: Any = (OLD, SCALING)) -> dict[str, str]:
        """The stack's creation; returns the physical ids."""
        return {role: self.ask(role, "Create", given) for role in ("Keep", "Off", "On")}

    def update(self, role: str, new: Any, old: Any, ids: dict[str, str]) -> str:
        """One update of one resource; returns its physical id."""
        return self.ask(role, "Update", new, old, ids[role])

    def clean_up(self, status: str, given: Any, kept: str) -> None:
        """What CloudFormation does at the very end with the id of Keep that goes."""
        self.status = status
        self.ask("Keep", "Delete", given, physical=kept)

    def move(self, types: dict[str, str]) -> None:
        """UpdateEndpoint, which SageMaker refuses while a variant that changes is registered."""
        changed = {name for name, kind in self.instance_types.items() if types.get(name) != kind}
        if changed & set(self.scaled):
            raise Refused
        self.instance_types = dict(types)


WENT_WELL = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
ROLLED_BACK = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"


def test_scaling_is_put_on_once_the_endpoint_is_there() -> None:
    world = World()
    world.ask("Keep", "Create")
    world.ask("Off", "Create")
    assert world.scaled == {}
    world.ask("On", "Create")
    assert world.scaled == {"main": (2, 4, 100.0)}


def test_sagemaker_would_refuse_the_change_otherwise() -> None:
    world = World()
    world.create()
    with pytest.raises(Refused):
        world.move(NEW)


def test_instance_type_changes_and_scaling_is_back_with_its_new_settings() -> None:
    world = World()
    ids = world.create()
    new, old = (NEW, MORE), (OLD, SCALING)
    assert world.update("Keep", new, old, ids) != ids["Keep"]
    assert world.update("Off", new, old, ids) == ids["Off"]
    assert world.scaled == {}
    world.move(NEW)
    assert world.update("On", new, old, ids) == ids["On"]
    world.clean_up(WENT_WELL, old, ids["Keep"])
    assert world.scaled == {"main": (2, 9, 100.0)}


@pytest.mark.parametrize("reverts_keep", [True, False])
def test_update_that_fails_before_on_gets_its_old_scaling_back_in_the_clean_up(
    reverts_keep: bool,
) -> None:
    """On is never called, since it was not updated. Keep may be sent back or not."""
    world = World()
    ids = world.create()
    new, old = (NEW, MORE), (OLD, SCALING)
    kept = world.update("Keep", new, old, ids)
    world.update("Off", new, old, ids)
    world.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    if reverts_keep:
        assert world.update("Keep", old, new, {"Keep": kept}) != kept
    world.update("Off", old, new, ids)
    world.clean_up(ROLLED_BACK, new, kept)
    assert world.scaled == {"main": (2, 4, 100.0)}


def test_update_that_fails_after_on_moves_back_too() -> None:
    world = World()
    ids = world.create()
    new, old = (NEW, MORE), (OLD, SCALING)
    kept = world.update("Keep", new, old, ids)
    for there, back, types in ((new, old, NEW), (old, new, OLD)):
        world.update("Off", there, back, ids)
        world.move(types)
        world.update("On", there, back, ids)
    world.clean_up(ROLLED_BACK, new, kept)
    assert world.instance_types == OLD
    assert world.scaled == {"main": (2, 4, 100.0)}


def test_id_of_an_earlier_change_does_not_bring_back_what_was_dropped_since() -> None:
    world = World()
    ids = world.create()
    first = world.update("Keep", (NEW, SCALING), (OLD, SCALING), ids)
    world.update("Off", (NEW, SCALING), (OLD, SCALING), ids)
    world.move(NEW)
    world.update("On", (NEW, SCALING), (OLD, SCALING), ids)
    world.update("Off", (OLD, {}), (NEW, SCALING), ids)
    world.move(OLD)
    world.update("On", (OLD, {}), (NEW, SCALING), ids)
    world.clean_up(WENT_WELL, (NEW, SCALING), first)
    assert world.scaled == {}


def test_new_settings_alone_take_nothing_off() -> None:
    world = World()
    ids = world.create()
    for role in ("Keep", "Off"):
        assert world.update(role, (OLD, MORE), (OLD, SCALING), ids) == ids[role]
    assert world.scaled == {"main": (2, 4, 100.0)}
    world.update("On", (OLD, MORE), (OLD, SCALING), ids)
    assert world.scaled == {"main": (2, 9, 100.0)}


def test_scaling_that_is_dropped_is_taken_off() -> None:
    world = World()
    ids = world.create()
    world.update("On", (OLD, {}), (OLD, SCALING), ids)
    assert world.scaled == {}


def test_only_the_variant_that_changes_is_taken_off() -> None:
    types = {**OLD, "next": "ml.c5.large"}
    world = World(instance_types=types)
    scaling = {**SCALING, "next": SCALING["main"]}
    ids = world.create((types, scaling))
    world.update("Off", ({**OLD, "next": "ml.c5.xlarge"}, scaling), (types, scaling), ids)
    assert set(world.scaled) == {"main"}


@pytest.mark.parametrize("variants", [("main",), ("main", "next")])
def test_stack_takes_its_scaling_along(variants: tuple[str, ...]) -> None:
    world = World()
    given = (dict.fromkeys(variants, "ml.m5.large"), SCALING)
    ids = world.create(given)
    world.status = "DELETE_IN_PROGRESS"
    for role in ("On", "Off", "Keep"):
        world.ask(role, "Delete", given, physical=ids[role])
    assert world.scaled == {}


@pytest.mark.parametrize("physical", ["failed-r1", f"{ENDPOINT}/keep"])
def test_failed_creation_is_cleaned_up_without_a_word(physical: str) -> None:
    world = World()
    world.clean_up(ROLLED_BACK, (OLD, SCALING), physical)
    assert world.scaled == {}


def test_physical_id_fits() -> None:
    world = World()
    names = [f"{'v' * 61}{number}" for number in range(5)]
    scaling = dict.fromkeys(names, SCALING["main"])
    old = (dict.fromkeys(names, "ml.m5.large"), scaling)
    ids = world.create(old)
    kept = world.update("Keep", (dict.fromkeys(names, "ml.m5.xlarge"), scaling), old, ids)
    assert len(kept) <= 1024
