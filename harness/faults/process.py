"""How does a process die or stand still, and how is it known that it did? (signals)

A server that forks keeps its port when only the parent is killed, and the
"restarted" one then fails to bind while the old one goes on answering. So a kill
is believed when its pid is gone and nobody accepts on its port; a restart, when
whoever listens has another pid and started after the kill. A pause is believed
when the kernel says so (state T), or Docker of a container. Start times are compared in the kernel's clock
ticks since boot, on the clock that counts them: wall clocks step.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from harness.errors import FaultError
from harness.faults.probe import ANSWER_LIMIT_S, SILENCE_LIMIT_S, Prober, Seen
from harness.faults.proof import Proof, confirmed, inconclusive, mismatch
from harness.faults.surroundings import Endpoint, Sight, Surroundings
from harness.scenario import Cue, Driver, Faults, FaultSpec

DEAD_LIMIT_S: Final = 2.0
"""Within this a killed process is gone and its port free, a paused one stopped, a resumed one running."""
GONE_LIMIT_S: Final = 3.0
"""Within this a restarted or resumed service answers."""
_POLL_S: Final = 0.02


def Kill(service: str, *, restart_after_s: float, cue: Cue | None = None) -> Faults:  # read as a thing
    """SIGKILL at the window's start (or at the first cue in it), started again `restart_after_s` after the kill."""
    settings = {"restart_after_s": restart_after_s}
    return Faults((FaultSpec(kind="kill", driver=Driver.PROCESS, where=service, settings=settings, cue=cue),))


def Pause(service: str) -> Faults:  # scenario files read it as a thing
    """SIGSTOP for the window: connections are accepted by the kernel, nothing is answered."""
    return Faults((FaultSpec(kind="pause", driver=Driver.PROCESS, where=service),))


@dataclass(kw_only=True, slots=True)
class Processes:
    """Makes process faults for one run."""

    around: Surroundings
    prober: Prober

    def strike(self, number: int, spec: FaultSpec) -> "KillInjection | PauseInjection":
        """The fault `number`, ready to be prepared."""
        if spec.where not in self.around.services:
            known = ", ".join(sorted(self.around.services)) or "none"
            raise FaultError(f"fault {number} strikes the service {spec.where!r}; there are: {known}")
        endpoint = self.around.services[spec.where]
        if spec.kind == "kill":
            return KillInjection(
                processes=self,
                service=spec.where,
                endpoint=endpoint,
                lasts_s=float(spec.settings["restart_after_s"]),
            )
        if spec.kind == "pause":
            return PauseInjection(processes=self, service=spec.where, endpoint=endpoint)
        raise FaultError(f"process fault {spec.kind!r} is unknown; `harness list faults` shows those there are")

    def sight(self, service: str) -> Sight:
        """Eyes on the service's process; raises FaultError where it has none."""
        sight = self.around.control.sight(service)
        if sight is None:
            raise FaultError(f"{service} has no process to send a signal to")
        return sight

    def answers_again(self, service: str, endpoint: Endpoint) -> Proof:
        """Ask until the service answers, for at most `GONE_LIMIT_S`."""
        url = endpoint.url + endpoint.ready
        if holds(lambda: self.prober.ask(url, ANSWER_LIMIT_S) is Seen.WHOLE, GONE_LIMIT_S):
            return confirmed(f"{service} answers")
        return mismatch(f"{service} does not answer within {GONE_LIMIT_S} s")


