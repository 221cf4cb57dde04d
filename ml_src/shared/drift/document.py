"""drift.json: every figure of a run, its verdict, and the reasons in words.

    {"version": 1,
     "status": "no_data" | "too_few" | "steady" | "drifted",
     "summary": "…", "reasons": ["Contract: PSI 0.61; allowed 0.2", …], "warnings": ["…"],
     "requests": {"files", "lines", "used", "rows", "outside_window", "first", "last",
                  "problems": {"bad lines": 2, …},
                  "examples": {"bad lines": ["a.jsonl, line 3: …"], …}},
     "labels": {"read", "replaced", "matched", "ambiguous", "problems", "examples"} | null,
     "thresholds": {…}, "tests": 73, "level": 0.0007,
     "features": [{"name", "type", "drifted", "reasons", "rows", "psi", "psi_by_chance",
                   "psi_beyond_chance", "chance", "ks" | "jensen_shannon", "missing", …}, …],
     "predictions": {…} | null, "quality": {…} | null, "groups": [{…}, …]}

Features come the most drifted first. Rates and chances are shares from 0 to 1; `chance` is how
likely so large a difference is when nothing has drifted.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ml_src.shared.drift.baseline import Baseline
from ml_src.shared.drift.captured import BAD_ANSWER, BAD_LINE, REFUSED, Seen
from ml_src.shared.drift.compare import Comparison, Result
from ml_src.shared.drift.labels import Labels
from ml_src.shared.drift.thresholds import Thresholds

VERSION = 1
NO_DATA, TOO_FEW, STEADY, DRIFTED = "no_data", "too_few", "steady", "drifted"


def document(
    result: Result | None,
    seen: Seen,
    labels: Labels | None,
    baseline: Baseline,
    limits: Thresholds,
) -> dict[str, Any]:
    """Give drift.json; `result` is None where there were too few rows to compare."""
    status = _status(result, seen)
    return {
        "version": VERSION,
        "status": status,
        "summary": _summary(status, result, seen, limits),
        "reasons": result.reasons if result else [],
        "warnings": _warnings(result, seen, labels, baseline, limits),
        "requests": _requests(seen),
        "labels": _labels(labels),
        "baseline_rows": baseline.rows,
        "thresholds": asdict(limits),
        "tests": result.tests if result else 0,
        "level": result.level if result else None,
        "features": [_comparison(found) for found in result.features] if result else [],
        "predictions": _comparison(result.predictions) if result else None,
        "quality": _comparison(result.quality) if result else None,
        "groups": [group.document() for group in result.groups] if result else [],
    }


def _status(result: Result | None, seen: Seen) -> str:
    if not seen.rows:
        return NO_DATA
    if result is None:
        return TOO_FEW
    return DRIFTED if result.reasons else STEADY


def _summary(status: str, result: Result | None, seen: Seen, limits: Thresholds) -> str:
    if status == NO_DATA:
        read = f"{seen.lines} captured lines, none of them usable" if seen.lines else "no request"
        return f"Nothing to compare: {read}."
    if result is None:
        return (
            f"No verdict: {seen.rows} rows were captured, and below {limits.least_rows} chance "
            "says more than they do."
        )
    if status == STEADY:
        return f"Nothing has drifted in {seen.rows:,} rows of {seen.requests:,} requests."
    features = sum(found.drifted for found in result.features)
    others = (("predictions", result.predictions), ("quality", result.quality))
    parts = [f"{features} of {len(result.features)} features"] if features else []
    parts += [name for name, found in others if found and found.drifted]
    groups = sum(bool(group.reasons) for group in result.groups)
    parts += [f"the bias of {groups} group{'s' * (groups > 1)}"] if groups else []
    told = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"Drifted: {told}, in {seen.rows:,} rows of {seen.requests:,} requests."


def _warnings(
    result: Result | None,
    seen: Seen,
    labels: Labels | None,
    baseline: Baseline,
    limits: Thresholds,
) -> list[str]:
    found: list[str] = []
    for kind in (BAD_LINE, REFUSED, BAD_ANSWER):
        share = seen.counted(kind) / seen.lines if seen.lines else 0.0
        if share > limits.unreadable:
            found.append(f"{share:.1%} of the captured lines are {kind}: {seen.examples[kind][0]}")
    if baseline.predictions is None:
        found.append(
            "The baseline has no predictions.json, so predictions, quality and bias are not judged."
        )
    if labels and labels.problems:
        found.append(f"Labels that cannot be used: {labels.problems}. {labels.examples[0]}")
    if labels and labels.ambiguous:
        found.append(f"{labels.ambiguous} requests of several rows have a label that names no row.")
    if labels and labels.read and not labels.matched and seen.rows:
        found.append(f"None of {labels.read} labels belongs to a captured request.")
    if result and result.quality and result.quality.figures["rows"] < limits.least_rows:
        rows = result.quality.figures["rows"]
        found.append(f"Only {rows} rows have a label: too few to judge the quality by.")
    groups = [group.name for group in result.groups if not group.judged] if result else []
    if groups:
        found.append(f"Too few rows, or too few others, to judge the bias of {', '.join(groups)}.")
    return found


def _requests(seen: Seen) -> dict[str, Any]:
    return {
        "files": seen.files,
        "other_files": seen.other_files,
        "lines": seen.lines,
        "used": seen.requests,
        "rows": seen.rows,
        "outside_window": seen.outside,
        "first": seen.first or None,
        "last": seen.last or None,
        "problems": dict(seen.problems),
        "examples": seen.examples,
    }


def _labels(labels: Labels | None) -> dict[str, Any] | None:
    if labels is None:
        return None
    names = ("read", "replaced", "matched", "ambiguous", "problems", "examples")
    return {name: getattr(labels, name) for name in names}


def _comparison(found: Comparison | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {**found.figures, "drifted": found.drifted, "reasons": found.reasons}
