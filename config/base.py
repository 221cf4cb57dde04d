"""What every section of the configuration is made of: one base model and its kinds of check.

pydantic checks each field by its type. Two more kinds of check live here. A `Shape`, `Keys` or
`Unique` annotation judges one value and says why in words. `Section.rules` judges fields against
each other and names which fields it read, so that a report can leave out what merely follows
from another error.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

Loc = tuple[str | int, ...]
JsonSchema = dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """One broken rule.

    Attributes:
        at: the field, as a path from the section that owns the rule.
        value: what was given there.
        problem: what is wrong, without a full stop.
        allowed: what would be right.
        reads: the fields that the rule read, as paths from the section; `()` is all of it.
    """

    at: Loc
    value: object
    problem: str
    allowed: str
    reads: tuple[Loc, ...] = ((),)


class Section(BaseModel):
    """One mapping of an environment file: frozen, strict, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def rules(self) -> Iterator[Broken]:
        """Yield each broken rule between this section's fields."""
        return iter(())

    @model_validator(mode="after")
    def _obey_the_rules(self) -> Self:
        broken = list(self.rules())
        if broken:
            raise all_of(type(self).__name__, broken)
        return self


def all_of(title: str, broken: Iterable[Broken]) -> ValidationError:
    """Return one error that lists every broken rule at its own path."""
    return ValidationError.from_exception_data(title, [_detail(one) for one in broken])


def _detail(one: Broken) -> InitErrorDetails:
    context = {
        "problem": one.problem,
        "allowed": one.allowed,
        "depth": len(one.at),
        "reads": one.reads,
    }
    error = PydanticCustomError("rule", "{problem}; allowed: {allowed}", context)
    return InitErrorDetails(type=error, loc=one.at, input=one.value)


def meant(given: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is spelt most like what was given, or None."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    close = get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


@dataclass(frozen=True)
class Shape:
    """Annotation of a text field: the pattern that it matches as a whole, said in words.

    Attributes:
        pattern: a regular expression, without anchors, understood by Python and ECMAScript.
        allowed: the same for people.
        explain: returns what is wrong with a value, or None; asked before the pattern.
    """

    pattern: str
    allowed: str
    explain: Callable[[str], str | None] | None = None

    def check(self, value: str) -> str:
        """Return the value; raise PydanticCustomError when it has another shape."""
        problem = self.explain(value) if self.explain else None
        if problem is None and not re.fullmatch(self.pattern, value):
            problem = "does not have the required form"
        if problem is not None:
            context = {"problem": problem, "allowed": self.allowed}
            raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler):
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        shape = {"pattern": f"^(?:{self.pattern})$", "x-allowed": self.allowed}
        return {**handler(schema), **shape}


@dataclass(frozen=True)
class Keys:
    """Annotation of a mapping: the only keys that it may have, each optional."""

    names: tuple[str, ...]

    def check(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the mapping; raise ValidationError listing every other key."""
        wrong = [key for key in value if key not in self.names]
        if wrong:
            raise all_of("Keys", (self._unknown(key, value[key]) for key in wrong))
        return value

    def _unknown(self, key: str, value: object) -> Broken:
        close = meant(key, self.names)
        problem = "unknown key" + (f"; did you mean {close}?" if close else "")
        return Broken((key,), value, problem, ", ".join(self.names), ((key,),))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler):
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {**handler(schema), "propertyNames": {"enum": list(self.names)}}


@dataclass(frozen=True)
class Unique:
    """Annotation of a list: no item twice, compared by `key`.

    Attributes:
        what: the items' name in the singular.
        key: what two items must not share; by default the item itself.
    """

    what: str
    key: Callable[[Any], Hashable] = lambda item: item

    def check(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the list; raise ValidationError listing every repeated item."""
        repeated = list(self._repeated(value))
        if repeated:
            raise all_of("Unique", repeated)
        return value

    def _repeated(self, value: tuple[Any, ...]) -> Iterator[Broken]:
        first: dict[Hashable, int] = {}
        for index, item in enumerate(value):
            earlier = first.setdefault(self.key(item), index)
            if earlier != index:
                problem = f"this {self.what} is already in the list"
                reads: tuple[Loc, ...] = ((earlier,), (index,))
                yield Broken((index,), item, problem, f"each {self.what} once", reads)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler):
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return {**handler(schema), "uniqueItems": True}


def whole(value: float) -> float:
    """Return 60.0 as 60, so that a setting is written to JSON as it was given in YAML."""
    return int(value) if value == int(value) else value
