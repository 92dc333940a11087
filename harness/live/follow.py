"""Which lines has a growing file gained?"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class Lines:
    """A file of lines that another process appends to, read from its beginning; it need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        """The beginning of a line whose end is not written yet."""

    def new(self) -> Iterator[bytes]:
        """Each whole line that was not given before, without its end."""
        if self._file is None:
            try:
                self._file = self.path.open("rb")
            except FileNotFoundError:
                return
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        yield from whole

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
