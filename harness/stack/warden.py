"""Who lifts the faults and ends the children if the conductor dies at any instant?

A process of its own: own session, signals ignored, standard library only, so
that nothing which breaks the harness breaks it too.

    conductor ──(pipe, whose only write end it holds)──> warden
              one JSON object a line:
              {"undo": 7, "how": "http", "method": "DELETE", "url": ..., "headers": {...}, "body": ...}
              {"undo": 8, "how": "kill", "pid": 4711, "ticks": 123456, "signal": 15}
              {"undo": 9, "how": "run", "argv": ["docker", ...], "env": {...}}
              {"undo": 10, "how": "rmtree", "path": "/tmp/harness-..."}
              {"done": 7}
              {"clean": true}

At the pipe's end, or when the conductor's process ends (a forked child may hold
the pipe open), it undoes within two seconds what is not done: first the requests,
side by side; then every child, by pid and start time, and whatever those have
forked or carries the run's mark in its environment. Then come commands, which end
what is no child of ours (containers) and may take their time; then the folders.
After "clean" it has nothing to do. What it could not undo stays in its journal, for
`harness rescue`.

Run as a script: `python -I -S warden.py JOURNAL HOLDER_PID HOLDER_TICKS MARK`.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

REQUESTS_LIMIT_S = 0.7
"""For all requests together; a fault's DELETE takes milliseconds, unless the server is stopped or very busy."""
AGAIN_LIMIT_S = 0.3
"""For those that had no answer, once the children are gone: a server that was one of them refuses at once."""
STOP_LIMIT_S = 0.5
"""From the polite signal to SIGKILL."""
KILL_LIMIT_S = 0.4
"""From SIGKILL to gone."""
COMMANDS_LIMIT_S = 60.0
"""For all commands together; ending the containers of a stack takes seconds."""
POLL_S = 0.01
FOLDER_PREFIX = "harness-"
"""Only folders so named, below a temporary folder, are ever removed."""
GONE_STATUSES = frozenset({404, 410})
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP)

Undo = Mapping[str, Any]


def main(argv: list[str]) -> int:
    """Watch standard input and the holder until one of them ends; then lift what is left."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    journal, holder, ticks, mark = Path(argv[1]), int(argv[2]), int(argv[3]), argv[4]
    own = os.getpid()
    note(journal, {"warden": own, "ticks": start_ticks(own)})
    book = Book()
    read_until_end(book, holder, ticks)
    if book.clean:
        journal.unlink(missing_ok=True)
        return 0
    failed = lift(book.open.values(), mark)
    if not failed:
        journal.unlink(missing_ok=True)
        return 0
    note(journal, {"left": sorted(failed)})
    return 1


class Book:
    """What is to be undone, by number; the latest state of the lines read so far."""

    def __init__(self) -> None:
        self.open: dict[int, Undo] = {}
        self.clean = False

    def read(self, line: bytes | str) -> None:
        """Take in one line; a torn or foreign one is passed over, since stopping here would undo nothing."""
        try:
            row = json.loads(line)
        except ValueError:
            return
        if not isinstance(row, dict):
            return
        if "undo" in row:
            self.open[int(row["undo"])] = row
        elif "done" in row:
            self.open.pop(int(row["done"]), None)
        elif "clean" in row:
            self.clean = True


def read_until_end(book: Book, holder: int, ticks: int) -> None:
    """Read lines from standard input until "clean", its end, or the end of the holder's process."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    with contextlib.suppress(OSError):
        poll.register(os.pidfd_open(holder), select.POLLIN)
    rest = b""
    while not book.clean:
        ended = start_ticks(holder) != ticks
        if not ended:
            poll.poll()
        readable = select.select([0], [], [], 0)[0]
        chunk = os.read(0, 65_536) if readable else b""
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            book.read(line)
        if not chunk and (readable or ended):
            return


def lift(undos: Iterable[Undo], mark: str) -> set[int]:
    """Undo everything, the latest first; returns the numbers of what could not be undone.

    Takes at most 2 s, and where there are commands `COMMANDS_LIMIT_S` more. What a command may need is left lying
    where one failed.
    """
    latest_first = sorted(undos, key=lambda undo: -int(undo["undo"]))
    failed = send([undo for undo in latest_first if undo["how"] == "http"], REQUESTS_LIMIT_S)
    unanswered = [undo for undo in latest_first if undo["undo"] in failed]
    failed = end([undo for undo in latest_first if undo["how"] == "kill"], mark)
    failed |= send(unanswered, AGAIN_LIMIT_S)  # a fault ends with the process that it was set in
    unended = run([undo for undo in latest_first if undo["how"] == "run"])
    failed |= unended
    for undo in latest_first:
        if undo["how"] == "rmtree" and (unended or not remove(undo["path"])):
            failed.add(undo["undo"])
    return failed


