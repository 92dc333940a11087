"""Which releases were called for, in which order, so that no crash can undo it?

Every call is a row, whether or not it had an effect: `released` for an order is
an effect each time, since a courier who is sent twice comes twice; the note
`repeat` marks all but the first. `repeated_key` is a call whose idempotency key
was seen before: nothing is done. A caller hears of its call after the commit
(fsync). Why no row is lost or changed: `compose.append_only`.
"""

import asyncio
import fcntl
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from compose.append_only import TRIGGERS, Page, connect

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at_ns INTEGER NOT NULL, utc_ms INTEGER NOT NULL,
    order_id TEXT, run TEXT, line TEXT, key TEXT, note TEXT) STRICT;
CREATE INDEX IF NOT EXISTS releases_of_an_order ON ledger (order_id);
CREATE UNIQUE INDEX IF NOT EXISTS keys_have_one_effect ON ledger (key) WHERE kind = 'released';
"""
APPEND = "INSERT INTO ledger (kind, at_ns, utc_ms, order_id, run, line, key, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
OF_KEY = "SELECT order_id FROM ledger WHERE key = ? AND kind = 'released' ORDER BY seq LIMIT 1"
OF_ORDER = "SELECT count(*) FROM ledger WHERE order_id = ? AND kind = 'released' ORDER BY 1"
PAGE = """
SELECT seq, kind, at_ns, utc_ms, order_id AS "order", run, line, note FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?
"""
LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM ledger ORDER BY 1"
NEW_EFFECTS = "SELECT seq, order_id FROM ledger WHERE kind = 'released' AND seq > ? ORDER BY seq"


class KeyReused(Exception):
    """The idempotency key stands for another order's release."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call to release an order."""

    order: str
    run: str | None
    line: str | None
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What the effects so far add up to."""

    effects: int
    digest: str


class Ledger:
    """The open ledger; all of it happens on one thread, so that the event loop never waits for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._digest = hashlib.sha256()
        self._digested_seq = 0
        self._effects = 0

    def __enter__(self) -> Self:
        """Open it, alone: raises OSError where another process has it, or the folder cannot be used."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._connection = connect(self._folder / "ledger.sqlite")
        self._connection.executescript(SCHEMA + TRIGGERS)
        self._append("started", note=f"pid {os.getpid()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._connection.close()
        self._lock.close()

    async def release(self, call: Call) -> str:
        """Release, and return the row's kind once it is on disk; raises KeyReused."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._release, call)

    async def page(self, after: int, limit: int) -> Page:
        """Rows with `seq` above `after`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._page, after, limit)

    async def standing(self) -> Standing:
        """Costs what was appended since the last call, not the whole ledger."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._standing)

    def _release(self, call: Call) -> str:
        known = self._connection.execute(OF_KEY, (call.key,)).fetchone()
        if known is not None and known[0] != call.order:
            raise KeyReused(call.key)
        (before,) = self._connection.execute(OF_ORDER, (call.order,)).fetchone()
        kind = "released" if known is None else "repeated_key"
        self._append(kind, call, note="repeat" if known is None and before else None)
        return kind

    def _append(self, kind: str, call: Call | None = None, note: str | None = None) -> None:
        """One row, which is one transaction of its own."""
        about = (None,) * 4 if call is None else (call.order, call.run, call.line, call.key)
        self._connection.execute(APPEND, (kind, time.monotonic_ns(), time.time_ns() // 1_000_000, *about, note))

    def _page(self, after: int, limit: int) -> Page:
        cursor = self._connection.execute(PAGE, (after, limit))
        columns = tuple(column[0] for column in cursor.description)
        rows = cursor.fetchall()
        (last_seq,) = self._connection.execute(LAST_SEQ).fetchone()
        return Page(columns=columns, rows=rows, last_seq=last_seq)

    def _standing(self) -> Standing:
        for seq, order in self._connection.execute(NEW_EFFECTS, (self._digested_seq,)):
            self._digest.update(f"{seq} {order}\n".encode())
            self._digested_seq = seq
            self._effects += 1
        return Standing(effects=self._effects, digest=self._digest.hexdigest())
