"""One small table and one trained model, made once and used by all tests here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

from ml_src.churn import evaluate, generate, prepare, train
from ml_src.churn.scores import Costs


@dataclass(frozen=True)
class Chain:
    """The folders of a whole chain, and what each step reported."""

    table: Path
    prepared: Path
    model: Path
    evaluated: Path
    preparation: dict[str, Any]
    training: dict[str, Any]
    evaluation: dict[str, Any]


def arguments(prepared: Path, output: Path, *more: str) -> list[str]:
    """Give train.py's arguments for what prepare.py wrote."""
    channels = [f"--{name}={prepared / name}" for name in ("train", "validation", "encoder")]
    return [
        *channels,
        f"--model-dir={output / 'model'}",
        f"--output-data-dir={output / 'data'}",
        f"--checkpoint-dir={output / 'checkpoints'}",
        f"--failure-file={output / 'failure'}",
        *more,
    ]


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """7,043 generated customers."""
    path = tmp_path_factory.mktemp("table") / "customers.csv"
    generate.write(path, generate.blocks(7043, seed=1))
    return path


@pytest.fixture(scope="session")
def chain(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Prepare, train and evaluate those customers."""
    root = tmp_path_factory.mktemp("chain")
    prepared, evaluated = root / "prepared", root / "evaluated"
    preparation = prepare.prepare(table, prepared, prepare.Settings())
    training = train.train(train.parse(arguments(prepared, root)))
    sides = (prepared / "validation", prepared / "test")
    report = evaluate.evaluate(root / "model", *sides, evaluated, Costs(5, 1))
    return Chain(table, prepared, root / "model", evaluated, preparation, training, report)
