"""When does an unpaid order close? At its `pay_by`, unless an attempt of it is live: then when that is resolved."""

from compose.payment_api.books import Books
from compose.payment_api.database import Database
from compose.payment_api.steps import now

OPEN_PAST_PAY_BY = "SELECT id FROM orders WHERE state = 'open' AND pay_by <= $1 ORDER BY pay_by, seq LIMIT 200"

CLOSE_EVERY_S = 0.2


async def close_expired(database: Database, books: Books) -> None:
    """Close the orders whose time has run out; each is looked at again under its lock."""
    if not books.closes:
        return
    for row in await database.rows(OPEN_PAST_PAY_BY, now() + books.early):
        await books.expire(row["id"])
