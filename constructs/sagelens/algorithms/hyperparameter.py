"""The kinds of hyperparameter: each knows what it allows and how SageMaker wants it written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast

from . import numbers


class Kind(Protocol):
    """What one hyperparameter may be."""

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        ...

    def text(self, value: object) -> str | None:
        """The value as SageMaker wants it, or None if it is not allowed."""
        ...


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter of an algorithm.

    Attributes:
        name: As SageMaker knows it.
        kind: What it may be.
        required: Whether a job needs it. AWS's own default serves for every other one.
    """

    name: str
    kind: Kind
    required: bool = False


def _interval(
    low: float | None, high: float | None, *, low_open: bool = False, high_open: bool = False
) -> str:
    """Say an interval in words, to follow "a number"."""
    if low is not None and high is not None and not low_open and not high_open:
        return f" from {low:,} to {high:,}"
    least = None if low is None else f"{'above' if low_open else 'of at least'} {low:,}"
    most = None if high is None else f"{'below' if high_open else 'at most'} {high:,}"
    both = " and ".join(part for part in (least, most) if part)
    return f" {both}" if both else ""


def _or(words: Sequence[str]) -> str:
    return "".join(f" or {word}" for word in words)


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``, both included, or one of ``words``."""

    low: int | None = None
    high: int | None = None
    words: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        return f"a whole number{_interval(self.low, self.high)}{_or(self.words)}"

    def text(self, value: object) -> str | None:
        if value in self.words:
            return str(value)
        number = numbers.whole(value)
        return None if number is None or not self.holds(number) else numbers.text(number)

    def holds(self, number: float) -> bool:
        """Whether the number lies in the interval."""
        return (self.low is None or self.low <= number) and (
            self.high is None or number <= self.high
        )


@dataclass(frozen=True)
class Real:
    """A finite number in an interval, whose ends belong to it unless open, or a word."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    words: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        interval = _interval(self.low, self.high, low_open=self.low_open, high_open=self.high_open)
        return f"a number{interval}{_or(self.words)}"

    def text(self, value: object) -> str | None:
        if value in self.words:
            return str(value)
        number = numbers.real(value)
        return None if number is None or not self.holds(number) else numbers.text(number)

    def holds(self, number: float) -> bool:
        """Whether the number lies in the interval."""
        above = self.low is None or (number > self.low if self.low_open else number >= self.low)
        below = self.high is None or (number < self.high if self.high_open else number <= self.high)
        return above and below


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self.values)

    def text(self, value: object) -> str | None:
        return value if isinstance(value, str) and value in self.values else None


@dataclass(frozen=True)
class Switch:
    """On or off, written as the algorithm reads it; YAML's true and false serve always."""

    on: str = "true"
    off: str = "false"
    words: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        return f"{self.on} or {self.off}{_or(self.words)}"

    def text(self, value: object) -> str | None:
        match value:
            case bool():
                return self.on if value else self.off
            case int() | str() if str(value) in (self.on, self.off, *self.words):
                return str(value)
            case _:
                return None


@dataclass(frozen=True)
class CommaList:
    """Items of one pattern, given as a list or as text with commas between, or one of ``words``.

    Attributes:
        item: Expression that each item matches as a whole.
        items: What they are, in words.
        words: What may be there instead of a list.
    """

    item: str
    items: str
    words: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        return f"a list of {self.items}{_or(self.words)}"

    def text(self, value: object) -> str | None:
        if value in self.words:
            return str(value)
        given: Sequence[object]
        match value:
            case str() | int():
                given = str(value).split(",")
            case list() | tuple():
                given = cast("Sequence[object]", value)
            case _:
                return None
        texts = [str(one).strip() for one in given]
        right = texts and all(re.fullmatch(self.item, one) for one in texts)
        return ",".join(texts) if right else None


@dataclass(frozen=True)
class JsonList:
    """A JSON list of a few words, given as a list or as its JSON text."""

    values: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return "a list of " + ", ".join(self.values)

    def text(self, value: object) -> str | None:
        given = _parsed(value)
        if not isinstance(given, list | tuple):
            return None
        items = list(cast("Sequence[object]", given))
        right = items and all(item in self.values for item in items)
        return json.dumps(items, separators=(",", ":")) if right else None


@dataclass(frozen=True)
class WholeList:
    """A list of whole numbers, or of lists of them, written in brackets of the given kind."""

    low: int
    high: int | None = None
    nested: bool = False
    brackets: str = "[]"

    @property
    def allowed(self) -> str:
        what = "a list of lists" if self.nested else "a list"
        return f"{what} of whole numbers, each{_interval(self.low, self.high)}"

    def text(self, value: object) -> str | None:
        given = _parsed(value)
        if not isinstance(given, list | tuple) or not given:
            return None
        items = cast("Sequence[object]", given)
        inner = replace(self, nested=False) if self.nested else Whole(self.low, self.high)
        texts = [inner.text(item) if not isinstance(item, str) else None for item in items]
        if None in texts:
            return None
        first, last = self.brackets
        return first + ",".join(one for one in texts if one is not None) + last


def _parsed(value: object) -> object:
    """Read text that holds a list, in either kind of brackets."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value.replace("(", "[").replace(")", "]"))
    except ValueError:
        return None


@dataclass(frozen=True)
class Text:
    """Any text, number or switch: what a script of one's own makes of it is its own affair.

    A switch is written "true" or "false", as the SageMaker training toolkit reads it.
    """

    @property
    def allowed(self) -> str:
        return "text of at most 2,500 characters, a finite number, true or false"

    def text(self, value: object) -> str | None:
        match value:
            case bool():
                return "true" if value else "false"
            case str():
                return value if len(value) <= 2500 else None
            case int() | float():
                number = numbers.real(value)
                return None if number is None else numbers.text(number)
            case _:
                return None
