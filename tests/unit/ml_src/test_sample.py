"""The request that every version is asked before it counts as released."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import config
from ml_src.churn.inference import input_fn, model_fn, output_fn, predict_fn
from ml_src.churn.schema import INPUTS
from tests.unit.ml_src.conftest import Chain

SAMPLE = Path(__file__).parents[3] / "ml_src" / "churn" / "sample.csv"


def test_it_is_one_whole_customer_without_header() -> None:
    (cells,) = csv.reader(SAMPLE.read_text().splitlines())
    assert len(cells) == len(INPUTS)
    assert all(cell.strip() for cell in cells)
    assert not set(cells) & set(INPUTS)


def test_the_model_knows_all_of_it_and_answers_where_the_environments_look(chain: Chain) -> None:
    model = model_fn(str(chain.model))
    text, kind = output_fn(predict_fn(input_fn(SAMPLE.read_bytes(), "text/csv"), model), None)
    assert kind == "application/json"
    assert not model.unseen
    (prediction,) = json.loads(text)["predictions"]
    assert 0 < prediction["churn_probability"] < 1
    for environment in config.environments():
        hosting = config.load(environment).hosting
        assert hosting is not None
        test = hosting.models["churn"].smoke_test
        assert test.answer_path == "$.predictions[0].churn_probability"
        assert (test.least, test.most, test.content_type) == (0, 1, "text/csv")
