"""Where does a line go that must not be lost while the database is?

Appended to a local file and synced before anybody is answered; taken from there
once the database is back, also by the process after a SIGKILL. A line is handed
over at least once, so whoever takes it must bear it twice. A torn last line was
never answered for, and is dropped.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path


class Spool:
    """One file; what is being handed over is set aside under another name, so that new lines never mix with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken = path.with_name(f"{path.name}.taken")

    def append(self, line: bytes) -> None:
        """Keep a line, which holds no newline; returns when it is on the disk (some ms)."""
        with self._path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be handed over."""
        return not self._path.exists() and not self._taken.exists()

    @property
    def lines(self) -> int:
        """How many lines wait to be handed over; reads the files."""
        return sum(path.read_bytes().count(b"\n") for path in (self._path, self._taken) if path.exists())

    async def hand_over(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        """Give each line to `take`, oldest first; where that raises, all of them wait for the next time."""
        for _ in range(2):  # what an earlier time left aside, then what came since
            if not self._taken.exists():
                if not self._path.exists():
                    return
                self._path.replace(self._taken)
            for line in self._taken.read_bytes().split(b"\n")[:-1]:
                await take(line)
            self._taken.unlink()
