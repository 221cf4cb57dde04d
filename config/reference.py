"""Writes what is derived from the settings: their JSON Schema and docs/configuration.md.

    python -m config.reference           # write both
    python -m config.reference --check   # fail if either is not as it would be written

Both are committed, so that editors and readers have them without running anything.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from config.loading import ENVIRONMENTS
from config.report import shown
from config.words import Node, allowed, resolved, schema, values

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "config" / "environment.schema.json"
PAGE = ROOT / "docs" / "configuration.md"

_INTRODUCTION = """\
# Configuration

<!-- Written by `make reference` from the models in config/; edit those. -->

One YAML file describes one environment. `config/environments/` holds three: `demo`, `dev` and
`prod`. Choose one with `-c environment=dev`, or name a file of your own with
`-c environment=path/to/own.yaml` (anything with a slash, or that ends in `.yaml`).

Only `name` is required; everything else has a default. A file is checked as a whole before
anything is built, and every error in it is listed at once with its line, the value given and
what is allowed:

    python -m config check path/to/own.yaml

The first line of each file names its JSON Schema, with which editors complete and check as you
type. The check above knows more: the rules between fields, such as confidence bands without
gaps. What takes the catalogue of algorithms or the models' scripts to know (hyperparameters, tuning
ranges, images) is checked when the stacks are composed, and told in the same way, with the line.

How YAML is read: text, numbers, `true` and `false`, `null`, lists and mappings. A number in
quotes is text and is refused where a number belongs. What YAML readers understand differently,
such as `yes`, `010`, `12:30` or a bare date, is refused with what to write instead; so are a key
given twice, tags such as `!include`, and merge keys (`<<`).
"""


def schema_text() -> str:
    """Return the JSON Schema of an environment file, as it is committed."""
    stripped = cast(dict[str, Any], _without_private(schema()))
    # Draft 7 is what the editors' YAML language server supports best.
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **stripped,
        "title": "Sagelens environment",
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _without_private(node: object) -> object:
    """Return a schema without x- keywords, titles made of field names, and line breaks."""
    if isinstance(node, list):
        return [_without_private(item) for item in cast(list[object], node)]
    if not isinstance(node, dict):
        return node
    items = cast(dict[str, Any], node)
    if items.get("x-key"):
        # There or not, never null; "default": null would say otherwise.
        options = [one for one in items["anyOf"] if one.get("type") != "null"]
        items = {**options[0], "description": items["description"]}
    if "patternProperties" in items:
        items = {**items, "additionalProperties": False}
        items.pop("propertyNames", None)
    kept = {key: _without_private(item) for key, item in items.items() if not _private(key, item)}
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(str(kept["description"]).split())
    return kept


def _private(key: str, item: object) -> bool:
    return key.startswith("x-") or (key == "title" and isinstance(item, str))


def page_text() -> str:
    """Return docs/configuration.md, as it is committed."""
    sections = "\n".join(_section(path, node) for path, node in _sections("", schema()))
    return "\n".join([_INTRODUCTION, _examples(), "## Reference\n", sections]).rstrip() + "\n"


def _examples() -> str:
    minimal = "# yaml-language-server: $schema=../environment.schema.json\nname: demo\n"
    complete = (ENVIRONMENTS / "prod.yaml").read_text(encoding="utf-8")
    return (
        f"## The smallest file\n\n```yaml\n{minimal}```\n\n"
        f"## A complete file\n\n`config/environments/prod.yaml`:\n\n```yaml\n{complete}```\n"
    )


def _sections(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield each mapping with fixed keys, the outer before the inner, with its path."""
    own = resolved(node)
    if "properties" in own:
        yield path, own
        for name, child in own["properties"].items():
            yield from _sections(f"{path}.{name}" if path else name, child)
    elif (inner := values(own)) is not None:
        yield from _sections(f"{path}.<{_key_name(path)}>", inner)
    elif (item := _item(own)) is not None:
        yield from _sections(f"{path}[]", item)


def _item(own: Node) -> Node | None:
    """Return what a list holds, if that is a mapping with fixed keys."""
    item: Node | None = own.get("items")
    return item if item is not None and "properties" in resolved(item) else None


def _key_name(path: str) -> str:
    """Return what a free key stands for: a model; under policy an analysis, then a label."""
    if path in ("training.models", "hosting.models"):
        return "model"
    if path == "workbench.notebooks":
        return "name"
    return "label" if path.endswith(">") else "analysis"


def _section(path: str, node: Node) -> str:
    heading = f"### `{path}`" if path else "### Top level"
    rows = [_row(name, child, name in node.get("required", ())) for name, child in _fields(node)]
    lines = [
        heading,
        "",
        _paragraphs(node.get("description", "")),
        "",
        "| Field | Allowed | Default | Meaning |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def _fields(node: Node) -> list[tuple[str, Node]]:
    return list(node["properties"].items())


def _row(name: str, node: Node, required: bool) -> str:
    words = "see below" if _has_section(node) else allowed(node)
    if _item(resolved(node)) is not None:
        words = f"a list, at most {resolved(node)['maxItems']}; see below"
    if _has_section(node) and {"type": "null"} in node.get("anyOf", ()) and "x-key" not in node:
        words += "; or null"
    default = "required" if required else _default(node)
    described = node.get("description") or resolved(node).get("description", "")
    meaning = " ".join(described.split())
    return f"| `{name}` | {_cell(words)} | {_cell(default)} | {_cell(meaning)} |"


def _has_section(node: Node) -> bool:
    own = resolved(node)
    inner = values(own)
    return "properties" in own or (inner is not None and _has_section(inner))


def _default(node: Node) -> str:
    if "x-default" in node:
        return node["x-default"]
    if node.get("x-key"):
        return "off"
    if "properties" in resolved(node) and node.get("default") is not None:
        return _default_of_section(node)
    return f"`{shown(node['default'])}`" if "default" in node else ""


def _default_of_section(node: Node) -> str:
    """Return the keys that a section has by default, or say that its fields have defaults."""
    own = resolved(node)["properties"]
    present = [name for name, value in node["default"].items() if value is not None]
    on = [name for name in present if own[name].get("x-key")]
    return f"`{{{', '.join(f'{name}: {{}}' for name in on)}}}`" if on else "its own defaults"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;").replace("*", "\\*")


def main(arguments: list[str]) -> int:
    """Write both files, or with --check compare them; return 1 if one is stale."""
    stale: list[str] = []
    for path, text in ((SCHEMA, schema_text()), (PAGE, page_text())):
        if arguments == ["--check"]:
            current = path.read_text(encoding="utf-8") if path.exists() else ""
            stale += [] if current == text else [str(path.relative_to(ROOT))]
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    if stale:
        print(f"not up to date: {', '.join(stale)}; run: make reference", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
