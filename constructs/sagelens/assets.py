"""Where the source of the platform's functions lies."""

from __future__ import annotations

import ast
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

_PACKAGE = Path(__file__).parent


def lambda_source() -> Path:
    """The folder of the functions' source, which the library carries along."""
    return (_PACKAGE / "_lambda_src").resolve()


def function_code() -> lambda_.Code:
    """All functions' source as one asset: it is small, and is published once for all of them."""
    return lambda_.Code.from_asset(str(lambda_source()), exclude=["**/__pycache__", "**/*.pyc"])


def constant(module: Path, name: str) -> str | None:
    """Read a literal string constant of a source file without importing it.

    The functions' source never runs at synth; what a construct must know of it (which AWS
    operation an analysis calls) stands there once, as a literal.

    Args:
        module: The source file.
        name: The constant's name, assigned at the top level.
    """
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=str(value))) | (
                ast.AnnAssign(target=ast.Name(id=found), value=ast.Constant(value=str(value)))
            ) if found == name:
                return value
            case _:
                continue
    return None