def run(undos: list[Undo]) -> set[int]:
    """Run the commands one after the other, each with its own environment; returns the numbers of those that failed."""
    failed = set()
    until = time.monotonic() + COMMANDS_LIMIT_S
    for undo in undos:
        left_s = max(0.0, until - time.monotonic())
        try:
            subprocess.run(undo["argv"], env=undo["env"], cwd="/", stdin=subprocess.DEVNULL, timeout=left_s, check=True)
        except (OSError, subprocess.SubprocessError):
            failed.add(undo["undo"])
    return failed


def send(undos: list[Undo], limit_s: float) -> set[int]:
    """Send the requests side by side; one that gets no answer in time has failed, a server that is gone has not."""
    failed = {undo["undo"] for undo in undos}
    lock = threading.Lock()

    def work(undo: Undo) -> None:
        if lifted_by_request(undo, limit_s):
            with lock:
                failed.discard(undo["undo"])

    threads = [threading.Thread(target=work, args=(undo,), daemon=True) for undo in undos]
    for thread in threads:
        thread.start()
    until = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    with lock:
        return set(failed)


def lifted_by_request(undo: Undo, limit_s: float) -> bool:
    """Send one request; True where the fault is gone by it, or was gone before, or its server is."""
    body = undo.get("body")
    request = urllib.request.Request(  # noqa: S310 # loopback or allowed by name: checked before the fault was set
        undo["url"],
        method=undo["method"],
        headers=dict(undo.get("headers") or {}),
        data=None if body is None else body.encode(),
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(request, timeout=limit_s).close()
    except urllib.error.HTTPError as exc:
        return exc.code in GONE_STATUSES
    except urllib.error.URLError as exc:
        return isinstance(exc.reason, ConnectionRefusedError)
    except OSError:
        return False
    return True


def end(undos: list[Undo], mark: str) -> set[int]:
    """End the processes, politely and then not; returns the numbers of those that live all the same."""
    leaders = {int(undo["pid"]): undo for undo in undos if start_ticks(int(undo["pid"])) == undo["ticks"]}
    # Descendants are known by start time as well, because the polite signal may free their pids.
    family = {pid: start_ticks(pid) for pid in descendants(leaders) | marked(mark)}
    for pid, undo in leaders.items():
        strike(pid, undo["ticks"], int(undo["signal"]))
        strike(pid, undo["ticks"], signal.SIGCONT)
    family |= {pid: undo["ticks"] for pid, undo in leaders.items()}
    wait_gone(family, STOP_LIMIT_S)
    family |= {pid: start_ticks(pid) for pid in marked(mark)}
    for pid, ticks in family.items():
        strike(pid, ticks, signal.SIGKILL)
    wait_gone(family, KILL_LIMIT_S)
    return {undo["undo"] for pid, undo in leaders.items() if start_ticks(pid) == undo["ticks"]}


def strike(pid: int, ticks: int | None, number: int) -> None:
    """Signal a process if it is still the one with that start time."""
    if ticks is not None and start_ticks(pid) == ticks:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def wait_gone(family: Mapping[int, int | None], limit_s: float) -> None:
    """Wait until none of these processes lives, at most `limit_s`."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until and any(
        ticks is not None and start_ticks(pid) == ticks for pid, ticks in family.items()
    ):
        time.sleep(POLL_S)


def remove(path: str) -> bool:
    """Remove a folder of ours below a temporary folder; anything else is refused."""
    folder = Path(path)
    roots = {Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")}  # noqa: S108 # where runs keep theirs
    if not folder.name.startswith(FOLDER_PREFIX) or folder.parent.resolve() not in roots or folder.is_symlink():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def note(journal: Path, row: Mapping[str, Any]) -> None:
    """Append one line to the journal, if its folder still exists."""
    with contextlib.suppress(OSError), journal.open("a") as file:
        file.write(json.dumps(row) + "\n")


def stat_fields(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the third on (state, parent, group, ...); empty where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def start_ticks(pid: int) -> int | None:
    """Start time of a living process in clock ticks since boot; None where it is gone or only waits to be reaped."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def group_members(group: int) -> set[int]:
    """Living processes of a process group; costs a look at every process of the machine."""
    return {pid for pid, fields in table().items() if int(fields[2]) == group}


def descendants(roots: Iterable[int]) -> set[int]:
    """Living processes that these have started, at any depth; those whose parent died in between are not found."""
    children: dict[int, set[int]] = {}
    for pid, fields in table().items():
        children.setdefault(int(fields[1]), set()).add(pid)
    found: set[int] = set()
    open_pids = list(roots)
    while open_pids:
        fresh = children.get(open_pids.pop(), set()) - found
        found |= fresh
        open_pids.extend(fresh)
    return found


def marked(mark: str) -> set[int]:
    """Living processes whose environment carries the run's mark; never this one."""
    sign = f"HARNESS_MARK={mark}".encode()
    found = set()
    for pid in table():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and sign in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.add(pid)
    return found


def table() -> dict[int, list[str]]:
    """Every living process: pid -> fields of its stat from the third on."""
    rows = {int(name): stat_fields(int(name)) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208 # 3x faster
    return {pid: fields for pid, fields in rows.items() if fields and fields[0] not in "ZX"}


if __name__ == "__main__":
    sys.exit(main(sys.argv))
