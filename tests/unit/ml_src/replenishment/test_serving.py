"""Serving: the contract's answers, what is declined, bad requests with 4xx, and the watch."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import config
from ml_src.replenishment import artifact, capture, decisions, request_body, sales
from ml_src.replenishment.features import EXPECTED, units
from ml_src.replenishment.inference import Model, input_fn, output_fn, predict_fn
from ml_src.replenishment.schema import INPUTS, NAMES, QUANTILES
from ml_src.shared.drift import job
from ml_src.shared.failure import JobError
from ml_src.shared.request_body import CSV, JSON, JSON_LINES
from ml_src.shared.serving import RequestError
from ml_src.shared.tables import Problems
from tests.unit.ml_src.drift import support
from tests.unit.ml_src.replenishment.conftest import Chain
from tests.unit.ml_src.replenishment.contract import complaints


def ask(model: Model, *instances: dict[str, Any]) -> list[dict[str, Any]]:
    body = json.dumps({"instances": list(instances)})
    text, kind = output_fn(predict_fn(input_fn(body, JSON), model), None)
    assert kind == JSON
    answer = json.loads(text)
    assert complaints("response", answer) == []
    return answer["predictions"]


def cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join("null" if each is None else str(each) for each in value)
    return str(value)


def as_csv(instances: list[dict[str, Any]], header: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    if header:
        writer.writerow(INPUTS)
    writer.writerows([[cell(each.get(name, "")) for name in INPUTS] for each in instances])
    return out.getvalue()


def test_the_sample_is_answered_where_the_environments_look(
    model: Model, sample: dict[str, Any]
) -> None:
    assert complaints("request", {"instances": [sample]}) == []
    (found,) = ask(model, sample)
    assert (found["status"], found["horizon_days"]) == ("forecast", 9)
    for environment in config.environments():
        hosting = config.load(environment).hosting
        assert hosting is not None
        test = hosting.models["replenishment"].smoke_test
        assert test.answer_path == "$.predictions[0].demand.p50"
        assert (test.sample, test.content_type) == ("sample.json", "application/json")
        assert test.least <= found["demand"]["p50"] <= test.most


def test_what_to_order_follows_from_demand_and_stock(model: Model, sample: dict[str, Any]) -> None:
    bare, stocked, ordered, full = ask(
        model,
        {**sample, "stock": 0},
        {**sample, "stock": 20},
        {**sample, "stock": 20, "on_order": 5},
        {**sample, "stock": 1000},
    )
    demand = list(bare["demand"].values())
    assert demand == sorted(demand) and demand[0] > 0
    assert bare["demand"] == stocked["demand"] == full["demand"]  # of stock, demand knows nothing
    assert bare["quantity"] == bare["demand"]["p90"]
    assert stocked["quantity"] == pytest.approx(bare["quantity"] - 20)
    assert ordered["quantity"] == pytest.approx(bare["quantity"] - 25)
    assert full["quantity"] == 0


def test_more_days_and_promotions_ask_for_more(model: Model, sample: dict[str, Any]) -> None:
    plain = {**sample, "planned_promotions": []}
    usual, longer, promoted, busy = (
        each["demand"]["p50"]
        for each in ask(
            model,
            plain,
            {**plain, "lead_time_days": 6},
            {**plain, "planned_promotions": [1] * 9},
            {**plain, "sales": [None if day is None else 3 * day for day in sample["sales"]]},
        )
    )
    assert 1.2 * usual < longer < 2 * usual
    assert 1.1 * usual < promoted
    assert 2.4 * usual < busy < 3.6 * usual


def test_what_is_not_known_is_reported_and_nothing_guessed(
    model: Model, sample: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    strange = {**sample, "product": "A product of tomorrow"}
    young = {**sample, "sales": [None] * 22 + [3] * 6}
    enough = {**sample, "sales": [None] * 21 + [3] * 7}
    found = ask(model, strange, sample, young, enough)
    statuses = [each["status"] for each in found]
    assert statuses == ["unknown_product", "forecast", "too_little_history", "forecast"]
    assert found[1] == ask(model, sample)[0]
    said = capsys.readouterr().out
    assert "declined reason=unknown_product count=1\n" in said
    assert ask(model, strange)[0]["status"] == "unknown_product"
    assert model.declined["too_little_history"] >= 1


def test_every_form_gives_the_same_answer(model: Model, sample: dict[str, Any]) -> None:
    few = {name: sample[name] for name in INPUTS if name not in ("on_order", "promotions")}
    instances = [sample, {**few, "store": "2"}, {**sample, "product": "unheard-of"}]
    expected = ask(model, *instances)
    lines = "\n".join(map(json.dumps, instances))
    for body, kind in (
        (json.dumps(instances), JSON),
        (json.dumps([[each.get(name) for name in INPUTS] for each in instances]), JSON),
        (lines, JSON_LINES),
        (as_csv(instances, header=True), CSV),
        (as_csv(instances, header=False).encode(), f"{CSV}; charset=utf-8"),
    ):
        found = predict_fn(input_fn(body, kind), model)
        assert json.loads(output_fn(found, JSON)[0])["predictions"] == expected, kind
        assert [json.loads(line) for line in output_fn(found, JSON_LINES)[0].splitlines()] == (
            expected
        )
    cells = [line.split(",") for line in output_fn(found, CSV)[0].splitlines()]
    assert [row[0] for row in cells] == ["forecast", "forecast", "unknown_product"]
    assert [float(value) for value in cells[0][1:]] == [
        expected[0]["quantity"],
        *(expected[0]["demand"][name] for name in NAMES),
    ]
    assert cells[2][1:] == [""] * (1 + len(NAMES))


def test_serving_computes_the_features_that_training_did(sold: Chain, model: Model) -> None:
    """The table's own decisions, asked as a caller would ask: the very same forecasts."""
    read = sales.read([sold.table], Problems())
    chosen = decisions.decisions(read, 380, read.days, 40, 1)
    asked = decisions.windows(read, chosen)
    features = model.encoder.transform(asked)
    expected = units(model.booster.inplace_predict(features), features)
    known = read.known()
    instances: list[dict[str, Any]] = []
    for series, day, lead in zip(chosen.series, chosen.day, chosen.lead, strict=True):
        past, coming = slice(day - 28, day), slice(day, day + lead + 7)
        history = [None if np.isnan(value) else value for value in known[series, past].tolist()]
        instances.append(
            {
                "store": read.stores[read.store[series]],
                "product": read.products[read.product[series]],
                "date": str(np.datetime64("2025-01-06") + int(day)),
                "stock": float(read.stock[series, day - 1]),
                "lead_time_days": int(lead),
                "sales": history,
                "promotions": read.promotions[series, past].tolist(),
                "planned_promotions": read.promotions[series, coming].tolist(),
            }
        )
    found = [list(each["demand"].values()) for each in ask(model, *instances)]
    assert len(found) > 20
    np.testing.assert_allclose(found, expected, atol=6e-4)


