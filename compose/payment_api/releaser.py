"""How does a paid order get to where it is waited for, exactly once?

    paid ──(same transaction)──> row in `releases` ──> call dispatch, key = order id ──> acknowledged: row done
                                                  └──> no answer: the same call again, after 0.1 s ... at most 1 s

The row is the only reason to call, so a process that was killed loses nothing;
the key is the order's id, so whoever calls again, this process or another, has
no second effect. An order that was given back in full meanwhile is not released.
"""

import asyncio
import secrets
from http import HTTPStatus

from compose.payment_api.background import Background, Signals
from compose.payment_api.database import Connection, Database
from compose.payment_api.defects import Defect
from compose.payment_api.lease import Lease
from compose.payment_api.model import OrderState
from compose.payment_api.steps import now
from compose.payment_api.wire import CallFailed, Wire

BOOK = "INSERT INTO releases (order_id, booked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
DUE = "SELECT order_id FROM releases WHERE done_at IS NULL AND slot = $1 ORDER BY booked_at, order_id LIMIT 500"
READ = """
SELECT r.done_at, r.slot, o.state, o.line FROM releases r JOIN orders o ON o.id = r.order_id WHERE r.order_id = $1
"""
DONE = "UPDATE releases SET done_at = $2 WHERE order_id = $1 AND done_at IS NULL"

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0


class Releaser:
    """Releases orders in the background, one task each."""

    def __init__(
        self,
        *,
        database: Database,
        dispatch: Wire,
        background: Background,
        signals: Signals,
        lease: Lease,
        defects: frozenset[Defect],
        run_id: str,
        deadline_s: float,
    ) -> None:
        self._database = database
        self._dispatch = dispatch
        self._background = background
        self._lease = lease
        self._defects = defects
        self._run_id = run_id
        self._deadline_s = deadline_s
        self._line_before: str | None = None
        """Only with the defect released_for_another_line: of the order that was released before."""
        signals.on_release_due(self.release)

    def release(self, order_id: str) -> None:
        """See to it that the order is released."""
        name = f"release {order_id}"
        if not self._background.runs(name):
            self._background.start(name, self._release(order_id))

    def release_again(self, order_id: str) -> None:
        """Only with the defect released_twice: release it as if it never had been."""
        name = f"release {order_id} again"
        if not self._background.runs(name):
            self._background.start(name, self._again(order_id))

    async def sweep(self) -> None:
        """Take up releases that nobody works on: those of a killed process, and those whose task ended in an error."""
        for row in await self._database.rows(DUE, self._lease.slot):
            self.release(row["order_id"])

    async def _release(self, order_id: str) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            row = await self._database.row(READ, order_id)
            if row is None or row["done_at"] is not None or row["slot"] != self._lease.slot:
                return
            if (
                Defect.RELEASED_NEVER in self._defects
                or row["state"] == OrderState.REFUNDED
                or await self._call(order_id, row["line"], key=order_id)
            ):
                await self._database.execute(DONE, order_id, now())
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _again(self, order_id: str) -> None:
        row = await self._database.row(READ, order_id)
        if row is not None:
            await self._call(order_id, row["line"], key=secrets.token_hex(12))

    async def _call(self, order_id: str, line: str, *, key: str) -> bool:
        """Call dispatch; False where it did not say that it has it."""
        if Defect.RELEASED_FOR_ANOTHER_LINE in self._defects:
            line, self._line_before = self._line_before or line, line
        body = {"order": order_id, "run": self._run_id, "line": line}
        headers = {"Idempotency-Key": key}
        try:
            reply = await self._dispatch.call(
                "POST", "/v1/releases", body=body, headers=headers, limit_s=self._deadline_s
            )
        except CallFailed:
            return False
        return reply.status == HTTPStatus.OK


async def book_release(connection: Connection, order_id: str) -> None:
    """Book that the order is to be released; the caller tells `release_due` after its commit."""
    await connection.execute(BOOK, order_id, now())
