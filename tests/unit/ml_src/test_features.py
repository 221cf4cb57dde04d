"""The encoding: the same at preparation and at serving, whatever a row holds."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_src.churn import matrix, reading, request_body
from ml_src.churn.features import Customers, Encoder
from ml_src.churn.schema import CATEGORIES, COLUMNS, INPUTS, NUMBERS
from ml_src.shared.columns import Categories
from ml_src.shared.encoding import EncoderError
from ml_src.shared.request_body import CSV, JSON, JSON_LINES
from ml_src.shared.tables import Problems
from tests.unit.ml_src.conftest import Chain

WORDS = st.sampled_from(["Yes", "No", "DSL", "One year", "Neu ä", "=x", " Yes ", "", " "])
SENIOR = st.sampled_from(["0", "1", ""])
MONTHS = st.sampled_from(["0", "1", "72", "", " "]) | st.integers(0, 1200).map(str)
MONEY = st.sampled_from(["", " ", "0", "0.0"]) | st.floats(0, 1e6).map(repr)


@st.composite
def rows(draw: st.DrawFn) -> list[str]:
    strategies = {
        **dict.fromkeys(CATEGORIES, WORDS),
        "SeniorCitizen": SENIOR,
        "tenure": MONTHS,
        "MonthlyCharges": MONEY,
        "TotalCharges": MONEY,
    }
    return [draw(strategies[name]) for name in INPUTS]


def customers(**changes: object) -> Customers:
    """One ordinary customer, with changes."""
    numbers = {"SeniorCitizen": 0.0, "tenure": 24.0, "MonthlyCharges": 50.0, "TotalCharges": 1200.0}
    words: dict[str, str | None] = dict.fromkeys(CATEGORIES, "Yes")
    numbers |= {name: value for name, value in changes.items() if name in NUMBERS}  # type: ignore[misc]
    words |= {name: value for name, value in changes.items() if name in CATEGORIES}  # type: ignore[misc]
    return Customers(
        {name: np.array([value]) for name, value in numbers.items()},
        {name: Categories.of([word]) for name, word in words.items()},
    )


@pytest.fixture(scope="module")
def encoder(chain: Chain) -> Encoder:
    return Encoder.from_text((chain.prepared / "encoder/encoder.json").read_bytes())


@settings(max_examples=60, deadline=None)
@given(table=st.lists(rows(), min_size=1, max_size=6))
def test_any_row_is_encoded_alike_by_preparation_and_serving(
    table: list[list[str]], encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    path, encoded = folder / "customers.csv", folder / "train.csv"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(table):
        writer.writerow([f"c{number}", *row, "Yes"])
    path.write_text(out.getvalue(), encoding="utf-8")
    read = reading.read([path], Problems())
    assert len(read.labels) == len(table)
    matrix.write(encoded, encoder, read.customers, read.labels, np.arange(len(table)))
    prepared, _ = matrix.read(encoded, len(encoder.columns))

    bodies = {
        CSV: "\n".join(out.getvalue().splitlines()),
        JSON: json.dumps(table),
        JSON_LINES: "\n".join(json.dumps(row) for row in table),
    }
    for kind, body in bodies.items():
        served = encoder.transform(request_body.read(body, kind))
        assert served.dtype == prepared.dtype
        assert served.tobytes() == prepared.tobytes(), kind


def test_an_unseen_category_is_zeros_and_counted(encoder: Encoder) -> None:
    one = customers(Contract="Five year")
    columns = [name.startswith("Contract=") for name in encoder.columns]
    assert not encoder.transform(one)[0, columns].any()
    assert encoder.unseen(one)["Contract"] == 1
    missing = customers(Contract=None)
    assert not encoder.transform(missing)[0, columns].any()
    assert "Contract" not in encoder.unseen(missing)


@pytest.mark.parametrize(
    ("changes", "feature", "expected"),
    [
        ({"tenure": 24.0}, "tenure_years", 2),
        ({"MonthlyCharges": 50.0, "TotalCharges": 1200.0}, "charge_ratio", 50 / 1200),
        ({"TotalCharges": 0.0}, "charge_ratio", 1),
        ({"tenure": 0.0, "TotalCharges": np.nan}, "TotalCharges", 0),
        ({"tenure": 0.0, "TotalCharges": np.nan}, "charge_ratio", 1),
        ({"tenure": 5.0, "TotalCharges": np.nan}, "TotalCharges", 777),
        ({"MonthlyCharges": np.nan}, "MonthlyCharges", 66),
    ],
)
def test_numbers(changes: dict[str, float], feature: str, expected: float) -> None:
    medians = {"SeniorCitizen": 0, "tenure": 29, "MonthlyCharges": 66, "TotalCharges": 777}
    encoder = Encoder(medians, dict.fromkeys(CATEGORIES, ("No", "Yes")))
    found = encoder.transform(customers(**changes))[0, encoder.columns.index(feature)]
    assert found == pytest.approx(expected)


def test_a_column_without_any_value(encoder: Encoder) -> None:
    fitted = Encoder.fit(customers(TotalCharges=np.nan, Contract=None))
    assert fitted.medians["TotalCharges"] == 0
    assert fitted.categories["Contract"] == ()
    assert np.isfinite(fitted.transform(customers())).all()


def test_the_document_gives_back_the_encoder(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "encoder.json")
    assert Encoder.from_text((tmp_path / "encoder.json").read_bytes()) == encoder


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"version": 2}, "version 2, this code reads 1"),
        ({"medians": {}}, "incomplete"),
        ({"columns": []}, "columns are not those"),
        ({"unseen": "error"}, "columns are not those"),
    ],
)
def test_a_wrong_document(change: dict[str, object], expected: str, encoder: Encoder) -> None:
    with pytest.raises(EncoderError, match=expected):
        Encoder.from_text(json.dumps({**encoder.document(), **change}))


@pytest.mark.parametrize("text", ["", "[]", "null", "{"])
def test_no_document(text: str) -> None:
    with pytest.raises(EncoderError):
        Encoder.from_text(text)
