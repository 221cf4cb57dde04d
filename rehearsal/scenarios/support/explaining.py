"""Records in plain words: why an image was decided as it was. Pure, no AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from rehearsal.report.model import Decision, ImageCard, Label, Mark
from rehearsal.samples.catalogue import Sample

ANALYSIS = "moderation"
WORDS = {"review": "a person looks at it", "reject": "rejected"}


@dataclass(frozen=True)
class Rules:
    """The moderation settings of the deployed function.

    `bands` holds [from, to) by decision for each rule: a label, a parent category, or "*".
    """

    minimum_confidence: float
    bands: Mapping[str, Mapping[str, Sequence[float]]]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Rules:
        """Return the rules in the function's SETTINGS variable."""
        analysis = settings["analyses"][ANALYSIS]
        return cls(float(analysis.get("minimum_confidence", 50)), settings["policy"][ANALYSIS])

    def marks(self, name: str, parents: Sequence[str]) -> tuple[Mark, ...]:
        """Return where the decision on a label changes; the exact name wins, then a parent."""
        rule = next((known for known in (name, *parents) if known in self.bands), "*")
        bands = self.bands[rule]
        starts = [(float(band[0]), decision) for decision, band in bands.items()]
        # A band of no width decides nothing.
        wide = {decision for decision, band in bands.items() if band[1] > band[0]}
        return tuple(Mark(at, word) for at, word in sorted(starts) if at > 0 and word in wide)


def labels_of(record: Mapping[str, Any], rules: Rules) -> tuple[Label, ...]:
    """Return the labels of a record, the most telling first."""
    found: list[Mapping[str, Any]] = record["analyses"].get(ANALYSIS, {}).get("labels", [])
    parent_of: dict[str, str] = {label["name"]: label.get("parent") or "" for label in found}
    labels = [
        Label(
            name=label["name"],
            confidence=float(label["confidence"]),
            parent=label.get("parent") or "",
            level=int(label.get("level") or 1),
            marks=rules.marks(label["name"], _ancestors(label["name"], parent_of)),
        )
        for label in found
    ]
    return tuple(sorted(labels, key=lambda label: (-label.level, -label.confidence)))


def _ancestors(name: str, parent_of: Mapping[str, str]) -> list[str]:
    line: list[str] = []
    parent = parent_of.get(name, "")
    while parent and parent not in line:
        line.append(parent)
        parent = parent_of.get(parent, "")
    return line


def reason_of(record: Mapping[str, Any], rules: Rules) -> str:
    """Return in a sentence why a record says what it says."""
    reasons: list[Mapping[str, Any]] = record.get("reasons") or []
    if record["decision"] == "unusable":
        return " ".join(_sentence(reason["message"]) for reason in reasons)
    labels = labels_of(record, rules)
    if record["decision"] == "accept":
        return _accepted(labels, rules)
    named = {reason["label"] for reason in reasons}
    telling = next((label for label in labels if label.name in named), None)
    if telling is None:
        return "The record names no label."
    band = next(reason for reason in reasons if reason["label"] == telling.name)["band"]
    where = f" (in {telling.parent})" if telling.parent else ""
    return (
        f"{telling.name}{where} at {telling.confidence:.1f} %;"
        f" {WORDS[record['decision']]} from {float(band[0]):g} %."
    )


def _accepted(labels: Sequence[Label], rules: Rules) -> str:
    if not labels:
        return f"No label with {rules.minimum_confidence:g} % or more."
    highest = max(labels, key=lambda label: (label.confidence, label.level))
    lines = [mark.at for mark in highest.marks if mark.at > highest.confidence]
    below = f", below the line at {min(lines):g} %" if lines else ""
    return f"{highest.name} at {highest.confidence:.1f} %{below}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def card_of(
    sample: Sample, record: Mapping[str, Any], rules: Rules, milliseconds: float
) -> ImageCard:
    """Return the report's card of a sample and its record."""
    decision = cast(Decision, record["decision"])
    return ImageCard(
        title=sample.title,
        key=sample.key,
        decision=decision,
        reason=reason_of(record, rules),
        picture=None if decision == "unusable" else sample.content,
        media_type=sample.media_type,
        alt=sample.alt,
        labels=labels_of(record, rules),
        milliseconds=milliseconds,
        note=" ".join(note for note in (sample.note, _hidden(sample, record, rules)) if note),
    )


def _hidden(sample: Sample, record: Mapping[str, Any], rules: Rules) -> str:
    """Say which scripted labels lie below what was asked for, so that nobody looks for them."""
    answer = sample.answers.get("DetectModerationLabels", {})
    scripted: list[Mapping[str, Any]] = answer.get("ModerationLabels", [])
    low = [label for label in scripted if label["Confidence"] < rules.minimum_confidence]
    if not low or record["decision"] == "unusable":
        return ""
    named = max(low, key=lambda label: label["TaxonomyLevel"])
    return (
        f"{named['Name']} at {named['Confidence']:.1f} % lies below the minimum confidence of"
        f" {rules.minimum_confidence:g} %, so Rekognition was told to leave it out."
    )


def mismatch(sample: Sample, record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a record in a sentence, or None if it is as expected."""
    if sample.decision is None:
        return None
    found = record["decision"]
    if found != sample.decision:
        return f"{sample.key}: expected the decision {sample.decision!r}, found {found!r}"
    reasons: list[Mapping[str, Any]] = record.get("reasons") or []
    codes = [reason.get("code") for reason in reasons]
    if sample.code and sample.code not in codes:
        return f"{sample.key}: expected the reason {sample.code!r}, found {codes}"
    return None
