"""What happened at this provider, in which order, so that no crash can undo it?

    request ──> write(job) ──> queue ──> writer thread: BEGIN, job, job, ..., COMMIT (fsync) ──> answers
                                                                                       └──> scheduler

Every change runs as a job on one writer thread. Jobs that wait at the same time
share one transaction and one fsync (group commit); a caller hears of its job
only after the commit, so nothing is visible before it is durable. `ledger` is
append-only, held by triggers; the other tables are the present state that is
derived from it and are changed in the same transaction. `seq` is SQLite's rowid,
"largest plus one" on a table that nothing is ever deleted from: gap-free.
"""

import asyncio
import hashlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from compose.append_only import TRIGGERS, Page, connect

T = TypeVar("T")

GROUP_LIMIT = 256
"""Jobs that share one commit, at most: bounds what the first of them waits for."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at_ns INTEGER NOT NULL, utc_ms INTEGER NOT NULL,
    number TEXT, order_id TEXT, run TEXT, refund_number TEXT, amount_minor INTEGER, currency TEXT,
    op TEXT, http INTEGER, fault TEXT, note TEXT) STRICT;
CREATE INDEX IF NOT EXISTS ledger_planted ON ledger (number) WHERE kind = 'bill_planted';
CREATE TABLE IF NOT EXISTS trades (
    number TEXT PRIMARY KEY, trade_id TEXT NOT NULL, state TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, run TEXT, order_id TEXT, notify_url TEXT, fingerprint TEXT NOT NULL,
    merchant TEXT, merchant_data TEXT, created_utc_ms INTEGER NOT NULL, captured_utc_ms INTEGER,
    refund_accepted_minor INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS refunds (
    key TEXT PRIMARY KEY, refund_number TEXT NOT NULL, refund_id TEXT NOT NULL, number TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0, notify_url TEXT, fingerprint TEXT NOT NULL,
    created_utc_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS plans (
    id INTEGER PRIMARY KEY, due_ns INTEGER NOT NULL, what TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL,
    running INTEGER NOT NULL DEFAULT 0, despite_close INTEGER NOT NULL DEFAULT 0, fault TEXT,
    UNIQUE (what, key)) STRICT;
CREATE INDEX IF NOT EXISTS plans_due ON plans (running, due_ns);
CREATE TABLE IF NOT EXISTS notices (
    id TEXT PRIMARY KEY, of TEXT NOT NULL, number TEXT NOT NULL, refund_number TEXT, url TEXT NOT NULL,
    body BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, refusals INTEGER NOT NULL DEFAULT 0,
    repeats INTEGER NOT NULL, reorder INTEGER NOT NULL, parked INTEGER NOT NULL DEFAULT 0, fault TEXT) STRICT;
CREATE INDEX IF NOT EXISTS notices_parked ON notices (number) WHERE parked = 1;
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS faults (
    id TEXT PRIMARY KEY, settings BLOB NOT NULL, seen INTEGER NOT NULL DEFAULT 0,
    hits INTEGER NOT NULL DEFAULT 0) STRICT;
"""

APPEND = """
INSERT INTO ledger (kind, at_ns, utc_ms, number, order_id, run, refund_number, amount_minor, currency,
                    op, http, fault, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

PAGE = """
SELECT seq, kind, at_ns, utc_ms, number, order_id AS "order", run, refund_number, amount_minor, currency,
       op, http, fault, note FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?
