"""Synth of an environment beside an app that imports the same and has nothing in it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Figure, medians

SECONDS_A_RESOURCE = 0.0035
IMPORTS = """
import sys
import aws_cdk as cdk
"""
MODULES = "import app\n"
EMPTY = """
stack_app = cdk.App(outdir=sys.argv[1])
cdk.Stack(stack_app, "Empty")
stack_app.synth()
"""
ENVIRONMENT = "import app\napp.build({name!r}, outdir=sys.argv[1]).synth()\n"
RUNS = 9


def figures() -> list[Figure]:
    """The ratio for each environment, to the expected time and to the bare empty app."""
    with tempfile.TemporaryDirectory() as folder:
        programs = {
            "bare": ["-c", IMPORTS + EMPTY, f"{folder}/bare"],
            "same modules": ["-c", IMPORTS + MODULES + EMPTY, f"{folder}/same"],
        }
        for name in ("demo", "prod"):
            programs[name] = ["-c", IMPORTS + ENVIRONMENT.format(name=name), f"{folder}/{name}"]
        seconds = medians(programs, runs=RUNS, environment={"CDK_VALIDATION": "false"})
        counts = {name: _resources(Path(folder, name)) for name in ("demo", "prod")}
    found: list[Figure] = []
    for name, count in counts.items():
        expected = seconds["same modules"] + SECONDS_A_RESOURCE * count
        found += [
            Figure(
                f"synth of {name} / (empty app with the same modules + 3.5 ms a resource)",
                seconds[name] / expected,
                aim=1.25,
                detail=f"{seconds[name]:.2f} s / {expected:.2f} s, {count} resources, "
                f"medians of {RUNS}",
            ),
            Figure(
                f"synth of {name} / bare empty app",
                seconds[name] / seconds["bare"],
                detail=f"{seconds[name]:.2f} s / {seconds['bare']:.2f} s",
            ),
        ]
    return found


def _resources(folder: Path) -> int:
    return sum(
        len(json.loads(path.read_text())["Resources"]) for path in folder.glob("*.template.json")
    )
