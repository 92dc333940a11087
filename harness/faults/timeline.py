"""In which order do the faults of one scenario come and go, and who stops them?

    timeline = Timeline(around=..., faults=..., conditions=..., path=..., clock_ns=...)
    timeline.place_conditions()      # before preflight
    timeline.run(t0_ns)              # beside the load; returns when the last window is over and seen to be over
    timeline.end_conditions()        # after the drain
    timeline.lift_all()              # first of all on any stop, from anywhere, any number of times
    timeline.close()

Each fault runs in a thread of its own, so that a probe which waits for silence
delays no other fault; under gevent's monkey-patching these are greenlets. All
waiting is on events: a stop is heard at once.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from harness.documents import FaultRecord
from harness.errors import FaultError, TimeLimit
from harness.faults.course import Course, Injection
from harness.faults.cue import Bell
from harness.faults.network import Network
from harness.faults.probe import Prober
from harness.faults.process import Processes
from harness.faults.proof import FaultLog
from harness.faults.provider import Providers
from harness.faults.surroundings import Surroundings
from harness.faults.upgrade import KINDS, Upgrades
from harness.scenario import Cue, Driver, FaultSpec

PLACE_LIMIT_S: Final = 10.0
"""Within this every condition is set and read back, or known not to be."""
END_LIMIT_S: Final = 30.0
"""Within this every fault is seen to be gone once it was lifted; a restart takes longest."""
_NS: Final = 1_000_000_000


def numbered(faults: Sequence[FaultSpec], conditions: Sequence[FaultSpec]) -> tuple[tuple[int, FaultSpec], ...]:
    """Faults by their number in `scenario.json` and `faults.jsonl`: from 0, conditions behind the faults."""
    return tuple(enumerate((*faults, *conditions)))


def fault_records(faults: Sequence[FaultSpec], conditions: Sequence[FaultSpec]) -> tuple[FaultRecord, ...]:
    """The faults as planned, for `scenario.json`."""
    return tuple(
        FaultRecord(
            number=number,
            kind=spec.kind,
            driver=spec.driver.value,
            where=spec.where,
            settings=dict(spec.settings),
            start_ms=None if spec.start_s is None else round(spec.start_s * 1_000),
            end_ms=None if spec.end_s is None else round(spec.end_s * 1_000),
            cue=None if spec.cue is None else spec.cue.value,
            describe=describe(spec),
        )
        for number, spec in numbered(faults, conditions)
    )


def describe(spec: FaultSpec) -> str:
    """One line for people: "cut_answers on wechat (after_bytes 0), 5 s to 8 s"."""
    settings = ", ".join(f"{name} {value}" for name, value in spec.settings.items())
    told = f"{spec.kind} on {spec.where}" + (f" ({settings})" if settings else "")
    when = "all the time" if spec.start_s is None else f"{spec.start_s:g} s to {spec.end_s:g} s"
    return f"{told}, {when}" + (f", at the next {spec.cue.value}" if spec.cue else "")


class Timeline:
    """The faults of one scenario's run; a context manager that leaves none behind."""

    def __init__(
        self,
        *,
        around: Surroundings,
        faults: Sequence[FaultSpec],
        path: Path,
        conditions: Sequence[FaultSpec] = (),
        clock_ns: Callable[[], int] = time.monotonic_ns,
        bells: Mapping[Cue, Bell] | None = None,
    ) -> None:
        """`path` is `faults.jsonl`. Raises FaultError where a fault strikes what there is not; sets nothing yet."""
        self.bells: Mapping[Cue, Bell] = MappingProxyType({cue: Bell() for cue in Cue}) if bells is None else bells
        self._prober = Prober(around)
        processes = Processes(around=around, prober=self._prober)
        upgrades = Upgrades(around=around, prober=self._prober, log=lambda: self._log)
        strike: Mapping[Driver, Callable[[int, FaultSpec], Injection]] = {
            Driver.NETWORK: Network(around=around, prober=self._prober).strike,
            Driver.PROVIDER: Providers(around=around, prober=self._prober).strike,
            Driver.PROCESS: lambda number, spec: (upgrades if spec.kind in KINDS else processes).strike(number, spec),
        }
        injections = [
            (number, spec, strike[spec.driver](number, spec)) for number, spec in numbered(faults, conditions)
        ]
        self._log = FaultLog(path, clock_ns)
        self._stopped = threading.Event()
        self._courses = tuple(
            Course(
                number=number,
                spec=spec,
                injection=injection,
                log=self._log,
                clock_ns=clock_ns,
                bells=self.bells,
                stopped=self._stopped,
            )
            for number, spec, injection in injections
        )
        self._threads: dict[int, threading.Thread] = {}
        self._crashes: list[Exception] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lift_all()
        self.close()

    def place_conditions(self) -> None:
        """Set what holds during the whole scenario; returns when all of it was read back.

        Raises TimeLimit where that takes longer than `PLACE_LIMIT_S`.
        """
        conditions = [course for course in self._courses if course.spec.start_s is None]
        for course in conditions:
            self._start(course, None, None)
        for course in conditions:
            if not course.placed.wait(PLACE_LIMIT_S):
                raise TimeLimit(f"PLACE_LIMIT_S: {describe(course.spec)} was not set within {PLACE_LIMIT_S} s")

    def run(self, t0_ns: int) -> None:
        """Run every fault that has a window, counted from `t0_ns`, and return when the last is seen to be gone.

        Returns early after `lift_all`. Raises FaultError where a driver crashed, with its exception as the cause.
        """
        timed = [course for course in self._courses if course.spec.start_s is not None]
        for course in timed:
            self._start(course, _after(t0_ns, course.spec.start_s), _after(t0_ns, course.spec.end_s))
        for course in timed:
            self._threads[course.number].join()
        self._complain()

    @property
    def last_lifted_ns(self) -> int | None:
        """When the latest of the faults with a window was lifted; None where none was yet."""
        lifted = [course.lifted_ns for course in self._courses if course.spec.start_s is not None]
        return max((at_ns for at_ns in lifted if at_ns is not None), default=None)

    def end_conditions(self) -> None:
        """Lift what held during the whole scenario, in good order; raises as `run` does."""
        conditions = [course for course in self._courses if course.spec.start_s is None]
        for course in conditions:
            course.over.set()
        self._join(conditions)
        self._complain()

    def lift_all(self) -> None:
        """Lift whatever stands, at once, and let nothing more begin; the proofs of its end follow until `close`."""
        self._stopped.set()
        for course in sorted(self._courses, key=lambda course: course.spec.kind == "kill"):
            course.lift()  # restarts last: they take longest

    def close(self) -> None:
        """Wait until all that was lifted is seen to be gone, and close the file.

        Raises TimeLimit where that takes longer than `END_LIMIT_S`.
        """
        try:
            self._join(self._courses)
        finally:
            self._log.close()
            self._prober.client.close()

    def _start(self, course: Course, start_ns: int | None, end_ns: int | None) -> None:
        """Run one course beside this one."""
        thread = threading.Thread(
            target=self._guard, args=(course, start_ns, end_ns), name=f"fault-{course.number}", daemon=True
        )
        self._threads[course.number] = thread
        thread.start()

    def _guard(self, course: Course, start_ns: int | None, end_ns: int | None) -> None:
        """Keep what a course raised for whoever waits for it: a thread's own exception would go unheard."""
        try:
            course.run(start_ns, end_ns)
        except Exception as exc:  # noqa: BLE001  # a stage ends here; `_complain` raises it again with its traceback
            self._crashes.append(exc)

    def _join(self, courses: Sequence[Course]) -> None:
        until = time.monotonic() + END_LIMIT_S
        for course in courses:
            thread = self._threads.get(course.number)
            if thread is None:
                continue
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                raise TimeLimit(f"END_LIMIT_S: {describe(course.spec)} was not seen to be gone within {END_LIMIT_S} s")

    def _complain(self) -> None:
        if self._crashes:
            raise FaultError(f"a fault's driver crashed: {self._crashes[0]!r}") from self._crashes[0]


def _after(t0_ns: int, seconds: float | None) -> int | None:
    return None if seconds is None else t0_ns + round(seconds * _NS)
