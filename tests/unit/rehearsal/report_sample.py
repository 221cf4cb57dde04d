"""A report of plain data, as the moderation scenario would fill it."""

from __future__ import annotations

from typing import Any

from rehearsal.report.model import (
    Badge,
    Check,
    ChecksCard,
    Flow,
    ImageCard,
    Label,
    Mark,
    Outcome,
    Report,
    ScenarioReport,
    Stage,
    TableCard,
)
from rehearsal.samples.catalogue import Sample, load

MARKS = (Mark(60, "reject"),)


def sample_report() -> Report:
    """Return a report over the real sample pictures."""
    cards = [_card(sample, 180 + 31 * index) for index, sample in enumerate(load("moderation"))]
    checks = ChecksCard(
        "What else was tried",
        [
            Check("A rejected version cannot be read by an ordinary role", True, "AccessDenied"),
            Check("The same event delivered twice is analysed once", True, "9 calls, as before"),
        ],
    )
    versions = TableCard(
        "One key, overwritten",
        ("Version", "Decision", "Current"),
        [("v1", Badge("reject"), "no"), ("v2", Badge("accept"), "yes")],
    )
    outcome = Outcome(
        facts={"images": len(cards)},
        cards=[*cards, checks, versions],
        numbers=[("Files uploaded", str(len(cards)), "")],
        flow=Flow("The way of an image", drawing="flow"),
    )
    return Report(
        started="22 November 2026, 21:40",
        seconds=31.4,
        scenarios=[ScenarioReport("moderation", "An uploaded image is moderated", 4.2, outcome)],
        stages=[
            Stage("Start the embedded AWS", 1.3),
            Stage("Bootstrap and synthesize", 8.4),
            Stage("Deploy", 16.9),
            Stage("Scenario: moderation", 4.2),
        ],
        real=["CloudFormation created every resource from the synthesized templates."],
        stood_in=["Rekognition's answers are scripted for each sample picture."],
    )


def _card(sample: Sample, milliseconds: float) -> ImageCard:
    found: list[dict[str, Any]] = sample.answers.get("DetectModerationLabels", {}).get(
        "ModerationLabels", []
    )
    labels = tuple(
        Label(
            entry["Name"], entry["Confidence"], entry["ParentName"], entry["TaxonomyLevel"], MARKS
        )
        for entry in found
    )
    return ImageCard(
        title=sample.title,
        key=sample.key,
        decision=sample.decision or "accept",  # pyright: ignore[reportArgumentType]
        reason=sample.code or f"{len(labels)} labels",
        picture=sample.content if sample.answers else None,
        media_type=sample.media_type,
        alt=sample.alt,
        labels=labels,
        milliseconds=milliseconds,
        note=sample.note,
    )
