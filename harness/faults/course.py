"""How does one fault run from its instant to its proven end?

    prepare -> (instant) -> (cue) -> inject -> read back -> effect, watched twice a second
            -> read back -> lift -> read back -> effect gone

The same course for every driver; each step is a row of `faults.jsonl`. What a
step could not ask (a control API that does not answer) is inconclusive and never
an exception: the run goes on, the fault stays unproven. A fault that cannot be
lifted is tried three times and then left to the warden, which was told of it
before it was set.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from harness.errors import HarnessError
from harness.faults.cue import Bell
from harness.faults.proof import Event, FaultLog, Proof, Status, confirmed, inconclusive, mismatch
from harness.scenario import Cue, FaultSpec

WATCH_S: Final = 0.5
"""Pause between two readings while a fault stands."""
PREPARE_NS: Final = 200_000_000
"""So long before its instant a fault is prepared, so that nothing slow lies between cue and act."""
CUE_TO_ACT_NS: Final = 50_000_000
"""A fault that follows a cue follows it within this, or waits for the next one."""
LIFT_TRIES: Final = 3
_SLICE_S: Final = 0.1
"""While waiting for a cue, look this often whether the run was stopped."""
_NS: Final = 1_000_000_000


class Injection(Protocol):
    """One fault in a driver's hands; each step but `prepare` and `forget` says what it showed."""

    @property
    def lasts_s(self) -> float | None:
        """Ends so long after it was set; None: when its window does."""

    @property
    def effect_costs_s(self) -> float:
        """Longest that one look at the effect takes; none is begun that would outlast the window."""

    def prepare(self) -> None: ...
    def inject(self) -> Proof: ...
    def read_back(self) -> Proof: ...
    def effect(self) -> Proof:
        """Inconclusive means "not yet": it is asked again until the window ends."""

    def watch(self) -> Proof: ...
    def lift(self) -> Proof: ...
    def lift_read_back(self) -> Proof:
        """When it is gone the warden is told so."""

    def effect_gone(self) -> Proof: ...
    def forget(self) -> None:
        """Tell the warden that there is nothing to undo."""


