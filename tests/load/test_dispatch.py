"""Is every arrival either started or counted as missed, and no error swallowed?"""

import time
from collections.abc import Iterator

import gevent
import gevent.event
import pytest

from harness.errors import HarnessError, TimeLimit
from harness.load.dispatch import Dispatch, JourneyFailed


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep gevent from printing the tracebacks that these tests provoke."""
    hub = gevent.get_hub()
    before, hub.exception_stream = hub.exception_stream, None
    yield
    hub.exception_stream = before


def test_each_arrival_is_started_with_its_number_and_instant() -> None:
    seen: list[tuple[int, int]] = []
    t0_ns = time.monotonic_ns()
    dispatch = Dispatch((0, 1_000_000, 1_000_000, 3_000_000), lambda *arrival: seen.append(arrival), cap=10)
    dispatch.start(t0_ns)
    dispatch.wait_idle(5)
    assert seen == [(0, t0_ns), (1, t0_ns + 1_000_000), (2, t0_ns + 1_000_000), (3, t0_ns + 3_000_000)]
    tally = dispatch.tally()
    assert (tally.planned, tally.started, tally.missed, tally.in_flight) == (4, 4, 0, 0)
    assert 0 <= tally.lateness_p50_ms <= tally.lateness_p99_ms


def test_no_journey_begins_before_its_instant() -> None:
    early: list[int] = []

    def journey(_number: int, scheduled_ns: int) -> None:
        if time.monotonic_ns() < scheduled_ns:
            early.append(scheduled_ns)

    dispatch = Dispatch(tuple(range(0, 50_000_000, 1_000_000)), journey, cap=10)
    dispatch.start(time.monotonic_ns())
    dispatch.wait_idle(5)
    assert early == []


def test_arrivals_beyond_the_cap_are_missed_and_counted() -> None:
    go_on = gevent.event.Event()
    dispatch = Dispatch((0,) * 5, lambda *_: go_on.wait(), cap=2)
    dispatch.start(time.monotonic_ns())
    gevent.wait([dispatch._walk])
    tally = dispatch.tally()
    assert (tally.planned, tally.started, tally.missed) == (5, 2, 3)
    assert (tally.in_flight, tally.peak_in_flight) == (2, 2)
    go_on.set()
    dispatch.wait_idle(5)
    assert dispatch.tally().in_flight == 0


def test_arrivals_more_than_a_second_late_are_missed_and_counted() -> None:
    dispatch = Dispatch((0, 1_900_000_000), lambda *_: None, cap=10)
    dispatch.start(time.monotonic_ns() - 2_000_000_000)
    dispatch.wait_idle(5)
    tally = dispatch.tally()
    assert (tally.planned, tally.started, tally.missed) == (2, 1, 1)


def test_stopping_ends_journeys_and_starts_no_more() -> None:
    ended: list[str] = []
    began = gevent.event.Event()

    def journey(*_: int) -> None:
        began.set()
        try:
            gevent.event.Event().wait()
        finally:
            ended.append("let go")

    dispatch = Dispatch((0, 3_600_000_000_000), journey, cap=10)
    dispatch.start(time.monotonic_ns())
    began.wait()
    dispatch.stop()
    dispatch.stop()
    dispatch.wait_idle(0.01)
    tally = dispatch.tally()
    assert (ended, tally.planned, tally.started, tally.in_flight) == (["let go"], 1, 1, 0)


def test_an_error_in_a_journey_ends_the_load_and_is_raised() -> None:
    def journey(number: int, _scheduled_ns: int) -> None:
        if number == 1:
            raise ZeroDivisionError("division by zero")
        gevent.event.Event().wait()

    dispatch = Dispatch((0, 0, 3_600_000_000_000), journey, cap=10)
    dispatch.start(time.monotonic_ns())
    with pytest.raises(JourneyFailed, match="ZeroDivisionError: division by zero") as caught:
        dispatch.wait_idle(5)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert dispatch.idle
    with pytest.raises(JourneyFailed):
        dispatch.stop()


def test_an_error_in_the_dispatch_itself_is_raised() -> None:
    dispatch = Dispatch(("soon",), lambda *_: None, cap=10)  # type: ignore[arg-type]
    dispatch.start(time.monotonic_ns())
    with pytest.raises(JourneyFailed, match="TypeError"):
        dispatch.wait_idle(5)


def test_waiting_for_a_journey_that_hangs_names_the_limit() -> None:
    dispatch = Dispatch((0,), lambda *_: gevent.event.Event().wait(), cap=10)
    dispatch.start(time.monotonic_ns())
    with pytest.raises(TimeLimit, match=r"1 journeys still live after 0\.05 s"):
        dispatch.wait_idle(0.05)
    dispatch.stop()


def test_a_dispatch_starts_once() -> None:
    dispatch = Dispatch((), lambda *_: None, cap=10)
    assert not dispatch.idle
    dispatch.stop()
    dispatch.start(time.monotonic_ns())
    with pytest.raises(HarnessError, match="starts once"):
        dispatch.start(time.monotonic_ns())
    dispatch.wait_idle(5)
    assert dispatch.tally().lateness_p99_ms == 0
