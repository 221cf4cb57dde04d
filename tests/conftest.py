"""What all tests share: false credentials, no way out of this machine, one synth an environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ENVIRONMENTS = ("demo", "dev", "prod")
FILES = {"every": str(Path(__file__).parent / "security" / "everything.yaml")}
"""Environments that are made for tests, each with its file."""

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "CDK_VALIDATION": "false",
}


# A busy machine is slow, which is no failure; in CI the same examples are tried each time.
settings.register_profile(
    "patient",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no core waits for another's last file: the demonstration, then
    what else runs on the embedded AWS."""

    def turn(item: pytest.Item) -> int:
        return 0 if item.get_closest_marker("demo") else 1 if "rehearsal" in item.path.parts else 2

    items.sort(key=turn)


class ReachedOut(AssertionError):
    """A test tried to reach beyond this machine."""


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse every connection of the tests' own process that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host != "localhost" and not ip_address(host).is_loopback:
                raise ReachedOut(f"a test tried to reach {address}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The cloud assembly of an environment, synthesized once a session."""

    @cache
    def synthesize(environment: str) -> Path:
        import app

        folder = tmp_path_factory.mktemp(f"assembly-{environment}")
        app.build(FILES.get(environment, environment), outdir=str(folder)).synth()
        return folder

    return synthesize
