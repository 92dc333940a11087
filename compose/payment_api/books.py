"""What is booked when a provider has spoken?

Each function is one transaction: it locks the order, looks at what is true by
now, and books what follows. So it does not matter who learnt the news first (the
customer's own request, a notice, the resolver) nor how often it comes: booked is
booked. No provider is called from here.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from compose.payment_api.background import Signals
from compose.payment_api.database import Connection, Database
from compose.payment_api.defects import Defect
from compose.payment_api.model import (
    CAPTURED,
    UNPAID,
    Kind,
    Method,
    Order,
    OrderState,
    Payment,
    PaymentState,
    Reason,
    RefundState,
    Step,
    order_of,
    payment_of,
)
from compose.payment_api.releaser import book_release
from compose.payment_api.steps import born, jump_order, move_order, move_payment, now

HOLD_ORDER = "SELECT * FROM orders WHERE id = $1 FOR UPDATE"
HOLD_ORDER_OF_PAYMENT = """
SELECT * FROM orders WHERE id = (SELECT order_id FROM payments WHERE id = $1) FOR UPDATE
"""
READ_PAYMENT = "SELECT * FROM payments WHERE id = $1"
BOOK_CAPTURE = "UPDATE payments SET captured_minor = amount_minor WHERE id = $1"
BOOK_PAID = "UPDATE orders SET paid_minor = paid_minor + $2 WHERE id = $1"
BOOK_CLOSE = "UPDATE payments SET closed_at = $2 WHERE id = $1"
BOOK_NUMBER = "UPDATE payments SET provider_number = $2 WHERE id = $1"
BOOK_NEW_NUMBER = "UPDATE payments SET number = $2, provider_number = $3 WHERE id = $1"
LIVE_ATTEMPT = """
SELECT * FROM payments WHERE order_id = $1 AND state IN ('created', 'sent', 'unknown') ORDER BY seq LIMIT 1
"""
INSERT_REFUND = """
INSERT INTO refunds (id, order_id, payment_id, method, number, state, amount_minor, reason, created_at)
VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8)
"""
DELETE_ORDER = "DELETE FROM orders WHERE id = $1"
ON_TIME = timedelta()
TOO_EARLY = timedelta(seconds=2)
"""Only with the defect closed_early."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A payment and its order, whose row is locked until the transaction ends."""

    order: Order
    payment: Payment


