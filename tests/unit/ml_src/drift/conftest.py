"""A population of generated customers, to draw training rows and requests from."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_src.churn import baseline as training
from ml_src.churn import generate, request_body
from ml_src.churn.features import Customers
from ml_src.churn.schema import INPUTS, LABEL
from ml_src.shared.drift import baseline, predictions
from ml_src.shared.drift.baseline import Baseline
from ml_src.shared.drift.batches import Batch
from tests.unit.ml_src.conftest import Chain


@dataclass(frozen=True)
class Population:
    """Customers, whether they left, and what a middling model says of them."""

    customers: Customers
    labels: Any
    scores: Any

    def __len__(self) -> int:
        return len(self.labels)

    def baseline(self, folder: Path, rows: Any, tested: Any) -> Baseline:
        """The baseline of a model trained on some rows and tested on others."""
        folder.mkdir(exist_ok=True)
        described = training.statistics(self.customers.take(rows), self.labels[rows])
        codes, values = self.customers.categories["gender"].codes[tested], ("Female", "Male")
        names = self.customers.categories["gender"].values
        groups = {"gender": {value: codes == names.index(value) for value in values}}
        foretold = predictions.describe(self.labels[tested], self.scores[tested], 0.3, groups)
        documents = {
            baseline.STATISTICS: described,
            baseline.CONSTRAINTS: training.constraints(described),
            baseline.PREDICTIONS: foretold,
        }
        for name, document in documents.items():
            (folder / name).write_text(json.dumps(document))
        return baseline.read(folder)

    def batch(self, rows: Any, **columns: Any) -> Batch:
        """These rows as requests of one row each; `columns` take the place of their own."""
        taken = self.customers.take(rows)
        found = {**taken.numbers, **taken.categories, **columns}
        ordered = {name: found[name] for name in INPUTS}
        keys = [str(row) for row in rows]
        values = self.scores[rows].astype(float)
        return Batch(ordered, np.ones(len(rows), bool), values, keys, [1] * len(rows))


@pytest.fixture(scope="session")
def population() -> Population:
    """65,536 customers, 3 % of some cells missing."""
    (block,) = generate.blocks(65_536, seed=11, missing=0.03)
    names = block.schema.names
    columns = [block.column(names.index(name)).to_pylist() for name in INPUTS]
    customers = request_body.customers(list(zip(*columns, strict=True)))
    left = block.column(names.index(LABEL)).to_numpy(zero_copy_only=False) == "Yes"
    chance = np.random.default_rng(5)
    scores = 1 / (1 + np.exp(-(chance.normal(0, 1, len(left)) + 2 * left - 1.5)))
    return Population(customers, left.astype(np.int8), scores.round(2).astype(np.float32))


@pytest.fixture(scope="session")
def lived(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chain's baseline as a job gets it: two steps' outputs, side by side."""
    folder = tmp_path_factory.mktemp("baseline")
    shutil.copytree(chain.prepared / "baseline", folder / "prepare")
    shutil.copytree(chain.evaluated / "evaluation", folder / "evaluate")
    return folder
