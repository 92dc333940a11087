"""What do our own books say, to the operator? Seven books as NDJSON, paged by the seq of each row's creation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg
import msgspec

from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.views import instant

READ: Mapping[str, str] = {
    "orders": """
SELECT seq, id, user_id AS "user", state, line, merchant, amount_minor, currency, paid_minor, refunded_minor,
       pay_by, created_at FROM orders WHERE seq > $1 ORDER BY seq LIMIT $2
""",
    "payments": """
SELECT seq, id, order_id, method, provider_number AS number, state, amount_minor, captured_minor, created_at
FROM payments WHERE seq > $1 ORDER BY seq LIMIT $2
""",
    # A card's refund is known by its id there, the others' by the number that we gave them.
    "refunds": """
SELECT seq, id, order_id, payment_id, method,
       CASE method WHEN 'card' THEN provider_number ELSE number END AS number,
       state, amount_minor, reason = 'customer' AS requested, reason, created_at, done_at
FROM refunds WHERE seq > $1 ORDER BY seq LIMIT $2
""",
    "transitions": """
SELECT seq, kind, subject AS id, order_id, from_state AS "from", to_state AS "to", at, build
FROM transitions WHERE seq > $1 ORDER BY seq LIMIT $2
""",
    "vouchers": """
SELECT seq, id, order_id, amount_minor, currency, at FROM vouchers WHERE seq > $1 ORDER BY seq LIMIT $2
""",
    # An order stands on the list once for each reason.
    "affected": "SELECT seq, order_id, reason, at FROM affected WHERE seq > $1 ORDER BY seq LIMIT $2",
    "discrepancies": """
SELECT seq, provider, number, order_id, kind, amount_minor, at FROM discrepancies WHERE seq > $1 ORDER BY seq LIMIT $2
""",
}
AFFECTED_FORGOTTEN = """
SELECT seq, order_id, reason, at FROM affected a WHERE seq > $1
AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = a.order_id AND r.reason <> 'customer')
ORDER BY seq LIMIT $2
"""
"""Only with the defect affected_forgotten: who got the money back is not on the list."""


class Book(StrEnum):
    """The books there are."""

    ORDERS = "orders"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    TRANSITIONS = "transitions"
    VOUCHERS = "vouchers"
    AFFECTED = "affected"
    DISCREPANCIES = "discrepancies"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows as NDJSON; `next_after` is None on the last page."""

    content: bytes
    next_after: int | None


async def read_page(
    database: Database, book: Book, after: int, limit: int, defects: frozenset[Defect] = frozenset()
) -> Page:
    """Rows of a book whose seq is above `after`, ascending."""
    forgets = book is Book.AFFECTED and Defect.AFFECTED_FORGOTTEN in defects
    rows = await database.rows(AFFECTED_FORGOTTEN if forgets else READ[book.value], after, limit + 1)
    shown = rows[:limit]
    content = b"".join(msgspec.json.encode(_plain(row)) + b"\n" for row in shown)
    return Page(content=content, next_after=shown[-1]["seq"] if len(rows) > limit else None)


def _plain(row: asyncpg.Record) -> dict[str, object]:
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in row.items()}
