"""Which part may import which: the arrows of the design, and the name of the library."""

from __future__ import annotations

import ast
from pathlib import Path

import constructs
import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    path.name
    for path in (ROOT / "lambda_src").iterdir()
    if path.is_dir() and path.name != "__pycache__"
}
OURS = {"app", "config", "ml_src", "rehearsal", "sagelens", "stacks", "tools", *FUNCTIONS}
CDK = {"aws_cdk", "cdk_nag", "constructs", "jsii"}

MAY_IMPORT = {
    "app.py": {"config", "stacks", *CDK},
    "stacks": {"config", "sagelens", "stacks", *CDK},
    "constructs/sagelens": {"sagelens", *CDK},
    "config": {"config"},
    "lambda_src": FUNCTIONS,
    "ml_src": {"ml_src"},
    "rehearsal": {"rehearsal"},
    # Readings are decided again by the code that decided them, which is pure.
    "tools": {"config", "retail", "tools"},
}


def imports(path: Path) -> set[str]:
    """The top-level names of the packages of ours and of CDK's that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found & (OURS | CDK)


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_arrows_run_one_way(part: str) -> None:
    place = ROOT / part
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    files = [path for path in files if "_lambda_src" not in path.parts]
    assert files, f"{part} holds no Python"
    for path in files:
        allowed = MAY_IMPORT[part]
        assert imports(path) <= allowed, f"{path.relative_to(ROOT)} may import {sorted(allowed)}"


def test_functions_do_not_import_each_other() -> None:
    functions = {path.name for path in (ROOT / "lambda_src").iterdir() if path.is_dir()}
    functions -= {"shared", "__pycache__"}
    for function in functions:
        for path in (ROOT / "lambda_src" / function).rglob("*.py"):
            assert not imports(path) & (functions - {function}), path
    for path in (ROOT / "lambda_src" / "shared").rglob("*.py"):
        assert not imports(path) & functions, path


def test_our_folder_does_not_hide_the_package_of_its_name() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert "site-packages" in str(constructs.__file__)


def test_the_composition_root_stays_short() -> None:
    assert len((ROOT / "app.py").read_text().splitlines()) < 70
