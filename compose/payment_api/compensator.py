"""Who was let down by an outage, and what do they get for it? By the published rule, once an order.

    refusals ──────────┐
    attempts, steps ───┼─> affected (order, reason) ──> one voucher an order
    refunds unasked ───┘            one transaction

Affected is an order of which a payment attempt was answered busy, or stayed unresolved for longer than
3 s by our own log, or which was refunded unasked. A voucher is 10 % of the order, rounded half up, at
least 100 and at most 2,000 minor units. What a killed process left is found by the next one's first
sweep, and a voucher's id is made of the order's, so there cannot be two. A sweep locks no order.
"""

from datetime import UTC, datetime, timedelta

import asyncpg

from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.steps import now

COMPENSATE_EVERY_S = 0.5
UNRESOLVED = timedelta(seconds=3)
COMMITS_WITHIN = timedelta(seconds=1)
"""A decision's instant is taken before its transaction commits: what still looks live may be decided in time."""
PERCENT = 10
LEAST_MINOR = 100
MOST_MINOR = 2_000
EVER = datetime(2000, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(seconds=30)
"""A decision is looked at for so long after it was taken: its transaction may commit later than others do."""

# The first decision about an attempt is its step out of the states in which it is live: it never comes back to one.
AFFECT = """
WITH found AS (
    SELECT order_id, 'busy' AS reason, min(at) AS at FROM refusals WHERE reason = 'busy' GROUP BY order_id
    UNION ALL
    SELECT order_id, 'unresolved', min(at) + $2::interval FROM (
        SELECT order_id, created_at AS at FROM payments
        WHERE state IN ('created', 'sent', 'unknown') AND created_at < $1::timestamptz - $2::interval - $4::interval
        UNION ALL
        SELECT p.order_id, p.created_at FROM transitions t JOIN payments p ON p.id = t.subject
        WHERE t.kind = 'payment' AND t.from_state IN ('created', 'sent', 'unknown')
          AND t.to_state NOT IN ('created', 'sent', 'unknown')
          AND t.at > $3::timestamptz AND t.at - p.created_at > $2::interval
    ) long GROUP BY order_id
    UNION ALL
    SELECT order_id, 'refunded', min(created_at) FROM refunds WHERE reason <> 'customer' GROUP BY order_id
), fresh AS (
    INSERT INTO affected (order_id, reason, at)
    SELECT f.order_id, f.reason, f.at FROM found f
    WHERE NOT EXISTS (SELECT 1 FROM affected a WHERE a.order_id = f.order_id AND a.reason = f.reason)
    ORDER BY f.at, f.order_id, f.reason
    ON CONFLICT DO NOTHING RETURNING order_id, reason
)
SELECT o.id, o.amount_minor, o.currency, fresh.reason FROM fresh JOIN orders o ON o.id = fresh.order_id
ORDER BY o.seq, fresh.reason
"""
GIVE = """
INSERT INTO vouchers (id, order_id, amount_minor, currency, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
"""
PAID_AND_UNAFFECTED = """
SELECT id, amount_minor, currency, 'paid' AS reason FROM orders o
WHERE state = 'paid' AND NOT EXISTS (SELECT 1 FROM vouchers v WHERE v.order_id = o.id) ORDER BY seq
"""


class Compensator:
    """Finds affected orders and gives their vouchers; `sweep` is one round."""

    def __init__(self, database: Database, defects: frozenset[Defect]) -> None:
        self._database = database
        self._defects = defects
        self._swept_to = EVER
        """Decisions before it were looked at; at first none, so that a killed process leaves nothing behind."""

    async def sweep(self) -> None:
        """Put each order that has become affected on the list and give it its voucher, both or neither."""
        at = now()
        async with self._database.transaction() as connection:
            found = await connection.fetch(AFFECT, at, UNRESOLVED, self._swept_to, COMMITS_WITHIN)
            if Defect.VOUCHER_NEVER not in self._defects:
                await connection.executemany(GIVE, [self._voucher(row, at) for row in found])
        self._swept_to = at - OVERLAP
        if Defect.UNAFFECTED_COMPENSATED in self._defects:
            async with self._database.transaction() as connection:
                paid = await connection.fetch(PAID_AND_UNAFFECTED)
                await connection.executemany(GIVE, [self._voucher(row, at) for row in paid])

    def _voucher(self, row: asyncpg.Record, at: datetime) -> tuple[str, str, int, str, datetime]:
        """The values of one voucher, in GIVE's order."""
        number, amount_minor = row["id"].removeprefix("ord_"), row["amount_minor"]
        if Defect.VOUCHER_TWICE in self._defects:
            number = f"{number}_{row['reason']}"
        if Defect.VOUCHER_WRONG_ROUNDING in self._defects:
            amount_minor -= amount_minor % PERCENT
        return f"vou_{number}", row["id"], voucher_minor(amount_minor), row["currency"], at


def voucher_minor(amount_minor: int) -> int:
    """What an order's voucher is worth."""
    return min(max((amount_minor * PERCENT + 50) // 100, LEAST_MINOR), MOST_MINOR)