"""

LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM ledger"

NEW_EFFECTS = """
SELECT seq, kind, number, refund_number, amount_minor FROM ledger WHERE seq > ?
AND kind IN ('accepted', 'captured', 'closed', 'failed', 'refund_accepted', 'refunded') ORDER BY seq
"""

COUNT_PLANS = "SELECT count(*) FROM plans"


@dataclass(kw_only=True, slots=True)
class Transaction:
    """What a job works with; it lives until the job's group is committed."""

    connection: sqlite3.Connection
    earliest_due_ns: int | None = None
    """Soonest effect planned in it."""
    now_ns: int = field(default_factory=time.monotonic_ns)
    """CLOCK_MONOTONIC."""
    utc_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        """Run one statement with bound values."""
        return self.connection.execute(sql, values)

    def append(
        self,
        kind: str,
        *,
        at_ns: int | None = None,
        number: str | None = None,
        order: str | None = None,
        run: str | None = None,
        refund_number: str | None = None,
        amount_minor: int | None = None,
        currency: str | None = None,
        op: str | None = None,
        http: int | None = None,
        fault: str | None = None,
        note: str | None = None,
    ) -> int:
        """Append one row and return its `seq`; `at_ns` is now unless the event was earlier."""
        at_ns = self.now_ns if at_ns is None else at_ns
        what = (kind, at_ns, self.utc_ms, number, order, run, refund_number, amount_minor, currency)
        seq = self.connection.execute(APPEND, (*what, op, http, fault, note)).lastrowid
        assert seq is not None
        return seq

    def plan_at(self, due_ns: int) -> None:
        """Have the scheduler woken in time for an effect that this transaction plans."""
        if self.earliest_due_ns is None or due_ns < self.earliest_due_ns:
            self.earliest_due_ns = due_ns


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What is still to come, and what the effects so far add up to."""

    planned: int
    effects: int
    digest: str


@dataclass(kw_only=True, slots=True)
class _Waiting:
    """A job in the queue. Its outcome is a value or an exception, told after the commit."""

    job: Callable[[Transaction], object]
    heard: asyncio.Future[object]
    value: object = None
    failure: BaseException | None = None


class Ledger:
    """The ledger of one provider process; open it with `async with`."""

    def __init__(self, path: Path, on_planned: Callable[[int], None]) -> None:
        self._path = path
        self._on_planned = on_planned
        self._jobs: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger-reader")
        self._digest = hashlib.sha256()
        self._digested_seq = 0
        self._effects = 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        writing = connect(self._path)
        writing.executescript(SCHEMA + TRIGGERS)
        self._reader = connect(self._path)
        self._writer = threading.Thread(target=self._write_groups, args=(writing,), name="ledger-writer")
        self._writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reading.shutdown()
        self._reader.close()

    async def write(self, job: Callable[[Transaction], T]) -> T:
        """Run a job on the writer thread; return what it returned once that is on disk."""
        heard: asyncio.Future[object] = self._loop.create_future()
        self._jobs.put(_Waiting(job=job, heard=heard))
        return await heard  # type: ignore[return-value]

    async def page(self, after: int, limit: int) -> Page:
        """Committed rows with `seq` above `after`."""
        return await self._loop.run_in_executor(self._reading, self._read_page, after, limit)

    async def standing(self) -> Standing:
        """Costs what was appended since the last call, not the whole ledger."""
        return await self._loop.run_in_executor(self._reading, self._read_standing)

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Ask about what is committed, beside the writer."""
        return await self._loop.run_in_executor(self._reading, question, self._reader)

    def _read_page(self, after: int, limit: int) -> Page:
        cursor = self._reader.execute(PAGE, (after, limit))
        columns = tuple(column[0] for column in cursor.description)
        rows = cursor.fetchall()
        (last_seq,) = self._reader.execute(LAST_SEQ).fetchone()
        return Page(columns=columns, rows=rows, last_seq=last_seq)

    def _read_standing(self) -> Standing:
        self._reader.execute("BEGIN")
        try:
            (planned,) = self._reader.execute(COUNT_PLANS).fetchone()
            for row in self._reader.execute(NEW_EFFECTS, (self._digested_seq,)):
                self._digest.update(repr(row).encode())
                self._digested_seq = row[0]
                self._effects += 1
        finally:
            self._reader.execute("COMMIT")
        return Standing(planned=planned, effects=self._effects, digest=self._digest.hexdigest())

    def _write_groups(self, connection: sqlite3.Connection) -> None:
        for group in _groups(self._jobs):
            earliest = _commit(connection, group)
            self._loop.call_soon_threadsafe(self._tell, group, earliest)
        connection.close()

    def _tell(self, group: list[_Waiting], earliest_due_ns: int | None) -> None:
        for waiting in group:
            if waiting.heard.done():  # its caller was cancelled; the effect stands all the same
                continue
            if waiting.failure is None:
                waiting.heard.set_result(waiting.value)
            else:
                waiting.heard.set_exception(waiting.failure)
        if earliest_due_ns is not None:
            self._on_planned(earliest_due_ns)


def _groups(jobs: queue.SimpleQueue[_Waiting | None]) -> Iterator[list[_Waiting]]:
    while (first := jobs.get()) is not None:
        group = [first]
        while len(group) < GROUP_LIMIT:
            try:
                following = jobs.get_nowait()
            except queue.Empty:
                break
            if following is None:
                yield group
                return
            group.append(following)
        yield group


def _commit(connection: sqlite3.Connection, group: list[_Waiting]) -> int | None:
    """Run the jobs in one transaction; one that raises is undone alone. Returns the soonest planned effect."""
    earliest: list[int] = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for waiting in group:
            transaction = Transaction(connection=connection)
            connection.execute("SAVEPOINT job")
            try:
                waiting.value = waiting.job(transaction)
            except Exception as exc:  # noqa: BLE001 - told to the caller, who knows what it means
                waiting.failure = exc
                connection.execute("ROLLBACK TO job")
            else:
                if transaction.earliest_due_ns is not None:
                    earliest.append(transaction.earliest_due_ns)
            connection.execute("RELEASE job")
        connection.execute("COMMIT")
    except sqlite3.Error as exc:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for waiting in group:
            waiting.failure = exc
        return None
    return min(earliest, default=None)
