import json
from typing import Any

import pytest

from shared import logs
from shared.logs import Log


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_json_with_its_fields(capsys: pytest.CaptureFixture[str]):
    Log("dev", {"request_id": "r"}).bind(message_id="m").warning("späť\n", receives=2)
    assert lines(capsys) == [
        {"level": "WARNING", "message": "späť\n", "request_id": "r", "message_id": "m",
         "receives": 2}
    ]  # fmt: skip


def test_metrics_are_in_embedded_format(capsys: pytest.CaptureFixture[str]):
    Log("dev").info("x", {"ImagesAccepted": 1, "ImageMilliseconds": 12})
    (line,) = lines(capsys)
    assert (line["Environment"], line["ImagesAccepted"]) == ("dev", 1)
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Sagelens",
            "Dimensions": [["Environment"]],
            "Metrics": [
                {"Name": "ImagesAccepted", "Unit": "Count"},
                {"Name": "ImageMilliseconds", "Unit": "Milliseconds"},
            ],
        }
    ]


def test_metrics_may_have_further_dimensions(capsys: pytest.CaptureFixture[str]):
    log = Log("dev").by(Model="churn").bind(run_id="r")
    log.info("x", {"RuleViolations": 0})
    log.info("y")
    (line, plain) = lines(capsys)
    assert (line["Environment"], line["Model"], line["RuleViolations"]) == ("dev", "churn", 0)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Environment", "Model"]]
    assert plain == {"level": "INFO", "message": "y", "Model": "churn", "run_id": "r"}


def test_level_hides_lines_but_never_metrics(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LOG_LEVEL", "error")
    log = Log("dev")
    log.info("hidden")
    log.error("seen")
    log.info("counted", {"A": 1})
    assert [line["message"] for line in lines(capsys)] == ["seen", "counted"]


def test_keys_are_hashed_unless_wanted(monkeypatch: pytest.MonkeyPatch):
    fields = logs.object_fields("images", "incoming/jane-doe.jpg", "v1")
    assert set(fields) == {"object", "version_id"} and "jane" not in str(fields)
    monkeypatch.setenv("LOG_KEYS", "1")
    assert logs.object_fields("images", "k", "v1")["key"] == "k"
