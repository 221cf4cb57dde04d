"""Thresholds from labelled examples: what is promised of them holds on the examples."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import config
from tools import thresholds
from tools.thresholds import Choice, Curve, Example, Share

EXAMPLES = st.lists(
    st.builds(Example, st.one_of(st.none(), st.floats(0, 100)), st.booleans()), min_size=1
)


def written(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["analysis,label,confidence,truth", *rows]) + "\n")
    return path


def likely(label: str, count: int, seed: int = 1) -> list[str]:
    """Examples that are right as often as their confidence says."""
    chance = random.Random(seed)
    sure = [chance.uniform(50, 100) for _ in range(count)]
    return [f"moderation,{label},{c:.3f},{chance.random() * 100 < c}" for c in sure]


@given(EXAMPLES, st.floats(0.01, 1))
def test_the_precision_asked_for_is_reached_as_low_as_can_be(found: list[Example], target: float):
    curve = Curve(tuple(found))
    cut = thresholds.choose(curve, precision=target, recall=None, cautious=False).reject
    if cut is not None:
        assert curve.precision(cut).value >= target
    lower = [each for each in curve.thresholds() if cut is None or each < cut]
    assert not any(curve.precision(each).value >= target for each in lower)


@given(EXAMPLES, st.floats(0.01, 1))
def test_the_recall_asked_for_is_reached_as_high_as_can_be(found: list[Example], target: float):
    curve = Curve(tuple(found))
    cut = thresholds.choose(curve, precision=None, recall=target, cautious=False).review
    if cut is not None:
        assert curve.recall(cut).value >= target
    higher = [each for each in curve.thresholds() if cut is None or each > cut]
    assert not any(curve.recall(each).of and curve.recall(each).value >= target for each in higher)


@given(EXAMPLES, st.floats(0.01, 1), st.floats(0.01, 1), st.booleans())
def test_the_bands_are_always_a_policy(
    found: list[Example], precision: float, recall: float, cautious: bool
):
    choice = thresholds.choose(
        Curve(tuple(found)), precision=precision, recall=recall, cautious=cautious
    )
    bands = choice.bands().given()  # validated: no gap, no overlap
    assert bands


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_interval_holds_the_share(right: int, wrong: int):
    share = Share(right, right + wrong)
    low, high = share.interval
    assert 0 <= low <= share.value + 1e-12 and share.value - 1e-12 <= high <= 1


def test_wilsons_interval_is_his():
    low, high = Share(8, 10).interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)


def test_a_cautious_choice_is_stricter():
    curve = Curve(tuple(Example(60 + at * 0.4, at > 10) for at in range(100)))
    bold = thresholds.choose(curve, precision=0.9, recall=None, cautious=False).reject
    wary = thresholds.choose(curve, precision=0.9, recall=None, cautious=True).reject
    assert bold is not None and wary is not None and wary > bold


@pytest.mark.parametrize(
    ("choice", "bands"),
    [
        (Choice(60, 90), {"accept": (0, 60), "review": (60, 90), "reject": (90, 100)}),
        (Choice(None, 90), {"accept": (0, 90), "reject": (90, 100)}),
        (Choice(60, None), {"accept": (0, 60), "review": (60, 100)}),
        (Choice(None, None), {"accept": (0, 100)}),
        (Choice(90, 60), {"accept": (0, 60), "reject": (60, 100)}),
        (Choice(0, 90), {"review": (0, 90), "reject": (90, 100)}),
        (Choice(60, 100), {"accept": (0, 60), "review": (60, 100)}),
    ],
)
def test_bands_follow_from_thresholds(choice: Choice, bands: dict[str, Any]):
    assert choice.bands().given() == bands


def test_what_is_printed_can_be_pasted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = [*likely("Weapons", 400), *likely("Alcohol", 200, 2), "moderation,Rare,70,true"]
    file = written(tmp_path / "examples.csv", *rows)
    picture = tmp_path / "curves.png"
    asked = [str(file), "--precision", "0.9", "--recall", "0.95", "--picture", str(picture)]
    assert thresholds.main(asked) is None
    text = capsys.readouterr().out
    policy = yaml.safe_load(text)["policy"]
    assert sorted(policy["moderation"]) == ["*", "Alcohol", "Weapons"]
    assert "# fewer than 30 examples" in text and "# Rare" in text and "95 %:" in text
    low = min(bands["accept"][1] for bands in policy["moderation"].values())
    own = {
        "name": "x",
        "vision": {
            "analyses": {"moderation": {"minimum_confidence": math.floor(low)}},
            "policy": policy,
        },
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own))
    assert config.load(tmp_path / "own.yaml").vision
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG" and drawn.width > 1000


def test_what_was_not_found_at_all_counts_against_recall():
    curve = Curve((Example(90, True), Example(None, True)))
    assert curve.recall(90).value == 0.5
    assert thresholds.choose(curve, precision=None, recall=0.9, cautious=False).review is None


def test_every_wrong_line_is_named(tmp_path: Path):
    file = written(
        tmp_path / "examples.csv", "moderation,A,101,true", ",B,50,maybe", "moderation,C,x,true"
    )
    error = thresholds.main([str(file), "--recall", "0.9"])
    assert error and error.splitlines() == [
        f"{file}:2: confidence: given '101', allowed is a number from 0 to 100, or nothing",
        f"{file}:3: analysis: is empty, allowed is a name",
        f"{file}:3: truth: given 'maybe', allowed are true, yes, 1, false, no, 0",
        f"{file}:4: confidence: given 'x', allowed is a number from 0 to 100, or nothing",
    ]


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("analysis,label\n", ["--recall", "0.9"], "lacks the columns confidence, truth"),
        ("analysis,label,confidence,truth\n", ["--recall", "0.9"], "holds no examples"),
        ("", [], "a target is needed"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, text: str, arguments: list[str], words: str):
    file = tmp_path / "examples.csv"
    file.write_text(text)
    assert words in (thresholds.main([str(file), *arguments]) or "")


def test_a_target_is_a_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        thresholds.main([str(tmp_path / "x.csv"), "--recall", "95"])
    assert "95 is no share" in capsys.readouterr().err
