"""Preparation: bad data and its reasons, the split, the outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_src.churn import matrix, prepare, reading
from ml_src.churn.features import Encoder
from ml_src.churn.identifiers import shares, split
from ml_src.churn.schema import COLUMNS, INPUTS, NUMBERS
from ml_src.shared.failure import JobError
from ml_src.shared.tables import Problems
from tests.unit.ml_src.conftest import Chain

Edit = Callable[[pd.DataFrame], object]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def frame(table: Path) -> pd.DataFrame:
    return pd.read_csv(table, keep_default_na=False, dtype=str).head(600)


def reason(source: Path, tmp_path: Path, **settings: float) -> str:
    with pytest.raises(JobError) as caught:
        prepare.prepare(source, tmp_path / "out", prepare.Settings(**settings))
    return str(caught.value)


def saved(frame: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    frame.to_csv(path, index=False)
    return path


def test_outputs(chain: Chain) -> None:
    encoder = Encoder.from_text((chain.prepared / "encoder/encoder.json").read_bytes())
    sides = chain.preparation["sides"]
    assert sum(side["rows"] for side in sides.values()) == chain.preparation["rows"] == 7043
    assert 0.78 < sides["train"]["rows"] / 7043 < 0.82
    for side, facts in sides.items():
        features, labels = matrix.read(chain.prepared / side, len(encoder.columns))
        assert features.shape == (facts["rows"], len(encoder.columns))
        assert labels.mean() == pytest.approx(facts["positive_rate"])
        assert np.isfinite(features).all()
    first = (chain.prepared / "train/train.csv").read_text().splitlines()[0].split(",")
    assert first[0] in "01" and len(first) == len(encoder.columns) + 1


def test_baseline(chain: Chain) -> None:
    statistics = json.loads((chain.prepared / "baseline/statistics.json").read_text())
    assert list(statistics["features"]) == list(INPUTS)
    assert statistics["rows"] == chain.preparation["sides"]["train"]["rows"]
    tenure = statistics["features"]["tenure"]
    assert tenure["quantiles"]["0"] == 0 and tenure["quantiles"]["1"] == 72
    assert statistics["version"] == 2
    assert tenure["histogram"]["edges"] == list(range(73))  # few values: each has its own bin
    for name in NUMBERS:
        feature = statistics["features"][name]
        known = round((1 - feature["missing_rate"]) * statistics["rows"])
        assert sum(feature["histogram"]["counts"]) == known
    contract = statistics["features"]["Contract"]["frequencies"]
    assert sum(contract.values()) == pytest.approx(1)
    assert 0 < statistics["features"]["PaymentMethod"]["missing_rate"] < 0.02
    constraints = json.loads((chain.prepared / "baseline/constraints.json").read_text())
    assert constraints["version"] == 1
    assert constraints["features"]["Contract"]["categories"] == sorted(contract)
    assert constraints["features"]["tenure"]["maximum"] == 1200


@pytest.mark.parametrize("column", ["Contract", "customerID", "Churn", "TotalCharges"])
def test_missing_column(column: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    text = reason(saved(frame.drop(columns=column), tmp_path), tmp_path)
    assert f"line 1: missing column '{column}'" in text and "'tenure'" in text


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("tenure", "many", "'many' is not a number from 0 to 1200"),
        ("tenure", "-1", "'-1' is not a number"),
        ("TotalCharges", "inf", "'inf' is not a number"),
        ("MonthlyCharges", "1_0", "'1_0' is not a number"),
        ("SeniorCitizen", "2", "'2' is not a number from 0 to 1"),
        ("Churn", "perhaps", "'perhaps' is not Yes or No"),
        ("Churn", "", "nothing is not Yes or No"),
        ("customerID", "  ", "is not a customer's identifier"),
    ],
)
def test_all_rows_invalid(
    column: str, value: str, allowed: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    text = reason(saved(frame.assign(**{column: value}), tmp_path), tmp_path)
    assert "all 600 rows are invalid" in text
    assert f"line 2, column '{column}'" in text and allowed in text


def test_a_few_invalid_rows_are_left_out_and_named(frame: pd.DataFrame, tmp_path: Path) -> None:
    bad = frame.copy()
    bad.loc[3, "tenure"] = "abc"
    path = saved(bad, tmp_path)
    lines = path.read_text().splitlines()
    lines.insert(2, "too,few,cells")  # line 3; what follows moves down
    path.write_text("\n".join([*lines[:9], "", *lines[9:]]) + "\n\n")
    report = prepare.prepare(path, tmp_path / "out", prepare.Settings())
    assert report["rows"] == 599
    assert report["left_out"]["rows"] == 2
    assert report["left_out"]["by_column"] == {"tenure": 1, "(number of cells)": 1}
    told = " ".join(report["left_out"]["first"])
    assert "line 6, column 'tenure': 'abc'" in told
    assert "line 3: 3 cells, but the header has 21 columns" in told


def test_too_many_invalid_rows(frame: pd.DataFrame, tmp_path: Path) -> None:
    bad = frame.copy()
    bad.loc[:59, "tenure"] = "abc"
    text = reason(saved(bad, tmp_path), tmp_path)
    assert "60 of 600 rows are invalid, more than the 5.0%" in text
    assert "line 2, column 'tenure'" in text and "tenure 60" in text


def test_one_class(frame: pd.DataFrame, tmp_path: Path) -> None:
    text = reason(saved(frame.assign(Churn="No"), tmp_path), tmp_path)
    assert "column 'Churn': all 600 usable rows say No" in text


def test_too_few_rows(frame: pd.DataFrame, tmp_path: Path) -> None:
    few = pd.concat([frame[frame["Churn"] == label].head(4) for label in ("Yes", "No")])
    text = reason(saved(few, tmp_path), tmp_path)
    assert "takes more rows" in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not CSV but a PNG image"),
        (b"PK\x03\x04....", "not CSV but a ZIP archive or an Excel workbook"),
        (b'[{"tenure": 1}]', "not CSV but JSON"),
        (b"abc\0def", "byte 0 at position 3"),
        (b"tenure;Contract\n1;2\n", "missing columns"),
        ((",".join(COLUMNS) + "\n").encode(), "no rows"),
    ],
)
def test_no_table(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(content)
    assert expected in reason(path, tmp_path)


def test_bytes_that_are_no_text(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = saved(frame, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"Male", b"M\xffle", 1))
    assert "byte 0xff" in reason(path, tmp_path) and "UTF-8" in reason(path, tmp_path)


def test_free_text_is_no_category(table: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(table, dtype=str).head(2000)
    frame["Contract"] = [f"text {number}" for number in range(len(frame))]
    text = reason(saved(frame, tmp_path), tmp_path)
    assert "column 'Contract': more than 1000 different values" in text


def test_column_twice(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = saved(frame, tmp_path)
    path.write_text(path.read_text().replace("gender", "tenure", 1).replace("Churn", "gender", 1))
    assert "missing column 'Churn'" in reason(path, tmp_path)
    path.write_text(path.read_text().replace("gender", "gender,Churn,tenure", 1))
    assert "column 'tenure' stands there more than once" in reason(path, tmp_path)


@pytest.mark.parametrize("name", ["absent", "folder"])
def test_no_input(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("x")
    expected = "no such file" if name == "absent" else "no .csv file in this folder, which holds"
    assert expected in reason(tmp_path / name, tmp_path)


@pytest.mark.parametrize(
    "settings", [{"train": 0}, {"train": 0.9, "validation": 0.1}, {"most_invalid": 1}]
)
def test_wrong_shares(settings: dict[str, float]) -> None:
    with pytest.raises(JobError, match="--"):
        prepare.Settings(**settings)


def test_several_files_columns_in_any_order_and_extra_ones(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    whole, parts = saved(frame, tmp_path), tmp_path / "parts"
    parts.mkdir()
    frame.head(250).to_csv(parts / "1.csv", index=False)
    other = frame.tail(350)[sorted(COLUMNS)].assign(Extra="x")
    other.to_csv(parts / "2.CSV", index=False, encoding="utf-8-sig")
    for source, output in ((whole, "a"), (parts, "b")):
        prepare.prepare(source, tmp_path / output, prepare.Settings())
    for path in sorted((tmp_path / "a").rglob("*.*")):
        same = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert same.read_bytes() == path.read_bytes(), path.name


def test_all_rows_of_a_customer_fall_on_one_side(frame: pd.DataFrame) -> None:
    identifiers = np.array([7, 8, 9, 7, 7, 10, 9] * 100, np.uint64)
    sides = split(identifiers, 0.5, 0.25, seed=3)
    found = [set(identifiers[rows]) for rows in sides.values()]
    assert sum(map(len, found)) == len(set(identifiers))
    assert sum(map(len, sides.values())) == len(identifiers)


def test_places_are_even_and_depend_on_the_seed() -> None:
    identifiers = np.arange(20_000, dtype=np.uint64)
    one, two = shares(identifiers, 1), shares(identifiers, 2)
    assert np.histogram(one, 10, (0, 1))[0] == pytest.approx(2000, rel=0.1)
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03


def test_identifiers_differ_by_content_not_by_blanks(frame: pd.DataFrame, tmp_path: Path) -> None:
    spaced = frame.assign(customerID=" " + frame["customerID"] + " ")
    both = pd.concat([frame, spaced])
    table = reading.read([saved(both, tmp_path)], Problems())
    assert (table.identifiers[:600] == table.identifiers[600:]).all()
    assert len(set(table.identifiers[:600])) == 600


def test_the_encoder_never_sees_what_only_the_other_sides_have(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    table = reading.read([saved(frame, tmp_path)], Problems())
    sides = split(table.identifiers, 0.8, 0.1, 1)
    marked = frame.copy()
    for side, mark in (("validation", "Only validation"), ("test", "Only test")):
        marked.loc[sides[side][:5], "Contract"] = mark
        marked.loc[sides[side], "MonthlyCharges"] = "99999"
    saved(marked, tmp_path)
    report = prepare.prepare(tmp_path / "customers.csv", tmp_path / "out", prepare.Settings())
    document = (tmp_path / "out/encoder/encoder.json").read_text()
    assert "Only" not in document
    assert json.loads(document)["medians"]["MonthlyCharges"] < 200
    assert report["unseen"] == {"validation": {"Contract": 5}, "test": {"Contract": 5}}


def test_as_a_script_the_reason_goes_where_sagemaker_reads_it(tmp_path: Path) -> None:
    script = ROOT / "ml_src/churn/prepare.py"
    message = tmp_path / "message"
    ended = subprocess.run(
        [sys.executable, script, "--input", tmp_path / "none", "--failure-file", message],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert ended.returncode == 1
    assert "no such file or folder" in message.read_text()
    assert ended.stderr.splitlines() == [f"error: {message.read_text()}"]


def test_memory_stays_near_the_tables_own_size(tmp_path: Path) -> None:
    from ml_src.churn import generate

    source = tmp_path / "customers.csv"
    generate.write(source, generate.blocks(200_000, seed=5))
    code = (
        "import resource, sys; from pathlib import Path; from ml_src.churn import prepare;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "prepare.prepare(Path(sys.argv[1]), Path(sys.argv[2]), prepare.Settings());"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, source, tmp_path / "out"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    # Blocks in flight weigh some 100 MB whatever the size; the table itself less than its text.
    assert int(ended.stdout) * 1024 < 150e6 + 1.0 * source.stat().st_size
