"""What jobs may hold: no AWS call, nothing that the image lacks, the oldest Python's syntax."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "ml_src").rglob("*.py"))
MODELS = {path.parent.name for path in FILES if path.name == "train.py"}
# Of SageMaker's XGBoost 3.0-5 image; torch is its own image's.
IMAGE = {"numpy", "scipy", "pyarrow", "matplotlib", "xgboost", "sagemaker_inference"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)}
    assert tops <= IMAGE | {"ml_src"} | set(sys.stdlib_module_names)
    # What models share knows none of them, and they do not know each other.
    own = path.relative_to(ROOT / "ml_src").parts[0]
    others = {f"ml_src.{name}" for name in MODELS - {own}} if own != "entry_points" else set()
    assert not {name for name in imported(path) if ".".join(name.split(".")[:2]) in others}


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_models_folder_holds_all_that_its_code_imports(model: str) -> None:
    serving: tuple[str, ...] = import_module(f"ml_src.{model}.artifact").SERVING
    names = {f"ml_src.{name[:-3].replace('/', '.')}" for name in serving}
    for name in serving:
        ours = {found for found in imported(ROOT / "ml_src" / name) if found.startswith("ml_src.")}
        modules = {found for found in ours if (ROOT / f"{found.replace('.', '/')}.py").is_file()}
        assert modules <= names, name


def test_requirements_are_pinned_and_cover_the_imports() -> None:
    lines = (ROOT / "requirements-ml.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    needed = IMAGE - {"sagemaker_inference", "xgboost"} | {"xgboost-cpu"}
    assert needed <= set(pins)
