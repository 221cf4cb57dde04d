"""Scripted answers: what a stand-in says about a file, found by the SHA-256 of its bytes.

An answer lies in `<file>.rekognition.json` beside the sample, by operation, or is given by the
control API. There is no other source: what is not scripted is refused, never invented.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from rehearsal.errors import RehearsalError
from rehearsal.service_model import service_model
from rehearsal.shapes import problems

SUFFIX = ".rekognition.json"
Answers = dict[str, dict[str, Any]]


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes, in hex: how an answer is found."""
    return hashlib.sha256(content).hexdigest()


def check_answers(answers: Any, origin: str, service: str = "rekognition") -> Answers:
    """Return the answers if every one fits its operation's output shape.

    Args:
        answers: {operation: output}.
        origin: where they come from, named in errors.
        service: botocore's name of the service.

    Raises:
        RehearsalError: naming origin, member, what was given and what is allowed; all at once.
    """
    if not isinstance(answers, dict):
        raise RehearsalError(f"{origin}: wanted an object of answers by operation")
    checked = cast("Answers", answers)
    model = service_model(service)
    found: list[str] = []
    for operation, output in checked.items():
        if operation not in model.operations:
            found.append(f"{operation}: {service} has no such operation")
            continue
        shape = model.output(operation) or {"type": "structure"}
        found += [f"{operation}.{problem}" for problem in problems(model, shape, output)]
    if found:
        raise RehearsalError(f"{origin}: " + "; ".join(found))
    return checked


def read_answers(path: Path) -> Answers:
    """Read and check one answer file; RehearsalError names the file and the member."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RehearsalError(f"{path}: {error}") from error
    return check_answers(given, str(path))


class AnswerBook:
    """All scripted answers: those of the control API first, then those beside the samples.

    Args:
        folders: searched, with all below them, for answer files; again whenever an unknown file
            is asked about.
    """

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._given: dict[str, Answers] = {}
        self._beside: dict[str, Answers] = {}
        self._seen: dict[Path, tuple[float, ...]] = {}
        self.errors: dict[str, str] = {}

    def clear(self) -> None:
        """Forget what the control API gave; the samples stay."""
        self._given.clear()

    def give(self, sha256: str, answers: Answers) -> None:
        """Script a file by its digest; the answers must have been checked."""
        self._given.setdefault(sha256, {}).update(answers)

    def find(self, sha256: str, operation: str) -> Mapping[str, Any] | None:
        """The answer to an operation about a file, or None."""
        answer = self._look(sha256, operation)
        if answer is None:
            self.scan()
            answer = self._look(sha256, operation)
        return answer

    def _look(self, sha256: str, operation: str) -> Mapping[str, Any] | None:
        for table in (self._given, self._beside):
            answer = table.get(sha256, {}).get(operation)
            if answer is not None:
                return answer
        return None

    def scan(self) -> None:
        """Read the answer files that are new or have changed since the last time."""
        for folder in self._folders:
            for path in sorted(folder.rglob("*" + SUFFIX)):
                _if_changed(path, self._seen, self._read)

    def _read(self, path: Path) -> None:
        self.errors.pop(str(path), None)
        try:
            content = path.with_name(path.name.removesuffix(SUFFIX)).read_bytes()
            self._beside[digest(content)] = read_answers(path)
        except (OSError, RehearsalError) as error:
            self.errors[str(path)] = str(error)


def _if_changed(
    path: Path, seen: dict[Path, tuple[float, ...]], read: Callable[[Path], None]
) -> None:
    sample = path.with_name(path.name.removesuffix(SUFFIX))
    try:
        stamp = tuple(s for f in (path, sample) for s in (f.stat().st_mtime, f.stat().st_size))
    except OSError:
        stamp = ()
    if seen.get(path) != stamp:
        seen[path] = stamp
        read(path)
