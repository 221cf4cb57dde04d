"""Reading the capture's files: every form, and nothing lost silently."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_src.churn import capture
from ml_src.churn.schema import INPUTS
from ml_src.shared.drift import adapter, batches, captured
from ml_src.shared.drift.batches import Batch
from ml_src.shared.drift.captured import BAD_ANSWER, BAD_LINE, REFUSED, Seen, Window
from ml_src.shared.failure import JobError
from tests.unit.ml_src.drift import support

ROWS = [cells for cells, _ in support.customers(5, seed=3)]
LINE = ",".join(ROWS[0])


def read(folder: Path, window: Window | None = None) -> tuple[list[Batch], Seen]:
    seen = Seen()
    return list(batches.batches(folder, capture, seen, window or Window())), seen


def one(tmp_path: Path, *lines: str) -> tuple[Batch, Seen]:
    (found,), seen = read(support.write(tmp_path, lines))
    return found, seen


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def objects(rows: list[list[str]]) -> list[dict[str, str]]:
    return [dict(zip(INPUTS, row, strict=True)) for row in rows]


CSV = "\n".join(",".join(row) for row in ROWS)
JSON = "application/json"
RECORDS = [{"churn_probability": value} for value in (0.1, 0.2, 0.3, 0.4, 0.5)]
JSON_LINES = "application/jsonlines"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (support.side(CSV), support.side("0.1\n0.2\n0.3\n0.4\n0.5\n")),
        (support.side(CSV, kind=None), support.side("0.1,0.2,0.3,0.4,0.5", kind="text/csv; x=y")),
        (
            support.side(f"{','.join(INPUTS)}\n{CSV}\n"),
            support.side(json.dumps({"predictions": RECORDS}), "JSON", JSON),
        ),
        (
            support.side(encoded(CSV), "BASE64"),
            support.side(
                encoded(json.dumps({"predictions": RECORDS})), "BASE64", "application/json"
            ),
        ),
        (
            support.side(json.dumps({"instances": objects(ROWS)}), "JSON", JSON),
            support.side("\n".join(map(json.dumps, RECORDS)), "JSON", JSON_LINES),
        ),
        (
            support.side("\n".join(map(json.dumps, objects(ROWS))), "JSON", JSON_LINES),
            support.side(json.dumps({"predictions": RECORDS}), "JSON", None),
        ),
    ],
)
def test_every_form_gives_the_same(asked: Any, answered: Any, tmp_path: Path) -> None:
    found, seen = one(tmp_path, support.record(asked, answered, "event"))
    assert (seen.files, seen.lines, seen.requests, seen.rows, seen.problems) == (1, 1, 1, 5, {})
    assert found.predictions.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert found.keys == ["event"] and found.sizes == [5] and found.asked.all()
    expected = capture.columns(ROWS)
    for name in INPUTS:
        if isinstance(expected[name], np.ndarray):
            np.testing.assert_array_equal(found.columns[name], expected[name])
        else:
            assert texts(found.columns[name]) == texts(expected[name])


def texts(column: Any) -> list[str | None]:
    return [column.values[code] if code >= 0 else None for code in column.codes]


def test_the_callers_own_identifier_goes_before_the_events(tmp_path: Path) -> None:
    line = support.record(support.side(LINE), support.side("0.5"), "event", inferenceId="mine")
    assert one(tmp_path, line)[0].keys == ["mine"]


def test_either_side_alone(tmp_path: Path) -> None:
    found, seen = one(
        tmp_path,
        support.record(support.side(LINE), None, "1"),
        support.record(None, support.side("0.25\n0.75"), "2"),
        support.record(support.side(LINE), support.side("0.5"), "3"),
    )
    assert seen.requests == 3 and seen.rows == 4 and not seen.problems
    assert found.asked.tolist() == [True, False, False, True]
    assert len(found.columns["tenure"]) == 2
    np.testing.assert_array_equal(found.predictions, [np.nan, 0.25, 0.75, 0.5])


GOOD = support.record(support.side(LINE), support.side("0.5"), "good")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "Expecting property name"),
        (GOOD[: len(GOOD) // 2], "line 2"),
        ("[1]", "not a capture record"),
        ("3", "not a capture record"),
        ("{}", "no 'captureData'"),
        ('{"captureData": {}, "eventMetadata": {"eventId": "x"}}', "neither endpointInput nor"),
        ('{"captureData": {"endpointInput": {}}, "eventMetadata": {"eventId": "x"}}', "no 'data'"),
        ('{"captureData": {}, "eventMetadata": {}}', "no 'eventId'"),
        ('{"captureData": {}, "eventMetadata": null}', "not a capture record"),
        (support.record(support.side(LINE, "XML"), None, "x"), "encoding is 'XML'; known are CSV"),
        (support.record(support.side("?", "BASE64"), None, "x"), "is not base64"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_bad_lines(line: str, expected: str, tmp_path: Path) -> None:
    found, seen = one(tmp_path, GOOD, line, "", GOOD)
    assert seen.lines == 3 and seen.requests == 2 and len(found.keys) == 2
    assert seen.problems == {BAD_LINE: 1}
    (told,) = seen.examples[BAD_LINE]
    assert "25-49-000.jsonl, line 2: " in told and expected in told


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (support.side("1,2,3"), "row 1 has 3 columns"),
        (support.side(LINE.replace(ROWS[0][4], "many", 1)), "'many' is not a number"),
        (support.side("x", "BASE64", "image/png"), "is not base64"),
        (support.side(encoded("x"), "BASE64", "image/png"), "content type 'image/png'"),
        (support.side(encoded(LINE)[:-4] + "/w==", "BASE64"), "not UTF-8"),
        (support.side("", "CSV"), "the body is empty"),
    ],
)
def test_requests_that_the_endpoint_refuses(asked: Any, expected: str, tmp_path: Path) -> None:
    lines = [GOOD, support.record(asked, support.side("0.5"), "bad"), GOOD]
    found, seen = one(tmp_path, *lines)
    assert seen.lines == 3 and seen.requests == 2 and found.keys == ["good", "good"]
    assert sum(seen.problems.values()) == 1
    (told,) = [text for kept in seen.examples.values() for text in kept]
    assert "line 2: " in told and expected in told


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (support.side("0.5\n0.6"), "2 predictions for 1 rows"),
        (support.side("high"), "could not convert"),
        (support.side("nan"), "not finite"),
        (support.side('{"error": "x"}', "JSON", JSON), "not the form"),
        (support.side("{", "JSON", JSON), "Expecting"),
        (support.side(encoded("x"), "BASE64", "text/html"), "'text/html'"),
    ],
)
def test_an_unusable_answer_keeps_its_request(answered: Any, expected: str, tmp_path: Path) -> None:
    found, seen = one(tmp_path, support.record(support.side(LINE), answered, "x"))
    assert seen.requests == 1 and np.isnan(found.predictions).all() and found.asked.all()
    assert seen.problems == {BAD_ANSWER: 1}
    assert expected in seen.examples[BAD_ANSWER][0]


def test_many_bad_among_many_good(tmp_path: Path) -> None:
    rows = [cells for cells, _ in support.customers(1000, seed=4)]
    for number in range(0, 1000, 7):
        rows[number] = [*rows[number][:4], "many", *rows[number][5:]]
    found, seen = one(tmp_path, *support.requests(rows, [0.5] * 1000))
    bad = len(range(0, 1000, 7))
    assert seen.problems == {REFUSED: bad} and seen.requests == 1000 - bad == len(found.keys)
    assert seen.examples[REFUSED][1].startswith("churn/live/2026/01/31/17/25-49-000.jsonl, line 8:")
    assert len(seen.examples[REFUSED]) == captured.SHOWN
    good = [cells for number, cells in enumerate(rows) if number % 7]
    expected = capture.columns(good)
    np.testing.assert_array_equal(found.columns["tenure"], expected["tenure"])
    assert texts(found.columns["PaymentMethod"]) == texts(expected["PaymentMethod"])


pieces = st.sampled_from(
    [
        GOOD,
        "",
        "{",
        '"text"',
        support.record(support.side("1,2"), None, "x"),
        support.record(support.side(LINE), None, "x", inferenceTime="2020-01-01T00:00:00Z"),
        support.record(support.side(LINE), None, "x", inferenceTime="yesterday"),
        support.record(None, support.side("0.5"), "x"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.one_of(pieces, st.text(max_size=30)), max_size=30))
def test_every_line_is_accounted_for(
    lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    text = "\n".join([GOOD, *lines]).encode("utf-8", errors="surrogatepass")
    (folder / "a.jsonl").write_bytes(text)
    window = Window(since=captured.instant("2025-01-01T00:00:00Z"))
    _, seen = read(folder, window)
    assert seen.lines == sum(1 for line in text.split(b"\n") if line.strip())
    assert seen.lines == seen.requests + seen.outside + sum(seen.problems.values())


def test_the_window(tmp_path: Path) -> None:
    hours = ["10:59:59Z", "11:00:00Z", "11:30:00.250Z", "12:00:00+00:00", "14:00:00+02:00"]
    lines = [
        support.record(support.side(LINE), None, hour, inferenceTime=f"2026-01-31T{hour}")
        for hour in hours
    ]
    window = Window(captured.instant("2026-01-31T11:00:00"), captured.instant("2026-01-31T12:00Z"))
    (found,), seen = read(support.write(tmp_path, lines), window)
    assert found.keys == hours[1:3] and seen.outside == 3
    assert (seen.first, seen.last) == ("2026-01-31T11:00:00Z", "2026-01-31T11:30:00.250Z")


def test_many_files_and_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 3)
    for hour in ("09", "10"):
        support.write(tmp_path, [GOOD] * 4, f"{hour}/a.jsonl")
    support.write(tmp_path, ["not for us"], "10/manifest.txt")
    found, seen = read(tmp_path)
    assert [len(batch.keys) for batch in found] == [3, 3, 2]
    assert (seen.files, seen.other_files, seen.lines, seen.rows) == (2, 1, 8, 8)


def test_nothing_captured(tmp_path: Path) -> None:
    assert read(tmp_path) == ([], Seen())


def test_other_files_in_place_of_the_captures(tmp_path: Path) -> None:
    support.write(tmp_path, ['{"tenure": 3}', "x"])
    with pytest.raises(JobError, match="none of the 2 lines in 1 files is a record of SageMaker"):
        read(tmp_path)
    with pytest.raises(JobError, match="no such folder"):
        read(tmp_path / "none")


def test_adapters() -> None:
    assert adapter.load("ml_src.churn.capture") is capture
    with pytest.raises(JobError, match=r"ml_src\.none: cannot be imported"):
        adapter.load("ml_src.none")
    with pytest.raises(JobError, match="lacks parse, columns, predictions, LABELS"):
        adapter.load("json.tool")