def test_as_the_container_has_it(sold: Chain, sample: dict[str, Any], tmp_path: Path) -> None:
    """Only the model's folder: the code in it needs nothing else of this project."""
    shutil.copytree(sold.model, tmp_path / "model")
    code = (
        "import inference, sys; assert sys.argv[1] in inference.__file__, inference.__file__;"
        "model = inference.model_fn(sys.argv[1]);"
        "asked = inference.input_fn(sys.stdin.read(), 'application/json');"
        "print(inference.output_fn(inference.predict_fn(asked, model), None)[0], end='');"
        "assert 'ml_src.replenishment.sales' not in sys.modules"
    )
    served = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model"],
        input=json.dumps([sample]),
        env={**os.environ, "PYTHONPATH": str(tmp_path / "model/code")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(served.stdout)["predictions"][0]["status"] == "forecast"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"store": 3}, "row 1, column 'store': 3 is not a text of 1 to 200 characters"),
    ({"product": " "}, "column 'product': ' ' is not a text"),
    ({"product": "x" * 201}, "is not a text of 1 to 200"),
    ({"date": "23 November"}, "column 'date': '23 November' is not a date such as 2026-11-23"),
    ({"date": "2026-02-30"}, "'2026-02-30' is not a date"),
    ({"date": None}, "column 'date': None is not a date"),
    ({"stock": -1}, "column 'stock': -1 is not a number from 0 to 1e+09 (units)"),
    ({"stock": None}, "column 'stock': None is not a number"),
    ({"stock": True}, "column 'stock': True is not a number"),
    ({"on_order": "many"}, "column 'on_order': 'many' is not a number"),
    ({"lead_time_days": 29}, "column 'lead_time_days': 29 is not a number from 0 to 28 (days"),
    ({"lead_time_days": 1.5}, "column 'lead_time_days': 1.5 is not a whole number of days"),
    ({"sales": [1] * 27}, "column 'sales': 27 days is not 28 days, the oldest first"),
    ({"sales": None}, "column 'sales': None is not a list of numbers, a day each"),
    ({"sales": [1] * 27 + [-3]}, "column 'sales', day 28: -3 is not a number from 0"),
    ({"sales": [1] * 27 + ["3"]}, "is not a list of numbers, a day each"),
    ({"sales": [1] * 27 + [True]}, "is not a list of numbers, a day each"),
    ({"sales": [1] * 27 + [10**400]}, "column 'sales'"),
    ({"sales": [float("nan")] * 28}, "column 'sales', day 1: nan is not a number"),
    ({"sales": 7}, "column 'sales': 7 is not a list of numbers"),
    ({"promotions": [None] * 28}, "column 'promotions', day 1: None is not a number from 0"),
    ({"planned_promotions": [0] * 57}, "column 'planned_promotions': 57 days is not at most 56"),
    ({"shelf": 1}, "row 1 has the unknown column 'shelf'"),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG, ids=lambda each: str(each)[:40])
