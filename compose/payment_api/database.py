"""How is PostgreSQL reached, and what when it goes away?

A pool of so many connections, opened at the start, that drops those that were lost
and opens new ones when they are asked for. Every wait has a limit, so that a
database which is silent ends in an error and not in silence. Opening outlives the
wait of whoever asked: were it broken off with it, many who ask at once would each
begin anew, none would finish, and the trouble would keep itself alive.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from compose.payment_api.errors import LOST, Undone
from compose.payment_api.model import Step

log = logging.getLogger("payment_api")

if TYPE_CHECKING:  # generic for the type checker only
    Connection = PoolConnectionProxy[asyncpg.Record]
else:
    Connection = PoolConnectionProxy

SCHEMA_LOCK = "SELECT pg_advisory_xact_lock(7249120)"
SCHEMAS = "CREATE TABLE IF NOT EXISTS schemas_applied (digest text PRIMARY KEY)"
NOTE_SCHEMA = "INSERT INTO schemas_applied (digest) VALUES ($1) ON CONFLICT DO NOTHING RETURNING digest"

CONNECT_LIMIT_S = 0.6
"""For a free connection: who gets none is told that the system is busy, within a second of asking. A new one may take
`OPEN_LIMIT_S`, and is there for whoever asks next."""
OPEN_LIMIT_S = 5.0
PAYING = 16
"""Connections for new orders and payments, and all that goes on behind the requests ..."""
EXPRESS = 6
"""... and for queries and refunds (F17), the operator's books, and what must be kept whatever the load.

All are opened at the start, so that none is missing when everybody comes at once.
"""
STATEMENT_LIMIT_S = 2.0
LOCK_LIMIT_MS = 1_500
"""A request that waits longer for another about the same thing is told 409 request_in_progress."""
FIRST_CONNECT_TRIES = 60
FIRST_CONNECT_PAUSE_S = 0.5


_steps: ContextVar[list[Step] | None] = ContextVar("steps", default=None)
"""Steps of the transaction that is under way in this task."""


class DatabaseMissing(Exception):
    """The database could not be reached while starting."""


def took(step: Step) -> None:
    """A step was written in the transaction under way: it is told of once that has committed."""
    if (steps := _steps.get()) is not None:
        steps.append(step)


class Opener:
    """Opens connections for a pool; one whose asker has given up meanwhile is kept for the next."""

    def __init__(self) -> None:
        self._spare: list[asyncpg.Connection[asyncpg.Record]] = []

    async def __call__(self, *args: object, **kwargs: object) -> "asyncpg.Connection[asyncpg.Record]":
        while self._spare:
            connection = self._spare.pop()
            if not connection.is_closed():
                return connection
        opening = asyncio.create_task(asyncpg.connect(*args, **kwargs))  # type: ignore[call-overload]  # as the pool does
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._keep)
            raise

    def _keep(self, opening: "asyncio.Task[asyncpg.Connection[asyncpg.Record]]") -> None:
        if not opening.cancelled() and opening.exception() is None:
            self._spare.append(opening.result())


class Database:
    """The pool; open it with `async with`."""

    def __init__(
        self,
        url: str,
        marks: Mapping[str, str] = MappingProxyType({}),
        *,
        connections: int = PAYING,
        on_commit: Callable[[Sequence[Step]], None] = lambda _: None,
    ) -> None:
        """`marks` are settings of each session; defaults of columns read them (`schema.sql`).

        `on_commit` is told the steps that are committed.
        """
        self._url = url
        self._marks = marks
        self.connections = connections
        """So many there are at most."""
        self.on_commit = on_commit

    async def __aenter__(self) -> Self:
        """Connect and create the schema where it is absent; raises DatabaseMissing after 30 s of trying."""
        for _ in range(FIRST_CONNECT_TRIES):
            try:
                await self._open()
            except LOST as exc:
                log.warning("database not reachable yet: %s", type(exc).__name__)
                await asyncio.sleep(FIRST_CONNECT_PAUSE_S)
            else:
                return self
        raise DatabaseMissing("the database of PAYMENT_API_DATABASE_URL cannot be reached")

    async def __aexit__(self, *_: object) -> None:
        self._pool.terminate()

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """One transaction on one connection; committed where the block ends, undone where it raises.

        Raises Undone where the database was lost before the commit; one that is lost during it shows as itself.
        """
        return self._transaction()

    def open_and_idle(self) -> tuple[int, int]:
        """How many connections there are now, and how many of them nobody uses."""
        return self._pool.get_size(), self._pool.get_idle_size()

    async def reach(self) -> None:
        """Ask for nothing; raises what any statement raises where the database cannot be reached."""
        await self.row("SELECT 1")

    async def row(self, sql: str, *values: object) -> asyncpg.Record | None:
        """The first row that a statement returns."""
        return await self._pool.fetchrow(sql, *values, timeout=STATEMENT_LIMIT_S)

    async def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """All rows that a statement returns."""
        return await self._pool.fetch(sql, *values, timeout=STATEMENT_LIMIT_S)

    async def execute(self, sql: str, *values: object) -> None:
        """Run a statement whose rows nobody wants."""
        await self._pool.execute(sql, *values, timeout=STATEMENT_LIMIT_S)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        commits, steps = False, list[Step]()
        mark = _steps.set(steps)
        try:
            async with self._pool.acquire(timeout=CONNECT_LIMIT_S) as connection, connection.transaction():
                yield connection
                commits = True
        except LOST as exc:
            if commits:
                raise
            raise Undone(exc) from exc
        finally:
            _steps.reset(mark)
        self.on_commit(steps)

    async def _open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=self.connections,
            max_size=self.connections,
            max_inactive_connection_lifetime=0,
            connect=Opener(),
            timeout=OPEN_LIMIT_S,
            command_timeout=STATEMENT_LIMIT_S,
            # Nothing here leaves state on a connection, so a round trip that clears it would buy nothing.
            reset=_leave,
            server_settings={
                "lock_timeout": str(LOCK_LIMIT_MS),
                "synchronous_commit": "on",
                "timezone": "UTC",
                **self._marks,
            },
        )
        async with self._pool.acquire() as connection, connection.transaction():
            await _apply_schema(connection)


async def _apply_schema(connection: Connection) -> None:
    """Create what is absent; nothing where this very schema was applied before.

    Even where an index stands, CREATE INDEX waits for all writers of its table, and
    a build that starts beside a working one must not make it wait.
    """
    await connection.execute(SCHEMA_LOCK)
    await connection.execute(SCHEMAS)
    schema = files(__package__ or "").joinpath("schema.sql").read_text()
    if await connection.fetchrow(NOTE_SCHEMA, hashlib.sha256(schema.encode()).hexdigest()) is not None:
        await connection.execute(schema)


async def _leave(_: object) -> None:
    """Hand a connection back as it is."""
