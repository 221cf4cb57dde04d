from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_analysis.analyses import Finding
from shared import policy
from shared.policy import STRICTNESS

BANDS = {"accept": [0, 60], "review": [60, 90], "reject": [90, 100]}
CONFIDENCES = st.floats(0, 100)


@st.composite
def bands(draw: st.DrawFn) -> dict[str, list[float]]:
    chosen = [name for name in STRICTNESS if draw(st.booleans())] or ["reject"]
    cuts = sorted(draw(st.lists(CONFIDENCES, min_size=len(chosen) - 1, max_size=len(chosen) - 1)))
    edges = [0, *cuts, 100]
    return {name: [edges[at], edges[at + 1]] for at, name in enumerate(chosen)}


def rules(**named: dict[str, list[float]]) -> policy.Policy:
    return policy.read({"moderation": {"*": BANDS, **named}})


def decide(chosen: policy.Policy, *findings: Finding) -> policy.Verdict:
    return policy.decide({"moderation": findings}, chosen)


@pytest.mark.parametrize(
    ("confidence", "decision"),
    [(0, "accept"), (59.999, "accept"), (60, "review"), (89.99, "review"), (90, "reject"),
     (100, "reject"), (100.0001, "reject"), (-1, "accept")],
)  # fmt: skip
def test_bands_hold_their_lower_end(confidence: float, decision: str):
    assert decide(rules(), Finding("Violence", confidence)).decision == decision


@given(bands(), CONFIDENCES)
def test_bands_cover_every_confidence(chosen: dict[str, list[float]], confidence: float):
    verdict = decide(policy.read({"moderation": {"*": chosen}}), Finding("A", confidence))
    low, high = chosen[verdict.decision]
    assert low <= confidence < high or confidence == high == 100


@given(bands(), st.lists(CONFIDENCES, min_size=1), st.data())
def test_raising_a_confidence_never_softens(
    chosen: dict[str, list[float]], confidences: list[float], data: st.DataObject
):
    read = policy.read({"moderation": {"*": chosen}})
    at = data.draw(st.integers(0, len(confidences) - 1))
    raised = [*confidences]
    raised[at] = data.draw(st.floats(confidences[at], 100))
    before, after = (
        decide(read, *(Finding("A", each) for each in every)).decision
        for every in (confidences, raised)
    )
    assert STRICTNESS.index(after) >= STRICTNESS.index(before)


@given(bands(), st.lists(CONFIDENCES), CONFIDENCES)
def test_one_more_finding_never_softens(
    chosen: dict[str, list[float]], confidences: list[float], more: float
):
    read = policy.read({"moderation": {"*": chosen}})
    findings = [Finding("A", each) for each in confidences]
    before = decide(read, *findings).decision
    after = decide(read, *findings, Finding("B", more)).decision
    assert STRICTNESS.index(after) >= STRICTNESS.index(before) or not findings


@pytest.mark.parametrize(
    ("finding", "rule"),
    [
        (Finding("Beer", 95, ("Alcohol", "Drinks")), "Beer"),
        (Finding("Wine", 95, ("Alcohol", "Drinks")), "Alcohol"),
        (Finding("Juice", 95, ("Soft", "Drinks")), "Drinks"),
        (Finding("Gun", 95, ("Weapons",)), "*"),
    ],
)
def test_exact_name_over_nearest_parent_over_default(finding: Finding, rule: str):
    chosen = rules(Beer=BANDS, Alcohol=BANDS, Drinks=BANDS)
    assert decide(chosen, finding).reasons[0]["rule"] == rule


def test_a_rule_may_let_pass_what_its_parent_refuses():
    chosen = rules(Alcohol={"reject": [0, 100]}, Beer={"accept": [0, 100]})
    assert decide(chosen, Finding("Beer", 99, ("Alcohol",))).decision == "accept"


def test_strictest_wins_and_reasons_are_its_own():
    verdict = decide(rules(), Finding("A", 70), Finding("B", 95), Finding("C", 5), Finding("D", 91))
    assert verdict.decision == "reject"
    assert [each["label"] for each in verdict.reasons] == ["B", "D"]
    assert verdict.reasons[0] == {
        "analysis": "moderation", "label": "B", "confidence": 95, "band": [90, 100], "rule": "*"
    }  # fmt: skip


def test_nothing_found_is_accepted_without_reasons():
    assert decide(rules()) == policy.Verdict("accept", ())
    assert decide(rules(), Finding("A", 1)) == policy.Verdict("accept", ())


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"Alcohol": BANDS}, "the rule '\\*' is missing"),
        ({"*": {"accept": [0, 60], "refuse": [60, 100]}}, "unknown decision 'refuse'"),
        ({"*": {}}, "must cover 0 to 100"),
        ({"*": {"accept": [0, 60]}}, "must cover 0 to 100"),
        ({"*": {"accept": [0, 60], "reject": [70, 100]}}, "no gap"),
        ({"*": {"accept": [0, 60], "reject": [50, 100]}}, "no overlap"),
        ({"*": {"reject": [0, 60], "accept": [60, 100]}}, "the stricter one higher"),
        ({"*": {"accept": [0, 120], "reject": [120, 100]}}, "must cover"),
        ({"*": {"accept": [0, 60, 70], "reject": [60, 100]}}, r"a band is \[from, to\]"),
    ],
)
def test_a_policy_with_holes_is_refused(broken: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=says):
        policy.read({"moderation": broken})
