"""How errors in a configuration are written: one `ConfigurationError` that lists all of them."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from config.base import Loc

_LONGEST = 80


class Absent(Enum):
    """Stands where there is no value; unlike None, which is YAML's null."""

    VALUE = "absent"


NO_VALUE = Absent.VALUE


@dataclass(frozen=True)
class Problem:
    """One error in one file.

    Attributes:
        file: the file, as the user would name it.
        line, column: where in it, counted from 1; None if there is no such place.
        path: the field; empty for the file as a whole.
        problem: what is wrong.
        given: the value given, or NO_VALUE.
        allowed: what would be right, or None.
        mend: how to mend it, or None.
    """

    file: str
    problem: str
    line: int | None = None
    column: int | None = None
    path: Loc = ()
    given: object = NO_VALUE
    allowed: str | None = None
    mend: str | None = None

    def __str__(self) -> str:
        """Return the place and the problem on one line, the rest on lines below it."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        field = f" {field_path(self.path)}:" if self.path else ""
        lines = [f"{place}:{field} {self.problem}"]
        if self.given is not NO_VALUE:
            lines.append(f"    given:   {shown(self.given)}")
        if self.allowed is not None:
            lines.append(f"    allowed: {self.allowed}")
        if self.mend is not None:
            lines.append(f"    mend:    {self.mend}")
        # Half of a surrogate pair could not be printed.
        return "\n".join(lines).encode("utf-8", "backslashreplace").decode("utf-8")


class ConfigurationError(ValueError):
    """A configuration that cannot be used.

    Attributes:
        problems: every error found, in the order of their lines.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Take the problems in any order."""
        self.problems = tuple(sorted(problems, key=lambda one: (one.line or 0, one.column or 0)))
        count = len(self.problems)
        title = f"the configuration has {'an error' if count == 1 else f'{count} errors'}:"
        super().__init__("\n\n".join([title, *map(str, self.problems)]))


def field_path(path: Loc) -> str:
    """Return a path as in vision.policy.moderation."*".reject or alarm_emails[0]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", part)
            name = part if plain else json.dumps(shortened(part), ensure_ascii=False)
            text += f".{name}" if text else name
    return text


def shown(value: object) -> str:
    """Return a value as YAML would write it on one line, shortened to 80 characters."""
    return shortened(_yaml(value))


def shortened(text: str) -> str:
    """Return a text cut to 80 characters."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _yaml(value: object) -> str:
    match value:
        case float() if math.isnan(value):
            return ".nan"
        case float() if math.isinf(value):
            return ".inf" if value > 0 else "-.inf"
        case Mapping():
            items = cast(Mapping[object, object], value).items()
            return "{" + ", ".join(f"{field_key(key)}: {_yaml(item)}" for key, item in items) + "}"
        case list() | tuple():
            return "[" + ", ".join(_yaml(item) for item in cast(Iterable[Any], value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def field_key(key: object) -> str:
    """Return a key as YAML would write it."""
    return field_path((key,)) if isinstance(key, str) else _yaml(key)
