"""Who was let down by an outage, and what do they get for it? By the published rule, once an order.

    refusals ──────────┐
    attempts, steps ───┼─> affected (order, reason) ──> one voucher an order
    refunds unasked ───┘            one transaction

Affected is an order of which a payment attempt was answered busy, or stayed unresolved for longer than
3 s by our own log, or which was refunded unasked. A voucher is 10 % of the order, rounded half up, at
least 100 and at most 2,000 minor units. Nothing is remembered between two sweeps: what a killed process
left is found by the next one, and a voucher's id is made of the order's, so there cannot be two.
"""

from datetime import timedelta

from compose.payment_api.database import Connection, Database
from compose.payment_api.defects import Defect
from compose.payment_api.steps import now

COMPENSATE_EVERY_S = 0.5
UNRESOLVED = timedelta(seconds=3)
PERCENT = 10
LEAST_MINOR = 100
MOST_MINOR = 2_000

# An order's steps are few, so the first decision about each attempt is cheap to find by the order's index.
AFFECT = """
WITH found AS (
    SELECT order_id, 'busy' AS reason, min(at) AS at FROM refusals WHERE reason = 'busy' GROUP BY order_id
    UNION ALL
    SELECT p.order_id, 'unresolved', min(p.created_at) + $2::interval
    FROM payments p LEFT JOIN LATERAL (
        SELECT min(t.at) AS at FROM transitions t
        WHERE t.order_id = p.order_id AND t.subject = p.id AND t.to_state IN ('paid', 'late', 'closed', 'failed')
    ) decided ON true
    WHERE p.created_at < $1::timestamptz - $2::interval AND coalesce(decided.at, $1) - p.created_at > $2::interval
    GROUP BY p.order_id
    UNION ALL
    SELECT order_id, 'refunded', min(created_at) FROM refunds WHERE reason <> 'customer' GROUP BY order_id
), fresh AS (
    INSERT INTO affected (order_id, reason, at)
    SELECT f.order_id, f.reason, f.at FROM found f JOIN orders o ON o.id = f.order_id
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

    async def sweep(self) -> None:
        """Put each order that has become affected on the list and give it its voucher, both or neither."""
        async with self._database.transaction() as connection:
            for row in await connection.fetch(AFFECT, now(), UNRESOLVED):
                if Defect.VOUCHER_NEVER not in self._defects:
                    await self._give(connection, row["id"], row["amount_minor"], row["currency"], row["reason"])
        if Defect.UNAFFECTED_COMPENSATED in self._defects:
            async with self._database.transaction() as connection:
                for row in await connection.fetch(PAID_AND_UNAFFECTED):
                    await self._give(connection, row["id"], row["amount_minor"], row["currency"], row["reason"])

    async def _give(self, connection: Connection, order_id: str, amount_minor: int, currency: str, reason: str) -> None:
        number = order_id.removeprefix("ord_")
        if Defect.VOUCHER_TWICE in self._defects:
            number = f"{number}_{reason}"
        rounds_down = Defect.VOUCHER_WRONG_ROUNDING in self._defects
        worth_minor = voucher_minor(amount_minor - amount_minor % PERCENT if rounds_down else amount_minor)
        await connection.execute(GIVE, f"vou_{number}", order_id, worth_minor, currency, now())


def voucher_minor(amount_minor: int) -> int:
    """What an order's voucher is worth."""
    return min(max((amount_minor * PERCENT + 50) // 100, LEAST_MINOR), MOST_MINOR)
