"""Which personal data stand in the logs that the target's processes wrote?

Every line of every `*.log` of a folder, on the host where they were started; a stack or a path may
stand in a log, a customer's data may not. A line longer than `LINE_BYTES` is looked at in pieces.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from harness.evidence.asking import whole_file
from harness.load.leaks import Scanner

LINE_BYTES = 1 << 16


class LogLeak(msgspec.Struct, frozen=True, gc=False):
    """One row of `log_leaks.jsonl`: never the line itself."""

    source: str
    """Name of the log's file without its ending: the service that wrote it."""
    line: int
    kind: str


def copy_log_leaks(logs: Path, scanner: Scanner, into: Path) -> None:
    """Look through the logs and write what leaked, one row a line and kind; an empty file where nothing did."""
    encoder = msgspec.json.Encoder()
    with whole_file(into) as file:
        for path in sorted(logs.glob("*.log")):
            file.writelines(encoder.encode(leak) + b"\n" for leak in _leaks_of(path, scanner))


def _leaks_of(path: Path, scanner: Scanner) -> Iterator[LogLeak]:
    number, begins = 0, True
    with path.open("rb") as log:
        while piece := log.readline(LINE_BYTES):
            number += begins
            begins = piece.endswith(b"\n")
            yield from (LogLeak(source=path.stem, line=number, kind=kind) for kind in scanner.personal(piece))
