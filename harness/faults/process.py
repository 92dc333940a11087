"""How does a process die or stand still, and how is it known that it did? (signals)

A server that forks keeps its port when only the parent is killed, and the
"restarted" one then fails to bind while the old one goes on answering. So a kill
is believed when its pid is gone and nobody accepts on its port; a restart, when
whoever listens has another pid and started after the kill. A pause is believed
when the kernel says so (state T). Start times are compared in the kernel's clock
ticks since boot, on the clock that counts them: wall clocks step.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from harness.errors import FaultError
from harness.faults.probe import ANSWER_LIMIT_S, SILENCE_LIMIT_S, Prober, Seen
from harness.faults.proof import Proof, confirmed, inconclusive, mismatch
from harness.faults.surroundings import Endpoint, Running, Surroundings
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

    def running(self, service: str) -> Running:
        """The service's process; raises FaultError where it has none."""
        running = self.around.control.running(service)
        if running is None:
            raise FaultError(f"{service} has no process to send a signal to")
        return running

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
    _before: Running | None = None
    _killed_ticks: int = 0
    _family: tuple[int, ...] = field(default=())

    def prepare(self) -> None:
        """Look who will be killed; nothing is to be undone, since the warden ends every child anyway."""
        self._before = self.processes.running(self.service)
        self._family = _family(self._before.pid)

    def forget(self) -> None:
        """Nothing was remembered."""

    def inject(self) -> Proof:
        self._killed_ticks = _ticks_now()
        self.processes.around.control.kill(self.service)
        return confirmed(f"SIGKILL to {self.service}, pid {self._pid}")

    def read_back(self) -> Proof:
        if not holds(lambda: not any(map(is_alive, self._family)), DEAD_LIMIT_S):
            alive = ", ".join(str(pid) for pid in self._family if is_alive(pid))
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
        after = self.processes.around.control.running(self.service)
        if after is None:
            return mismatch(f"{self.service} has no process after its restart")
        told = f"{self.service} has pid {after.pid} after pid {self._pid}"
        if after == self._before or after.start_ticks < self._killed_ticks:
            return mismatch(f"{told}, which started before the kill")
        listens = _listens(after.pid, self.endpoint.url)
        if listens is None:
            return inconclusive(f"{told}; whether it listens may not be looked at")
        return (
            confirmed(f"{told}, started later, and listens") if listens else mismatch(f"{told}, and it does not listen")
        )

    def effect_gone(self) -> Proof:
        return self.processes.answers_again(self.service, self.endpoint)

    @property
    def _pid(self) -> int | None:
        return None if self._before is None else self._before.pid


@dataclass(kw_only=True, slots=True)
class PauseInjection:
    """One SIGSTOP and the SIGCONT after it."""

    processes: Processes
    service: str
    endpoint: Endpoint
    lasts_s: float | None = None
    _process: Running | None = None
    effect_costs_s: float = 0.0
    _undo: int | None = None

    def prepare(self) -> None:
        """Look who will be paused; if we die meanwhile the warden ends it, paused or not, as it ends every child."""
        self._process = self.processes.running(self.service)

    def forget(self) -> None:
        """Nothing was remembered."""

    def inject(self) -> Proof:
        self.processes.around.control.pause(self.service)
        return confirmed(f"SIGSTOP to {self.service}, pid {self._pid}")

    def read_back(self) -> Proof:
        holds(lambda: _state(self._pid) == "T", DEAD_LIMIT_S)
        return self.watch()

    def watch(self) -> Proof:
        state = _state(self._pid)
        told = f"pid {self._pid} of {self.service} is in state {state}"
        return confirmed(told) if state == "T" else mismatch(told)

    def effect(self) -> Proof:
        seen = self.processes.prober.ask(self.endpoint.url + self.endpoint.ready, SILENCE_LIMIT_S)
        told = f"{self.service} asked directly: {seen}"
        return confirmed(told) if seen is Seen.SILENT else mismatch(told)

    def lift(self) -> Proof:
        self.processes.around.control.resume(self.service)
        return confirmed(f"SIGCONT to {self.service}, pid {self._pid}")

    def lift_read_back(self) -> Proof:
        holds(lambda: _state(self._pid) not in {"T", None}, DEAD_LIMIT_S)
        state = _state(self._pid)
        told = f"pid {self._pid} of {self.service} is in state {state}"
        return mismatch(told) if state in {"T", None} else confirmed(told)

    def effect_gone(self) -> Proof:
        return self.processes.answers_again(self.service, self.endpoint)

    @property
    def _pid(self) -> int:
        return 0 if self._process is None else self._process.pid


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


def _state(pid: int) -> str | None:
    """The kernel's letter for the process's state; None where there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[0]  # the name in parentheses may hold spaces


def is_alive(pid: int) -> bool:
    """A zombie is dead: it waits for its parent, and holds no port."""
    return _state(pid) not in {None, "Z", "X"}


def _family(pid: int) -> tuple[int, ...]:
    """The process and all that it forked."""
    try:
        return (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True)))
    except psutil.Error:
        return (pid,)


def accepts(url: str) -> bool:
    """Whether anybody accepts a connection there."""
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=ANSWER_LIMIT_S).close()
    except OSError:
        return False
    return True


def _listens(pid: int, url: str) -> bool | None:
    """Whether the process, or one that it forked, listens on the port; None where that is not ours to see."""
    port = urlsplit(url).port or 80
    try:
        members = [psutil.Process(member) for member in _family(pid)]
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for member in members
            for connection in member.net_connections(kind="tcp")
        )
    except psutil.AccessDenied:
        return None
    except psutil.NoSuchProcess:
        return False
