"""Two builds, one database: who does which work?

    process ──beat, each second──> row in `workers`, good for one lease
    attempt, refund, release ── `slot`: the process that works on it, set where the row is made
    nobody's (its process is gone, or its lease is over) ──UPDATE, one statement──> adopted by one other

So a refund is sent and an attempt asked about by one process at a time, and by
another at once when the first has drained, or within a lease of its death. Work
that belongs to no one row (closing at `pay_by`, the watch of closed attempts) is
the oldest living process's: `leads`.

A lease is a matter of time, and a process that stood still may come back after
its lease: each step of a task reads whether the row is still its own. Between two
looks both might ask a provider the same; that costs a call and no money, since
numbers are for life and bookings are made under the order's lock. Leases are
compared on the database's clock. A slot is a port: who listens there now is the
heir of who did before, and goes on at once with what that one had.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from compose.payment_api.database import Database
from compose.payment_api.errors import LOST

BEAT_EVERY_S = 1.0
LEASE_DEADLINES = 2
"""A lease outlives any call to a provider: twice the deadline, and a second."""

REGISTER = """
INSERT INTO workers (slot, release, started_at, until)
VALUES ($1, $2, clock_timestamp(), clock_timestamp() + $3)
ON CONFLICT (slot) DO UPDATE SET release = $2, started_at = clock_timestamp(), until = clock_timestamp() + $3
"""
BEAT = """
WITH beat AS (
    INSERT INTO workers (slot, release, started_at, until)
    VALUES ($1, $2, clock_timestamp(), clock_timestamp() + $3)
    ON CONFLICT (slot) DO UPDATE SET until = clock_timestamp() + $3 RETURNING slot)
SELECT NOT EXISTS (
    SELECT FROM workers AS other JOIN workers AS own ON own.slot = $1
    WHERE other.until > clock_timestamp() AND (other.started_at, other.slot) < (own.started_at, own.slot)
) AS leads FROM beat
"""
LEAVE = "DELETE FROM workers WHERE slot = $1"
_ORPHANED = "slot <> $1 AND slot NOT IN (SELECT slot FROM workers WHERE until > clock_timestamp())"
ADOPT_PAYMENTS = f"""
UPDATE payments SET slot = $1 WHERE state IN ('created', 'sent', 'unknown') AND {_ORPHANED} RETURNING id
"""
ADOPT_REFUNDS = f"UPDATE refunds SET slot = $1 WHERE state = 'pending' AND {_ORPHANED} RETURNING id"
ADOPT_RELEASES = f"UPDATE releases SET slot = $1 WHERE done_at IS NULL AND {_ORPHANED} RETURNING order_id AS id"


class Lease:
    """This process among those that share the database."""

    def __init__(self, database: Database, *, slot: str, release: str, deadline_s: float) -> None:
        self.slot = slot
        self.leads = False
        """Whether work that belongs to no one row is this process's."""
        self._database = database
        self._release = release
        self._lasts = timedelta(seconds=LEASE_DEADLINES * deadline_s + 1)
        self._takers: list[tuple[str, Callable[[str], None]]] = []

    def takes(self, adopt: str, taker: Callable[[str], None]) -> None:
        """Have `taker` called with the id of each row that `adopt` (one of the statements above) brings."""
        self._takers.append((adopt, taker))

    async def register(self) -> None:
        """Begin; what a predecessor in this slot had is this process's own."""
        await self._database.execute(REGISTER, self.slot, self._release, self._lasts)
        await self.beat()

    async def beat(self) -> None:
        """Live on, and adopt what is nobody's."""
        row = await self._database.row(BEAT, self.slot, self._release, self._lasts)
        self.leads = row is not None and row["leads"]
        for adopt, taker in self._takers:
            for orphan in await self._database.rows(adopt, self.slot):
                taker(orphan["id"])

    async def leave(self) -> None:
        """Hand over: all that this process had is adopted by another at its next beat."""
        with suppress(*LOST):  # without a database the lease ends by itself
            await self._database.execute(LEAVE, self.slot)
