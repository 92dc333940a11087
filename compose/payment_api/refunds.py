"""How does money go back: asked for by a customer, and told of by a provider?

A customer's refund is booked under the order's lock against what is captured and
not yet promised back, so parallel requests cannot promise more than there is. It
is sent by the refunder behind the answer. What the provider says of it is booked
here too, whoever learnt it.
"""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from compose.payment_api.background import Signals
from compose.payment_api.books import HOLD_ORDER, insert_refund
from compose.payment_api.database import Connection, Database
from compose.payment_api.defects import Defect
from compose.payment_api.errors import ApiError
from compose.payment_api.model import (
    Order,
    OrderState,
    Payment,
    Reason,
    Refund,
    RefundState,
    order_of,
    payment_of,
    refund_of,
)
from compose.payment_api.orders import (
    FEN_A_YUAN,
    READ_KEY,
    Binding,
    Orders,
    bind_key,
    check_digest,
    digest,
    order_not_found,
)
from compose.payment_api.steps import move_order, move_refund, now

REFUND = """
SELECT r.*, p.number AS payment_number, p.provider_number AS payment_provider_number,
       p.amount_minor AS payment_amount_minor, p.currency
FROM refunds r JOIN payments p ON p.id = r.payment_id
"""
READ_REFUND = REFUND + " WHERE r.id = $1"
FIRST_REFUND = REFUND + " WHERE r.order_id = $1 AND r.reason = 'customer' ORDER BY r.seq LIMIT 1"
HONOURED = "SELECT * FROM payments WHERE order_id = $1 AND state = 'paid' ORDER BY seq LIMIT 1"
PROMISED = """
SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds WHERE payment_id = $1 AND state IN ('pending', 'done')
"""
GONE_BACK = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds WHERE payment_id = $1 AND state = 'done'"
"""Only for the defect refund_promised_beyond."""
RELEASED = "SELECT done_at IS NOT NULL FROM releases WHERE order_id = $1"
HOLD_ORDER_OF_REFUND = "SELECT * FROM orders WHERE id = (SELECT order_id FROM refunds WHERE id = $1) FOR UPDATE"
BOOK_DONE = "UPDATE refunds SET done_at = $2 WHERE id = $1"
BOOK_NUMBER = "UPDATE refunds SET provider_number = $2 WHERE id = $1"
BOOK_REFUNDED = "UPDATE orders SET refunded_minor = refunded_minor + $2 WHERE id = $1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Requested:
    """A customer's refund, as answered."""

    id: str
    amount_minor: int
    state: RefundState


class Refunds:
    """Bookings about refunds."""

    def __init__(
        self, database: Database, orders: Orders, signals: Signals, defects: frozenset[Defect] = frozenset()
    ) -> None:
        self._database = database
        self._orders = orders
        self._signals = signals
        self._defects = defects

    async def request(self, user: str, order_id: str, amount_minor: int, key: str) -> Requested:
        """Book a customer's refund, or give the one that the key made before; 409 above what is left."""
        await self._orders.written(order_id)
        mark = digest("refund", {"order": order_id, "amount_minor": amount_minor})
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(HOLD_ORDER, order_id)
            if row is None or (row["user_id"] != user and Defect.REFUND_FOR_ANYONE not in self._defects):
                raise order_not_found()
            known = await connection.fetchrow(READ_KEY, user, key)
            if known is not None:
                check_digest(known, mark, self._defects)
                made = await connection.fetchrow(READ_REFUND, known["result_id"])
                assert made is not None
                return _requested(made)
            if Defect.SECOND_PARTIAL_SWALLOWED in self._defects:
                first = await connection.fetchrow(FIRST_REFUND, order_id)
                if first is not None:
                    return _requested(first)
            if Defect.VALID_REFUND_REFUSED in self._defects and await connection.fetchval(RELEASED, order_id):
                raise _nothing_to_refund(order_id)
            given_minor = amount_minor
            if Defect.REFUND_ROUNDED_UP in self._defects:
                given_minor = -(-amount_minor // FEN_A_YUAN) * FEN_A_YUAN
            counted = GONE_BACK if Defect.REFUND_PROMISED_BEYOND in self._defects else PROMISED
            refund_id = await _promise(connection, order_of(row), given_minor, now(), counted)
            binding = Binding(user=user, key=key, mark=mark, order_id=order_id, result_id=refund_id)
            await bind_key(connection, binding, now())
        self._signals.refund_owed(refund_id)
        return Requested(id=refund_id, amount_minor=amount_minor, state=RefundState.PENDING)

    async def read(self, refund_id: str) -> Refund | None:
        """The refund with its payment's numbers."""
        row = await self._database.row(READ_REFUND, refund_id)
        return None if row is None else refund_of(row)

    async def numbered(self, refund_id: str, provider_number: str) -> None:
        """The number by which the provider knows the refund."""
        await self._database.execute(BOOK_NUMBER, refund_id, provider_number)

    async def done(self, refund_id: str) -> bool:
        """The provider sent the money; False where that was booked before."""
        return await self._ended(refund_id, RefundState.DONE)

    async def failed(self, refund_id: str) -> None:
        """The provider refused for good: what was promised is free again."""
        await self._ended(refund_id, RefundState.FAILED)

    async def _ended(self, refund_id: str, state: RefundState) -> bool:
        async with self._database.transaction() as connection:
            held = await connection.fetchrow(HOLD_ORDER_OF_REFUND, refund_id)
            row = await connection.fetchrow(READ_REFUND, refund_id)
            if held is None or row is None or row["state"] != RefundState.PENDING:
                return False
            refund, at = refund_of(row), now()
            await move_refund(connection, refund, state, at)
            if state is RefundState.DONE:
                await connection.execute(BOOK_DONE, refund.id, at)
                await self._book_order(connection, order_of(held), refund, at)
        self._signals.announce(refund_id)
        return True

    async def _book_order(self, connection: Connection, order: Order, refund: Refund, at: datetime) -> None:
        """An order's own money counts what was honoured; what came late or twice never was part of it."""
        if refund.reason is not Reason.CUSTOMER:
            return
        await connection.execute(BOOK_REFUNDED, order.id, refund.amount_minor)
        whole = order.refunded_minor + refund.amount_minor >= order.paid_minor
        if Defect.LAST_REFUND_IS_PART in self._defects:
            whole = False
        if Defect.HALF_REFUND_IS_REFUNDED in self._defects:
            whole = True
        state = OrderState.REFUNDED if whole else OrderState.PART_REFUNDED
        if order.state is not state:
            await move_order(connection, order, state, at)


def _requested(row: asyncpg.Record) -> Requested:
    return Requested(id=row["id"], amount_minor=row["amount_minor"], state=RefundState(row["state"]))


async def _promise(connection: Connection, order: Order, amount_minor: int, at: datetime, counted: str) -> str:
    payment = await _honoured(connection, order)
    promised = 0 if payment is None else await connection.fetchval(counted, payment.id)
    if payment is None or amount_minor > payment.captured_minor - promised:
        raise _nothing_to_refund(order.id)
    return await insert_refund(connection, payment, amount_minor, Reason.CUSTOMER, at)


def _nothing_to_refund(order_id: str) -> ApiError:
    return ApiError(409, "nothing_to_refund", "That is more than is left to refund.", order_id=order_id)


async def _honoured(connection: Connection, order: Order) -> Payment | None:
    row: asyncpg.Record | None = await connection.fetchrow(HONOURED, order.id)
    return None if row is None else payment_of(row)
