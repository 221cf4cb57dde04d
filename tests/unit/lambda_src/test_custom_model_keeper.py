"""The keeper: what is wanted runs, nothing else does, and no work is lost wherever it dies."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from custom_model_keeper.keeper import Keeper
from custom_model_keeper.leases import Model, Version, is_wanted, steps

from shared.clock import Clock
from shared.logs import Log
from tests.unit.lambda_src.model_world import PROJECT, QUEUE, ModelWorld, version
from tests.unit.lambda_src.world import Killed, error

V1, V2 = version("v1"), version("v2")
SHELF = Model("shelf", PROJECT, lease_seconds=3600, units=1)
AT = "2026-11-23T02:00:00.000Z"
START = 1_795_399_200.0  # that moment


class Sweeps:
    """A keeper of one model, whose world and clock tests move on."""

    def __init__(self) -> None:
        self.world = ModelWorld()
        self.now = START
        self.patience = True

    def sweep(self, *models: Model) -> list[str]:
        keeper = Keeper(
            rekognition=self.world.client("rekognition"),
            sqs=self.world.client("sqs"),
            table=self.world.table,
            models=models or (SHELF,),
            log=Log("dev"),
            clock=Clock(time=lambda: self.now),
            sweep_minutes=1,
            may_go_on=lambda: self.patience,
        )
        return keeper.sweep()

    def park(self, count: int = 1, needs: tuple[str, ...] = ("shelf",), at: str = AT) -> None:
        for number in range(count):
            body = f"{at} {number}"
            self.world.table.park(body, queue=QUEUE, message=f"m{number:03}", needs=needs, at=at)

    def is_(self, status: str, arn: str = V1) -> None:
        self.world.versions[arn] = status

    @property
    def status(self) -> str:
        return self.world.versions[V1]


@pytest.fixture
def sweeps() -> Sweeps:
    made = Sweeps()
    made.world.put("model#shelf", "state", live=V1)
    made.is_("STOPPED")
    return made


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """What the lines of a sweep counted, by metric."""
    found: dict[str, float] = {}
    for line in capsys.readouterr().out.splitlines():
        told = json.loads(line)
        assert "left_out" not in told
        for directive in told.get("_aws", {}).get("CloudWatchMetrics", ()):
            for each in directive["Metrics"]:
                found[each["Name"]] = found.get(each["Name"], 0) + told[each["Name"]]
    return found


@pytest.mark.parametrize("status", ["TRAINING_COMPLETED", "STOPPED", "FAILED"])
def test_work_that_waits_starts_its_model(sweeps: Sweeps, status: str):
    sweeps.is_(status)
    sweeps.park()
    assert sweeps.sweep() == []
    assert sweeps.status == "STARTING" and sweeps.world.units == (1, None)
    assert sweeps.world.sent == [] and len(sweeps.world.waiting()) == 1


def test_inference_units_are_as_configured(sweeps: Sweeps):
    sweeps.park()
    sweeps.sweep(Model("shelf", PROJECT, 3600, units=2, most_units=4))
    assert sweeps.world.units == (2, 4)


def test_without_work_use_or_lease_nothing_starts_and_what_runs_is_stopped(
    sweeps: Sweeps, capsys: pytest.CaptureFixture[str]
):
    sweeps.sweep()
    assert sweeps.status == "STOPPED"
    sweeps.is_("RUNNING")
    sweeps.sweep()
    assert sweeps.status == "STOPPING"
    assert metrics(capsys)["ModelRunningMinutes"] == 1


def test_a_model_runs_on_for_its_lease_after_its_last_use(sweeps: Sweeps):
    sweeps.is_("RUNNING")
    sweeps.world.table.used("shelf", START)
    sweeps.now += 3599
    sweeps.sweep()
    assert sweeps.status == "RUNNING"
    sweeps.now += 1
    sweeps.sweep()
    assert sweeps.status == "STOPPING"


def test_a_lease_that_someone_wrote_starts_and_stops(sweeps: Sweeps):
    sweeps.world.put("model#shelf", "state", live=V1, lease_until=int(START + 600))
    sweeps.sweep()
    assert sweeps.status == "STARTING"
    sweeps.is_("RUNNING")
    sweeps.now += 600
    sweeps.sweep()
    assert sweeps.status == "STOPPING"


def test_a_model_caught_starting_is_stopped_once_it_runs(sweeps: Sweeps):
    sweeps.is_("STARTING")
    assert sweeps.sweep() == []
    assert "StopProjectVersion" not in sweeps.world.calls
    sweeps.is_("RUNNING")
    sweeps.sweep()
    assert sweeps.status == "STOPPING"


def test_versions_that_are_not_live_are_stopped_wherever_they_stand_in_the_list(sweeps: Sweeps):
    sweeps.world.versions = {version(f"old{n}"): "STOPPED" for n in range(4)} | {
        V2: "RUNNING",
        V1: "STOPPED",
    }
    sweeps.park()
    sweeps.sweep()
    assert (sweeps.world.versions[V2], sweeps.status) == ("STOPPING", "STARTING")


def test_what_waited_goes_back_once_the_model_runs_and_its_lease_counts_from_then(
    sweeps: Sweeps, capsys: pytest.CaptureFixture[str]
):
    sweeps.park(25)
    sweeps.world.page = 7
    sweeps.is_("RUNNING")
    sweeps.now += 1800
    sweeps.sweep()
    assert sorted(sweeps.world.sent) == sorted(f"{AT} {n}" for n in range(25))
    assert sweeps.world.waiting() == []
    assert sweeps.world.state()["used_at"] == START + 1800
    told = metrics(capsys)
    assert (told["MessagesSentBack"], told["ParkedMinutes"]) == (25, 30)
    sweeps.now += 3000
    sweeps.sweep()
    assert sweeps.status == "RUNNING"


def test_work_for_two_models_waits_for_both(sweeps: Sweeps):
    sweeps.is_("RUNNING")
    sweeps.park(needs=("shelf", "label"))
    sweeps.sweep()
    assert sweeps.world.sent == [] and sweeps.status == "RUNNING"


def test_a_message_that_the_queue_did_not_take_waits_on(sweeps: Sweeps):
    sweeps.is_("RUNNING")
    sweeps.park(3)
    sweeps.world.refused = {f"{AT} 1"}
    sweeps.sweep()
    assert [each["body"] for each in sweeps.world.waiting()] == [f"{AT} 1"]
    sweeps.world.refused = set()
    sweeps.sweep()
    assert sorted(sweeps.world.sent) == [f"{AT} {n}" for n in range(3)]


def test_a_sweep_that_runs_out_of_time_leaves_the_rest_to_the_next(sweeps: Sweeps):
    sweeps.is_("RUNNING")
    sweeps.park(3)
    sweeps.patience = False
    sweeps.sweep()
    assert sweeps.world.sent == [] and len(sweeps.world.waiting()) == 3


def test_a_model_without_a_live_version_makes_its_work_wait(sweeps: Sweeps):
    sweeps.world.items.clear()
    sweeps.is_("TRAINING_COMPLETED")
    sweeps.park()
    assert sweeps.sweep() == []
    assert sweeps.status == "TRAINING_COMPLETED" and len(sweeps.world.waiting()) == 1


def test_one_model_that_fails_keeps_none_of_the_others_from_its_stop(
    sweeps: Sweeps, capsys: pytest.CaptureFixture[str]
):
    sweeps.is_("RUNNING")
    sweeps.world.put("model#shelf", "state", live=V1)
    times = iter([error("AccessDeniedException", "DescribeProjectVersions")])

    def strike(operation: str, when: str) -> None:
        if operation == "DescribeProjectVersions" and when == "before":
            for each in times:
                raise each

    sweeps.world.strike = strike
    broken = Model("broken", PROJECT, 3600, units=1)
    assert sweeps.sweep(broken, SHELF) == ["broken"]
    assert sweeps.status == "STOPPING"
    assert metrics(capsys)["ModelsFailed"] == 1


def cuts() -> Iterator[tuple[str, str]]:
    for operation in (
        "Query", "GetItem", "DescribeProjectVersions", "StartProjectVersion", "UpdateItem",
        "SendMessageBatch", "DeleteItem", "StopProjectVersion",
    ):  # fmt: skip
        for when in ("before", "after"):
            yield operation, when


@pytest.mark.parametrize(("operation", "when"), list(cuts()))
def test_wherever_a_sweep_dies_the_work_is_done_and_the_model_stops(
    sweeps: Sweeps, operation: str, when: str
):
    """The whole life of a lease, in which the first call of one operation kills the keeper."""
    left = [1]

    def strike(called: str, at: str) -> None:
        if (called, at) == (operation, when) and left[0]:
            left[0] = 0
            raise Killed

    sweeps.world.strike = strike
    sweeps.park(12)
    for _ in range(4):
        _survive(sweeps)
        if sweeps.status == "STARTING":
            sweeps.is_("RUNNING")
    assert set(sweeps.world.sent) == {f"{AT} {n}" for n in range(12)}
    assert sweeps.world.waiting() == []
    sweeps.now += 3600
    for _ in range(2):
        _survive(sweeps)
    assert sweeps.status == "STOPPING"
    assert left == [0]


def _survive(sweeps: Sweeps) -> None:
    try:
        sweeps.sweep()
    except Killed:
        return


@pytest.mark.parametrize(
    ("status", "live", "wanted", "action"),
    [
        ("STARTING", True, True, None),
        ("RUNNING", True, True, None),
        ("STOPPING", True, True, None),
        ("TRAINING_IN_PROGRESS", True, True, None),
        ("TRAINING_FAILED", True, True, None),
        ("DELETING", True, True, None),
        ("STOPPED", False, True, None),
        ("RUNNING", False, True, "stop"),
        ("RUNNING", True, False, "stop"),
        ("STARTING", True, False, None),
        ("STOPPED", True, True, "start"),
    ],
)
def test_what_follows_from_a_version(status: str, live: bool, wanted: bool, action: str | None):
    found = [each.action for each in steps([Version(V1, status)], V1 if live else V2, wanted)]
    assert found == ([action] if action else [])


@pytest.mark.parametrize(
    ("state", "needed", "wanted"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"used_at": START - 3600}, False, False),
        ({"used_at": START - 3599}, False, True),
        ({"lease_until": START}, False, False),
        ({"lease_until": START + 1}, False, True),
        ({"lease_until": 0, "used_at": START}, False, True),
    ],
)
def test_who_is_wanted(state: dict[str, Any], needed: bool, wanted: bool):
    assert is_wanted(SHELF, state, needed, START) is wanted
