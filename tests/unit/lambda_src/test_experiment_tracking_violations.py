"""Violated training rules, as training.json tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from experiment_tracking import violations
from ml_src.shared.rules import Violation as Written


def test_what_a_script_writes_is_read() -> None:
    written = [vars(Written("overfit", 57, "the validation loss rose"))]
    (found,) = violations.read({"violations": written}) or ()
    assert found.words == "overfit at step 57: the validation loss rose"
    assert found.point == ("rule_violated/overfit", 57, 1.0)


def test_no_violation_is_not_the_same_as_no_word_of_any() -> None:
    assert violations.read({"violations": []}) == ()
    assert violations.read({"rounds": 3}) is None
    assert violations.read({}) is None


@pytest.mark.parametrize("given", ["none", 3, {"rule": "overfit"}, None])
def test_another_use_of_the_word_is_passed_over(given: Any) -> None:
    assert violations.read({"violations": given}) is None


def test_what_has_another_form_is_passed_over() -> None:
    given = [
        "overfit",
        {"rule": "overfit"},
        {"rule": "", "step": 1},
        {"rule": "overfit", "step": "one"},
        {"rule": "overfit", "step": 3},
    ]
    (found,) = violations.read({"violations": given}) or ()
    assert (found.rule, found.step, found.reason) == ("overfit", 3, "")
