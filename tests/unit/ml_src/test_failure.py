"""How a script ends: its code, its last line, and the reason's place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ml_src.shared.failure import (
    Arguments,
    JobError,
    ending_with_reason,
    training_place,
)


def failing(argv: Sequence[str]) -> None:
    Arguments("x", "/nowhere/at/all").parse_args([word for word in argv if word != "go"])
    if "go" in argv:
        raise JobError("customers.csv, line 3:\ncolumn 'tenure'" + "!" * 2000)
    raise ZeroDivisionError("oh")


def test_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "failure"
    assert ending_with_reason(failing, ["go"], str(place)) == 1
    assert place.read_text().startswith("customers.csv, line 3:\ncolumn 'tenure'!!")
    assert len(place.read_text()) == 1024
    assert capsys.readouterr().err.startswith("error: customers.csv, line 3: column 'tenure'!")


@pytest.mark.parametrize("form", [["--failure-file", "{}"], ["--failure-file={}"]])
def test_the_place_is_found_even_in_a_wrong_command_line(form: list[str], tmp_path: Path) -> None:
    place = tmp_path / "message"
    argv = ["--depth", "5", *[word.format(place) for word in form]]
    assert ending_with_reason(failing, argv, "/nowhere/at/all") == 1
    assert place.read_text() == "arguments: unrecognized arguments: --depth 5"


def test_the_unexpected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending_with_reason(failing, [], str(tmp_path / "failure")) == 1
    assert (tmp_path / "failure").read_text() == "unexpected ZeroDivisionError: oh"
    assert "Traceback" in capsys.readouterr().err


def test_success_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert ending_with_reason(lambda argv: None, [], str(tmp_path / "failure")) == 0
    assert not (tmp_path / "failure").exists()
    assert ending_with_reason(failing, [], str(tmp_path / "absent" / "failure")) == 1
    assert not (tmp_path / "absent").exists()


def test_trainings_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_OUTPUT_DIR", raising=False)
    assert training_place() == "/opt/ml/output/failure"
    monkeypatch.setenv("SM_OUTPUT_DIR", "/elsewhere")
    assert training_place() == "/elsewhere/failure"
