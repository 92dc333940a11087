"""How does anything change its state? Through the functions here, and through nothing else.

One statement changes the row and writes the step down; both are in the caller's
transaction, which holds the order's row lock. So the log of steps is complete,
has no step that was not taken, and none that the machine does not allow.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from compose.payment_api.database import Connection, took
from compose.payment_api.model import (
    EDGES,
    IllegalStep,
    Kind,
    Order,
    OrderState,
    Payment,
    PaymentState,
    Refund,
    RefundState,
    Step,
)

_TABLES = {Kind.ORDER: "orders", Kind.PAYMENT: "payments", Kind.REFUND: "refunds"}

MOVE: Mapping[Kind, str] = {
    kind: f"""
WITH moved AS (UPDATE {table} SET state = $4::text WHERE id = $1 AND state = $3::text RETURNING id)
INSERT INTO transitions (kind, subject, order_id, from_state, to_state, at)
SELECT '{kind.value}', id, $2, $3::text, $4::text, $5 FROM moved RETURNING seq
"""
    for kind, table in _TABLES.items()
}

BORN = """
INSERT INTO transitions (kind, subject, order_id, from_state, to_state, at) VALUES ($1, $2, $3, NULL, $4, $5)
"""


def now() -> datetime:
    """The API's one clock: UTC of this host."""
    return datetime.now(UTC)


async def move_order(connection: Connection, order: Order, state: OrderState, at: datetime) -> Order:
    """Take one step of an order; returns the order as it is then."""
    await _move(connection, Step(Kind.ORDER, order.id, order.id, order.state, state), at)
    return replace(order, state=state)


async def jump_order(connection: Connection, order: Order, state: OrderState, at: datetime) -> None:
    """Only with a defect: a step that the machine does not have."""
    await connection.execute(MOVE[Kind.ORDER], order.id, order.id, order.state, state, at)
    took(Step(Kind.ORDER, order.id, order.id, order.state, state))


async def move_payment(connection: Connection, payment: Payment, state: PaymentState, at: datetime) -> None:
    """Take one step of an attempt."""
    await _move(connection, payment_step(payment, payment.state, state), at)


async def move_refund(connection: Connection, refund: Refund, state: RefundState, at: datetime) -> None:
    """Take one step of a refund."""
    money = (refund.method, refund.amount_minor, refund.currency)
    await _move(connection, Step(Kind.REFUND, refund.id, refund.order_id, refund.state, state, *money), at)


async def born(connection: Connection, step: Step, at: datetime) -> None:
    """Write down that a payment or refund came into being; its row is inserted by the caller."""
    await connection.execute(BORN, step.kind.value, step.subject, step.order_id, step.new, at)
    took(step)


def payment_step(payment: Payment, old: PaymentState | None, new: PaymentState) -> Step:
    """A step of an attempt."""
    money = (payment.method, payment.amount_minor, payment.currency)
    return Step(Kind.PAYMENT, payment.id, payment.order_id, old, new, *money)


async def _move(connection: Connection, step: Step, at: datetime) -> None:
    """Take a step and write it down; IllegalStep where no machine has it, or the row is in another state by now."""
    if (step.old, step.new) not in EDGES[step.kind]:
        raise IllegalStep(f"{step.kind} {step.subject}: {step.old} to {step.new}")
    values = (step.subject, step.order_id, step.old, step.new, at)
    if await connection.fetchrow(MOVE[step.kind], *values) is None:
        raise IllegalStep(f"{step.kind} {step.subject} is not {step.old}")
    took(step)