def test_bad_products(wrong: dict[str, Any], expected: str, sample: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as caught:
        input_fn(json.dumps([{**sample, **wrong}]), JSON)
    assert expected in caught.value.message
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "status", "expected"),
    [
        ("", JSON, 400, "the body is empty; it holds at least one product"),
        (b"\xff\xfe", JSON, 400, "not UTF-8"),
        ("{", JSON, 400, "the body is not JSON"),
        ('{"instances": []}', JSON, 400, "holds no product"),
        ('{"instances": [{"store": "1"}]}', JSON, 400, "row 1 lacks column 'product'"),
        ("1,cola,2026-11-23", CSV, 400, "row 1 has 3 columns; allowed: 9, namely store, product"),
        ("x", "image/png", 415, "allowed: text/csv, application/json"),
        ("x", None, 415, "content type None is not accepted"),
    ],
)
def test_bad_requests(body: str | bytes, kind: str | None, status: int, expected: str) -> None:
    with pytest.raises(RequestError) as caught:
        input_fn(body, kind)
    assert expected in caught.value.message
    assert caught.value.status_code == status


def test_a_foreign_answer(model: Model, sample: dict[str, Any]) -> None:
    prediction = predict_fn(input_fn(json.dumps([sample]), JSON), model)
    with pytest.raises(RequestError, match="allowed") as caught:
        output_fn(prediction, "image/png")
    assert caught.value.status_code == 406