@dataclass(kw_only=True, slots=True)
class Course:
    """One fault's way through a run: `run` in a thread or greenlet of its own, `lift` from anywhere."""

    number: int
    spec: FaultSpec
    injection: Injection
    log: FaultLog
    clock_ns: Callable[[], int]
    bells: Mapping[Cue, Bell]
    stopped: threading.Event
    """Set: what stands is lifted at once, what has not begun does not begin."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set: a fault without an end has come to it, in good order."""
    placed: threading.Event = field(default_factory=threading.Event)
    """Set once it was injected and read back, or never will be."""
    lifted_ns: int | None = None
    _stands: bool = False
    _injected_ns: int | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    """Held while injecting and while lifting, so that a stop never falls into the middle of either."""

    def run(self, start_ns: int | None, end_ns: int | None) -> None:
        """The whole course, on the injected clock; None is "at once", and "until over or stopped"."""
        try:
            self._begin(start_ns, end_ns)
            if self._injected_ns is not None:
                lasts_s = self.injection.lasts_s
                self._stand(end_ns if lasts_s is None else self._injected_ns + int(lasts_s * _NS))
        finally:
            self.placed.set()
            self.lift()
        if self._injected_ns is not None:
            self._see_it_end()

    def lift(self) -> None:
        """Lift it if it stands; safe to call any number of times, from anywhere."""
        with self._turn:
            if self._stands:
                proof = self._lift()
                self.lifted_ns = self.clock_ns()
                self.log.write(self.number, Event.LIFTED, proof, self.lifted_ns)
                self._stands = False

    def _lift(self) -> Proof:
        """Try at most `LIFT_TRIES` times; the first failure is the one that says why."""
        failed: list[HarnessError] = []
        while len(failed) < LIFT_TRIES:
            try:
                return self.injection.lift()
            except HarnessError as exc:
                failed.append(exc)
        return mismatch(f"could not be lifted: {failed[0]}")

    def _begin(self, start_ns: int | None, end_ns: int | None) -> None:
        """Wait for the instant and inject."""
        if start_ns is not None and not self._wait_until(start_ns - PREPARE_NS):
            return
        try:
            self.injection.prepare()
        except HarnessError as exc:
            self.log.write(self.number, Event.INJECTED, inconclusive(f"could not be prepared: {exc}"))
            return
        if start_ns is None or self._wait_until(start_ns):
            if self.spec.cue is None:
                self._inject()
            else:
                self._inject_at(self.spec.cue, self.clock_ns() if start_ns is None else start_ns, end_ns)
        if self._injected_ns is None:
            self.injection.forget()

    def _inject_at(self, cue: Cue, start_ns: int, end_ns: int | None) -> None:
        """Inject right behind the first cue at or after `start_ns` that is heard in time."""
        after_ns = start_ns - 1
        while not self.stopped.is_set():
            rang_ns = self.bells[cue].wait(after_ns, _SLICE_S)
            now_ns = self.clock_ns()
            if end_ns is not None and now_ns >= end_ns:
                self.log.write(self.number, Event.CUE, inconclusive(f"no {cue} came within its window"))
                return
            if rang_ns is None:
                continue
            after_ns = rang_ns
            if now_ns - rang_ns > CUE_TO_ACT_NS:
                continue  # heard too late, because the loop was busy: the next one will do
            self._inject()
            if self._injected_ns is None:
                return
            took_ns = self._injected_ns - rang_ns
            verdict = confirmed if took_ns <= CUE_TO_ACT_NS else mismatch
            self.log.write(self.number, Event.CUE, verdict(f"{took_ns / 1e6:.1f} ms from {cue} to the act"), rang_ns)
            return

    def _inject(self) -> None:
        with self._turn:
            if self.stopped.is_set():
                return
            self._injected_ns = self.clock_ns()
            self._stands = True  # also when the answer is lost: something may stand
            self.log.write(self.number, Event.INJECTED, _ask(self.injection.inject), self._injected_ns)

    def _stand(self, end_ns: int | None) -> None:
        """From the first reading to the last one, immediately before it is lifted."""
        self._row(Event.READ_BACK, self.injection.read_back)
        self.placed.set()
        effect = self._see_effect(None)
        while self._pause(end_ns):
            self._row(Event.WATCHED, self.injection.watch)
            if self._left_s(end_ns) >= self.injection.effect_costs_s:
                effect = self._see_effect(effect)
        if self.stopped.is_set():
            return  # lifting comes first; what a reading shows from now on is our own doing
        if self.injection.effect_costs_s == 0:
            effect = self._see_effect(effect)
        if effect is not None and effect.status is Status.INCONCLUSIVE:
            self.log.write(self.number, Event.EFFECT_SEEN, effect)
        self._row(Event.WATCHED, self.injection.watch)

    def _see_effect(self, before: Proof | None) -> Proof | None:
        """Look at the effect unless it was decided already; a decision is written, "not yet" is not."""
        if before is not None and before.status is not Status.INCONCLUSIVE:
            return before
        proof = _ask(self.injection.effect)
        if proof.status is not Status.INCONCLUSIVE and not self.stopped.is_set():
            self.log.write(self.number, Event.EFFECT_SEEN, proof)
        return proof

    def _see_it_end(self) -> None:
        """Read back that it is gone, and see that the traffic is whole."""
        self.log.write(self.number, Event.LIFT_READ_BACK, _ask(self.injection.lift_read_back))
        self.log.write(self.number, Event.EFFECT_GONE, _ask(self.injection.effect_gone))

    def _row(self, event: Event, step: Callable[[], Proof]) -> None:
        """Take a step and write its row, unless the run was stopped meanwhile: then it may have seen the lifting."""
        proof = _ask(step)
        if not self.stopped.is_set():
            self.log.write(self.number, event, proof)

    def _wait_until(self, instant_ns: int) -> bool:
        """Wait; False when the run was stopped before."""
        while (left_ns := instant_ns - self.clock_ns()) > 0:
            if self.stopped.wait(left_ns / _NS):
                return False
        return not self.stopped.is_set()

    def _pause(self, end_ns: int | None) -> bool:
        """Wait until the next look is due; False when the window is over or the run was stopped."""
        left_s = min(WATCH_S, self._left_s(end_ns))
        return left_s > 0 and not self.stopped.wait(left_s) and self._left_s(end_ns) > 0

    def _left_s(self, end_ns: int | None) -> float:
        """Seconds to the window's end; 0 when it is over."""
        if self.over.is_set():
            return 0.0
        return float("inf") if end_ns is None else max(0.0, (end_ns - self.clock_ns()) / _NS)


def _ask(step: Callable[[], Proof]) -> Proof:
    """What the step showed; inconclusive where it could not be taken."""
    try:
        return step()
    except HarnessError as exc:
        return inconclusive(str(exc))
