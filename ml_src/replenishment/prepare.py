"""Prepare a table of sales for training: check, split by time, learn profiles, encode.

    python3 <code>/ml_src/replenishment/prepare.py --input <file or folder> --output <folder>

writes below `--output`, one folder each so that each can be an output of its own:

    train/train.csv            demand as a share of what is expected, then the features; no header
    validation/validation.csv  the same, of the days after
    test/test.csv              the same, of the last days
    encoder/encoder.json       features.py says what it holds
    baseline/statistics.json, baseline/constraints.json   shared/baseline.py says what they hold
    report/preparation.json    rows read, left out, days and decisions on each side
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.replenishment import sales as tables_of_sales
from ml_src.replenishment.decisions import Decisions, decisions, encoded, windows
from ml_src.replenishment.features import COLUMNS, Encoder
from ml_src.replenishment.limits import WATCHED
from ml_src.replenishment.profiles import profiles
from ml_src.replenishment.sales import Sales
from ml_src.replenishment.schema import HISTORY_DAYS, LONGEST_LEAD, REVIEW_DAYS
from ml_src.replenishment.windows import described
from ml_src.shared import baseline, matrix, tables
from ml_src.shared.encoding import ENCODER
from ml_src.shared.failure import PROCESSING, Arguments, JobError, ending_with_reason

LEAST_DECISIONS = 50  # of a side


@dataclass(frozen=True)
class Settings:
    """How to prepare.

    train, validation: shares of the days, 0 to 1; the last days are the test's.
    seed: of lead times, where the table tells none.
    most_invalid: the share of rows that may be left out before the job fails.
    most_rows: decisions to train on, about; a fourth as many on each other side.
    """

    train: float = 0.7
    validation: float = 0.15
    seed: int = 1
    most_invalid: float = 0.05
    most_rows: int = 200_000

    def __post_init__(self) -> None:
        """Refuse shares that leave a side empty."""
        if not (0 < self.train < 1 and 0 < self.validation < 1):
            raise JobError("--train-share and --validation-share lie between 0 and 1")
        if self.train + self.validation >= 1:
            raise JobError(
                f"--train-share {self.train:g} and --validation-share {self.validation:g} leave "
                "nothing for the test; together they are less than 1"
            )
        if not 0 <= self.most_invalid < 1:
            raise JobError(f"--most-invalid {self.most_invalid:g} is no share from 0 to below 1")
        if self.most_rows < 4 * LEAST_DECISIONS:
            raise JobError(f"--most-rows {self.most_rows} is below {4 * LEAST_DECISIONS}")


def prepare(source: Path, output: Path, settings: Settings) -> dict[str, Any]:
    """Do all of it.

    Args:
        source: a CSV file, or a folder with CSV files.
        output: the folder to write below; it is made.
        settings: shares and seed.

    Returns:
        What report/preparation.json holds.

    Raises:
        JobError: the data cannot be used; says file, line and column.
    """
    problems = tables.Problems()
    sales = tables_of_sales.read(tables.inputs(source), problems)
    rows = int((~np.isnan(sales.sales)).sum())
    problems.check_share(rows, settings.most_invalid, source)
    stretches = _stretches(sales, settings)
    sides = _sides(sales, stretches, settings, source)

    encoder = Encoder(profiles(sales, stretches["train"][1]))
    _save(_place(output, "encoder", ENCODER), encoder.document())
    for side, chosen in sides.items():
        _write(_place(output, side, f"{side}.csv"), sales, chosen, encoder)
    watched = described(windows(sales, sides["train"]))
    statistics = baseline.statistics(watched, len(sides["train"]))
    _save(_place(output, "baseline", "statistics.json"), statistics)
    limits = baseline.constraints(statistics, WATCHED)
    _save(_place(output, "baseline", "constraints.json"), limits)
    report = _report(sales, rows, problems, stretches, sides)
    _save(_place(output, "report", "preparation.json"), report)
    return report


def _stretches(sales: Sales, settings: Settings) -> dict[str, tuple[int, int]]:
    """Part the days: each side's first day, and the day after its last."""
    first = round(sales.days * settings.train)
    second = round(sales.days * (settings.train + settings.validation))
    return {"train": (0, first), "validation": (first, second), "test": (second, sales.days)}


