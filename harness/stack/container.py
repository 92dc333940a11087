"""How does one service of the stack live, die and come back as a container?

    up ── a container of its own, with the run's environment ──> kill ──> the same container started again

A start is believed when the service answers and the engine says that its
container runs; a kill when the engine says that the process is gone; a restart
when it names another process, which started after the kill. Nobody else can
answer at a container's address: it has a network of its own. The engine's
`restart` policy plays no part, and its health checks none: they are late.

Start times are the engine's (UTC), reckoned in clock ticks since boot: containers
share the host's clocks, CLOCK_MONOTONIC too, but not its pid namespace, so that
/proc need not show a container's process to whoever asks.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StackError, TimeLimit
from harness.stack.docker import ContainerState, Docker
from harness.stack.parts import Running
from harness.stack.process import wait_for
from harness.stack.service import READY_LIMIT_S, ProcessEvent, build_told, ticks_at
from harness.stack.undo import boot_ns

GONE_LIMIT_S = 5.0
LOOK_S = 0.5
"""While a service is waited for, the engine is asked so often whether it lives at all."""

Up = Callable[["Container"], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerSight:
    """Eyes on the first process of a container; a `Sight`."""

    docker: Docker
    container: str
    running: Running

    def alive(self) -> tuple[int, ...]:
        """The process, if it lives: with the first one of its pid namespace the kernel ends all that it forked."""
        return () if self._now() is None else (self.running.pid,)

    def state(self) -> str | None:
        """The engine's word: running, paused."""
        now = self._now()
        return None if now is None else now.status

    def stands_still(self) -> bool:
        """Whether the engine has frozen the container."""
        now = self._now()
        return now is not None and now.paused

    def listens(self, url: str) -> bool | None:
        """Whether it lives: in its own network nobody else can listen, and its start was believed when it answered."""
        del url
        return self._now() is not None

    def _now(self) -> ContainerState | None:
        """The container's state, while its process is still the one that was looked at."""
        state = self.docker.inspect(self.container)
        return state if state is not None and state.running and state.pid == self.running.pid else None


@dataclass(kw_only=True, slots=True)
class Container:
    """One service, from its first start to its last stop."""

    name: str
    docker: Docker
    up: Up
    """Makes a new container of it, started."""
    environment: Callable[[str | None], Mapping[str, str]]
    """Release -> environment."""
    at: str
    """host:port where we reach it."""
    ready: str
    log: Path
    build: str | None
    events: list[ProcessEvent]
    release: str | None = None
    _id: str = ""
    _last: ContainerState | None = None
    """As it was when it last ran."""
    _killed_ticks: int = 0
    _stopping: bool = False
    _kept: int = 0
    """Bytes of the log that an earlier container of it has said."""
    _logs: int = 0
    """Bytes of the log as it was last written."""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.at}"

    def running(self) -> Running | None:
        """Its process now; None between a kill and a restart, or where it died by itself."""
        state = self.docker.inspect(self._id) if self._id else None
        return None if state is None or not state.running else self._running_of(state)

    def sight(self) -> ContainerSight | None:
        """Eyes on its process now."""
        running = self.running()
        return None if running is None else ContainerSight(docker=self.docker, container=self._id, running=running)

    def spawn(self, release: str | None = None) -> None:
        """Start it, as `release` from now on where one is named: the same container again, else a new one.

        Raises StackError where it runs already.
        """
        if self.running() is not None:
            raise StackError(f"{self.name} is to be started and runs already")
        if self._id and release in {None, self.release}:
            self.docker.call("start", self._id)
            self.adopt(self._id)
            return
        self.release = release or self.release
        self.keep_logs()
        self._kept = self._logs
        self.up(self)

    def adopt(self, container: str) -> None:
        """Take a container, just started, for this service's."""
        self._id = container
        self._stopping = False
        state = self.docker.inspect(container)
        if state is None:
            raise StackError(f"{self.name}: its container {container[:12]} is gone")
        if not state.running:
            raise StackError(f"{self.name} ended while starting; its last words: {self.docker.last_words(container)}")
        self._last = state
        if self._running_of(state).start_ticks < self._killed_ticks:
            raise StackError(f"{self.name}: pid {state.pid} started before the kill that it follows")
        self._note("started")

    def wait_ready(self) -> None:
        """Wait until it answers. Raises StackError with its last words."""
        look_at = time.monotonic() + LOOK_S
        build: str | None = None

        def answers_or_ended() -> bool:
            nonlocal build, look_at
            build = build_told(self.at, self.ready)
            if build is None and time.monotonic() >= look_at:
                look_at = time.monotonic() + LOOK_S
                return self.running() is None
            return build is not None

        try:
            wait_for(answers_or_ended, READY_LIMIT_S, self.name)
        except TimeLimit as exc:
            raise StackError(
                f"{self.name} did not answer at {self.url}{self.ready} within {READY_LIMIT_S:g} s (limit "
                f"service_ready); its last words: {self.docker.last_words(self._id)}"
            ) from exc
        if build is None:
            raise StackError(f"{self.name} ended while starting; its last words: {self.docker.last_words(self._id)}")
        self._note("ready", build=build)

    def kill(self) -> None:
        """SIGKILL to all of its processes; returns when the engine says that they are gone (0.4 s)."""
        at_ns = time.monotonic_ns()
        self.docker.call("kill", "--signal=KILL", self._id)
        wait_for(lambda: self.running() is None, GONE_LIMIT_S, f"end of {self.name} after SIGKILL")
        self._killed_ticks = ticks_at(at_ns)
        self._note("killed", at_ns=at_ns)

    def pause(self) -> None:
        """Freeze all of its processes."""
        self._signal("paused", "pause")

    def resume(self) -> None:
        """Let them go on."""
        self._signal("resumed", "unpause")

    def terminate(self) -> None:
        """Ask it to end and return at once; nothing where it has ended, never started or was asked before."""
        if not self._stopping and self.running() is not None:
            self._stopping = True
            self._signal("stopped", "kill", "--signal=TERM")

    def ended(self) -> str | None:
        """Note that it is about to be removed; gives its container, None where there is none."""
        if self._id and not self._stopping and self.running() is not None:
            self._note("stopped")
        container, self._id = self._id, ""
        return container or None

    def keep_logs(self) -> None:
        """Write all that it has said so far to its log."""
        if self._id:
            self._logs = self.docker.keep_logs(self._id, self.log, after=self._kept)

    def _signal(self, event: str, *command: str) -> None:
        at_ns = time.monotonic_ns()
        self.docker.call(*command, self._id)
        self._note(event, at_ns=at_ns)

    def _running_of(self, state: ContainerState) -> Running:
        return Running(pid=state.pid, start_ticks=self.docker.boot_ticks(state.started_ns))

    def _note(self, event: str, *, at_ns: int | None = None, build: str | None = None) -> None:
        if self._last is None:
            raise StackError(f"{self.name} has no process: it was never started")
        running = self._running_of(self._last)
        self.events.append(
            ProcessEvent(
                service=self.name,
                event=event,
                pid=running.pid,
                start_time=running.start_ticks,
                started_ns=boot_ns(running.start_ticks),
                at_ns=time.monotonic_ns() if at_ns is None else at_ns,
                build=build or self.build,
            )
        )
