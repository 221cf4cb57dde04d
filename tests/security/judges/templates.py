"""Reads the templates of a cloud assembly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Template:
    """One stack's template.

    Args:
        stack: the stack's name.
        body: the template as a dictionary.
        path: the file that it was read from; None for one made in a test.
        account: twelve digits if the stack is bound to an account, else None.
        region: the Region's name if the stack is bound to one, else None.
    """

    stack: str
    body: dict[str, Any]
    path: Path | None = None
    account: str | None = None
    region: str | None = None

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources by logical id."""
        return self.body.get("Resources", {})


def read_assembly(folder: Path) -> list[Template]:
    """Read every stack of a cloud assembly, nested assemblies (stages) included.

    Raises:
        FileNotFoundError: the folder holds no manifest.json, so it is no cloud assembly.
    """
    manifest = json.loads((folder / "manifest.json").read_text())
    found: list[Template] = []
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            found += read_assembly(folder / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            path = folder / properties["templateFile"]
            account, region = _environment(artifact.get("environment", ""))
            found.append(
                Template(
                    stack=properties.get("stackName", name),
                    body=json.loads(path.read_text()),
                    path=path,
                    account=account,
                    region=region,
                )
            )
    return sorted(found, key=lambda template: template.stack)


def _environment(text: str) -> tuple[str | None, str | None]:
    account, _, region = text.removeprefix("aws://").partition("/")
    return (
        None if account in ("", "unknown-account") else account,
        None if region in ("", "unknown-region") else region,
    )