def _sides(
    sales: Sales, stretches: dict[str, tuple[int, int]], settings: Settings, source: Path
) -> dict[str, Decisions]:
    """Find each side's decisions; fail where one has too few."""
    most = {"train": settings.most_rows}
    found = {
        side: decisions(sales, *days, most.get(side, settings.most_rows // 4), settings.seed)
        for side, days in stretches.items()
    }
    for side, chosen in found.items():
        if len(chosen) < LEAST_DECISIONS:
            raise JobError(
                f"{source}: the {side} side has {len(chosen)} decisions to learn from in "
                f"{sales.days} days of {len(sales.store)} products and stores, and at least "
                f"{LEAST_DECISIONS} are needed; it takes more days (a decision needs "
                f"{HISTORY_DAYS} days before it and {REVIEW_DAYS} to {REVIEW_DAYS + LONGEST_LEAD} "
                "after it), or more products"
            )
    return found


def _write(path: Path, sales: Sales, chosen: Decisions, encoder: Encoder) -> None:
    kinds = [pa.float32()] * (1 + len(COLUMNS))
    chunks = (
        [labels, *np.ascontiguousarray(features.T)]
        for labels, features in encoded(sales, chosen, encoder)
    )
    matrix.write(path, kinds, chunks)


def _report(
    sales: Sales,
    rows: int,
    problems: tables.Problems,
    stretches: dict[str, tuple[int, int]],
    sides: dict[str, Decisions],
) -> dict[str, Any]:
    return {
        "version": 1,
        "rows": rows,
        "left_out": problems.document(),
        "stores": len(sales.stores),
        "products": len(sales.products),
        "sold_out_days": int((sales.sold_out() & ~np.isnan(sales.sales)).sum()),
        "sides": {
            side: {
                "first_day": date.fromordinal(sales.first_day + begin).isoformat(),
                "last_day": date.fromordinal(sales.first_day + end - 1).isoformat(),
                "rows": len(sides[side]),
            }
            for side, (begin, end) in stretches.items()
        },
        "features": len(COLUMNS),
    }


def _place(output: Path, folder: str, name: str) -> Path:
    place = output / folder
    place.mkdir(parents=True, exist_ok=True)
    return place / name


def _save(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def run(argv: Sequence[str]) -> None:
    """Prepare as the command line says, and print a line on the result."""
    parser = Arguments("Prepare a table of sales for training.", PROCESSING)
    usual = Settings()
    root = "/opt/ml/processing"
    parser.add_argument("--input", type=Path, default=Path(f"{root}/input/data"))
    parser.add_argument("--output", type=Path, default=Path(f"{root}/output"))
    parser.add_argument("--train-share", type=float, default=usual.train, help="0 to 1")
    parser.add_argument("--validation-share", type=float, default=usual.validation, help="0 to 1")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of lead times")
    parser.add_argument(
        "--most-invalid", type=float, default=usual.most_invalid, help="share of rows, 0 to 1"
    )
    parser.add_argument("--most-rows", type=int, default=usual.most_rows, help="to train on")
    given = parser.parse_args(argv)
    settings = Settings(
        given.train_share, given.validation_share, given.seed, given.most_invalid, given.most_rows
    )
    report = prepare(given.input, given.output, settings)
    sides = " ".join(f"{side}={facts['rows']}" for side, facts in report["sides"].items())
    left_out = report["left_out"]["rows"]
    print(f"prepared rows={report['rows']} left_out={left_out} {sides}")
    for problem in report["left_out"]["first"]:
        print(f"left out: {problem}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run as a script: the reason of a failure goes where SageMaker reads it."""
    sys.exit(ending_with_reason(run, sys.argv[1:] if argv is None else argv, PROCESSING))


if __name__ == "__main__":
    main()
