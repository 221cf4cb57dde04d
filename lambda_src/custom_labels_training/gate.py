"""Whether a trained version may go live, by the figures of its test images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gate:
    """What a version must reach: F1 over all labels, recall of each; 0 to 1."""

    f1: float
    recall: float


@dataclass(frozen=True)
class Scores:
    """The figures of a version: F1 over all labels, recall by label."""

    f1: float
    recalls: Mapping[str, float]


def scores(f1: float, summary: Mapping[str, Any]) -> Scores:
    """Return the figures of a training, as Rekognition and its summary file tell them.

    ("Reference: Training results summary file", Amazon Rekognition Custom Labels.)
    """
    results = summary["LabelEvaluationResults"]
    return Scores(f1, {each["Label"]: float(each["Metrics"]["Recall"]) for each in results})


def reasons(found: Scores, gate: Gate, labels: Mapping[str, int]) -> list[str]:
    """Return why a version may not go live; nothing if it may.

    labels: training images by label; each must have been judged.
    """
    told: list[str] = []
    if found.f1 < gate.f1:
        told.append(f"its F1 is {found.f1:.3f}; wanted {gate.f1:g} or more")
    for label in sorted(labels):
        recall = found.recalls.get(label)
        if recall is None:
            told.append(f"the recall of {label!r} was not judged")
        elif recall < gate.recall:
            told.append(f"the recall of {label!r} is {recall:.3f}; wanted {gate.recall:g} or more")
    return told
