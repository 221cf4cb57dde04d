"""What the pipeline is measured against: the same work as one plain script in one process.

python -m tests.benchmarks.plain_training CUSTOMERS.csv FOLDER [--name=value …]

The same code prepares, trains and evaluates, with the same hyperparameters (the further arguments),
and hands its files on in a folder; there is no service, no job and no transfer between.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ml_src.churn import evaluate, prepare, train


def main(customers: str, folder: str, *hyperparameters: str) -> None:
    """Do all of it."""
    place = Path(folder)
    prepare.run([f"--input={customers}", f"--output={place / 'prepared'}"])
    channels = [f"--{name}={place / 'prepared' / name}" for name in ("train", "validation")]
    train.run(
        [
            *channels,
            f"--encoder={place / 'prepared' / 'encoder'}",
            f"--model-dir={place / 'model'}",
            f"--output-data-dir={place / 'data'}",
            f"--checkpoint-dir={place / 'checkpoints'}",
            *hyperparameters,
        ]
    )
    sides = [f"--{name}={place / 'prepared' / name}" for name in ("validation", "test")]
    evaluate.run([f"--model={place / 'model'}", *sides, f"--output={place / 'evaluated'}"])


if __name__ == "__main__":
    main(*sys.argv[1:])
