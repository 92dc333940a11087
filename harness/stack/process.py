"""How is a child process started, proven dead and stopped?

A pid alone names nothing for long: each process is known by pid *and* start
time (clock ticks since boot, as the kernel counts). Every child leads a session
of its own, so that a Ctrl-C at the terminal does not reach it and a signal to its
group reaches what it forked. Works under gevent's monkey-patching as without.
"""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import StackError, TimeLimit
from harness.stack.warden import group_members, start_ticks

MARK = "HARNESS_MARK"
"""Environment variable by which the warden finds a child even if we died before reporting it."""
POLL_S = 0.01
GONE_LIMIT_S = 5.0
TAIL_LINES = 6
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
"""All that a child inherits of our environment; proxies and PYTHON* settings would change what is tested."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Whom a child runs as."""

    uid: int
    gid: int


class Undo(Protocol):
    """Who ends a child and removes a folder if we cannot: `harness.stack.undo.Warden`, seen from here."""

    @property
    def mark(self) -> str: ...
    def will_kill(self, pid: int, ticks: int, stop_signal: int) -> int: ...
    def will_remove(self, folder: Path) -> int: ...
    def done(self, number: int) -> None: ...


class Child:
    """A child process in a session of its own, from its start to its proven end."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        undo: Undo | None = None,
    ) -> None:
        """Start `argv` with output to the end of `log`; raises StackError where it cannot be executed."""
        self.name = name
        self.log = log
        self._stop_signal = stop_signal
        self._undo = undo
        try:
            with log.open("ab") as output:
                self._popen = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(env) if undo is None else {**env, MARK: undo.mark},
                    cwd=cwd,
                    user=None if account is None else account.uid,
                    group=None if account is None else account.gid,
                    extra_groups=None if account is None else [],
                    start_new_session=True,
                )
        except OSError as exc:
            raise StackError(f"{name} cannot be started: {exc}") from exc
        self.pid: int = self._popen.pid
        self.started_ns = time.monotonic_ns()
        # Not reaped yet, so the pid is still ours, though the process may have ended already (then 0).
        self.start_ticks: int = start_ticks(self.pid) or 0
        self._number = None if undo is None else undo.will_kill(self.pid, self.start_ticks, stop_signal)

    def alive(self) -> bool:
        """Has the process not ended yet; costs a system call."""
        return self._popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Signal the child and everything in its group; nothing where it has ended."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def kill(self) -> int:
        """SIGKILL the group and wait until it is gone; returns the signal's instant, CLOCK_MONOTONIC in ns."""
        at_ns = time.monotonic_ns()
        self.send(signal.SIGKILL)
        wait_for(lambda: not self.alive(), GONE_LIMIT_S, f"end of {self.name} (pid {self.pid}) after SIGKILL")
        self._end_group()
        return at_ns

    def stop(self, limit_s: float = GONE_LIMIT_S) -> None:
        """End the child, politely for at most `limit_s`, then by SIGKILL; nothing where it has ended."""
        if self.alive():
            self.send(self._stop_signal)
            self.send(signal.SIGCONT)
            with contextlib.suppress(TimeLimit):
                wait_for(lambda: not self.alive(), limit_s, f"end of {self.name}")
        if self.alive():
            self.kill()
        else:
            self._end_group()

    def tail(self) -> str:
        """The log's last lines in one line, for an error."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        return " | ".join(line.strip() for line in lines[-TAIL_LINES:] if line.strip()) or "(its log is empty)"

    def _end_group(self) -> None:
        """End what the child has forked: it would keep the port, and answer in the place of the next one."""
        for pid in group_members(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not group_members(self.pid), GONE_LIMIT_S, f"end of what {self.name} had forked")
        if self._undo is not None and self._number is not None:
            self._undo.done(self._number)
            self._number = None


def wait_for(holds: Callable[[], bool], limit_s: float, what: str) -> None:
    """Wait until `holds()`, looking every 10 ms; raises TimeLimit naming `what` after `limit_s`."""
    until = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until:
            raise TimeLimit(f"{what} did not come within {limit_s:g} s")
        time.sleep(POLL_S)


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What a child may know of our environment."""
    return {name: environ[name] for name in PASSED_ON if name in environ}


def unprivileged() -> Account | None:
    """Whom a server runs as that refuses to run as root; None where we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
