"""From where on a difference counts as drift."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ml_src.shared.failure import JobError


@dataclass(frozen=True)
class Thresholds:
    """How large a drift must be, apart from having to be more than chance.

    psi: of a feature or the predictions, beyond what chance alone gives.
    jensen_shannon: distance of a category's shares, 0 to 1.
    ks: Kolmogorov-Smirnov distance of a number or the predictions, 0 to 1.
    unseen: share of values that are a category which training never saw, 0 to 1.
    outside: share of numbers outside the training rows' range, or outside the constraints, 0 to 1.
    auc, log_loss, calibration_gap, precision, recall: how much worse than at evaluation.
    bias: change of the difference in positive proportions since evaluation.
    impact: the lowest disparate impact of a group that evaluation did not know; its inverse is
        the highest.
    unreadable: share of requests that the model's code cannot read; above it a warning, no drift.
    least_rows: below so many rows there is no verdict.
    least_group_rows: below so many rows of a group, or of the others, it is not judged.
    false_alarms: chance of any alarm at all in a run in which nothing has drifted, 0 to 1.
    """

    psi: float = 0.2
    jensen_shannon: float = 0.2
    ks: float = 0.2
    unseen: float = 0.01
    outside: float = 0.01
    auc: float = 0.05
    log_loss: float = 0.1
    calibration_gap: float = 0.05
    precision: float = 0.1
    recall: float = 0.1
    bias: float = 0.1
    impact: float = 0.8
    unreadable: float = 0.05
    least_rows: int = 100
    least_group_rows: int = 30
    false_alarms: float = 0.05

    @classmethod
    def parse(cls, given: str) -> Thresholds:
        """Read a JSON object, or the path of a file with one; what it leaves out stays as it is.

        Raises:
            JobError: naming every wrong entry at once.
        """
        try:
            text = given if given.lstrip()[:1] == "{" else Path(given).read_text(encoding="utf-8")
            document = json.loads(text)
        except (OSError, ValueError) as error:
            raise JobError(f"--thresholds: neither a JSON object nor a file: {error}") from error
        if not isinstance(document, dict):
            raise JobError(f"--thresholds: a JSON object is needed, given {given:.80}")
        wrong = _mistakes(document)
        if wrong:
            raise JobError(f"--thresholds: {'; '.join(wrong)}")
        return cls(**document)


HIGHEST = {"psi": 100.0, "log_loss": 100.0, "least_rows": 1e9, "least_group_rows": 1e9}


def _mistakes(document: Mapping[str, Any]) -> list[str]:
    known = {field.name: field for field in fields(Thresholds)}
    wrong: list[str] = []
    for name, value in document.items():
        if name not in known:
            wrong.append(f"{name!r} is not known; known are {', '.join(known)}")
            continue
        whole = isinstance(known[name].default, int)
        least, most = (1, HIGHEST[name]) if whole else (0, HIGHEST.get(name, 1.0))
        number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not least <= value <= most:
            what = "a whole number" if whole else "a number"
            wrong.append(f"{name!r} is {value!r}; allowed is {what} from {least:g} to {most:g}")
        elif name in ("false_alarms", "impact") and not 0 < value < 1:
            wrong.append(f"{name!r} is {value!r}; allowed is a number between 0 and 1")
    return wrong
