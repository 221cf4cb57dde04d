"""Reading one YAML file: plain values, the line of each, and every doubtful spelling refused.

The file is read as JSON-like data: text, numbers, true and false, null, lists, mappings. Where
YAML 1.1 (PyYAML) and YAML 1.2 (most editors) would read a word differently, such as yes, 010 or
12:30, neither is guessed: it is an error that says what to write.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from config.base import Loc
from config.report import NO_VALUE, ConfigurationError, Problem, shortened

LARGEST_FILE = 256 * 1024
MOST_NODES = 10_000
DEEPEST = 50

_TAG = "tag:yaml.org,2002:"
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
# YAML 1.2.2, 10.3.2 "Tag Resolution" of the core schema.
_CORE = (
    ("null", re.compile(r"null|Null|NULL|~|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")),
    ("float", re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")),
)
_NAMES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "null": "null",
    "timestamp": "a date",
    "merge": "a merge key",
    "value": "a value key",
}
_MEND = {
    "bool": "write true or false; if it is text, put it in quotes",
    "merge": "merge keys are not supported: repeat the keys, or use an alias for the whole value",
}
_WORDS = (
    ("found character '\\t'", "a tab stands where spaces must be; indent with spaces"),
    ("mapping values are not allowed", "a colon where no key can be: check the indentation, and "
     "put text that holds a colon in quotes"),
    ("could not find expected ':'", "a key without a colon; write key: value, with a space after "
     "the colon"),
    ("found unexpected end of stream", "a quote is opened but never closed"),
    ("expected <block end>", "this line does not fit the ones above it: check its indentation"),
    ("did not find expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("expected a single document", "the file holds more than one document; remove the line ---"),
    ("found undefined alias", "an alias (*) names an anchor (&) that is not defined above it; "
     "put text that begins with * in quotes"),
    ("while scanning an alias", "text that begins with * is an alias; put it in quotes"),
    ("cannot start any token", "this character cannot begin a value; put the value in quotes"),
    ("special characters are not allowed", "a control character, which YAML does not allow"),
)  # fmt: skip


@dataclass
class Document:
    """One file as read.

    Attributes:
        file: its name in error messages.
        data: its values: dictionaries with text keys, lists and scalars.
        marks: line and column of each value (in a mapping: of its key), counted from 1.
        problems: spellings that were refused; their values are not in `data`.
    """

    file: str
    data: Any = None
    marks: dict[Loc, tuple[int, int]] = field(default_factory=dict[Loc, tuple[int, int]])
    problems: list[Problem] = field(default_factory=list[Problem])

    def problem(self, path: Loc, problem: str, **more: Any) -> Problem:
        """Return a problem at a path, or at its nearest ancestor that is in the file."""
        known = next(path[:end] for end in range(len(path), -1, -1) if self._has(path[:end]))
        line, column = self.marks.get(known, (None, None))
        return Problem(self.file, problem, line, column, path, **more)

    def _has(self, path: Loc) -> bool:
        return not path or path in self.marks


def read(path: Path, file: str) -> Document:
    """Read a YAML file whose top is a mapping.

    Args:
        path: the file.
        file: its name in error messages.

    Raises:
        ConfigurationError: if it cannot be read as YAML at all; lesser problems are in the
            document's `problems`.
    """
    text = _text(path, file)
    try:
        # PyYAML's stubs leave the type of the answer open.
        compose = cast(Callable[..., Node | None], vars(yaml)["compose"])
        node = compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError([_broken(file, text, error)]) from None
    except RecursionError:
        raise ConfigurationError([Problem(file, _TOO_DEEP)]) from None
    if node is None:
        raise ConfigurationError([Problem(file, "the file is empty", allowed=_AT_LEAST)])
    if not isinstance(node, MappingNode):
        line, column = _mark(node)
        kind = "a list" if isinstance(node, SequenceNode) else "a single value"
        problem = f"the file holds {kind}, not a mapping of settings"
        raise ConfigurationError([Problem(file, problem, line, column, allowed=_AT_LEAST)])
    document = Document(file)
    document.data = _Builder(document).value(node, ())
    return document


_AT_LEAST = "keys and values, at least name: dev"
_TOO_DEEP = f"lists and mappings lie more than {DEEPEST} deep in each other"


def _text(path: Path, file: str) -> str:
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST_FILE else None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError([Problem(file, f"the file cannot be read: {reason}")]) from None
    if content is None:
        problem = f"the file is larger than {LARGEST_FILE // 1024} KiB"
        raise ConfigurationError([Problem(file, problem)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        problem = f"the file is not UTF-8: byte 0x{content[error.start]:02x}"
        mend = "save the file as UTF-8"
        raise ConfigurationError([Problem(file, problem, line, column, mend=mend)]) from None


def _broken(file: str, text: str, error: yaml.YAMLError) -> Problem:
    """Say in plain words where and why the YAML parser gave up."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Problem(file, f"broken YAML: {_plain(error.reason)}", line, column)
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(file, f"broken YAML: {error}")
    told = f"{error.context or ''} {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in told and error.context_mark:
        mark = error.context_mark
    if mark is None:
        return Problem(file, f"broken YAML: {_plain(told)}")
    lines = text.splitlines()
    excerpt = lines[mark.line].strip() if mark.line < len(lines) else ""
    line, column, given = mark.line + 1, mark.column + 1, excerpt or NO_VALUE
    return Problem(file, f"broken YAML: {_plain(told)}", line, column, given=given)


