"""No alarm when nothing has drifted, and an alarm when something has: by many draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_src.shared.columns import Categories
from ml_src.shared.drift.baseline import Baseline
from ml_src.shared.drift.batches import Batch
from ml_src.shared.drift.compare import Result, compare
from ml_src.shared.drift.labels import Labels
from ml_src.shared.drift.tally import Tally
from ml_src.shared.drift.thresholds import Thresholds
from tests.unit.ml_src.drift.conftest import Population

DRAWS = 100
# Every difference counts that the tests find: shows that the tests alone keep their promise.
NO_SIZE = Thresholds(
    **dict.fromkeys(
        ("psi", "jensen_shannon", "ks", "unseen", "outside", "auc", "log_loss", "calibration_gap"),
        0.0,
    ),
    precision=0.0,
    recall=0.0,
    bias=0.0,
)


def late(population: Population, rows: Any) -> Labels:
    keys = np.array([hash((str(row), 0)) for row in rows], np.int64)
    order = np.argsort(keys)
    return Labels(keys[order], population.labels[rows][order])


def counted(
    population: Population,
    folder: Path,
    seed: int,
    trained: int,
    asked: int,
    change: Callable[[Population, Any], Batch] | None = None,
) -> tuple[Tally, Baseline]:
    """Train on some customers, test on an eighth as many, and count the requests of others."""
    drawn = np.random.default_rng([seed, trained, asked]).permutation(len(population))
    tested = max(100, trained // 8)
    known = population.baseline(folder, drawn[:trained], drawn[trained : trained + tested])
    rows = drawn[-asked:]
    tally = Tally(known, ("gender",), late(population, rows))
    tally.add(change(population, rows) if change else population.batch(rows))
    return tally, known


def judged(found: tuple[Tally, Baseline], limits: Thresholds = Thresholds()) -> Result:  # noqa: B008
    return compare(*found, limits, {"gender": None})


@pytest.mark.parametrize(("trained", "asked"), [(5600, 100), (5600, 2000), (500, 3000)])
def test_false_alarms(trained: int, asked: int, population: Population, tmp_path: Path) -> None:
    alarms: dict[str, list[list[str]]] = {"default": [], "no size": []}
    for seed in range(DRAWS):
        found = counted(population, tmp_path, seed, trained, asked)
        for name, limits in (("default", Thresholds()), ("no size", NO_SIZE)):
            if reasons := judged(found, limits).reasons:
                alarms[name].append(reasons)
    for name, reasons in alarms.items():
        assert len(reasons) <= 0.05 * DRAWS, (name, reasons)


def newcomers(population: Population, rows: Any) -> Batch:
    """A campaign: every second request is of a customer in the first year."""
    tenure = population.customers.numbers["tenure"][rows].copy()
    tenure[::2] %= 12
    return population.batch(rows, tenure=tenure)


def wallet(population: Population, rows: Any) -> Batch:
    """A way to pay that training never saw, taken by 15 %."""
    column = population.customers.categories["PaymentMethod"]
    codes = np.where(np.arange(len(rows)) % 100 < 15, len(column.values), column.codes[rows])
    return population.batch(
        rows, PaymentMethod=Categories((*column.values, "Digital wallet"), codes)
    )


def leased_lines(population: Population, rows: Any) -> Batch:
    """All with fibre become DSL customers."""
    column = population.customers.categories["InternetService"]
    renamed = tuple("DSL" if value == "Fiber optic" else value for value in column.values)
    places = [renamed.index(value) for value in renamed]
    codes = np.array([*places, -1])[column.codes[rows]]
    return population.batch(rows, InternetService=Categories(renamed, codes))


def lost_field(population: Population, rows: Any) -> Batch:
    """A client that no longer sends the charges for a quarter of its customers."""
    charges = population.customers.numbers["MonthlyCharges"][rows].copy()
    charges[::4] = np.nan
    return population.batch(rows, MonthlyCharges=charges)


def cents(population: Population, rows: Any) -> Batch:
    """A client that sends cents in place of dollars."""
    charges = population.customers.numbers["MonthlyCharges"][rows] * 100
    return population.batch(rows, MonthlyCharges=charges)


def bolder(population: Population, rows: Any) -> Batch:
    """Another model: its predictions are higher."""
    found = population.batch(rows)
    return Batch(found.columns, found.asked, found.predictions**0.5, found.keys, found.sizes)


def blind(population: Population, rows: Any) -> Batch:
    """The old distribution of predictions, but dealt out at random."""
    found = population.batch(rows)
    dealt = np.random.default_rng(len(rows)).permutation(found.predictions)
    return Batch(found.columns, found.asked, dealt, found.keys, found.sizes)


def unfair(population: Population, rows: Any) -> Batch:
    """Predictions for women are halved, so that far fewer are selected."""
    found = population.batch(rows)
    column = found.columns["gender"]
    women = column.codes == column.values.index("Female")
    lower = np.where(women, 0.5, 1.0) * found.predictions
    return Batch(found.columns, found.asked, lower, found.keys, found.sizes)


@pytest.mark.parametrize(
    ("change", "asked", "expected"),
    [
        (newcomers, 300, "tenure: PSI"),
        (wallet, 300, "of the values are a category that training never saw ('Digital wallet')"),
        (leased_lines, 300, "InternetService: PSI"),
        (lost_field, 300, "MonthlyCharges: missing in "),
        (cents, 100, "MonthlyCharges: PSI"),
        (cents, 100, "of the values lie outside the training rows' range"),
        (bolder, 300, "predictions: PSI"),
        (blind, 300, "AUC is 0."),
        (unfair, 2000, "gender=Female: difference in positive proportions (DPPL) +"),
    ],
)
def test_drift_is_found(
    change: Callable[[Population, Any], Batch],
    asked: int,
    expected: str,
    population: Population,
    tmp_path: Path,
) -> None:
    found = 0
    for seed in range(40):
        result = judged(counted(population, tmp_path, seed, 5600, asked, change))
        found += any(expected in reason for reason in result.reasons)
    assert found >= 38


def test_the_most_drifted_come_first(population: Population, tmp_path: Path) -> None:
    result = judged(counted(population, tmp_path, 1, 5600, 2000, lost_field))
    names = [found.figures["name"] for found in result.features]
    assert names[0] == "MonthlyCharges" and len(names) == 19
    rest = [found.figures["psi_beyond_chance"] for found in result.features[1:]]
    assert rest == sorted(rest, reverse=True)
    assert result.tests == 4 * 5 + 15 * 3 + 2 + 5 + 1
    assert result.level == pytest.approx(0.05 / result.tests)
