"""Loading one environment file, with every error in it at once.

The settings are validated in rounds. What is wrong is reported and taken out, and the rest is
validated again, so that one bad field does not hide another or a rule between fields. A rule
that read something taken out is not reported: it would only repeat an error.
"""

import copy
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.base import Broken, Loc, all_of, meant
from config.document import Document, read
from config.report import NO_VALUE, ConfigurationError, Problem
from config.settings import EnvironmentSettings

ENVIRONMENTS = Path(__file__).parent / "environments"
_SUFFIXES = (".yaml", ".yml")
_MOST_ROUNDS = 50

Check = Callable[[EnvironmentSettings], Iterable[Broken]]
"""Judges settings by what the configuration cannot know itself, such as an algorithm's ranges."""


def _no_further_check(settings: EnvironmentSettings) -> Iterable[Broken]:
    return ()


def environments() -> tuple[str, ...]:
    """Return the names of the files in config/environments/, sorted."""
    return tuple(sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml")))


def load(
    environment: str | os.PathLike[str], *, check: Check = _no_further_check
) -> EnvironmentSettings:
    """Return the settings of one environment.

    Args:
        environment: the name of a file in config/environments/, such as "dev"; or a path,
            recognised by a slash or the ending .yaml or .yml.
        check: a further judgement of the settings; what it finds broken is listed with the
            file's other errors. It is given what is right of a file that is wrong in part.

    Raises:
        ConfigurationError: listing every error of the file.
    """
    path = _path(environment)
    document = read(path, _shown_path(path))
    problems = [*document.problems, *_Rounds(document, check).problems()]
    if path.parent.resolve() == ENVIRONMENTS.resolve():
        problems += _misnamed(document, path.stem)
    if problems:
        raise ConfigurationError(problems)
    return EnvironmentSettings.model_validate(document.data)


def _path(environment: str | os.PathLike[str]) -> Path:
    given = os.fspath(environment)
    is_path = isinstance(environment, Path) or "/" in given or os.sep in given
    if not is_path and not given.endswith(_SUFFIXES):
        if given not in environments():
            raise ConfigurationError([_unknown(given)])
        return ENVIRONMENTS / f"{given}.yaml"
    path = Path(given)
    if path.is_dir():
        problem = "this is a folder, not a YAML file"
        raise ConfigurationError([Problem(_shown_path(path), problem)])
    if not path.exists():
        raise ConfigurationError([_missing(path)])
    return path


def _unknown(given: str) -> Problem:
    names = environments()
    close = meant(given, names)
    return Problem(
        _shown_path(ENVIRONMENTS),
        "there is no such environment",
        given=given,
        allowed=f"{', '.join(names)}; or a path to a .yaml file of your own",
        mend=f"did you mean {close}?" if close else f"copy {names[0]}.yaml to a file so named",
    )


def _missing(path: Path) -> Problem:
    names = environments()
    close = meant(path.stem, names)
    return Problem(
        _shown_path(path),
        "there is no such file",
        allowed=f"a path to a YAML file, or one of the environments {', '.join(names)}",
        mend=f"did you mean the environment {close}?" if close else None,
    )


def _shown_path(path: Path) -> str:
    """Return a path as seen from the current folder if it lies in it."""
    whole = path.absolute()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else path)


def _misnamed(document: Document, stem: str) -> Iterator[Problem]:
    name = document.data.get("name")
    if isinstance(name, str) and name != stem:
        problem = "the name differs from the name of its file"
        yield document.problem(
            ("name",), problem, given=name, allowed=stem, mend=f"or rename the file to {name}.yaml"
        )


