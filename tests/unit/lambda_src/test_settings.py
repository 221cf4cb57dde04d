import copy
from pathlib import Path
from typing import Any

import pytest

import shared.settings
from image_analysis import settings
from tests.unit.lambda_src.world import SETTINGS, variables


def changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(SETTINGS)
    holder: Any = data
    *above, last = path.split(".")
    for name in above:
        holder = holder[name]
    holder[last] = value
    return data


def test_reads_everything():
    read = settings.read(variables())
    assert (read.table, read.bus, read.environment) == ("results", "platform", "dev")
    assert read.record_seconds == 365 * 86_400
    assert read.pace == {"DetectModerationLabels": 100.0}
    assert read.retry == settings.Retry(5, 300, 900)
    assert len(read.fingerprint) == 16 and int(read.fingerprint, 16) >= 0


def test_empty_record_days_keeps_records():
    assert settings.read(variables(days="")).record_seconds is None


def test_current_reads_once(monkeypatch: pytest.MonkeyPatch):
    settings.current.cache_clear()
    for name, value in variables().items():
        monkeypatch.setenv(name, value)
    assert settings.current() is settings.current()
    settings.current.cache_clear()


def _print(data: dict[str, Any]) -> str:
    return settings.read(variables(data)).fingerprint


def test_fingerprint_follows_analyses_and_policy_only():
    same = [
        changed("pace", {"DetectModerationLabels": 7}),
        changed("retry", {"first": 1, "most": 2, "denied": 3}),
        changed("analyses.moderation.minimum_confidence", 40.0),
        dict(reversed(SETTINGS.items())),
    ]
    assert {_print(each) for each in same} == {_print(SETTINGS)}
    other = [
        changed("analyses.moderation.minimum_confidence", 41),
        changed("policy.moderation.*", {"accept": [0, 60], "reject": [60, 100]}),
    ]
    assert len({_print(each) for each in [SETTINGS, *other]}) == 3


def test_fingerprint_follows_versions(monkeypatch: pytest.MonkeyPatch):
    from image_analysis.analyses import moderation

    before = _print(SETTINGS)
    monkeypatch.setattr(moderation, "VERSION", moderation.VERSION + 1)
    assert _print(SETTINGS) != before


@pytest.mark.parametrize("name", ["RESULTS_TABLE", "EVENT_BUS", "QUEUE_URL", "ENVIRONMENT"])
def test_a_missing_variable_is_named(name: str):
    with pytest.raises(ValueError, match=f"environment variable {name} is missing"):
        settings.read({**variables(), name: ""})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "SETTINGS: 'analyses' is missing"),
        (changed("pace", {}), "SETTINGS: 'DetectModerationLabels' is missing"),
        (changed("pace.DetectModerationLabels", 0), "must be above 0"),
        (changed("analyses", {}), "analyses is empty"),
        (changed("analyses.moderation", {}), "'minimum_confidence' is missing"),
        (changed("policy", {}), "policy has no rules for the analysis 'moderation'"),
        (changed("analyses", {"smell": {}}), "there is no analysis 'smell'"),
    ],
)
def test_wrong_settings_are_explained(data: dict[str, Any], says: str):
    environment = variables(data) if data else {**variables(), "SETTINGS": "{}"}
    with pytest.raises(ValueError, match=says):
        settings.read(environment)


def test_large_settings_lie_in_a_file_beside_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shared.settings, "CODE", tmp_path)
    given = variables()
    (tmp_path / "settings.json").write_text(given.pop("SETTINGS"))
    read = settings.read({**given, "SETTINGS_FILE": "settings.json"})
    assert read.fingerprint == settings.read(variables()).fingerprint
    with pytest.raises(ValueError, match="SETTINGS_FILE: 'gone\\.json' cannot be read"):
        settings.read({**given, "SETTINGS_FILE": "gone.json"})


def test_settings_that_are_no_json():
    with pytest.raises(ValueError, match="SETTINGS is not JSON"):
        settings.read({**variables(), "SETTINGS": "{"})
