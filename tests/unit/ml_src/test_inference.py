"""Serving: a model's folder as the container has it, good requests, and bad ones with 4xx."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_src.churn import artifact, inference, matrix
from ml_src.churn.inference import Model, input_fn, model_fn, output_fn, predict_fn
from ml_src.churn.schema import INPUTS
from ml_src.shared.serving import RequestError
from tests.unit.ml_src.conftest import Chain


@pytest.fixture(scope="module")
def model(chain: Chain) -> Model:
    return model_fn(str(chain.model))


@pytest.fixture(scope="module")
def frame(chain: Chain) -> pd.DataFrame:
    return pd.read_csv(chain.table, keep_default_na=False, dtype=str).head(40)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame[list(INPUTS)].to_dict("records")


def answer(model: Model, body: str | bytes, kind: str, accept: str | None = None) -> Any:
    text, given = output_fn(predict_fn(input_fn(body, kind), model), accept)
    if given == "application/json":
        return [item["churn_probability"] for item in json.loads(text)["predictions"]]
    if given == "application/jsonlines":
        return [json.loads(line)["churn_probability"] for line in text.splitlines()]
    return [float(line) for line in text.splitlines()]


def test_every_form_gives_the_same_answer(model: Model, frame: pd.DataFrame) -> None:
    listed = records(frame)
    numbered = [{**item, "tenure": int(item["tenure"])} for item in listed]
    rows = [list(item.values()) for item in listed]
    lines = "\n".join(map(json.dumps, listed))
    header = frame.to_csv(index=False)
    bare = frame[list(INPUTS)].to_csv(index=False, header=False)
    expected = answer(model, bare, "text/csv")
    assert len(expected) == 40 and all(0 < value < 1 for value in expected)
    for body, kind in (
        (header, "text/csv"),
        (header.encode("utf-8-sig"), "text/csv; charset=utf-8"),
        (bare.replace("\n", "\r\n"), "TEXT/CSV"),
        (json.dumps(listed), "application/json"),
        (json.dumps({"instances": numbered}), "application/json"),
        (json.dumps({"instances": rows}), "application/json"),
        (lines, "application/jsonlines"),
    ):
        for accept in ("text/csv", "application/json", "application/jsonlines", "*/*", None):
            assert answer(model, body, kind, accept) == expected


def test_served_probabilities_are_those_of_the_encoded_file(chain: Chain, model: Model) -> None:
    """All rows of the table: what training reads from prepared CSV, serving computes itself."""
    served = predict_fn(input_fn(chain.table.read_bytes(), "text/csv"), model)
    booster, encoder = artifact.load(chain.model)
    prepared = set()
    for side in ("train", "validation", "test"):
        features, _ = matrix.read(chain.prepared / side, len(encoder.columns))
        prepared |= set(booster.inplace_predict(features).tolist())
    assert set(served.tolist()) == prepared


def test_as_the_container_has_it(chain: Chain, frame: pd.DataFrame, tmp_path: Path) -> None:
    """Only the model's folder: the code in it needs nothing else of this project."""
    shutil.copytree(chain.model, tmp_path / "model")
    code = (
        "import inference, sys; assert sys.argv[1] in inference.__file__, inference.__file__;"
        "model = inference.model_fn(sys.argv[1]);"
        "rows = inference.input_fn(sys.stdin.read(), 'text/csv');"
        "print(inference.output_fn(inference.predict_fn(rows, model), 'text/csv')[0], end='');"
        "assert 'ml_src.churn.reading' not in sys.modules"
    )
    served = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model"],
        input=frame.to_csv(index=False),
        env={**os.environ, "PYTHONPATH": str(tmp_path / "model/code")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = output_fn(
        predict_fn(input_fn(frame.to_csv(index=False), "text/csv"), model_fn(str(chain.model))),
        "text/csv",
    )
    assert served.stdout == expected[0]


def test_unseen_categories_are_answered_and_counted(
    model: Model, frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model.unseen["Contract"]
    changed = frame.assign(Contract="Five year")
    assert len(answer(model, changed.to_csv(index=False), "text/csv")) == 40
    assert model.unseen["Contract"] == before + 40
    assert "unseen_category column=Contract count=40\n" in capsys.readouterr().out


def test_nothing_known_of_a_customer_is_answered(model: Model) -> None:
    body = json.dumps([dict.fromkeys(INPUTS)])
    assert 0 < answer(model, body, "application/json")[0] < 1


GOOD = {**dict.fromkeys(INPUTS, "Yes"), "SeniorCitizen": 0, "tenure": 3}
GOOD |= {"MonthlyCharges": 20.5, "TotalCharges": "61.5"}
SHORT = {name: value for name, value in GOOD.items() if name != "Contract"}
ROW = ",".join(str(GOOD[name]) for name in INPUTS)


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("", "text/csv", "the body is empty"),
        (" \n", "application/json", "the body is empty"),
        (b"\xff\xfe", "text/csv", "not UTF-8"),
        ("1,2,3", "text/csv", "row 1 has 3 columns; allowed: 19, namely gender"),
        (f"{ROW}\n{ROW},9", "text/csv", "row 2 has 20 columns; allowed: 19"),
        (ROW.replace(",3,", ",three,"), "text/csv", "row 1, column 'tenure': 'three' is not a num"),
        (ROW.replace("20.5", "-1"), "text/csv", "column 'MonthlyCharges': '-1' is not a number fr"),
        (ROW.replace("20.5", "nan0"), "text/csv", "'nan0' is not a number"),
        (ROW.replace("61.5", "inf"), "text/csv", "'inf' is not a number"),
        ("gender,tenure\nMale,3", "text/csv", "the header lacks column 'SeniorCitizen'"),
        (",".join([*INPUTS, "Shoe"]) + f"\n{ROW},9", "text/csv", "unknown column 'Shoe'"),
        (",".join([*INPUTS, "tenure"]) + f"\n{ROW},9", "text/csv", "a column twice"),
        (",".join(INPUTS) + "\n1,2", "text/csv", "row 1 has 2 cells, the header 19"),
        (",".join(INPUTS), "text/csv", "holds no customer"),
        ('"a', "text/csv", "not CSV"),
        ("{", "application/json", "the body is not JSON"),
        ("[" * 100_000, "application/json", "the body is not JSON"),
        ("{}", "application/json", "list of customers"),
        ('"text"', "application/json", "given: a text"),
        ("[]", "application/json", "holds no customer"),
        ("[3]", "application/json", "row 1 is 3; a customer is an object"),
        ("[[1, 2]]", "application/json", "row 1 has 2 columns"),
        (json.dumps([SHORT]), "application/json", "row 1 lacks column 'Contract'"),
        (json.dumps([{**GOOD, "x": 1}]), "application/json", "row 1 has the unknown column 'x'"),
        (json.dumps([{**GOOD, "tenure": True}]), "application/json", "True is not a number"),
        (json.dumps([{**GOOD, "tenure": [1]}]), "application/json", "[1] is not a number"),
        (json.dumps([{**GOOD, "tenure": 10**400}]), "application/json", "is not a number"),
        (json.dumps([{**GOOD, "tenure": float("nan")}]), "application/json", "is not a number"),
        (json.dumps([GOOD, {**GOOD, "gender": 1}]), "application/json", "row 2, column 'gender'"),
        (f"{json.dumps(GOOD)}\n{{", "application/jsonlines", "row 2 is not JSON"),
    ],
)
def test_bad_requests(body: str | bytes, kind: str, expected: str) -> None:
    with pytest.raises(RequestError) as caught:
        input_fn(body, kind)
    assert expected in caught.value.message
    assert caught.value.status_code == 400
    assert "\n" not in caught.value.phrase


