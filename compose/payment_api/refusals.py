"""Which orders' payments were refused because the system was busy? Booked before the customer is told.

    refused ──> table refusals ──> answer
       └─ the database is gone: ──> spool, synced ──> answer ··· later, when it is back ──> table refusals

Only an order of the very user counts, wherever the refusal was kept meanwhile.
"""

import asyncio
import logging
import secrets
from datetime import datetime

import msgspec

from compose.payment_api.database import Database
from compose.payment_api.errors import LOST, in_short
from compose.payment_api.spool import Spool
from compose.payment_api.steps import now

BOOK = """
INSERT INTO refusals (id, order_id, method, at, reason)
SELECT $1, id, $4, $5, 'busy' FROM orders WHERE id = $2 AND user_id = $3 ON CONFLICT DO NOTHING
"""
BOOK_LIMIT_S = 0.25
"""Longest that a customer waits for the booking; then the spool takes it."""
HAND_OVER_EVERY_S = 0.3

log = logging.getLogger("payment_api")


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One payment that was refused."""

    id: str
    order_id: str
    user: str
    method: str
    at: datetime


class Refusals:
    """Keeps them, here or there."""

    def __init__(self, database: Database, spool: Spool) -> None:
        self._database = database
        self.spool = spool

    async def keep(self, *, user: str, order_id: str, method: str) -> None:
        """Book a refusal, or spool it; returns when it can no longer be lost."""
        refusal = Refusal(id=f"rej_{secrets.token_hex(12)}", order_id=order_id, user=user, method=method, at=now())
        try:
            async with asyncio.timeout(BOOK_LIMIT_S):
                await self._book(refusal)
        except LOST as exc:
            log.warning("a refusal is spooled: %s", in_short(exc))
            await asyncio.to_thread(self.spool.append, msgspec.json.encode(refusal))

    async def hand_over(self) -> None:
        """Book what was spooled; raises where the database is still gone."""
        if not self.spool.is_empty:
            await self.spool.hand_over(lambda line: self._book(msgspec.json.decode(line, type=Refusal)))

    async def _book(self, refusal: Refusal) -> None:
        await self._database.execute(BOOK, refusal.id, refusal.order_id, refusal.user, refusal.method, refusal.at)
