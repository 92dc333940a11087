"""How does one service of the stack live, die and come back?

On one port with one environment for all its lives. A start is believed when the
service answers and the listener is this child or one that it forked; a kill when
the process and all that it forked are gone and the port is free; a restart when
the new process started after the kill. Every step is an event of
`evidence/processes.jsonl`.
"""

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from harness.errors import StackError, TimeLimit
from harness.stack.parts import Running, Sight
from harness.stack.ports import LOOPBACK, is_free
from harness.stack.process import Child, Undo, wait_for
from harness.stack.sight import ProcessSight
from harness.stack.undo import boot_ns

READY_LIMIT_S = 30.0
ANSWER_LIMIT_S = 1.0
"""Of one question whether the service is ready."""
PORT_FREE_LIMIT_S = 5.0
STOP_LIMIT_S = 2.0
"""From SIGTERM to SIGKILL: what a service keeps is thrown away with it."""
OK_STATUSES = range(200, 300)
LARGEST_ANSWER = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessEvent:
    """One row of `evidence/processes.jsonl`."""

    service: str
    event: str
    """started, ready, killed, paused, resumed or stopped."""
    pid: int
    start_time: int
    """Clock ticks since boot, as the kernel counts."""
    started_ns: int
    """The same on CLOCK_MONOTONIC, exact to one tick (10 ms)."""
    at_ns: int
    """CLOCK_MONOTONIC."""
    build: str | None
    """What the service said of itself when it was ready, else what it was started as."""

    def row(self) -> dict[str, str | int | None]:
        """As it is written."""
        return asdict(self)


class Service:
    """One service, from its first start to its last stop."""

    def __init__(
        self,
        name: str,
        *,
        argv: Sequence[str],
        env: Callable[[str | None], Mapping[str, str]],
        cwd: Path,
        port: int,
        ready: str,
        log: Path,
        build: str | None,
        events: list[ProcessEvent],
        undo: Undo,
    ) -> None:
        self.name = name
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self.ready = ready
        self.log = log
        self._argv = tuple(argv)
        self._env_of = env
        self._release: str | None = None
        self._cwd = cwd
        self._build = build
        self._events = events
        self._undo = undo
        self._child: Child | None = None
        self._killed_ticks = 0
        self._stopping = False

    def running(self) -> Running | None:
        """Its process now; None between a kill and a restart, or where it died by itself."""
        child = self._child
        return Running(pid=child.pid, start_ticks=child.start_ticks) if child is not None and child.alive() else None

    def sight(self) -> Sight | None:
        """Eyes on its process now."""
        running = self.running()
        return None if running is None else ProcessSight(running)

    def spawn(self, release: str | None = None) -> None:
        """Start the process and return at once, as `release` from now on where one is named.

        Raises StackError where it lives already or cannot be executed.
        """
        if self.running() is not None:
            raise StackError(f"{self.name} is to be started and runs already (pid {self._process().pid})")
        self._release = release or self._release
        self._stopping = False
        env = self._env_of(self._release)
        self._child = Child(self.name, self._argv, log=self.log, env=env, cwd=self._cwd, undo=self._undo)
        if self._child.start_ticks and self._child.start_ticks < self._killed_ticks:
            raise StackError(f"{self.name}: pid {self._child.pid} started before the kill that it follows")
        self._note("started")

    def wait_ready(self) -> None:
        """Wait until it answers, and see that it is the one who answers. Raises StackError with its last words."""
        child = self._process()
        try:
            wait_for(
                lambda: not child.alive() or build_told(f"{LOOPBACK}:{self.port}", self.ready) is not None,
                READY_LIMIT_S,
                self.name,
            )
        except TimeLimit as exc:
            raise StackError(
                f"{self.name} did not answer at {self.url}{self.ready} within {READY_LIMIT_S:g} s (limit "
                f"service_ready); last lines of {self.log}: {child.tail()}"
            ) from exc
        if not child.alive():
            raise StackError(f"{self.name} ended while starting; last lines of {self.log}: {child.tail()}")
        if listens(child.pid, self.port) is False:
            raise StackError(f"{self.name}: somebody else answers at {self.url}, not pid {child.pid}")
        self._note("ready", build=build_told(f"{LOOPBACK}:{self.port}", self.ready))

    def kill(self) -> None:
        """SIGKILL to the process and all that it forked; returns when they are gone and the port is free (10 ms)."""
        child = self._process()
        at_ns = child.kill()
        self._killed_ticks = ticks_at(at_ns)
        self._note("killed", at_ns=at_ns)
        wait_for(lambda: is_free(self.port), PORT_FREE_LIMIT_S, f"port {self.port} of {self.name} being free")

    def pause(self) -> None:
        """SIGSTOP, as a fault."""
        self._send(signal.SIGSTOP, "paused")

    def resume(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT, "resumed")

    def _send(self, number: signal.Signals, event: str) -> None:
        at_ns = time.monotonic_ns()
        self._process().send(number)
        self._note(event, at_ns=at_ns)

    def terminate(self) -> None:
        """Ask it to end and return at once; nothing where it has ended, never started or was asked before."""
        if self._child is not None and self.running() is not None and not self._stopping:
            self._child.send(signal.SIGTERM)
            self._child.send(signal.SIGCONT)
            self._stopping = True
            self._note("stopped")

    def stop(self) -> None:
        """End it for good; nothing where it has ended or never started."""
        self.terminate()
        if self._child is not None:
            self._child.stop(STOP_LIMIT_S)

    def _process(self) -> Child:
        if self._child is None:
            raise StackError(f"{self.name} has no process: it was never started")
        return self._child

    def _note(self, event: str, *, at_ns: int | None = None, build: str | None = None) -> None:
        child = self._process()
        self._events.append(
            ProcessEvent(
                service=self.name,
                event=event,
                pid=child.pid,
                start_time=child.start_ticks,
                started_ns=boot_ns(child.start_ticks),
                at_ns=time.monotonic_ns() if at_ns is None else at_ns,
                build=build or self._build,
            )
        )


def build_told(at: str, ready: str) -> str | None:
    """The build that a service at `at` (host:port) says it is, or "" where it says none; None where it is not ready.

    Ready is what answers its page 2xx.
    """
    host, _, port = at.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=ANSWER_LIMIT_S)
    try:
        connection.request("GET", ready)
        reply = connection.getresponse()
        if reply.status not in OK_STATUSES:
            return None
        body = json.loads(reply.read(LARGEST_ANSWER) or b"{}")
    except ValueError:
        return ""
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return str(body.get("build", "")) if isinstance(body, dict) else ""


def ticks_at(at_ns: int) -> int:
    """An instant of CLOCK_MONOTONIC in clock ticks since boot, rounded down as the kernel rounds start times."""
    since_boot_ns = at_ns + time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return since_boot_ns * os.sysconf("SC_CLK_TCK") // 1_000_000_000


def listens(pid: int, port: int) -> bool | None:
    """Whether this process, or one that it forked, listens on the port; None where that is not ours to see."""
    try:
        root = psutil.Process(pid)
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for member in (root, *root.children(recursive=True))
            for connection in member.net_connections(kind="tcp")
        )
    except psutil.AccessDenied:
        return None
    except psutil.NoSuchProcess:
        return False