def captured(sold: Chain, folder: Path, change: dict[str, Any]) -> Path:
    """Captured requests of the test days, a product each, now and then an unknown one."""
    read = sales.read([sold.table], Problems())
    model = Model(*artifact.load(sold.model))
    chosen = decisions.decisions(read, 357, read.days, 150, 1)
    lines: list[str] = []
    for place, (series, day) in enumerate(zip(chosen.series, chosen.day, strict=True)):
        past = read.known()[series, day - 28 : day].tolist()
        instance = {
            "store": "1",
            "product": "unheard-of" if place % 10 == 0 else read.products[read.product[series]],
            "date": str(np.datetime64("2025-01-06") + int(day)),
            "stock": float(read.stock[series, day - 1]),
            "lead_time_days": int(chosen.lead[place]),
            "sales": [None if np.isnan(value) else value for value in past],
            "promotions": read.promotions[series, day - 28 : day].tolist(),
            "planned_promotions": read.promotions[series, day : day + 14].tolist(),
            **change,
        }
        body = json.dumps({"instances": [instance]})
        answer, kind = output_fn(predict_fn(input_fn(body, JSON), model), None)
        sides = (support.side(body, "JSON", JSON), support.side(answer, "JSON", kind))
        lines.append(support.record(*sides, event=f"event-{place}"))
    return support.write(folder, lines)


def test_requests_and_answers_are_watched(sold: Chain, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline"
    shutil.copytree(sold.prepared / "baseline", baseline / "prepare")
    shutil.copytree(sold.evaluated / "evaluation", baseline / "evaluate")

    def watch(name: str, **change: Any) -> dict[str, Any]:
        folder = captured(sold, tmp_path / name, change)
        options = [f"--captured={folder}", f"--baseline={baseline}", f"--output={tmp_path}"]
        return job.watch(job.parse([*options, "--adapter=ml_src.replenishment.capture"]))

    usual = watch("usual")
    assert usual["requests"]["problems"] == {}
    assert usual["predictions"]["rows"] < usual["requests"]["rows"]  # but for unknown products
    assert "selection_rate" not in usual["predictions"]
    features = {found["name"]: found for found in usual["features"]}
    assert not features["lead_time_days"]["drifted"] and not features["variation"]["drifted"]
    changed = watch("changed", lead_time_days=14)
    assert changed["status"] == "drifted"
    assert any(reason.startswith("lead_time_days: ") for reason in changed["reasons"])
    named = {each["MetricName"] for each in json.loads((tmp_path / "metrics.json").read_text())}
    assert {"DriftDetected", "PredictionPSI", "FeaturePSI"} <= named
    assert "SelectionRate" not in named
    assert "Selected are those" not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("option", ["--labels=x", "--groups=stock"])
def test_a_quantity_has_neither_labels_nor_groups(option: str, sold: Chain, tmp_path: Path) -> None:
    adapter = "--adapter=ml_src.replenishment.capture"
    options = ["--captured=x", f"--baseline={sold.prepared / 'baseline'}", adapter, option]
    with pytest.raises(JobError, match=f"{option[:8]}.* foretells a quantity"):
        job.watch(job.parse([*options, f"--output={tmp_path}"]))


@pytest.mark.parametrize("accept", [CSV, JSON, JSON_LINES])
def test_the_watch_reads_whatever_is_answered(
    accept: str, model: Model, sample: dict[str, Any]
) -> None:
    body = json.dumps([sample, {**sample, "product": "unheard-of"}])
    given = predict_fn(input_fn(body, JSON), model)
    answer, kind = output_fn(given, accept)
    assert capture.predictions(answer, kind) == [given[0]["demand"]["p50"], None]
    with pytest.raises(ValueError):
        capture.predictions("{}", JSON)


def test_a_request_of_six_megabytes_is_read_in_reason(model: Model, sample: dict[str, Any]) -> None:
    body = json.dumps([sample] * 4000)
    asked = input_fn(body, JSON)
    assert len(asked.windows) == 4000
    found = predict_fn(asked, model)
    assert len({json.dumps(each) for each in found}) == 1
    assert found[0] == ask(model, sample)[0]
    assert request_body.FORM.noun == "product" and len(QUANTILES) == len(NAMES) and EXPECTED == 0
