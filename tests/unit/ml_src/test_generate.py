"""The made-up table: its form, its likeness to the public set, and that a seed fixes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_src.churn import generate
from ml_src.churn.schema import COLUMNS, INPUTS


@pytest.fixture(scope="module")
def frame(table: Path) -> pd.DataFrame:
    return pd.read_csv(table, keep_default_na=False, dtype=str)


def test_columns_and_their_order(frame: pd.DataFrame) -> None:
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 7043
    assert sorted(INPUTS) == sorted(set(COLUMNS) - {"customerID", "Churn"})
    assert frame["customerID"].is_unique
    assert frame["customerID"].str.fullmatch(r"\d{4}-[A-Z]{5}").all()


def test_a_new_customer_has_a_blank_total(frame: pd.DataFrame) -> None:
    new = frame["tenure"] == "0"
    assert new.sum() > 10
    assert (frame.loc[new, "TotalCharges"] == " ").all()
    assert not (frame.loc[~new, "TotalCharges"] == " ").any()


def test_likeness_to_the_public_set(frame: pd.DataFrame) -> None:
    churn = frame["Churn"] == "Yes"
    assert 0.22 < churn.mean() < 0.31
    by_contract = churn.groupby(frame["Contract"]).mean()
    assert by_contract["Month-to-month"] > 0.35 > 0.2 > by_contract["One year"]
    assert by_contract["One year"] > by_contract["Two year"]
    assert 50 < frame["MonthlyCharges"].replace("", np.nan).astype(float).mean() < 75
    assert 0 < (frame["PaymentMethod"] == "").mean() < 0.02
    without = frame["InternetService"] == "No"
    assert (frame.loc[without, "StreamingTV"] == "No internet service").all()


def test_a_seed_fixes_the_rows_and_a_longer_table_begins_with_the_shorter(tmp_path: Path) -> None:
    texts = []
    for rows, seed in ((50, 1), (50, 1), (70_000, 1), (50, 2)):
        path = tmp_path / f"{rows}-{seed}.csv"
        assert generate.write(path, generate.blocks(rows, seed=seed)) == rows
        texts.append(path.read_text().splitlines()[:51])
    assert texts[0] == texts[1] == texts[2] != texts[3]


def test_unseen_categories_by_option(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    generate.main(["--rows", "500", "--unseen", "0.2", "--missing", "0", "--output", str(path)])
    frame = pd.read_csv(path)
    assert 50 < (frame["Contract"] == "Five year").sum() < 150
    assert 50 < (frame["PaymentMethod"] == "Digital wallet").sum() < 150


@pytest.mark.parametrize("wrong", [["--rows", "0"], ["--missing", "2"], ["--seed", "-1"]])
def test_wrong_arguments(wrong: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        generate.main([*wrong, "--output", str(tmp_path / "x.csv")])