class Books:
    """Bookings about payments."""

    def __init__(self, database: Database, signals: Signals, defects: frozenset[Defect]) -> None:
        self._database = database
        self._signals = signals
        self._defects = defects
        self.early = TOO_EARLY if Defect.CLOSED_EARLY in defects else ON_TIME
        """How long before its `pay_by` an unpaid order may be closed."""
        self.closes = Defect.NEVER_CLOSED not in defects
        """Whether unpaid orders are closed at their `pay_by` at all."""

    async def captured(self, payment_id: str) -> None:
        """The provider captured the attempt: honour it, or owe it back where the order no longer wants it."""
        refund_id = None
        async with self._database.transaction() as connection:
            held = await _hold(connection, payment_id)
            if held is None or held.payment.state in CAPTURED or self._is_ignored(held.payment):
                return
            order, payment, at = held.order, held.payment, now()
            reopened = Defect.CLOSED_ORDER_REOPENED in self._defects and order.state is OrderState.CLOSED
            honoured = reopened or (order.state in UNPAID and at < order.pay_by)
            await connection.execute(BOOK_CAPTURE, payment.id)
            if Defect.NUMBER_GARBLED in self._defects and payment.method is Method.ALIPAY:
                await connection.execute(BOOK_NUMBER, payment.id, f"{payment.number}0")
            await move_payment(connection, payment, PaymentState.PAID if honoured else PaymentState.LATE, at)
            if honoured:
                await connection.execute(BOOK_PAID, order.id, payment.amount_minor)
                step = jump_order if reopened else move_order
                await step(connection, order, OrderState.PAID, at)
                await book_release(connection, order.id)
            else:
                if Defect.NO_AUTO_REFUND not in self._defects:
                    reason = Reason.LATE if order.state in (*UNPAID, OrderState.CLOSED) else Reason.DUPLICATE
                    refund_id = await insert_refund(connection, payment, payment.amount_minor, reason, at)
                await rest(connection, order, at)
        self._signals.announce(payment_id)
        if refund_id is not None:
            self._signals.refund_owed(refund_id)
        if honoured:
            self._signals.release_due(order.id)

    async def sent(self, payment_id: str) -> None:
        """The provider accepted the attempt and will capture it."""
        async with self._database.transaction() as connection:
            held = await _hold(connection, payment_id)
            if held is not None and held.payment.state in (PaymentState.CREATED, PaymentState.UNKNOWN):
                await move_payment(connection, held.payment, PaymentState.SENT, now())

    async def unknown(self, payment_id: str) -> None:
        """A charge ended without a result: it is neither paid nor failed until the provider has said which."""
        async with self._database.transaction() as connection:
            held = await _hold(connection, payment_id)
            if held is None or held.payment.state is not PaymentState.CREATED:
                return
            order, payment, at = held.order, held.payment, now()
            if Defect.DELETE_ON_FAILURE in self._defects:
                await connection.execute(DELETE_ORDER, order.id)
            elif Defect.TIMEOUT_IS_FAILURE in self._defects:
                await move_payment(connection, payment, PaymentState.FAILED, at)
                await rest(connection, order, at)
            elif Defect.ABANDON_ON_UNKNOWN in self._defects:
                await connection.execute(BOOK_CLOSE, payment.id, at)
                await move_payment(connection, payment, PaymentState.CLOSED, at)
                if order.state in UNPAID:
                    await rest(connection, order, order.pay_by)
            else:
                await move_payment(connection, payment, PaymentState.UNKNOWN, at)
                return
        self._signals.announce(payment_id)

    async def closed(self, payment_id: str) -> None:
        """The provider closed the attempt, or never heard of it and was told to refuse it."""
        await self._ended(payment_id, PaymentState.CLOSED)

    async def failed(self, payment_id: str) -> None:
        """The provider refused the attempt at its first sending."""
        await self._ended(payment_id, PaymentState.FAILED)

    async def numbered(self, payment_id: str, provider_number: str) -> None:
        """The number by which the provider knows the attempt, before anything can be captured under it."""
        await self._database.execute(BOOK_NUMBER, payment_id, provider_number)

    async def renumbered(self, payment_id: str, number: str, provider_number: str | None) -> None:
        """Only with the defect new_number_on_retry: the old number is overwritten, and so forgotten."""
        await self._database.execute(BOOK_NEW_NUMBER, payment_id, number, provider_number)

    async def expire(self, order_id: str) -> None:
        """`pay_by` has passed: close the order unless an attempt of it is live."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(HOLD_ORDER, order_id)
            if row is not None:
                await rest(connection, order_of(row), now(), self.early)

    async def _ended(self, payment_id: str, state: PaymentState) -> None:
        async with self._database.transaction() as connection:
            held = await _hold(connection, payment_id)
            if held is None or not held.payment.is_live:
                return
            at = now()
            if state is PaymentState.CLOSED:
                await connection.execute(BOOK_CLOSE, payment_id, at)
            await move_payment(connection, held.payment, state, at)
            await rest(connection, held.order, at)
        self._signals.announce(payment_id)

    def _is_ignored(self, payment: Payment) -> bool:
        """A capture of an attempt that was given up is news like any other, unless a defect forgets the attempt."""
        switched = Defect.SWITCH_WITHOUT_CLOSE in self._defects and payment.state is PaymentState.CLOSED
        believed = {Defect.TIMEOUT_IS_FAILURE, Defect.UPGRADE_DROPS_IN_FLIGHT} & self._defects
        return switched or (bool(believed) and payment.state is PaymentState.FAILED)


async def rest(connection: Connection, order: Order, at: datetime, early: timedelta = ON_TIME) -> None:
    """Where an unpaid order goes that has no live attempt (any more): open, and past its `pay_by` closed."""
    if order.state not in UNPAID or await connection.fetchrow(LIVE_ATTEMPT, order.id) is not None:
        return
    if order.state is OrderState.PAYING:
        order = await move_order(connection, order, OrderState.OPEN, at)
    if at + early >= order.pay_by:
        await move_order(connection, order, OrderState.CLOSED, at)


async def insert_refund(
    connection: Connection, payment: Payment, amount_minor: int, reason: Reason, at: datetime
) -> str:
    """Book that money of a payment goes back; returns the refund's id. Whoever calls this tells `refund_owed`."""
    refund_id, number = f"ref_{secrets.token_hex(12)}", f"R{secrets.token_hex(14)}"
    values = (refund_id, payment.order_id, payment.id, payment.method.value, number, amount_minor, reason.value, at)
    await connection.execute(INSERT_REFUND, *values)
    money = (payment.method, amount_minor, payment.currency, reason)
    await born(connection, Step(Kind.REFUND, refund_id, payment.order_id, None, RefundState.PENDING, *money), at)
    return refund_id


async def _hold(connection: Connection, payment_id: str) -> Held | None:
    """Lock the payment's order, then read the payment as it is now."""
    order = await connection.fetchrow(HOLD_ORDER_OF_PAYMENT, payment_id)
    if order is None:
        return None
    payment = await connection.fetchrow(READ_PAYMENT, payment_id)
    assert payment is not None
    return Held(order=order_of(order), payment=payment_of(payment))
