"""MiniStack promises none of the names that our adapter leans on: each is asserted here."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from rehearsal.environment import server_environment
from rehearsal.process import PROJECT

ADAPTER = PROJECT / "rehearsal" / "ministack_adapter"
# Run apart: importing MiniStack changes the process (logging, hypercorn, the environment it reads).
INSPECT = """
import inspect, json
from rehearsal.ministack_adapter import modules, names
def walk(path):
    value = modules
    for part in path.split("."):
        value = getattr(value, part)
    return value
missing = [f"{m}.{n}" for m, ns in names.NAMES.items() for n in ns
           if not hasattr(getattr(modules, m), n)]
signatures = {p: " ".join(inspect.signature(walk(p)).parameters) for p in names.SIGNATURES}
absent = [f"{m}: {s}" for m, ss in names.SNIPPETS.items() for s in ss
          if s not in inspect.getsource(getattr(modules, m))]
print(json.dumps({"missing": missing, "signatures": signatures, "absent": absent}))
"""


def load_names() -> dict[str, Any]:
    """names.py, read without the package around it, which would import MiniStack."""
    space: dict[str, Any] = {}
    exec((ADAPTER / "names.py").read_text(encoding="utf-8"), space)
    return space


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("contract")
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    environment = {**server_environment(folder, "us-east-1", PROJECT), "GATEWAY_PORT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", INSPECT], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def used_names() -> dict[str, set[str]]:
    """Every name of MiniStack's that the adapter's source mentions, by module."""
    used: dict[str, set[str]] = defaultdict(set)
    for path in ADAPTER.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        aliases = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).endswith(".modules")
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = aliases.get(node.value.id)
                if module:
                    used[module].add(node.attr)
    return used


def test_version_is_pinned() -> None:
    assert version("ministack") == load_names()["VERSION"]
    pins = "".join(path.read_text() for path in PROJECT.glob("requirements*.txt"))
    assert f"ministack=={load_names()['VERSION']}" in pins


def test_list_is_complete() -> None:
    listed = {module: set(names) for module, names in load_names()["NAMES"].items()}
    assert listed == dict(used_names())


def test_nothing_else_imports_ministack() -> None:
    for path in (PROJECT / "rehearsal").rglob("*.py"):
        if path.parent != ADAPTER:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
                assert not [n for n in names if n.split(".")[0] == "ministack"], path


def test_every_name_is_there(installed: dict[str, Any]) -> None:
    assert installed["missing"] == []


def test_every_signature_is_as_expected(installed: dict[str, Any]) -> None:
    assert installed["signatures"] == load_names()["SIGNATURES"]


def test_every_snippet_is_there(installed: dict[str, Any]) -> None:
    assert installed["absent"] == []


def test_mark_is_the_same_on_both_sides() -> None:
    """The worker's mark and the one that the server looks for."""
    sides = (ADAPTER / "lambdas.py", ADAPTER.parent / "worker_site" / "sitecustomize.py")
    marks = [
        ast.literal_eval(node.value)
        for path in sides
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "END_OF_INVOCATION"
    ]
    assert len(marks) == 2
    assert marks[0] == marks[1]
