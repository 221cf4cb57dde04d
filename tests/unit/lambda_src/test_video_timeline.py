from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared import policy
from shared.policy import STRICTNESS, Finding
from video_analysis import timeline
from video_analysis.spans import GAP_MS, MOMENT_MS, Sighting, Spans

RULES = policy.read(
    {"moderation": {"*": {"accept": [0, 50], "review": [50, 80], "reject": [80, 100]}}}
)
SIGHTINGS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 100), st.integers(0, 90), st.integers(1, 30)),
    max_size=12,
).map(lambda all: [Sighting(Finding(n, sure), start, start + n_) for n, sure, start, n_ in all])


def decided(*sightings: Sighting, duration: int = 100) -> timeline.Verdict:
    return timeline.decide({"moderation": sightings}, RULES, duration)


def pieces(verdict: timeline.Verdict) -> list[tuple[Any, ...]]:
    return [(p["start_ms"], p["end_ms"], p["decision"], p["labels"]) for p in verdict.timeline]


def test_nothing_seen_is_accepted_throughout():
    verdict = decided()
    assert (verdict.decision, verdict.reasons) == ("accept", ())
    assert pieces(verdict) == [(0, 100, "accept", [])]


def test_the_strictest_holds_at_each_time_and_on_the_whole():
    verdict = decided(
        Sighting(Finding("Alcohol", 60.0), 10, 50),
        Sighting(Finding("Smoking", 90.0), 30, 40),
        Sighting(Finding("Smoking", 95.0), 70, 80),
        Sighting(Finding("Beach", 10.0), 0, 100),
    )
    assert pieces(verdict) == [
        (0, 10, "accept", []),
        (10, 30, "review", ["moderation: Alcohol"]),
        (30, 40, "reject", ["moderation: Smoking"]),
        (40, 50, "review", ["moderation: Alcohol"]),
        (50, 70, "accept", []),
        (70, 80, "reject", ["moderation: Smoking"]),
        (80, 100, "accept", []),
    ]
    (reason,) = verdict.reasons
    assert verdict.decision == "reject"
    told = {name: reason[name] for name in ("label", "confidence", "start_ms", "end_ms", "times")}
    assert told == {
        "label": "Smoking", "confidence": 95.0, "start_ms": 70, "end_ms": 80, "times": 2
    }  # fmt: skip


@given(SIGHTINGS, st.integers(0, 130))
def test_at_each_moment_the_strictest_of_what_is_seen_then_holds(
    sightings: list[Sighting], duration: int
):
    verdict = decided(*sightings, duration=duration)
    ends = [piece["end_ms"] for piece in verdict.timeline]
    starts = [piece["start_ms"] for piece in verdict.timeline]
    assert starts[1:] == ends[:-1] and (not starts or starts[0] == 0)
    for piece in verdict.timeline:
        for moment in range(piece["start_ms"], piece["end_ms"]):
            seen = [
                policy.judge("moderation", each.finding, RULES["moderation"])[0]
                for each in sightings
                if each.start <= moment < each.end
            ]
            assert piece["decision"] == max(seen, key=STRICTNESS.index, default="accept")


@given(SIGHTINGS)
def test_the_whole_is_what_the_policy_says_of_all_findings(sightings: list[Sighting]):
    findings = {"moderation": [each.finding for each in sightings]}
    assert decided(*sightings).decision == policy.decide(findings, RULES).decision


def test_what_a_record_holds_is_bounded():
    many = [Sighting(Finding(f"l{n}", 90.0), 2 * n, 2 * n + 1) for n in range(500)]
    verdict = decided(*many)
    assert len(verdict.reasons) == timeline.MOST_REASONS and len(verdict.timeline) == 999
    crowd = decided(*(Sighting(Finding(f"l{n}", 90.0), 0, 10) for n in range(50)))
    assert len(crowd.timeline[0]["labels"]) == timeline.MOST_LABELS


def test_moments_close_together_are_one_stretch():
    spans = Spans()
    for at in (0, 500, 500 + GAP_MS, 501 + 2 * GAP_MS):
        spans.add("a", at, 80.0 + at / 1000)
    spans.add("b", 500, 10.0)
    found = [(key, span.start, span.end, span.until) for key, span in spans]
    last = 501 + 2 * GAP_MS
    assert found == [
        ("a", 0, 500 + GAP_MS, 500 + GAP_MS),
        ("a", last, last, last + MOMENT_MS),
        ("b", 500, 500, 500 + MOMENT_MS),
    ]
    assert next(iter(spans))[1].confidence == 80.0 + (500 + GAP_MS) / 1000
