"""The scripts that SageMaker runs when a notebook instance is made and when it starts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SCRIPTS = Path(__file__).parent / "notebook_scripts"

LONGEST_SCRIPT = 16_384
"""Characters of a script as SageMaker takes it, in base64 ("NotebookInstanceLifecycleHook")."""
LEAST_IDLE, MOST_IDLE = 10, 43_200
"""Minutes. Two looks, five minutes apart, and thirty days."""
_YOURS = "SAGELENS_ON_START"


@dataclass(frozen=True, kw_only=True)
class IdleStop:
    """When a notebook instance stops itself.

    Args:
        minutes: After so many minutes without work, 10 to 43,200.
        keep_open_kernels: Whether an open kernel counts as work even if it does nothing, so that
            what is in its memory is kept. Then an instance goes on until its kernels are shut down.
    """

    minutes: int = 60
    keep_open_kernels: bool = False


def on_start(idle: IdleStop, *, environment_name: str, yours: str = "") -> str:
    """The script that runs at each start: it installs the idle stop, then runs yours.

    Args:
        idle: When the instance stops itself.
        environment_name: Dimension of the metric.
        yours: A bash script. It runs as root, and the instance does not start if it fails.
    """
    settings = {
        "IDLE_MINUTES": str(idle.minutes),
        "OPEN_KERNELS": "work" if idle.keep_open_kernels else "used",
        "ENVIRONMENT": environment_name,
    }
    script = _read(
        "on-start.sh", {"IDLE_STOP": _read("idle-stop.sh"), "SETTINGS": _lines(settings)}
    )
    if not yours.strip():
        return script
    # A file of its own: it may end, or read its input, as it likes.
    place = '"$ROOT/etc/sagelens/on-start.sh"'
    body = yours.strip("\n")
    return f"{script}cat > {place} <<'{_YOURS}'\n{body}\n{_YOURS}\nexec bash -eu {place}\n"


def on_create(yours: str) -> str:
    """The script that runs once, when the instance is made; empty if there is none.

    Args:
        yours: A bash script. It runs as root, and the instance is not made if it fails.
    """
    body = yours.strip("\n")
    if not body.strip():
        return ""
    return f"{body}\n" if body.startswith("#!") else f"#!/bin/bash\nset -euo pipefail\n{body}\n"


def encoded(script: str) -> str:
    """A script as SageMaker takes it: in base64."""
    return base64.b64encode(script.encode()).decode()


def idle_problem(idle: IdleStop) -> str | None:
    """What is wrong with the idle time; None if nothing is."""
    if LEAST_IDLE <= idle.minutes <= MOST_IDLE:
        return None
    return f"got {idle.minutes}, allowed are {LEAST_IDLE} to {MOST_IDLE:,} minutes"


def script_problem(script: str) -> tuple[str, str] | None:
    """What is wrong with a script, and what is allowed; None if nothing is."""
    if f"\n{_YOURS}\n" in script.replace(f"\n{_YOURS}\nexec bash", ""):
        return f"has a line {_YOURS}, which ends it too early", "any other line"
    size = len(encoded(script))
    if size <= LONGEST_SCRIPT:
        return None
    return (
        f"takes {size:,} characters in base64, our own part included",
        f"{LONGEST_SCRIPT:,}; keep most of it in Amazon S3, and fetch it in the script",
    )


def _read(name: str, holes: Mapping[str, str] | None = None) -> str:
    text = (_SCRIPTS / name).read_text(encoding="utf-8")
    for hole, filling in (holes or {}).items():
        text = text.replace(f"@{hole}@\n", f"{filling.rstrip()}\n")
    return text


def _lines(settings: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in settings.items())
