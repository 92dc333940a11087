"""Which operations have begun and ended, by the history's rows so far?

    history/*.jsonl ──lines──> Operations ──begins, ends──> whoever watches

Invocation and completion are joined as they come; orders are named by the number that a worker gave them, and by their
string from the row on that says both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.live.follow import Lines
from harness.operation import Op
from harness.recorder.rows import Done, Inv, Row
from harness.recorder.writer import ID_BITS

_ROW: msgspec.json.Decoder[Row] = msgspec.json.Decoder(Row)


@dataclass(slots=True)
class Operation:
    """One operation, or one request of an operation that takes several."""

    inv: Inv
    order: str | None
    """That the request named."""
    done: Done | None = None
    named: str | None = None
    """The order that the reply named, else the request."""
    several: bool = False
    """It takes several requests, each an `Operation` of its own."""
    whole: "Operation | None" = None
    """Of one request of several: the operation that it belongs to."""


class Operations:
    """What a scenario's history says so far."""

    def __init__(
        self, history: Path, *, begins: Callable[[Operation], None], ends: Callable[[Operation], None]
    ) -> None:
        """`begins` and `ends` are told of each operation in the order of the rows."""
        self._history = history
        self._begins = begins
        self._ends = ends
        self._files: dict[Path, Lines] = {}
        self._names: dict[tuple[int, int], str] = {}
        self.pending: dict[int, Operation] = {}
        """Begun and not ended, by id."""
        self.users: dict[int, str] = {}
        """Journey -> user of the target."""
        self.heard_ns = 0
        """The latest instant in any row."""

    def read(self) -> None:
        """Take in what the files have gained. Raises msgspec.DecodeError for a line that is no row."""
        for path in sorted(self._history.glob("*.jsonl")):
            lines = self._files.setdefault(path, Lines(path))
            for row in self._rows(lines):
                if isinstance(row, Inv):
                    self._take_inv(row)
                elif isinstance(row, Done):
                    self._take_done(row)

    def close(self) -> None:
        """Let go of the files."""
        for lines in self._files.values():
            lines.close()

    def _rows(self, lines: Lines) -> Iterator[Row]:
        for line in lines.new():
            yield _ROW.decode(line)

    def _take_inv(self, inv: Inv) -> None:
        self.heard_ns = max(self.heard_ns, inv.sent_ns)
        operation = Operation(inv=inv, order=self._name(inv))
        if inv.op == Op.JOURNEY and inv.user is not None:
            self.users[inv.journey] = inv.user
        if inv.parent is not None and (whole := self.pending.get(inv.parent)) is not None:
            whole.several = True
            operation.whole = whole
        self.pending[inv.id] = operation
        self._begins(operation)

    def _take_done(self, done: Done) -> None:
        self.heard_ns = max(self.heard_ns, done.done_ns)
        operation = self.pending.pop(done.id, None)
        if operation is None:
            return  # the judge says what that means
        operation.done = done
        operation.named = self._name(done, operation.inv.id) or operation.order
        self._ends(operation)

    def _name(self, row: Inv | Done, of: int = 0) -> str | None:
        """The order's string, by the number that the worker of this row gave it."""
        if row.order_no is None:
            return row.order
        worker = (of or row.id) >> ID_BITS
        if row.order is not None:
            self._names[worker, row.order_no] = row.order
        return self._names.get((worker, row.order_no))