def _plain(told: str) -> str:
    return next((words for sign, words in _WORDS if sign in told), told.strip())


def _mark(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


class _Builder:
    """Turns YAML nodes into plain values; collects what it refuses in the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._count = 0

    def value(self, node: Node, path: Loc) -> Any:
        """Return the value of a node, or NO_VALUE when it was refused."""
        self._document.marks.setdefault(path, _mark(node))
        self._count += 1
        if self._count > MOST_NODES:
            # Aliases of aliases grow without bound ("billion laughs").
            problem = f"the file has more than {MOST_NODES:,} values once its aliases are expanded"
            raise self._fatal(node, problem)
        if len(path) > DEEPEST:
            raise self._fatal(node, _TOO_DEEP)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            return self._refuse(path, f"the tag {node.tag} is not supported", mend="remove the tag")
        return (
            self._mapping(node, path) if isinstance(node, MappingNode) else self._list(node, path)
        )

    def _fatal(self, node: Node, problem: str) -> ConfigurationError:
        line, column = _mark(node)
        return ConfigurationError([Problem(self._document.file, problem, line, column)])

    def _refuse(self, path: Loc, problem: str, **more: Any) -> Any:
        self._document.problems.append(self._document.problem(path, problem, **more))
        return NO_VALUE

    def _list(self, node: Any, path: Loc) -> list[Any]:
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: MappingNode, path: Loc) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in found:
                first = self._document.marks[*path, key][0]
                problem = f"this key was given before, in line {first}"
                self._note(key_node, (*path, key), problem, "keep one of the two")
                continue
            self._document.marks[*path, key] = _mark(key_node)
            found[key] = self.value(value_node, (*path, key))
        return found

    def _key(self, node: Node, path: Loc) -> str | None:
        """Return the text of a key, or None when it was refused."""
        if not isinstance(node, ScalarNode):
            self._note(node, path, "a list or mapping stands as a key", "write text as the key")
            return None
        own: Loc = (*path, node.value)
        self._document.marks.setdefault(own, _mark(node))
        key = self._scalar(node, own)
        if isinstance(key, str):
            return key
        if key is not NO_VALUE:
            self._note(node, own, "this key is not text", "put it in quotes")
        return None

    def _note(self, node: Node, path: Loc, problem: str, mend: str) -> None:
        line, column = _mark(node)
        self._document.problems.append(
            Problem(self._document.file, problem, line, column, path, mend=mend)
        )

    def _scalar(self, node: ScalarNode, path: Loc) -> Any:
        text: str = node.value
        old, new = node.tag.removeprefix(_TAG), core_tag(text)
        if old not in _NAMES:
            return self._refuse(path, f"the tag {node.tag} is not supported", mend="remove the tag")
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            problem = "the text holds half of a surrogate pair, which is no character"
            return self._refuse(path, problem, given=text, mend="write the character itself")
        if node.style is not None:
            return text
        doubtful = old != new or (new == "int" and not _DECIMAL.fullmatch(text))
        return self._doubtful(text, path, old, new) if doubtful else _plain_value(text, new)

    def _doubtful(self, text: str, path: Loc, old: str, new: str) -> Any:
        short = shortened(text)
        problem = f"{short} can be read as {_NAMES[old]} or as {_NAMES[new]}"
        if old == new:
            problem = f"{short} is too long or written in a way that YAML readers differ about"
        by_default = f'if it is text, put it in quotes: "{short}"; if a number, write it in decimal'
        return self._refuse(path, problem, mend=_MEND.get(old, by_default))


def core_tag(text: str) -> str:
    """Return what an unquoted word is in YAML 1.2: null, bool, int, float or str."""
    return next((tag for tag, pattern in _CORE if pattern.fullmatch(text)), "str")


def _plain_value(text: str, tag: str) -> Any:
    match tag:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        case _:
            return text
