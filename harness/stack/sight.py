"""How is a process looked at: does it live, does it stand still, does it listen? (processes of this host)

Asked of the kernel, not of whoever started it. What it had forked when it was
first looked at belongs to it: a forked child keeps the port of a parent that was
killed.
"""

from pathlib import Path
from urllib.parse import urlsplit

import psutil

from harness.stack.parts import Running


class ProcessSight:
    """One process, by pid, with all that it had forked at first sight; a `Sight`."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._family = _family(running.pid)

    def alive(self) -> tuple[int, ...]:
        """Those of the family that live; a zombie is dead: it waits for its parent, and holds no port."""
        return tuple(pid for pid in self._family if _state(pid) not in {None, "Z", "X"})

    def state(self) -> str | None:
        """The kernel's letter for the process's state; None where there is no such process."""
        return _state(self.running.pid)

    def stands_still(self) -> bool:
        """Whether it was stopped (T)."""
        return self.state() == "T"

    def listens(self, url: str) -> bool | None:
        """Whether the process, or one that it forked, listens on the port; None where that is not ours to see."""
        port = urlsplit(url).port or 80
        try:
            members = [psutil.Process(member) for member in _family(self.running.pid)]
            return any(
                connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
                for member in members
                for connection in member.net_connections(kind="tcp")
            )
        except psutil.AccessDenied:
            return None
        except psutil.NoSuchProcess:
            return False


def _state(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[0]  # the name in parentheses may hold spaces


def _family(pid: int) -> tuple[int, ...]:
    """The process and all that it forked."""
    try:
        return (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True)))
    except psutil.Error:
        return (pid,)
