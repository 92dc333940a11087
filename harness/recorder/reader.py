"""Row by row, what do the history files of a folder say?

For whoever needs a few rows of a run that still goes on or has just ended; the judge reads the same
files with DuckDB. A last line without its end was torn by the process's death, or is being written.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from harness.recorder.rows import Row

_ROW: msgspec.json.Decoder[Row] = msgspec.json.Decoder(Row)


def rows_of(history: Path, on_damage: Callable[[], None] = lambda: None) -> Iterator[Row]:
    """Every row of every file, by the files' names; `on_damage` is told of each line that cannot be read."""
    for path in sorted(history.glob("*.jsonl")):
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    continue
                try:
                    row = _ROW.decode(line)
                except msgspec.DecodeError:
                    on_damage()
                else:
                    yield row
