"""The handler as Lambda calls it: batches in, failures out, and what it says of them."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from image_analysis import handler as image_handler
from image_analysis import settings as image_settings
from image_analysis.flow import LEASE_MARGIN_SECONDS
from image_analysis.worker import Invocation
from tests.unit.lambda_src.images import body, label
from tests.unit.lambda_src.test_batch import failed, sqs
from tests.unit.lambda_src.world import World, variables

LAMBDA_SRC = Path(image_handler.__file__).parents[1]
SECRET = "jane-doe"


class Context:
    aws_request_id = "request-1"

    def __init__(self, *remaining: float) -> None:
        self.left = list(remaining) or [60.0]

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.left.pop(0) if len(self.left) > 1 else self.left[0]))


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in variables().items():
        monkeypatch.setenv(name, value)
    image_settings.current.cache_clear()
    monkeypatch.setattr(image_handler, "CLIENTS", world.clients)
    monkeypatch.setattr(image_handler, "_flow", lambda: world.flow)

    def invoke(event: dict[str, Any], context: Context | None = None) -> list[str]:
        return failed(image_handler.handler(event, context or Context()))

    yield invoke
    image_settings.current.cache_clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_poison_message_in_a_batch_of_ten(world: World, run: Any):
    for at in range(10):
        world.put(version=f"v{at}", sequencer=f"{at + 1:02}")
    bodies = [body(version=f"v{at}", sequencer=f"{at + 1:02}") for at in range(10)]
    bodies[4] = "{poison"
    assert run(sqs(*bodies)) == ["m4"]
    assert [each["VisibilityTimeout"] for each in world.hidden] == [0]
    assert len(world.bus) == 9
    assert world.count()["DetectModerationLabels"] == 9


def test_throttling_backs_off_then_succeeds(world: World, run: Any, capsys: Any):
    version = world.put()
    world.fail("DetectModerationLabels", "ThrottlingException")
    assert run(sqs(body())) == ["m0"]
    assert 1 <= world.hidden[0]["VisibilityTimeout"] <= 5
    (line,) = lines(capsys)
    assert (line["MessagesRetried"], line["error"]) == (1, "ThrottlingException")
    assert run(sqs(body(), receives=2)) == []
    assert world.record(version)["decision"] == "accept"


def test_denial_is_counted_and_waits(world: World, run: Any, capsys: Any):
    world.put()
    world.fail("DetectModerationLabels", "AccessDeniedException")
    assert run(sqs(body())) == ["m0"]
    assert world.hidden[0]["VisibilityTimeout"] == 900
    (line,) = lines(capsys)
    assert (line["level"], line["MessagesDenied"], line["kind"]) == ("ERROR", 1, "denied")


def test_a_fault_of_the_code_is_loud(world: World, run: Any, capsys: Any, monkeypatch: Any):
    def broken(version: Any, attempt: Any) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(type(world.flow), "run", lambda self, *all: broken(*all))
    assert run(sqs(body())) == ["m0"]
    (line,) = lines(capsys)
    assert (line["MessagesFailed"], line["error"]) == (1, "KeyError")
    assert any("broken" in place for place in line["where"]) and SECRET not in str(line)


def test_no_time_left_returns_the_rest_at_once(world: World, run: Any, capsys: Any):
    world.put()
    assert run(sqs(body()), Context(60, 20)) == ["m0"]  # at the start; at the first message
    assert world.hidden[0]["VisibilityTimeout"] == 0
    assert world.calls == ["ChangeMessageVisibility"]


def test_no_time_left_at_the_paid_call_frees_the_image(world: World, run: Any):
    world.put()
    assert run(sqs(body()), Context(60, 60, 60, 20)) == ["m0"]
    assert "DetectModerationLabels" not in world.calls
    assert world.hidden[0]["VisibilityTimeout"] == 0
    assert run(sqs(body(), receives=2)) == []


@pytest.mark.parametrize(
    ("whole", "left", "fits"),
    [(3, 3, True), (3, 1.4, False), (60, 31, True), (60, 29, False), (900, 41, True),
     (900, 39, False)],
)  # fmt: skip
def test_time_for_one_image(whole: float, left: float, fits: bool):
    assert (Invocation("r", lambda: left, whole).spare() >= 0) is fits


def test_the_lease_outlives_the_invocation(world: World, run: Any):
    version = world.put()
    leases: list[int] = []

    def strike(number: int, when: str, operation: str) -> None:
        if operation == "GetObject":
            leases.append(world.record(version)["lease_until"])

    world.strike = strike
    run(sqs(body()), Context(45))
    assert leases[0] == world.now + 45 + LEASE_MARGIN_SECONDS


@pytest.mark.parametrize("keys", ["", "1"])
def test_logs_name_no_object_and_no_finding(
    world: World, run: Any, capsys: Any, monkeypatch: Any, keys: str
):
    monkeypatch.setenv("LOG_KEYS", keys)
    key = f"incoming/{SECRET}.jpg"
    world.put(key, labels=(label("Explicit", 97.5),))
    world.put(key, "v2", data=b"x", sequencer="02")
    run(sqs(body(key), body(key, "v2"), body(key, "v3"), body(key)))
    told = capsys.readouterr().out
    assert (SECRET in told) is bool(keys)
    assert "Explicit" not in told and "97.5" not in told


def test_outcomes_are_counted(world: World, run: Any, capsys: Any):
    world.put(labels=(label("Explicit", 97.5),))
    run(sqs(body()))
    run(sqs(body()))
    first, second = lines(capsys)
    assert (first["ImagesRejected"], first["Environment"], first["request_id"]) == (
        1, "dev", "request-1"
    )  # fmt: skip
    assert "ImageMilliseconds" in first and second["ImagesRepeated"] == 1


def test_pacers_last_as_long_as_the_environment(monkeypatch: pytest.MonkeyPatch):
    for name, value in variables().items():
        monkeypatch.setenv(name, value)
    image_settings.current.cache_clear()
    image_handler._flow.cache_clear()
    assert image_handler._flow() is image_handler._flow()
    image_handler._flow.cache_clear()
    image_settings.current.cache_clear()


def test_clients_are_bounded_in_time():
    for client in vars(image_handler.CLIENTS).values():
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (2, 10)
        assert config.retries == {"mode": "standard", "total_max_attempts": 3}
        assert config.max_pool_connections == 40


# Functions of their own, with a layer of these packages.
PACKAGES = {"face_blur": {"PIL"}}


def test_imports_nothing_but_botocore_and_the_standard_library():
    ours = {path.name for path in LAMBDA_SRC.iterdir() if path.is_dir()}
    known = {*sys.stdlib_module_names, "botocore", *ours}
    for path in LAMBDA_SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            packages = PACKAGES.get(path.relative_to(LAMBDA_SRC).parts[0], set())
            assert {name.partition(".")[0] for name in names} <= known | packages, path


def test_importing_the_handler_loads_only_what_clients_need_and_our_own():
    code = (
        "import sys, shared.clients; shared.clients.connect(); before = set(sys.modules);"
        "import image_analysis.handler; print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=LAMBDA_SRC, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split()) - {"concurrent.futures.thread"}
    assert all(name.startswith(("image_analysis", "shared")) for name in loaded)
    assert "image_analysis.analyses.moderation" not in done.stdout.split()
