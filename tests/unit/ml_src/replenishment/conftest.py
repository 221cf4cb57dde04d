"""One small world and one trained model, made once and used by all tests here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ml_src.replenishment import evaluate, generate, prepare, train
from ml_src.replenishment.generate import World
from ml_src.replenishment.inference import Model, model_fn


@dataclass(frozen=True)
class Chain:
    """The folders of a whole chain, and what each step reported."""

    world: World
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
def sold(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Prepare, train and evaluate the generator's usual table."""
    root = tmp_path_factory.mktemp("sold")
    world = generate.simulate()
    generate.write(root / "sales.csv", world)
    prepared, evaluated = root / "prepared", root / "evaluated"
    preparation = prepare.prepare(root / "sales.csv", prepared, prepare.Settings())
    training = train.train(train.parse(arguments(prepared, root)))
    sides = (prepared / "validation", prepared / "test")
    report = evaluate.evaluate(root / "model", *sides, evaluated)
    return Chain(
        world,
        root / "sales.csv",
        prepared,
        root / "model",
        evaluated,
        preparation,
        training,
        report,
    )


@pytest.fixture(scope="session")
def model(sold: Chain) -> Model:
    """The model as an endpoint has it."""
    return model_fn(str(sold.model))


@pytest.fixture
def sample() -> dict[str, Any]:
    """A good product of a request."""
    path = Path(__file__).parents[4] / "ml_src" / "replenishment" / "sample.json"
    return json.loads(path.read_text())["instances"][0]
