"""Late labels: joined by request and row, late corrections, and mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml_src.churn.schema import LABELS
from ml_src.shared.drift import labels
from ml_src.shared.drift.batches import Batch
from ml_src.shared.failure import JobError


def batch(**sizes: int) -> Batch:
    rows = sum(sizes.values())
    return Batch({}, np.zeros(rows, bool), np.zeros(rows), list(sizes), list(sizes.values()))


def read(tmp_path: Path, *files: str) -> labels.Labels:
    for number, text in enumerate(files):
        (tmp_path / f"{number}.csv").write_text(text)
    return labels.read(tmp_path, LABELS)


def test_joined_by_request_and_row(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "inference_id,label\na,Yes\nb,0\nother,1\n",
        "row,label,note,inference_id\n2,1,x,c\n3,No,x,c\n1,1,x,d\n",
    )
    assert found.of(batch(a=1, b=1, c=3, d=1, e=1)).tolist() == [1, 0, -1, 1, 0, 1, -1]
    assert (found.read, found.matched, found.ambiguous, found.replaced) == (6, 5, 0, 0)


def test_a_later_label_replaces(tmp_path: Path) -> None:
    found = read(tmp_path, "inference_id,label\na,1\nb,1\na,1\n", "inference_id,label\na,0\n")
    assert found.of(batch(a=1, b=1)).tolist() == [0, 1]
    assert found.read == 4 and found.replaced == 2


def test_a_label_without_row_does_not_fit_several_rows(tmp_path: Path) -> None:
    found = read(tmp_path, "inference_id,label\na,1\n")
    assert found.of(batch(a=2)).tolist() == [-1, -1]
    assert found.ambiguous == 1 and found.matched == 0


def test_unusable_labels_are_counted_and_named(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "inference_id,label,row\na,perhaps,\n,1,\nb,1,0\nc,1,-1\nd,1,x\n\ne\nf,1,2\n",
    )
    assert found.read == 1 and found.problems == 6
    assert found.examples[0] == "0.csv, line 2: label 'perhaps' is not one of " + ", ".join(LABELS)
    assert "line 3: no inference_id" in found.examples[1]
    assert "line 4: row '0' is not a whole number from 1 on" in found.examples[2]


def test_no_labels_yet(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.read == 0 and found.of(batch(a=1, b=2)).tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "missing column 'inference_id', 'label'; the header has nothing"),
        (b"id,label\nx,1\n", "missing column 'inference_id'; the header has 'id', 'label'"),
        (b"inference_id,label\n\xff,1\n", "not CSV in UTF-8"),
    ],
)
def test_no_table_of_labels(content: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(JobError, match=expected):
        labels.read(tmp_path, LABELS)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no such folder"):
        labels.read(tmp_path / "none", LABELS)