class _Rounds:
    """Validates a document, takes out what is wrong, validates again, until nothing is."""

    def __init__(self, document: Document, check: Check) -> None:
        self._document = document
        self._check = check
        self._data: Any = copy.deepcopy(document.data)
        self._out: set[Loc] = set()
        self._kept: dict[Loc, list[int]] = {}
        self._seen: set[tuple[Loc, str]] = set()

    def problems(self) -> list[Problem]:
        """Return every problem of the document's values."""
        found: list[Problem] = []
        self._drop(*_refused(self._data, ()))
        for _ in range(_MOST_ROUNDS):
            try:
                self._judge()
            except ValidationError as error:
                details = _own_errors(error)
                found += self._new(details)
                if not self._drop(*(_location(detail) for detail in details)):
                    break
            else:
                break
        return found

    def _judge(self) -> None:
        broken = list(self._check(EnvironmentSettings.model_validate(self._data)))
        if broken:
            raise all_of("Check", broken)

    def _new(self, details: list[ErrorDetails]) -> list[Problem]:
        from config.explain import explain  # only a wrong configuration pays for it

        new: list[Problem] = []
        for detail in details:
            path = self._original(_location(detail))
            mark = (path, detail["msg"])
            if mark not in self._seen and not self._follows(detail):
                self._seen.add(mark)
                new.append(explain(self._document, path, detail))
        return new

    def _follows(self, detail: ErrorDetails) -> bool:
        """Return whether an error merely follows from values that were taken out."""
        path = _location(detail)
        context = detail.get("ctx", {})
        section = path[: len(path) - context.get("depth", 0)]
        read = [(*section, *one) for one in context["reads"]] if "reads" in context else [path]
        originals = [self._original(one) for one in read]
        return any(_related(one, out) for one in originals for out in self._out)

    def _original(self, path: Loc) -> Loc:
        """Return the path in the file: items of a list may have been taken out before it."""
        original: Loc = ()
        for part in path:
            kept = self._kept.get(original)
            original += (kept[part] if kept and isinstance(part, int) else part,)
        return original

    def _drop(self, *paths: Loc) -> bool:
        """Take out values, the last items of a list first; return whether there were any."""
        targets = {_existing(self._data, path) for path in paths}
        originals = {path: self._original(path) for path in {*targets, *paths} if path}
        before = len(self._out)
        self._out |= set(originals.values())
        for target in sorted(targets, key=_sort_key, reverse=True):
            if target:
                self._take(target, originals[target])
        if ("name",) in self._out and "name" not in self._data:
            self._data["name"] = "stand-in"  # it is required; so the rest can be judged
        return len(self._out) > before

    def _take(self, target: Loc, original: Loc) -> None:
        parent: Any = self._data
        for part in target[:-1]:
            if _existing(parent, (part,)) == ():
                return  # it went with something taken out just before
            parent = parent[part]
        last = target[-1]
        if isinstance(last, int):
            kept = self._kept.setdefault(original[:-1], list(range(len(parent))))
            del kept[last]
            del parent[last]
        else:
            parent.pop(last, None)


def _own_errors(error: ValidationError) -> list[ErrorDetails]:
    """Return pydantic's errors but for those that only follow from others: defaults that wait
    for other fields to be right, lists that are too short without their wrong items."""
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]

    def follows(one: ErrorDetails) -> bool:
        if one["type"] == "too_short":
            here = one["loc"]
            return any(len(place) > len(here) and place[: len(here)] == here for place in places)
        return one["type"] == "default_factory_not_called"

    return [one for one in details if not follows(one)]


def _sort_key(path: Loc) -> list[tuple[bool, int, str]]:
    return [
        (isinstance(part, int), part if isinstance(part, int) else 0, str(part)) for part in path
    ]


def _location(detail: ErrorDetails) -> Loc:
    """Return where an error lies, without pydantic's mark for the key of a mapping."""
    return tuple(part for part in detail["loc"] if part != "[key]")


def _related(one: Loc, other: Loc) -> bool:
    """Return whether one of two paths leads to or through the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _existing(data: Any, path: Loc) -> Loc:
    """Return the longest beginning of a path that is in the data."""
    here = data
    for end, part in enumerate(path):
        held: Any = range(len(cast(list[Any], here))) if isinstance(here, list) else here
        if not isinstance(held, dict | range) or part not in held:
            return path[:end]
        here = cast(Any, here)[part]
    return path


def _refused(data: Any, path: Loc) -> Iterator[Loc]:
    """Yield the paths of values that could not be read from the file."""
    if data is NO_VALUE:
        yield path
    elif isinstance(data, dict):
        for key, item in cast(dict[str, Any], data).items():
            yield from _refused(item, (*path, key))
    elif isinstance(data, list):
        for index, item in enumerate(cast(list[Any], data)):
            yield from _refused(item, (*path, index))
