"""How does a row of history reach the kernel before the request that it announces is sent?

One worker, one file, one descriptor opened for appending. Rows are buffered; a
write's invocation hands over everything buffered and itself in one write(2), so
a SIGKILL of the generator at any instant leaves each write that may have reached
the target on record. No fsync: a crash of the machine is not what is tested.
No threads and no waiting: safe among greenlets, which cannot switch within a call.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from harness.errors import HistoryError
from harness.operation import WRITES
from harness.recorder.rows import SCHEMA_VERSION, Done, Footer, Header, Inv, Row

MAX_BUFFERED_ROWS = 256
MAX_BUFFERED_NS = 100_000_000
"""A row waits at most this long for a later one to push it out; the load calls `flush` for the last ones."""
ID_BITS = 40
"""An operation's id is its worker's number, shifted by these, and a sequence number."""

_WRITES = frozenset(str(op) for op in WRITES)


class HistoryWriter:
    """Writes one worker's `history/<worker>.jsonl`: header, rows, footer.

    with HistoryWriter(path, worker=0, clock_ns=time.monotonic_ns) as history:
        number = history.next_id()
        history.invoke(Inv(id=number, ...))   # on its way to disk when this returns, if it is a write
        ...
        history.complete(Done(id=number, ...))

    Leaving the context writes the footer, as cut short where an exception ends it. What was
    invoked and not completed stays without completion, which readers take as `info`.
    """

    def __init__(self, path: Path, worker: int, clock_ns: Callable[[], int]) -> None:
        self.path = path
        self.worker = worker
        self.invocations = 0
        self.completions = 0
        self._clock_ns = clock_ns
        self._encode = msgspec.json.Encoder().encode
        self._descriptor: int | None = None
        self._buffer = bytearray()
        self._buffered_rows = 0
        self._oldest_ns = 0
        self._last_id = worker << ID_BITS
        self._order_nos: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Create the file with its header; raises `HistoryError` where it exists already."""
        try:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as exc:
            raise HistoryError(f"the history {self.path} cannot be created: {exc.strerror}") from exc
        self._append(Header(SCHEMA_VERSION, self.worker, "monotonic"))
        self.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(cut_short=error is not None)

    def next_id(self) -> int:
        """An operation's id, unique in the run."""
        self._last_id += 1
        return self._last_id

    def order_no(self, order: str) -> tuple[int, bool]:
        """This worker's number of an order, and whether it was given just now.

        On the row that first names an order both `order_no` and `order` are set, later `order_no`
        alone: `number, first = history.order_no(x); Done(order_no=number, order=x if first else None)`.
        That row must be handed over before any other that uses the number.
        """
        number = self._order_nos.get(order)
        if number is not None:
            return number, False
        number = len(self._order_nos) + 1
        self._order_nos[order] = number
        return number, True

    def invoke(self, inv: Inv, *, flush: bool | None = None) -> None:
        """Record that an operation begins, before it is sent.

        `flush` says whether it must be with the kernel when this returns: unless said, if it is a
        write. A request within an operation that writes is one too: say so.
        """
        self.invocations += 1
        self._append(inv)
        if flush if flush is not None else inv.op in _WRITES:
            self.flush()

    def complete(self, done: Done) -> None:
        """Record how an operation ended."""
        self.completions += 1
        self._append(done)

    def flush(self) -> None:
        """Hand everything buffered to the kernel; the load calls this about every 100 ms.

        Raises `HistoryError` where the file cannot be written.
        """
        if self._descriptor is None:
            return
        try:
            while self._buffer:  # a write may be short: on a full disk, or when a signal arrives
                del self._buffer[: os.write(self._descriptor, self._buffer)]
        except OSError as exc:
            raise HistoryError(f"the history {self.path} cannot be written: {exc.strerror}") from exc
        self._buffered_rows = 0

    def close(self, *, cut_short: bool) -> None:
        """Write what is buffered and the footer; a second call does nothing."""
        if self._descriptor is None:
            return
        try:
            self._append(Footer(self.invocations, self.completions, cut_short))
            self.flush()
        finally:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, row: Row) -> None:
        """Buffer a row; full or old buffers are handed over."""
        if self._descriptor is None:
            raise HistoryError(f"the history {self.path} is not open, a row came before or after its time: {row}")
        now_ns = self._clock_ns()
        if not self._buffered_rows:
            self._oldest_ns = now_ns
        self._buffer += self._encode(row)
        self._buffer += b"\n"
        self._buffered_rows += 1
        if self._buffered_rows >= MAX_BUFFERED_ROWS or now_ns - self._oldest_ns >= MAX_BUFFERED_NS:
            self.flush()
