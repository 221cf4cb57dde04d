import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_analysis.pacing import Pacer
from shared.clock import Clock
from shared.errors import OutOfTime

LONG = 1e9


class Turned:
    """A clock that stands still while callers wait: many of them at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = 0.0
        self.clock = Clock(monotonic=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept = seconds

    def start(self, pacer: Pacer) -> float:
        self.slept = 0.0
        pacer.wait(lambda: LONG)
        return self.now + self.slept


def starts(pace: float, catch_up: float, gaps: list[float]) -> list[float]:
    turned = Turned()
    pacer = Pacer(pace, turned.clock, catch_up)
    result: list[float] = []
    for gap in gaps:
        turned.now += gap
        result.append(turned.start(pacer))
    return result


GAPS = st.lists(st.just(0.0) | st.floats(0, 3), min_size=1, max_size=60)


@given(st.floats(0.1, 100), st.floats(0, 1), GAPS)
def test_no_window_holds_more_than_rate_and_burst(pace: float, catch_up: float, gaps: list[float]):
    times = starts(pace, catch_up, gaps)
    assert times == sorted(times)
    for first in range(len(times)):
        for last in range(first, len(times)):
            span = times[last] - times[first]
            assert last - first + 1 <= pace * (span + catch_up) + 1 + 1e-6


@given(st.floats(0.1, 100), GAPS)
def test_nobody_waits_without_need(pace: float, gaps: list[float]):
    times = starts(pace, 0.25, gaps)
    arrivals = [sum(gaps[: at + 1]) for at in range(len(gaps))]
    for at, (arrived, started) in enumerate(zip(arrivals, times, strict=True)):
        previous = times[at - 1] if at else 0.0
        assert started <= max(arrived, previous + 1 / pace) + 1e-6


def test_a_gap_is_caught_up_with_but_not_more():
    # At 10 a second: 5 calls, a gap of 0.2 s, then again 5: no time is lost over all.
    turned = Turned()
    pacer = Pacer(10, turned.clock, catch_up=0.25)
    assert [round(turned.start(pacer), 3) for _ in range(5)] == [0, 0.1, 0.2, 0.3, 0.4]
    turned.now = 0.6
    assert [round(turned.start(pacer), 3) for _ in range(4)] == [0.6, 0.6, 0.7, 0.8]
    turned.now = 100
    assert [round(turned.start(pacer), 2) for _ in range(4)] == [100, 100, 100, 100.05]


def test_full_demand_uses_the_whole_pace():
    times = starts(50, 0.25, [0.0] * 500)
    assert times[-1] == pytest.approx(499 / 50)


def test_out_of_time_takes_no_turn():
    turned = Turned()
    pacer = Pacer(1, turned.clock)
    pacer.wait(lambda: 0)
    with pytest.raises(OutOfTime):
        pacer.wait(lambda: 0.5)
    assert turned.start(pacer) == 1.0


def test_threads_share_one_pace():
    pacer = Pacer(400, Clock(), catch_up=0)
    begun = time.monotonic()
    threads = [
        threading.Thread(target=lambda: [pacer.wait(lambda: LONG) for _ in range(5)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun >= 39 / 400 * 0.99
