"""The answers of some analyses while others still fail, as a record keeps them meanwhile."""

from collections.abc import Mapping

from image_analysis.analyses import Answer, Finding
from shared.dynamodb import Fields


def fields(answers: Mapping[str, Answer], settings: str) -> Fields:
    """Return what a record keeps of `answers`, which count for these settings only."""
    return {
        "settings": settings,
        "answers": {name: _kept(answer) for name, answer in answers.items()},
    }


def read(record: Fields, settings: str) -> dict[str, Answer]:
    """Return the answers that `record` keeps for these settings, by analysis."""
    kept: Fields = record.get("partial") or {}
    if kept.get("settings") != settings:
        return {}
    return {name: _answer(each) for name, each in kept["answers"].items()}


def _kept(answer: Answer) -> Fields:
    findings = [
        {
            "label": each.label,
            "confidence": each.confidence,
            "parents": list(each.parents),
            "advice": each.advice,
        }
        for each in answer.findings
    ]
    return {"fields": answer.fields, "findings": findings}


def _answer(kept: Fields) -> Answer:
    findings = (
        Finding(each["label"], float(each["confidence"]), tuple(each["parents"]), each["advice"])
        for each in kept["findings"]
    )
    return Answer(kept["fields"], tuple(findings))
