"""Hold a document against a schema of the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cfnlint.jsonschema import StandardValidator

from ml_src.replenishment import schema

SCHEMAS = Path(schema.__file__).parent
# cfn-lint's validator takes nulls for what CloudFormation leaves out, and passes them over.
NULL = "<null>"


def complaints(name: str, document: Any) -> list[str]:
    """Say what is wrong with a document by `<name>.schema.json`."""
    rules = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return [
        error.message for error in StandardValidator(_marked(rules)).iter_errors(_marked(document))
    ]


def _marked(value: Any) -> Any:
    """Put a text in the place of each null, and of the type null."""
    if value is None:
        return NULL
    if value == {"type": "null"}:
        return {"enum": [NULL]}
    if isinstance(value, dict):
        return {key: _marked(each) for key, each in value.items()}
    return [_marked(each) for each in value] if isinstance(value, list) else value
