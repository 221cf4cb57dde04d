"""Thresholds: what may be given, and every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_src.shared.drift.thresholds import Thresholds
from ml_src.shared.failure import JobError


def test_given_as_text_or_file(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.json"
    path.write_text('{"psi": 0.3, "least_rows": 50}')
    expected = Thresholds(psi=0.3, least_rows=50)
    assert Thresholds.parse(str(path)) == Thresholds.parse(path.read_text()) == expected
    assert Thresholds.parse("{}") == Thresholds()


def test_every_mistake_at_once() -> None:
    given = (
        '{"psi": -1, "kS": 1, "ks": "0.2", "unseen": 2, "least_rows": 0, "recall": true, '
        '"impact": 1, "auc": NaN, "least_group_rows": 2.5}'
    )
    with pytest.raises(JobError) as caught:
        Thresholds.parse(given)
    for part in (
        "'psi' is -1; allowed is a number from 0 to 100",
        "'kS' is not known; known are psi, jensen_shannon",
        "'ks' is '0.2'; allowed is a number from 0 to 1",
        "'unseen' is 2",
        "'least_rows' is 0; allowed is a whole number from 1 to 1e+09",
        "'recall' is True",
        "'impact' is 1; allowed is a number between 0 and 1",
        "'auc' is nan",
        "'least_group_rows' is 2.5; allowed is a whole number",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("given", ["none.json", "{", "[1]", ""])
def test_no_thresholds(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JobError, match="--thresholds"):
        Thresholds.parse(given)
