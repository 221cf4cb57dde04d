"""What was foretold beside what happened: the table behind a calibration plot.

Written on numpy alone, since evaluation imports nothing slower.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
BINS = 10


def reliability(labels: Numbers, probabilities: Numbers) -> list[dict[str, float]]:
    """Compare what was foretold with what happened, in ten bins of equal width.

    Returns:
        For each bin that holds rows: its bounds, count, mean probability and rate of positives.
    """
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    table: list[dict[str, float]] = []
    for number in range(BINS):
        inside = places == number
        if inside.any():
            table.append(
                {
                    "from": number / BINS,
                    "to": (number + 1) / BINS,
                    "count": int(inside.sum()),
                    "mean_probability": float(probabilities[inside].mean()),
                    "positive_rate": float(labels[inside].mean()),
                }
            )
    return table
