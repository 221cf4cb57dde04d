"""Records in plain words, and what was expected against what was found."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rehearsal.report.model import Mark
from rehearsal.samples.catalogue import Sample
from rehearsal.scenarios.support.explaining import Rules, card_of, labels_of, mismatch, reason_of

SIMPLE = Rules(50, {"*": {"accept": [0, 60], "reject": [60, 100]}})
WEAPONS = [
    {"name": "Violence", "confidence": Decimal("97.8"), "parent": "", "level": Decimal(1)},
    {"name": "Weapons", "confidence": Decimal("97.8"), "parent": "Violence", "level": Decimal(2)},
]


def record(decision: str, labels: list[dict[str, Any]], *reasons: dict[str, Any]) -> dict[str, Any]:
    return {
        "decision": decision,
        "analyses": {"moderation": {"labels": labels}},
        "reasons": list(reasons),
    }


def reason(label: str, low: int = 60) -> dict[str, Any]:
    return {"label": label, "confidence": Decimal("97.8"), "band": [Decimal(low), Decimal(100)]}


def sample(**fields: Any) -> Sample:
    return Sample(Path("pistol.jpg"), "incoming/pistol.jpg", "Pistol", **fields)


def test_rejection_names_the_most_telling_label() -> None:
    found = record("reject", WEAPONS, reason("Violence"), reason("Weapons"))
    assert reason_of(found, SIMPLE) == "Weapons (in Violence) at 97.8 %; rejected from 60 %."


def test_review_says_that_a_person_looks() -> None:
    found = record("review", WEAPONS, reason("Violence", 40))
    assert reason_of(found, SIMPLE) == "Violence at 97.8 %; a person looks at it from 40 %."


def test_acceptance_names_the_line_it_stays_below() -> None:
    low = [{"name": "Alcohol", "confidence": Decimal("57.3"), "parent": "", "level": 1}]
    assert reason_of(record("accept", low), SIMPLE) == "Alcohol at 57.3 %, below the line at 60 %."
    assert reason_of(record("accept", []), SIMPLE) == "No label with 50 % or more."


def test_unusable_file_gives_its_message() -> None:
    found = record("unusable", [], {"code": "empty", "message": "the file is empty"})
    assert reason_of(found, SIMPLE) == "The file is empty."


@pytest.mark.parametrize(
    ("rule", "at"), [("Weapons", 90), ("Violence", 80), ("*", 60)], ids=["exact", "parent", "any"]
)
def test_marks_follow_the_nearest_rule(rule: str, at: int) -> None:
    bands = {
        "*": {"accept": [0, 60], "reject": [60, 100]},
        rule: {"accept": [0, at], "reject": [at, 100]},
    }
    labels = labels_of(record("accept", WEAPONS), Rules(50, bands))
    assert labels[0].name == "Weapons"
    assert labels[0].marks == (Mark(float(at), "reject"),)


def test_empty_bands_have_no_mark() -> None:
    rules = Rules(50, {"*": {"accept": [0, 60], "review": [60, 60], "reject": [60, 100]}})
    assert rules.marks("Weapons", ()) == (Mark(60.0, "reject"),)


def test_card_says_which_label_was_left_out() -> None:
    answers = {
        "DetectModerationLabels": {
            "ModerationLabels": [{"Name": "Alcohol", "Confidence": 57.3, "TaxonomyLevel": 1}]
        }
    }
    picture = Sample(Path(__file__), "incoming/a.jpg", "A", answers=answers)
    card = card_of(picture, record("accept", []), Rules(60, SIMPLE.bands), 5)
    assert "Alcohol at 57.3 % lies below the minimum confidence of 60 %" in card.note
    assert card_of(picture, record("accept", []), SIMPLE, 5).note == ""


def test_expected_against_found() -> None:
    accepted = record("accept", [])
    assert mismatch(sample(decision="accept"), accepted) is None
    assert mismatch(sample(), accepted) is None
    assert mismatch(sample(decision="reject"), accepted) == (
        "incoming/pistol.jpg: expected the decision 'reject', found 'accept'"
    )


def test_expected_reason_of_an_unusable_file() -> None:
    found = record("unusable", [], {"code": "empty", "message": "the file is empty"})
    assert mismatch(sample(decision="unusable", code="empty"), found) is None
    assert mismatch(sample(decision="unusable", code="too_small"), found) == (
        "incoming/pistol.jpg: expected the reason 'too_small', found ['empty']"
    )
