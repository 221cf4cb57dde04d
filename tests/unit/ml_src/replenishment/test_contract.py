"""The contract with the endpoint's callers: two schemas, and the documentation that fits them."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ml_src.replenishment.contract import complaints

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "replenishment.md").read_text(encoding="utf-8")
REQUEST, RESPONSE = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.S))


def test_the_documentation_fits_the_schemas() -> None:
    assert complaints("request", REQUEST) == []
    assert complaints("response", RESPONSE) == []


WRONG: list[dict[str, Any]] = [
    {"store": 3},
    {"product": ""},
    {"date": "23 November"},
    {"stock": -1},
    {"stock": None},
    {"lead_time_days": 1.5},
    {"lead_time_days": 29},
    {"sales": [1] * 27},
    {"sales": [-1] * 28},
    {"sales": ["3"] * 28},
    {"promotions": [None] * 28},
    {"planned_promotions": [0] * 57},
    {"shelf": 1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_the_request_schema_refuses(wrong: dict[str, Any]) -> None:
    changed = copy.deepcopy(REQUEST)
    changed["instances"][0].update(wrong)
    assert complaints("request", changed)


def test_a_forecast_has_all_and_a_refusal_has_no_quantity() -> None:
    forecast, declined = RESPONSE["predictions"]
    assert complaints("response", {"predictions": [{**declined, "quantity": 1}]})
    for name in forecast:
        short = {key: value for key, value in forecast.items() if key != name}
        assert complaints("response", {"predictions": [short]})
