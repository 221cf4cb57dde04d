"""Scenarios are found by name."""

from __future__ import annotations

import pytest

from rehearsal.__main__ import main
from rehearsal.scenarios import UnknownScenario, choose, names


def test_all_scenarios_are_known_by_name_and_title() -> None:
    assert "moderation" in names()
    assert all(scenario.title and callable(scenario.run) for scenario in choose())
    assert len(set(names())) == len(names())


def test_one_is_chosen_by_name_and_all_without_one() -> None:
    assert [scenario.name for scenario in choose("moderation")] == ["moderation"]
    assert [scenario.name for scenario in choose(None)] == names()
    assert [scenario.name for scenario in choose("")] == names()


def test_unknown_name_lists_the_known_and_suggests_the_nearest() -> None:
    with pytest.raises(UnknownScenario) as raised:
        choose("Moderatoin")
    assert "Did you mean 'moderation'?" in str(raised.value)
    assert ", ".join(names()) in str(raised.value)


def test_unknown_name_far_from_all_gets_no_suggestion() -> None:
    with pytest.raises(UnknownScenario) as raised:
        choose("xyz")
    assert "Did you mean" not in str(raised.value)


def test_command_line_refuses_an_unknown_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--scenario", "moderatoin"]) == 1
    assert "Did you mean 'moderation'?" in capsys.readouterr().err
