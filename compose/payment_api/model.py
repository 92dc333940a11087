"""Which states are there, which steps between them are legal, and what is a row?

The machines are published: whoever watches this API may hold it to them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg


class Method(StrEnum):
    """How a customer pays; also the provider's name."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    CARD = "card"


class Kind(StrEnum):
    """What has states."""

    ORDER = "order"
    PAYMENT = "payment"
    REFUND = "refund"


class OrderState(StrEnum):
    """An order's."""

    OPEN = "open"
    """Unpaid; no attempt is live."""
    PAYING = "paying"
    """An attempt is live: sent or about to be, its result not known."""
    PAID = "paid"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    CLOSED = "closed"
    """Ran out of time; what is captured from now on goes back."""


class PaymentState(StrEnum):
    """A payment attempt's."""

    CREATED = "created"
    """Intent is on disk; the provider is about to be called, or being called."""
    SENT = "sent"
    """The provider accepted it and has not captured yet."""
    UNKNOWN = "unknown"
    """The call ended without a result that can be believed."""
    PAID = "paid"
    """Captured and honoured."""
    LATE = "late"
    """Captured when the order no longer wanted it; the refund row says what became of it."""
    CLOSED = "closed"
    """Closed at the provider, or never known to it."""
    FAILED = "failed"
    """Definitely refused by the provider."""


class RefundState(StrEnum):
    """A refund's."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Reason(StrEnum):
    """Why money goes back."""

    CUSTOMER = "customer"
    LATE = "late"
    """Captured, or learnt of, after the order had closed or its time had run out."""
    DUPLICATE = "duplicate"
    """Captured though another attempt had paid the order."""


LIVE = (PaymentState.CREATED, PaymentState.SENT, PaymentState.UNKNOWN)
"""Attempts that may still be captured; at most one an order."""

CAPTURED = (PaymentState.PAID, PaymentState.LATE)

UNPAID = (OrderState.OPEN, OrderState.PAYING)

_DECIDED = (PaymentState.PAID, PaymentState.LATE, PaymentState.CLOSED, PaymentState.FAILED)

EDGES: dict[Kind, frozenset[tuple[str, str]]] = {
    Kind.ORDER: frozenset(
        {
            (OrderState.OPEN, OrderState.PAYING),
            (OrderState.PAYING, OrderState.OPEN),
            (OrderState.PAYING, OrderState.PAID),
            (OrderState.OPEN, OrderState.PAID),
            (OrderState.OPEN, OrderState.CLOSED),
            (OrderState.PAID, OrderState.PART_REFUNDED),
            (OrderState.PAID, OrderState.REFUNDED),
            (OrderState.PART_REFUNDED, OrderState.REFUNDED),
        }
    ),
    # A closed or refused attempt that the provider captured all the same is honoured or sent back, never denied.
    Kind.PAYMENT: frozenset(
        {(PaymentState.CREATED, PaymentState.SENT), (PaymentState.CREATED, PaymentState.UNKNOWN)}
        | {(PaymentState.UNKNOWN, PaymentState.SENT)}
        | {(live, decided) for live in LIVE for decided in _DECIDED}
        | {(dead, taken) for dead in (PaymentState.CLOSED, PaymentState.FAILED) for taken in CAPTURED}
    ),
    Kind.REFUND: frozenset(
        {(RefundState.PENDING, RefundState.DONE), (RefundState.PENDING, RefundState.FAILED)},
    ),
}


class IllegalStep(Exception):
    """A step that no machine allows was about to be taken: a mistake in this program."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order, payment or refund; `old` is None where it comes into being."""

    kind: Kind
    subject: str
    order_id: str
    old: str | None
    new: str
    method: Method | None = None
    """By which the money goes; None of an order."""
    amount_minor: int = 0
    currency: str = ""
    reason: Reason | None = None
    """Why money goes back; None unless a refund comes into being."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A row of `orders`. Money in minor units."""

    id: str
    user_id: str
    state: OrderState
    amount_minor: int
    currency: str
    paid_minor: int
    refunded_minor: int
    pay_by: datetime
    merchant: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """A row of `payments`: one attempt."""

    id: str
    order_id: str
    method: Method
    number: str
    """Ours, made before the provider hears of it: out_trade_no, or the card's idempotency key."""
    provider_number: str | None
    """What the provider's ledger knows it by; of a card None until its intent exists."""
    state: PaymentState
    amount_minor: int
    currency: str
    captured_minor: int
    created_at: datetime
    instrument: str | None = None
    """What stands for the card; None for the other methods, and where the customer named none."""
    merchant: str = ""
    """Whose order it is."""

    @property
    def is_live(self) -> bool:
        """May it still be captured by what we did?"""
        return self.state in LIVE


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """A row of `refunds`, with what the provider must be told about its payment."""

    id: str
    order_id: str
    payment_id: str
    method: Method
    number: str
    """Ours, the same on each try: out_refund_no, out_request_no, or the card's idempotency key."""
    provider_number: str | None
    state: RefundState
    amount_minor: int
    reason: Reason
    payment_number: str
    payment_provider_number: str | None
    payment_amount_minor: int
    currency: str
    slot: str
    """The process that works on it."""


def order_of(row: asyncpg.Record) -> Order:
    """An Order from a row of `orders`."""
    return Order(
        id=row["id"],
        user_id=row["user_id"],
        state=OrderState(row["state"]),
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        paid_minor=row["paid_minor"],
        refunded_minor=row["refunded_minor"],
        pay_by=row["pay_by"],
        merchant=row["merchant"],
    )


def payment_of(row: asyncpg.Record) -> Payment:
    """A Payment from a row of `payments`."""
    return Payment(
        id=row["id"],
        order_id=row["order_id"],
        method=Method(row["method"]),
        number=row["number"],
        provider_number=row["provider_number"],
        state=PaymentState(row["state"]),
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        captured_minor=row["captured_minor"],
        created_at=row["created_at"],
        instrument=row["instrument"],
        merchant=row["merchant"],
    )


def refund_of(row: asyncpg.Record) -> Refund:
    """A Refund from a row of `refunds` joined to its payment."""
    return Refund(
        id=row["id"],
        order_id=row["order_id"],
        payment_id=row["payment_id"],
        method=Method(row["method"]),
        number=row["number"],
        provider_number=row["provider_number"],
        state=RefundState(row["state"]),
        amount_minor=row["amount_minor"],
        reason=Reason(row["reason"]),
        payment_number=row["payment_number"],
        payment_provider_number=row["payment_provider_number"],
        payment_amount_minor=row["payment_amount_minor"],
        currency=row["currency"],
        slot=row["slot"],
    )
