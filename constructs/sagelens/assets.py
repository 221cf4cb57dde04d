"""Where the source of the platform's functions lies."""

from __future__ import annotations

import ast
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

_PACKAGE = Path(__file__).parent


def lambda_source() -> Path:
    """The folder of the functions' source, which the library carries along."""
    return (_PACKAGE / "_lambda_src").resolve()


@contextmanager
def function_code(files: Mapping[str, str] | None = None) -> Generator[lambda_.Code]:
    """The functions' source as an asset, for as long as it takes to make a function of it.

    Without files it is one asset for all functions: it is small, and is published once for all
    of them. Files make an asset of the function's own.

    Args:
        files: Further files by their path below the source.
    """
    excluded = ["**/__pycache__", "**/*.pyc"]
    if not files:
        yield lambda_.Code.from_asset(str(lambda_source()), exclude=excluded)
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "code"
        shutil.copytree(lambda_source(), place, ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in files.items():
            file = place / name
            file.write_text(text, encoding="utf-8", newline="\n")
            file.chmod(0o644)  # the function runs as another user, whatever this one's umask is
        yield lambda_.Code.from_asset(str(place), exclude=excluded)


def constant(module: Path, name: str) -> str | None:
    """Read a literal string constant of a source file without importing it.

    The functions' source never runs at synth; what a construct must know of it (which AWS
    operation an analysis calls) stands there once, as a literal.

    Args:
        module: The source file.
        name: The constant's name, assigned at the top level.
    """
    return _constants(module).get(name)


@cache
def _constants(module: Path) -> dict[str, str]:
    """Every literal string constant of a source file."""
    found: dict[str, str] = {}
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(value))) | (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(value)))
            ):
                found[name] = value
            case _:
                continue
    return found
