"""How does the harness see to it that whatever it starts or breaks is undone?

`Warden` is our side of `harness.stack.warden`: each fault and each child is told
to it before or as it arises, and struck off when it is undone. The same lines go
to a journal in the state folder first, so that `rescue` can finish what a warden
could not because it was killed too.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from harness.errors import StackError, TimeLimit
from harness.stack import warden
from harness.stack.process import inherited, wait_for

STATE_FOLDER = Path(".harness")
"""Where journals and `stack.json` lie, below the folder that the harness was called in."""
START_LIMIT_S = 5.0
END_LIMIT_S = 5.0
"""Longest that the warden may take to undo what is open; where that takes commands, their own limit comes on top."""


class Warden:
    """A warden process and the one write end of its pipe; a context manager that ends it.

    What is still not undone when the block ends, by whatever exception, the warden then undoes.
    """

    def __init__(self, folder: Path = STATE_FOLDER, *, run_id: str = "") -> None:
        """Start the warden and wait until it watches (50 ms). Raises TimeLimit or StackError where it does not."""
        folder.mkdir(parents=True, exist_ok=True)
        self.mark = secrets.token_hex(12)
        self.journal = folder / f"warden-{os.getpid()}-{self.mark[:6]}.jsonl"
        self._open: set[int] = set()
        self._commands: set[int] = set()
        self._last = 0
        ticks = warden.start_ticks(os.getpid()) or 0
        # Both ends are closed on exec (PEP 446): no child can hold the write end open, the warden's is its stdin.
        read_end, self._pipe = os.pipe()
        self._file = os.open(self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._journal({"holder": os.getpid(), "holder_ticks": ticks, "mark": self.mark, "run_id": run_id})
        script = str(Path(warden.__file__).resolve())
        command = [sys.executable, "-I", "-S", script, str(self.journal.resolve()), str(os.getpid()), str(ticks)]
        try:
            self._popen = subprocess.Popen(
                [*command, self.mark],
                stdin=read_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=inherited(os.environ),
                cwd="/",
                start_new_session=True,
            )
        except OSError as exc:
            raise StackError(f"the warden cannot be started: {exc}") from exc
        finally:
            os.close(read_end)
        self.pid: int = self._popen.pid
        wait_for(self._watches_or_ended, START_LIMIT_S, "the warden (limit warden_start)")
        if self._popen.poll() is not None:
            raise StackError(f"the warden ended at once with code {self._popen.returncode}; is {script} readable?")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def will_kill(self, pid: int, ticks: int, stop_signal: int = signal.SIGTERM) -> int:
        """Remember a child to be ended; returns the number for `done`."""
        return self._undo({"how": "kill", "pid": pid, "ticks": ticks, "signal": int(stop_signal)})

    def will_run(self, argv: Sequence[str], environ: Mapping[str, str]) -> int:
        """Remember that this command ends something that is no process of ours; all of its environment is named."""
        number = self._undo({"how": "run", "argv": list(argv), "env": dict(environ)})
        self._commands.add(number)
        return number

    def will_remove(self, folder: Path) -> int:
        """Remember a temporary folder (its name begins with "harness-") to be removed."""
        return self._undo({"how": "rmtree", "path": str(folder)})

    def will_delete(self, url: str, headers: Mapping[str, str] | None = None) -> int:
        """Remember that a DELETE of this URL lifts a fault; say so before the fault is set."""
        return self.will_request("DELETE", url, headers=headers)

    def will_request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> int:
        """Remember that this request lifts a fault; say so before the fault is set."""
        return self._undo({"how": "http", "method": method, "url": url, "headers": dict(headers or {}), "body": body})

    def done(self, number: int) -> None:
        """It has been undone, or never came to be."""
        if number in self._open:
            self._tell({"done": number})
            self._open.discard(number)

    def close(self) -> None:
        """End the warden; what is still open it undoes first. Raises TimeLimit where it does not end in time."""
        if self._pipe < 0:
            return
        if not self._open:
            with contextlib.suppress(StackError):
                self._tell({"clean": True})
        os.close(self._pipe)
        os.close(self._file)
        self._pipe = -1
        limit_s = END_LIMIT_S + (warden.COMMANDS_LIMIT_S if self._open & self._commands else 0)
        wait_for(lambda: self._popen.poll() is not None, limit_s, "the warden's end (limit warden_end)")

    def _undo(self, row: Mapping[str, Any]) -> int:
        self._last += 1
        number = self._last
        self._tell({"undo": number, **row})
        self._open.add(number)
        return number

    def _tell(self, row: Mapping[str, Any]) -> None:
        self._journal(row)
        try:
            os.write(self._pipe, json.dumps(row).encode() + b"\n")
        except OSError as exc:
            raise StackError(
                f"the warden (pid {self.pid}) is gone, so nothing more may be broken: {exc}; end the run, then "
                "`harness rescue`"
            ) from exc

    def _journal(self, row: Mapping[str, Any]) -> None:
        os.write(self._file, json.dumps(row).encode() + b"\n")

    def _watches_or_ended(self) -> bool:
        return self._popen.poll() is not None or '"warden"' in self.journal.read_text()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescued:
    """What `rescue` did with one journal."""

    journal: Path
    lifted: tuple[str, ...]
    """One line each, for people."""
    failed: tuple[str, ...]
    """What could not be undone; it stays in the journal."""
    running: bool
    """Whoever wrote it was alive."""


def rescue(folder: Path = STATE_FOLDER, *, running: bool = True) -> list[Rescued]:
    """Undo what any journal in the state folder still holds; returns one entry a journal.

    With `running` also the faults and processes of runs that are alive: their verdicts will be lost. Without, those
    are left alone and their entry lifts nothing. A warden that is just at work is waited for.
    """
    return [rescued for journal in sorted(folder.glob("warden-*.jsonl")) for rescued in rescue_one(journal, running)]


def rescue_one(journal: Path, running: bool) -> Iterator[Rescued]:
    """Undo what one journal holds; nothing where it has vanished meanwhile."""
    head, book, watcher = read_journal(journal)
    alive = bool(head) and warden.start_ticks(int(head["holder"])) == head["holder_ticks"]
    if alive and not running:
        yield Rescued(journal=journal, lifted=(), failed=(), running=True)
        return
    if not alive and watcher is not None:
        pid, ticks = watcher
        with contextlib.suppress(TimeLimit):
            limit_s = END_LIMIT_S + (warden.COMMANDS_LIMIT_S if has_commands(book) else 0)
            wait_for(lambda: warden.start_ticks(pid) != ticks, limit_s, "the warden at work")
        head, book, _ = read_journal(journal)
    if not head:
        return
    failed = warden.lift(book.open.values(), str(head["mark"]))
    if not failed and not alive:
        journal.unlink(missing_ok=True)
    lines = {number: describe(undo) for number, undo in sorted(book.open.items())}
    yield Rescued(
        journal=journal,
        lifted=tuple(line for number, line in lines.items() if number not in failed),
        failed=tuple(line for number, line in lines.items() if number in failed),
        running=alive,
    )


def has_commands(book: warden.Book) -> bool:
    """Whether undoing what is open takes commands."""
    return any(undo["how"] == "run" for undo in book.open.values())


def read_journal(journal: Path) -> tuple[dict[str, Any], warden.Book, tuple[int, int] | None]:
    """Its first line, what is open in it, and pid and start time of the warden that watched; empty where it is gone."""
    book = warden.Book()
    head: dict[str, Any] = {}
    watcher = None
    try:
        lines = journal.read_text().splitlines()
    except FileNotFoundError:
        return head, book, watcher
    for line in lines:
        book.read(line)
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            head = row if "holder" in row else head
            watcher = (int(row["warden"]), int(row["ticks"])) if "warden" in row else watcher
    return head, book, watcher


def describe(undo: warden.Undo) -> str:
    """One line about what is undone."""
    match undo["how"]:
        case "http":
            return f"{undo['method']} {undo['url']}"
        case "kill":
            return f"end process {undo['pid']}"
        case "run":
            return f"run {' '.join(undo['argv'])}"
        case _:
            return f"remove {undo['path']}"


def boot_ns(ticks: int) -> int:
    """A start time in ticks since boot as an instant on CLOCK_MONOTONIC, in ns; exact to one tick (10 ms)."""
    since_boot_ns = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return since_boot_ns - (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns())