@dataclass(kw_only=True, slots=True)
class KillInjection:
    """One SIGKILL and the restart after it."""

    processes: Processes
    service: str
    endpoint: Endpoint
    lasts_s: float | None
    effect_costs_s: float = 0.0
    _before: Sight | None = None
    _killed_ticks: int = 0

    def prepare(self) -> None:
        """Look who will be killed; nothing is to be undone, since the warden ends every child anyway."""
        self._before = self.processes.sight(self.service)

    def forget(self) -> None:
        """Nothing was remembered."""

    def inject(self) -> Proof:
        self._killed_ticks = _ticks_now()
        self.processes.around.control.kill(self.service)
        return confirmed(f"SIGKILL to {self.service}, pid {self._pid}")

    def read_back(self) -> Proof:
        if not holds(lambda: not self._alive(), DEAD_LIMIT_S):
            alive = ", ".join(map(str, self._alive()))
            return mismatch(f"pid {alive} of {self.service} still lives {DEAD_LIMIT_S} s after SIGKILL")
        return self.watch()

    def watch(self) -> Proof:
        if accepts(self.endpoint.url):
            return mismatch(f"pid {self._pid} is gone, and somebody still accepts at {self.endpoint.url}")
        return confirmed(f"pid {self._pid} is gone, and nobody accepts at {self.endpoint.url}")

    def effect(self) -> Proof:
        seen = self.processes.prober.ask(self.endpoint.url + self.endpoint.ready, ANSWER_LIMIT_S)
        told = f"{self.service} asked directly: {seen}"
        return confirmed(told) if seen is Seen.REFUSED else mismatch(told)

    def lift(self) -> Proof:
        self.processes.around.control.start(self.service)
        return confirmed(f"{self.service} was started again")

    def lift_read_back(self) -> Proof:
        sight = self.processes.around.control.sight(self.service)
        if sight is None:
            return mismatch(f"{self.service} has no process after its restart")
        after = sight.running
        told = f"{self.service} has pid {after.pid} after pid {self._pid}"
        if self._before is None or after == self._before.running or after.start_ticks < self._killed_ticks:
            return mismatch(f"{told}, which started before the kill")
        listens = sight.listens(self.endpoint.url)
        if listens is None:
            return inconclusive(f"{told}; whether it listens may not be looked at")
        return (
            confirmed(f"{told}, started later, and listens") if listens else mismatch(f"{told}, and it does not listen")
        )

    def effect_gone(self) -> Proof:
        return self.processes.answers_again(self.service, self.endpoint)

    def _alive(self) -> tuple[int, ...]:
        return () if self._before is None else self._before.alive()

    @property
    def _pid(self) -> int | None:
        return None if self._before is None else self._before.running.pid


@dataclass(kw_only=True, slots=True)
class PauseInjection:
    """One SIGSTOP and the SIGCONT after it."""

    processes: Processes
    service: str
    endpoint: Endpoint
    lasts_s: float | None = None
    _process: Sight | None = None
    effect_costs_s: float = 0.0
    _undo: int | None = None

    def prepare(self) -> None:
        """Look who will be paused; if we die meanwhile the warden ends it, paused or not, as it ends every child."""
        self._process = self.processes.sight(self.service)

    def forget(self) -> None:
        """Nothing was remembered."""

    def inject(self) -> Proof:
        self.processes.around.control.pause(self.service)
        return confirmed(f"SIGSTOP to {self.service}, pid {self._pid}")

    def read_back(self) -> Proof:
        holds(self._still, DEAD_LIMIT_S)
        return self.watch()

    def watch(self) -> Proof:
        told = f"pid {self._pid} of {self.service} is in state {self._state()}"
        return confirmed(told) if self._still() else mismatch(told)

    def effect(self) -> Proof:
        seen = self.processes.prober.ask(self.endpoint.url + self.endpoint.ready, SILENCE_LIMIT_S)
        told = f"{self.service} asked directly: {seen}"
        return confirmed(told) if seen is Seen.SILENT else mismatch(told)

    def lift(self) -> Proof:
        self.processes.around.control.resume(self.service)
        return confirmed(f"SIGCONT to {self.service}, pid {self._pid}")

    def lift_read_back(self) -> Proof:
        holds(self._goes_on, DEAD_LIMIT_S)
        told = f"pid {self._pid} of {self.service} is in state {self._state()}"
        return confirmed(told) if self._goes_on() else mismatch(told)

    def effect_gone(self) -> Proof:
        return self.processes.answers_again(self.service, self.endpoint)

    def _state(self) -> str | None:
        return None if self._process is None else self._process.state()

    def _still(self) -> bool:
        return self._process is not None and self._process.stands_still()

    def _goes_on(self) -> bool:
        return self._state() is not None and not self._still()

    @property
    def _pid(self) -> int:
        return 0 if self._process is None else self._process.running.pid


def holds(condition: Callable[[], bool], limit_s: float) -> bool:
    """Whether `condition` comes true within `limit_s`."""
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(_POLL_S)
    return True


def _ticks_now() -> int:
    """Clock ticks since boot, as /proc/<pid>/stat counts a start; rounded down, as it is there."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK") // 1_000_000_000


def accepts(url: str) -> bool:
    """Whether anybody accepts a connection there."""
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=ANSWER_LIMIT_S).close()
    except OSError:
        return False
    return True
