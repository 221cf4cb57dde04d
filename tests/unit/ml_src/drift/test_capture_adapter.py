"""The churn model's adapter reads what its endpoint reads, and whatever it answers."""

from __future__ import annotations

import numpy as np
import pytest

from ml_src.churn import capture, inference
from ml_src.churn.schema import CATEGORIES, INPUTS
from tests.unit.ml_src.conftest import Chain
from tests.unit.ml_src.drift import support

BODY = "\n".join(",".join(cells) for cells, _ in support.customers(50, seed=2))


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "application/jsonlines"])
def test_answers_of_the_endpoint(accept: str, chain: Chain) -> None:
    model = inference.model_fn(str(chain.model))
    given = inference.predict_fn(inference.input_fn(BODY, "text/csv"), model)
    answer, kind = inference.output_fn(given, accept)
    found = capture.predictions(answer, f"{kind}; charset=utf-8")
    assert np.array(found, np.float32).tolist() == given.tolist()
    assert capture.predictions(answer.encode(), kind) == found


def test_columns_are_the_endpoints() -> None:
    expected = inference.input_fn(BODY, "text/csv")
    found = capture.columns(capture.parse(BODY, "text/csv"))
    assert tuple(found) == INPUTS
    for name in INPUTS:
        if name in CATEGORIES:
            assert found[name].values == expected.categories[name].values
            assert (found[name].codes == expected.categories[name].codes).all()
        else:
            np.testing.assert_array_equal(found[name], expected.numbers[name])