@pytest.mark.parametrize("kind", ["image/png", "text/libsvm", "", None])
def test_foreign_content_types(kind: str | None) -> None:
    with pytest.raises(RequestError, match="allowed: text/csv, application/json") as caught:
        input_fn(ROW, kind)
    assert caught.value.status_code == 415


def test_a_foreign_answer(model: Model) -> None:
    prediction = predict_fn(input_fn(ROW, "text/csv"), model)
    with pytest.raises(RequestError, match="allowed") as caught:
        output_fn(prediction, "image/png, text/html")
    assert caught.value.status_code == 406
    assert output_fn(prediction, "image/png, text/csv;q=0.5")[1] == "text/csv"


def test_the_toolkit_answers_with_our_status(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through sagemaker-inference itself, where it is installed."""
    transformer = pytest.importorskip("sagemaker_inference.transformer")
    from unittest.mock import MagicMock

    monkeypatch.setattr(transformer.importlib, "import_module", lambda name: inference)
    monkeypatch.setattr(transformer, "find_spec", lambda name: object())
    context = MagicMock()
    context.system_properties = {"model_dir": str(chain.model)}
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    context.request_processor[0].get_request_properties.return_value = headers
    handler = transformer.Transformer()
    assert 0 < float(handler.transform([{"body": ROW.encode()}], context)[0]) < 1
    (told,) = handler.transform([{"body": b"1,2,3"}], context)
    assert told.startswith("row 1 has 3 columns")
    assert context.set_response_status.call_args.kwargs["code"] == 400
