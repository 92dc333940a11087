"""Who starts journeys at their instants, however the target fares?

    instants ──> one greenlet walks them against t0 ──> a greenlet a journey, in one group

Open model: nothing that the target does holds an arrival back. What keeps one
from starting is this generator alone, at its `cap` or more than a second late,
and that is counted: planned = started + missed, at every instant. Knows nothing
of Locust, journeys or HTTP.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gevent
from gevent.pool import Group

from harness.errors import HarnessError, TimeLimit

MOST_LATE_NS = 1_000_000_000
"""An arrival that could not be started within this is missed: later it would be another load."""
KILL_LIMIT_S = 5.0
"""Longest that `stop` waits for journeys to let go of what they hold."""


class JourneyFailed(HarnessError):
    """A journey ended in an exception: a fault of the harness, whatever the target did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What became of the arrivals so far."""

    planned: int
    """Arrivals whose instant has come; all of them once the load ran to its end."""
    started: int
    missed: int
    in_flight: int
    peak_in_flight: int
    lateness_p50_ms: float
    """From an arrival's instant to its journey's first step; 0 where none started."""
    lateness_p99_ms: float


class Dispatch:
    """Starts `journey(number, scheduled_ns)` for each arrival of one load, in greenlets of this process.

    dispatch = Dispatch(schedule(load, seed), journey, cap=2_000)
    dispatch.start(t0_ns)
    dispatch.wait_idle(limit_s)   # or, from another greenlet, dispatch.stop()
    """

    def __init__(self, instants_ns: Sequence[int], journey: Callable[[int, int], object], *, cap: int) -> None:
        """`instants_ns` ascend from the load's start; `cap` is the most journeys alive at once."""
        self._instants_ns = instants_ns
        self._journey = journey
        self._cap = cap
        self._live = Group()
        self._walk: gevent.Greenlet | None = None
        self._missed = 0
        self._started = 0
        self._peak = 0
        self._lateness_ns: list[int] = []
        self._errors: list[BaseException] = []

    def start(self, t0_ns: int) -> None:
        """Begin; `t0_ns` is the load's start on CLOCK_MONOTONIC, best a little ahead. Returns at once."""
        if self._walk is not None:
            raise HarnessError("a dispatch starts once; make another for another load")
        self._walk = gevent.spawn(self._walk_instants, t0_ns)
        self._walk.link_exception(self._on_error)

    def wait_idle(self, limit_s: float) -> None:
        """Wait until every arrival was dealt with and no journey lives, or `stop` was called.

        Raises TimeLimit, and JourneyFailed as soon as a journey failed.
        """
        end_s = time.monotonic() + limit_s
        if self._walk is not None:
            self._walk.join(limit_s)
        self._live.join(max(0.0, end_s - time.monotonic()))
        self.raise_errors()
        if not self.idle:
            raise TimeLimit(f"load: {len(self._live)} journeys still live after {limit_s:g} s; look for one that hangs")

    def stop(self) -> None:
        """Start no more and end the journeys that live; their open operations stay without completion.

        Raises TimeLimit where one does not let go, and JourneyFailed for what went wrong before.
        """
        if self._walk is not None:
            self._walk.kill()
        self._live.kill(timeout=KILL_LIMIT_S)
        self.raise_errors()
        if len(self._live):
            raise TimeLimit(f"load: {len(self._live)} journeys did not end within {KILL_LIMIT_S:g} s of being killed")

    def raise_errors(self) -> None:
        """Raise JourneyFailed where a journey, or the dispatch itself, ended in an exception."""
        if self._errors:
            first = self._errors[0]
            raise JourneyFailed(
                f"load: {len(self._errors)} greenlets failed, the first with {type(first).__name__}: {first}"
            ) from first

    @property
    def idle(self) -> bool:
        """Every arrival was dealt with, or `stop` was called, and no journey lives."""
        return self._walk is not None and self._walk.ready() and not len(self._live)

    def tally(self) -> Tally:
        """Count what happened so far; costs a sort of the starts."""
        lateness_ns = sorted(self._lateness_ns)
        return Tally(
            planned=self._started + self._missed,
            started=self._started,
            missed=self._missed,
            in_flight=len(self._live),
            peak_in_flight=self._peak,
            lateness_p50_ms=_percentile(lateness_ns, 0.50) / 1e6,
            lateness_p99_ms=_percentile(lateness_ns, 0.99) / 1e6,
        )

    def _walk_instants(self, t0_ns: int) -> None:
        for number, instant_ns in enumerate(self._instants_ns):
            due_ns = t0_ns + instant_ns
            while (left_ns := due_ns - time.monotonic_ns()) > 0:
                gevent.sleep(left_ns / 1e9)
            if len(self._live) >= self._cap or -left_ns > MOST_LATE_NS:
                self._missed += 1
                continue
            self._started += 1
            self._live.spawn(self._run, number, due_ns).link_exception(self._on_error)
            self._peak = max(self._peak, len(self._live))

    def _run(self, number: int, due_ns: int) -> None:
        self._lateness_ns.append(time.monotonic_ns() - due_ns)
        self._journey(number, due_ns)

    def _on_error(self, greenlet: gevent.Greenlet) -> None:
        """Keep an error for `raise_errors` and end the load: what a broken harness measures is worth nothing."""
        self._errors.append(greenlet.exception)
        if self._walk is not None:
            self._walk.kill(block=False)
        self._live.kill(block=False)


def _percentile(ascending: Sequence[int], share: float) -> int:
    """Nearest rank; 0 of nothing."""
    return ascending[math.ceil(share * len(ascending)) - 1] if ascending else 0
