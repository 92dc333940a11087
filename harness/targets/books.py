"""What can a target's own books say, in canonical rows?

An adapter turns its target's words into these; the checks know no others.
Money in minor units; instants are ms since the epoch, UTC, by the target's clock.
"""

from dataclasses import dataclass
from enum import StrEnum

from harness.operation import State


class Book(StrEnum):
    """The books that a target may show; the value is their file's name in evidence."""

    ORDERS = "orders"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    TRANSITIONS = "transitions"
    VOUCHERS = "vouchers"
    AFFECTED = "affected"
    DISCREPANCIES = "discrepancies"


class Attempt(StrEnum):
    """Canonical state of a payment attempt in the books."""

    LIVE = "live"
    """Sent or about to be; no final result."""
    UNKNOWN = "unknown"
    PAID = "paid"
    """Captured and honoured, or captured and being refunded (a refund row says which)."""
    DEAD = "dead"
    """Closed or failed at the provider: will never be captured, says the target."""


class RefundState(StrEnum):
    """Canonical state of a refund in the books."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class BookOrder:
    """One order in the target's own books. Instants: ms since the epoch, UTC, by the target's clock."""

    order: str
    user: str
    state: State
    raw_state: str
    amount_minor: int
    currency: str
    paid_minor: int
    refunded_minor: int
    pay_by_utc_ms: int | None
    created_utc_ms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BookPayment:
    """One attempt."""

    payment: str
    order: str
    provider: str
    number: str | None
    """The provider's or merchant's number that the provider's ledger knows it by."""
    state: Attempt
    raw_state: str
    amount_minor: int
    captured_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BookRefund:
    """One refund."""

    refund: str
    order: str
    payment: str | None
    provider: str
    number: str | None
    """Number under which the provider's ledger knows the refund."""
    state: RefundState
    raw_state: str
    amount_minor: int
    requested: bool
    """A customer asked for it; else the target owed it by its own rule."""
    compensation: bool = False
    """Goodwill sent down the refund channel: it gives back nothing of the order and counts as no refund."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookTransition:
    """One step of an order, attempt or refund through its states, in the target's own words."""

    seq: int
    kind: str
    """"order", "payment" or "refund"."""
    subject: str
    order: str
    from_state: str | None
    to_state: str
    at_utc_ms: int
    build: str | None = None
    """Build that took the step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookVoucher:
    """A compensation that the target has given."""

    voucher: str
    order: str
    amount_minor: int
    currency: str
    at_utc_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BookAffected:
    """One order on the target's own list of those that the outage touched; `reason` in its own words."""

    order: str
    reason: str
    at_utc_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BookDiscrepancy:
    """A difference between books and a provider's bill that the target's own reconciliation found."""

    provider: str
    number: str
    """Number under which the bill, or the books, know the payment or refund."""
    order: str | None
    kind: str
    """"missing_in_bill", "missing_in_books" or "amount_differs"."""
    amount_minor: int
    at_utc_ms: int


BookRow = BookOrder | BookPayment | BookRefund | BookTransition | BookVoucher | BookAffected | BookDiscrepancy


@dataclass(frozen=True, kw_only=True, slots=True)
class BookPage:
    """One page of a book; `cursor` is None on the last one."""

    rows: tuple[BookRow, ...]
    cursor: str | None
    problem: str | None = None
    """Why the page could not be read; rows and cursor then mean nothing."""
