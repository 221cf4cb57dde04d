"""From counts and forecasts to orders, and what the endpoint is asked."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator
from hypothesis import given
from hypothesis import strategies as some

from retail import orders, request
from retail.orders import Planned

CONTRACT = Path(__file__).parents[3] / "ml_src" / "replenishment"
TODAY = "2026-11-23"


def forecast(p50: float, p90: float, horizon: int = 9, **more: Any) -> dict[str, Any]:
    demand = {"p10": 0, "p25": 0, "p50": p50, "p75": p50, "p90": p90, "p95": p90}
    answer = {"status": "forecast", "horizon_days": horizon, "service_level": 0.9}
    return {**answer, "demand": demand, "quantity": 0, **more}


def quantity(rules: dict[str, Any], p50: float, p90: float, stock: int = 0, coming: int = 0) -> Any:
    line = orders.order(Planned("cola", "cola", **rules), stock, coming, forecast(p50, p90))
    return line.quantity, line.because


@pytest.mark.parametrize(
    ("rules", "stock", "coming", "expected"),
    [
        ({}, 0, 0, (21, ())),  # 20.4 wanted
        ({}, 14, 3, (4, ())),
        ({}, 21, 0, (0, ("enough",))),
        ({}, 10, 11, (0, ("enough",))),
        ({"safety_stock": 5}, 0, 0, (26, ())),
        ({"backroom": 6}, 14, 0, (1, ())),
        ({"pack_size": 6}, 0, 0, (24, ())),
        ({"minimum_order": 30}, 0, 0, (30, ("minimum_order",))),
        ({"minimum_order": 30, "pack_size": 8}, 0, 0, (32, ("minimum_order",))),
        # Wanted 20.4, and 9 of 10 fit, since nothing is sold before it arrives.
        ({"maximum_shelf": 10, "lead_time_days": 0}, 1, 0, (9, ("maximum_shelf",))),
        ({"maximum_shelf": 10, "lead_time_days": 0, "pack_size": 4}, 1, 0, (8, ("maximum_shelf",))),
        # A third of the horizon's 9 units is sold by then.
        ({"maximum_shelf": 10, "lead_time_days": 3}, 6, 0, (7, ("maximum_shelf",))),
        (
            {"maximum_shelf": 10, "lead_time_days": 0, "minimum_order": 10},
            5,
            0,
            (0, ("maximum_shelf",)),
        ),
    ],
)
def test_the_rules_of_a_product(
    rules: dict[str, Any], stock: int, coming: int, expected: tuple[int, tuple[str, ...]]
) -> None:
    assert quantity(rules, 9.0, 20.4, stock, coming) == expected


@given(
    some.integers(1, 24),
    some.integers(0, 60),
    some.one_of(some.none(), some.integers(0, 200)),
    some.integers(0, 200),
    some.floats(0, 300),
)
def test_an_order_is_whole_packs_at_least_the_minimum_and_fits(
    pack: int, least: int, most: int | None, stock: int, wanted: float
) -> None:
    rules = {"pack_size": pack, "minimum_order": least, "maximum_shelf": most, "lead_time_days": 0}
    found, _ = quantity(rules, wanted / 2, wanted, stock)
    assert found % pack == 0
    assert found == 0 or found >= least
    assert most is None or found == 0 or stock + found <= most


def test_a_service_level_without_its_quantile_is_a_bad_answer() -> None:
    with pytest.raises(orders.BadAnswer, match="no quantile p85"):
        orders.wanted_of(forecast(1, 2, service_level=0.85))


PLAN = (
    Planned("cola", "Cola 1 l", lead_time_days=2, pack_size=6),
    Planned("gum", "Gum", backroom=3),
)


def document(**more: Any) -> dict[str, Any]:
    sales = {"Cola 1 l": {"2026-11-22": {"sales": 4}}}
    counts = {"cola": 5, "mop": 1}
    coming = [
        {"product": "Cola 1 l", "quantity": 6, "due": "2026-11-24"},
        {"product": "Cola 1 l", "quantity": 60, "due": "2026-11-23"},
    ]
    asked = request.build("3", TODAY, PLAN, counts, coming, sales)
    assert asked is not None
    names = ("store", "product", "date")
    answers = [
        {**{name: asked["instances"][0][name] for name in names}, **forecast(20, 30)},
        {
            **{name: asked["instances"][1][name] for name in names},
            "status": "unknown_product",
        },
    ]
    products = [
        {"product": name, "count": count, "confidence": 90.0, "pictures": [1]}
        for name, count in counts.items()
    ]
    return {
        "format": "1",
        "event": {"read_at": f"{TODAY}T07:30:00Z", "products": products},
        "plan": [asdict(each) for each in PLAN],
        "open": coming,
        "seen": None,
        "request": asked,
        "answer": {"predictions": answers},
        **more,
    }


def test_a_reading_comes_to_lines_what_was_left_out_and_what_is_on_its_way() -> None:
    decision = orders.decide(document())
    (line,) = decision.lines
    # 30 wanted, 5 on the shelf, 6 come tomorrow; what was due today is there, or never came.
    assert (line.product, line.counted, line.on_order, line.quantity) == ("Cola 1 l", 5, 6, 24)
    assert list(decision.left_out) == [
        {"product": "mop", "why": "not_in_plan"},
        {"product": "Gum", "why": "unknown_product"},
    ]
    assert [(each["quantity"], each["due"]) for each in decision.open] == [
        (6, "2026-11-24"),
        (24, "2026-11-25"),
    ]


def test_deciding_again_from_json_comes_to_the_same() -> None:
    kept = json.loads(json.dumps(document()))
    assert orders.decide(kept) == orders.decide(document())


def test_an_answer_to_another_question_is_refused() -> None:
    given = document()
    given["answer"]["predictions"].reverse()
    with pytest.raises(orders.BadAnswer):
        orders.decide(given)
    with pytest.raises(orders.BadAnswer, match="2 products were asked about and 0 answered"):
        orders.decide(document(answer=None))


def test_a_shelf_without_a_plan_orders_nothing() -> None:
    decision = orders.decide(document(plan=[], request=None, answer=None))
    assert not decision.lines
    assert [each["why"] for each in decision.left_out] == ["not_in_plan", "not_in_plan"]


def test_the_request_keeps_the_endpoints_contract() -> None:
    schema = json.loads((CONTRACT / "request.schema.json").read_text())
    asked = document()["request"]
    # This validator does not count nulls as items.
    known = json.loads(json.dumps(asked).replace("null", "0"))
    assert not list(StandardValidator(schema).iter_errors(known))
    cola, gum = asked["instances"]
    assert cola["sales"][-1] == 4 and cola["sales"][:-1] == [None] * 27
    assert (cola["stock"], cola["on_order"], gum["stock"], gum["on_order"]) == (5, 6, 3, 0)


def test_promotions_to_come_are_told_up_to_the_last() -> None:
    rows = {TODAY: {"promotion": 1}, "2026-11-25": {"promotion": 2}, "2026-11-01": {"sales": 2}}
    asked = request.build("3", TODAY, PLAN[:1], {}, [], {"Cola 1 l": rows})
    assert asked is not None
    (cola,) = asked["instances"]
    assert cola["planned_promotions"] == [1, 0, 2]
    assert cola["promotions"] == [0] * 28
    first, last = request.span(TODAY)
    assert (first, last) == ("2026-10-26", "2027-01-17")


def test_the_answer_we_read_keeps_the_endpoints_contract() -> None:
    schema = json.loads((CONTRACT / "response.schema.json").read_text())
    assert not list(StandardValidator(schema).iter_errors(document()["answer"]))
