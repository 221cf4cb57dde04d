"""Prepare customers for training: check, split by customer, fit the encoder on train, encode.

    python3 <code>/ml_src/churn/prepare.py --input <file or folder> --output <folder>

writes below `--output`, one folder each so that each can be an output of its own:

    train/train.csv            encoded, label first, no header
    validation/validation.csv  the same
    test/test.csv              the same
    encoder/encoder.json       features.py says what it holds
    baseline/statistics.json, baseline/constraints.json   baseline.py says what they hold
    report/preparation.json    rows read, left out, on each side; unseen categories by column
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.churn import baseline, matrix, reading
from ml_src.churn.features import Encoder
from ml_src.churn.identifiers import split
from ml_src.churn.schema import LABEL
from ml_src.shared import tables
from ml_src.shared.failure import PROCESSING, Arguments, JobError, ending_with_reason

Sides = dict[str, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Settings:
    """How to prepare.

    train, validation: shares of customers, 0 to 1; the rest is the test.
    seed: of the split.
    most_invalid: the share of rows that may be left out before the job fails.
    """

    train: float = 0.8
    validation: float = 0.1
    seed: int = 1
    most_invalid: float = 0.05

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
    table = reading.read(tables.inputs(source), problems)
    problems.check_share(len(table.labels), settings.most_invalid, source)
    sides = split(table.identifiers, settings.train, settings.validation, settings.seed)
    _check_classes(table.labels, sides, source)

    train = table.customers.take(sides["train"])
    encoder = Encoder.fit(train)
    described = baseline.statistics(train, table.labels[sides["train"]])
    unseen = {
        side: encoder.unseen(table.customers.take(sides[side])) for side in ("validation", "test")
    }
    del train
    encoder.save(_place(output, "encoder", "encoder.json"))
    for side, rows in sides.items():
        path = _place(output, side, f"{side}.csv")
        matrix.write(path, encoder, table.customers, table.labels, rows)
    _save(_place(output, "baseline", "statistics.json"), described)
    _save(_place(output, "baseline", "constraints.json"), baseline.constraints(described))
    report = {
        "version": 1,
        "rows": len(table.labels),
        "left_out": problems.document(),
        "sides": {
            side: {"rows": len(rows), "positive_rate": float(table.labels[rows].mean())}
            for side, rows in sides.items()
        },
        "features": len(encoder.columns),
        "unseen": unseen,
    }
    _save(_place(output, "report", "preparation.json"), report)
    return report


def _check_classes(labels: npt.NDArray[np.uint8], sides: Sides, source: Path) -> None:
    """Fail unless each side has customers who left and customers who stayed."""
    if labels.min() == labels.max():
        only = "Yes" if labels[0] else "No"
        raise JobError(
            f"{source}, column {LABEL!r}: all {len(labels)} usable rows say {only}; "
            "training needs customers who left and customers who stayed"
        )
    for side, rows in sides.items():
        if len(np.unique(labels[rows])) < 2:
            raise JobError(
                f"{source}, column {LABEL!r}: the {side} side has {len(rows)} of "
                f"{len(labels)} rows and not both Yes and No among them; it takes more rows"
            )


def _place(output: Path, folder: str, name: str) -> Path:
    place = output / folder
    place.mkdir(parents=True, exist_ok=True)
    return place / name


def _save(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def run(argv: Sequence[str]) -> None:
    """Prepare as the command line says, and print a line on the result."""
    parser = Arguments("Prepare customers for training.", PROCESSING)
    usual = Settings()
    root = "/opt/ml/processing"
    parser.add_argument("--input", type=Path, default=Path(f"{root}/input/data"))
    parser.add_argument("--output", type=Path, default=Path(f"{root}/output"))
    parser.add_argument("--train-share", type=float, default=usual.train, help="0 to 1")
    parser.add_argument("--validation-share", type=float, default=usual.validation, help="0 to 1")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of the split")
    parser.add_argument(
        "--most-invalid", type=float, default=usual.most_invalid, help="share of rows, 0 to 1"
    )
    given = parser.parse_args(argv)
    settings = Settings(given.train_share, given.validation_share, given.seed, given.most_invalid)
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
