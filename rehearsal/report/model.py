"""The report as data: what scenarios hand over and what the two writers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Decision = Literal["accept", "review", "reject", "unusable"]
Status = Literal["passed", "failed"]

WORDS: dict[str, str] = {
    "accept": "Accepted",
    "review": "For review",
    "reject": "Rejected",
    "unusable": "Unusable",
}


@dataclass(frozen=True)
class Mark:
    """A place on a label's confidence scale where the decision changes (0 to 100)."""

    at: float
    decision: str


@dataclass(frozen=True)
class Label:
    """A moderation label with its confidence (0 to 100), parent and taxonomy level (1 to 3)."""

    name: str
    confidence: float
    parent: str = ""
    level: int = 1
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class ImageCard:
    """One image with what was decided about it and why.

    `picture` holds the bytes shown in the report; a rejected one is shown blurred. `milliseconds`
    runs from the upload to the decision.
    """

    title: str
    key: str
    decision: Decision
    reason: str
    picture: bytes | None = None
    media_type: str = "image/jpeg"
    alt: str = ""
    labels: tuple[Label, ...] = ()
    milliseconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Badge:
    """A table cell shown as a coloured word: a decision, or "passed" or "failed"."""

    value: str


Cell = str | Badge


@dataclass(frozen=True)
class TableCard:
    """A table: column headings and rows of cells."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class FigureCard:
    """A picture that a scenario made itself: a curve, a plot, an image with boxes drawn on it.

    A `wide` one takes the whole width of the page, in its own proportions.
    """

    title: str
    picture: bytes
    alt: str
    media_type: str = "image/png"
    note: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Check:
    """One promise that was put to the test. `found` says what was seen."""

    promise: str
    passed: bool
    found: str = ""


@dataclass(frozen=True)
class ChecksCard:
    """A list of promises that were put to the test."""

    title: str
    checks: Sequence[Check]


@dataclass(frozen=True)
class Piece:
    """A stretch of a video, in seconds from its start, with its decision and why."""

    start: float
    end: float
    decision: str
    why: str = ""


@dataclass(frozen=True)
class TimelineCard:
    """A video's decisions by time: a bar, and a row for each piece."""

    title: str
    pieces: Sequence[Piece]
    note: str = ""

    @property
    def seconds(self) -> float:
        """How long the video is."""
        return max((piece.end for piece in self.pieces), default=0.0)


Card = ImageCard | TableCard | FigureCard | ChecksCard | TimelineCard


@dataclass(frozen=True)
class Flow:
    """How what a scenario shows is built.

    `steps` are boxes in their order: a name, what it is, and whether it has a substitute here.
    `drawing` names a pair of drawings in this folder to show in their place.
    """

    title: str
    steps: Sequence[tuple[str, str, bool]] = ()
    drawing: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a scenario found.

    `facts` goes into report.json, so it holds plain JSON values. `problems` has one sentence for
    each thing that was not as expected; a scenario passes when there is none. `note` says what a
    reader should know before looking at the cards. `numbers` are the figures to show first: what,
    how much, and the unit.
    """

    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cards: Sequence[Card] = ()
    problems: Sequence[str] = ()
    note: str = ""
    numbers: Sequence[tuple[str, str, str]] = ()
    flow: Flow | None = None

    @property
    def checks(self) -> list[Check]:
        """Every promise that was put to the test."""
        return [
            check for card in self.cards if isinstance(card, ChecksCard) for check in card.checks
        ]


@dataclass(frozen=True)
class ScenarioReport:
    """One scenario as it went, with its wall-clock time in seconds."""

    name: str
    title: str
    seconds: float
    outcome: Outcome

    @property
    def status(self) -> Status:
        """ "passed" when the scenario found nothing unexpected."""
        return "failed" if self.outcome.problems else "passed"


@dataclass(frozen=True)
class Stage:
    """A step of the run and its wall-clock time in seconds."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """A whole run.

    `started` is a local date and time to show, `seconds` the total wall-clock time. `real` and
    `stood_in` name what was really carried out and what had a substitute, in full sentences.
    """

    started: str
    seconds: float
    scenarios: Sequence[ScenarioReport]
    stages: Sequence[Stage]
    real: Sequence[str]
    stood_in: Sequence[str]

    @property
    def passed(self) -> bool:
        """True when at least one scenario ran and every one of them passed."""
        statuses = [scenario.status for scenario in self.scenarios]
        return bool(statuses) and all(status == "passed" for status in statuses)

    def as_json(self) -> dict[str, Any]:
        """Return the content of report.json."""
        return {
            "scenarios": [
                {
                    "name": scenario.name,
                    "status": scenario.status,
                    "seconds": round(scenario.seconds, 3),
                    "facts": dict(scenario.outcome.facts),
                }
                for scenario in self.scenarios
            ],
            "real": list(self.real),
            "stood_in": list(self.stood_in),
        }
