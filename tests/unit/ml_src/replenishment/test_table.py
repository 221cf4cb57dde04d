"""The table of sales: the public set's layout, our own columns, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ml_src.replenishment import decisions, prepare, sales
from ml_src.replenishment.features import Encoder, EncoderError
from ml_src.replenishment.profiles import profiles
from ml_src.shared.failure import JobError
from ml_src.shared.tables import Problems

HEADER = "id,date,store_nbr,family,sales,onpromotion"


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "sales.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_the_public_layout(tmp_path: Path) -> None:
    """Fractions of a kilogram, counts of items on promotion, and a day that the set lacks."""
    path = write(
        tmp_path,
        "0,2013-12-24,1,GROCERY I,12.5,0",
        "1,2013-12-24,1,BREAD/BAKERY,3.0,4",
        "2,2013-12-24,2,GROCERY I,0.0,0",
        "3,2013-12-26,1,GROCERY I,7.25,12",
    )
    found = sales.read([path], Problems())
    assert (found.stores, found.products, found.days) == (
        ("1", "2"),
        ("GROCERY I", "BREAD/BAKERY"),
        3,
    )
    assert found.store.tolist() == [0, 0, 1] and found.product.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(found.sales[0], [12.5, np.nan, 7.25])
    assert found.promotions.tolist() == [[0, 0, 12], [4, 0, 0], [0, 0, 0]]
    assert np.isnan(found.stock).all() and np.isnan(found.lead).all()
    np.testing.assert_array_equal(found.known(), found.sales)


def test_a_day_that_closes_without_stock_says_nothing_of_demand(tmp_path: Path) -> None:
    header = "date,store_nbr,family,sales,onpromotion,stock,lead_time_days"
    path = write(tmp_path, "2026-01-01,1,cola,5,0,0,2", "2026-01-02,1,cola,4,0,,3", header=header)
    found = sales.read([path], Problems())
    assert found.sales.tolist() == [[5, 4]]
    np.testing.assert_array_equal(found.known(), [[np.nan, 4]])
    assert found.lead.tolist() == [[2, 3]]


def test_files_of_a_folder_belong_together(tmp_path: Path) -> None:
    for number in (1, 2):
        text = f"{HEADER}\n0,2026-01-0{number},1,cola,{number},0\n"
        (tmp_path / f"{number}.csv").write_text(text)
    found = sales.read(sorted(tmp_path.glob("*.csv")), Problems())
    assert found.sales.tolist() == [[1, 2]]


GOOD = "0,2026-01-01,1,cola,5,0"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0,01/02/2026,1,cola,5,0", "line 3, column 'date': '01/02/2026' is not a date such as"),
        ("0,2026-02-30,1,cola,5,0", "'2026-02-30' is not a date"),
        ("0,,1,cola,5,0", "column 'date': nothing is not a date"),
        ("0,2026-01-02,,cola,5,0", "column 'store_nbr': nothing is not a name"),
        (
            "0,2026-01-02,1,cola,-1,0",
            "column 'sales': '-1' is not a number from 0 to 1e+09 (units)",
        ),
        ("0,2026-01-02,1,cola,,0", "column 'sales': nothing is not a number"),
        ("0,2026-01-02,1,cola,many,0", "'many' is not a number"),
        ("0,2026-01-02,1,cola,5", "line 3: 5 cells, but the header has 6 columns"),
    ],
)
def test_a_bad_row_is_left_out_with_its_reason(line: str, expected: str, tmp_path: Path) -> None:
    problems = Problems()
    found = sales.read([write(tmp_path, GOOD, line)], problems)
    assert found.sales.tolist() == [[5]]
    assert problems.rows == 1 and expected in problems.first[0]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "no rows"),
        (["0,never,1,cola,5,0"], "all 1 rows are invalid"),
        ([GOOD, GOOD], "1 rows stand there twice, such as family 'cola' of store_nbr '1' on 2026"),
        ([GOOD, "0,1026-01-01,1,cola,5,0"], "more than 30 years"),
    ],
)
def test_a_table_of_no_use(lines: list[str], expected: str, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=expected):
        sales.read([write(tmp_path, *lines)], Problems())


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "2026-01-01,cola", header="date,family")
    with pytest.raises(JobError, match="missing columns 'store_nbr', 'sales', 'onpromotion'"):
        sales.read([path], Problems())


def test_too_few_days_say_how_many_it_takes(tmp_path: Path) -> None:
    lines = [f"0,2026-{1 + day // 28:02}-{1 + day % 28:02},1,cola,5,0" for day in range(100)]
    path = write(tmp_path, *lines)
    with pytest.raises(JobError, match=r"the \w+ side has \d+ decisions .* at least 50 are needed"):
        prepare.prepare(path, tmp_path / "out", prepare.Settings())


@pytest.mark.parametrize(
    "wrong",
    [
        {"train": 1.0},
        {"train": 0.9, "validation": 0.1},
        {"most_invalid": 1.0},
        {"most_rows": 10},
    ],
)
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(JobError):
        prepare.Settings(**wrong)


def test_demand_of_a_sold_out_day_is_what_its_history_lets_expect(tmp_path: Path) -> None:
    header = "date,store_nbr,family,sales,onpromotion,stock,lead_time_days"
    days = [f"2026-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(84)]
    lines = [
        f"{day},1,cola,{2 if place == 70 else 10},0,{0 if place == 70 else 9},1"
        for place, day in enumerate(sorted(days))
    ]
    found = sales.read([write(tmp_path, *lines, header=header)], Problems())
    encoder = Encoder(profiles(found, 60))
    chosen = decisions.Decisions(np.array([0]), np.array([68]), np.array([1]))
    wanted = decisions.demand(found, chosen, encoder, decisions.windows(found, chosen))
    observed = np.nansum(found.sales[0, 68:76])
    assert observed < 75 and wanted[0] == pytest.approx(observed + 8, abs=1.5)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"version": 2}, "version 2"),
        ({"products": {}}, "knows no product"),
        ({"products": {"cola": {}}}, "incomplete"),
        ({"products": {"cola": {"weekdays": [1], "promotion": 1}}}, "without its seven weekdays"),
        ({"review_days": 14}, "made for other review_days"),
        ({"columns": []}, "made for other columns"),
    ],
)
def test_a_wrong_encoder(change: dict[str, object], expected: str) -> None:
    document = {"products": {"cola": {"weekdays": [1] * 7, "promotion": 1.5}}}
    good = Encoder.from_text(json.dumps({**Encoder({}).document(), **document}))
    with pytest.raises(EncoderError, match=expected):
        Encoder.from_text(json.dumps({**good.document(), **change}))
