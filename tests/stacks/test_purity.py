"""The same commit and configuration give the same bytes, anywhere, with nothing to ask."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("app.py", "cdk.json", "config", "constructs", "stacks", "lambda_src", "ml_src")


def synthesize(folder: Path, *, environment: str, zone: str, locale: str) -> dict[str, bytes]:
    """Run ``python app.py`` in ``folder`` with an almost empty environment and no network."""
    variables = {
        "CDK_CONTEXT_JSON": json.dumps({"environment": environment}),
        "CDK_OUTDIR": str(folder / "cdk.out"),
        "CDK_VALIDATION": "false",
        "HOME": str(folder),
        "LC_ALL": locale,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "constructs")]),
        "PYTHONHASHSEED": "random",
        "TZ": zone,
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }
    command = [sys.executable, "app.py"]
    if shutil.which("unshare") and subprocess.run(["unshare", "-rn", "true"]).returncode == 0:
        command = ["unshare", "-rn", *command]  # a network of its own, with nothing in it
    else:
        warnings.warn("synth was compared, but its network could not be cut off", stacklevel=2)
    subprocess.run(command, cwd=folder, env=variables, check=True)
    return documents(folder / "cdk.out")


def documents(assembly: Path) -> dict[str, bytes]:
    """The templates and lists of assets of a cloud assembly."""
    found = [*assembly.glob("*.template.json"), *assembly.glob("*.assets.json")]
    return {path.name: path.read_bytes() for path in found}


def copy_of_sources(folder: Path) -> Path:
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy2(source, folder / name)
    return folder


@pytest.mark.parametrize("environment", ["demo", "prod"])
def test_synth_is_the_same_in_another_folder_time_zone_and_language(
    environment: str, assembly: Callable[[str], Path], tmp_path: Path
) -> None:
    here = documents(assembly(environment))
    (folder := tmp_path / "there" / "with some space").mkdir(parents=True)
    there = synthesize(
        copy_of_sources(folder),
        environment=environment,
        zone="Pacific/Kiritimati",
        locale="C.UTF-8",
    )
    assert len([name for name in here if name.endswith(".template.json")]) >= 6
    assert here == there


def test_a_wrong_environment_is_told_without_a_trace(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={
            **os.environ,
            "CDK_CONTEXT_JSON": json.dumps({"environment": "devv"}),
            "CDK_OUTDIR": str(tmp_path / "out"),
        },
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 1
    assert "devv" in finished.stderr
    assert "dev, prod" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not list((tmp_path / "out").glob("*.template.json"))
