"""What do the reference API's books say, in canonical rows?

NDJSON, a page at a time; the next page's cursor stands in `X-Next-Cursor`, which
the last page lacks. A state that is not in the tables below makes the page a
problem instead of a guess.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from harness.operation import Ending
from harness.targets.books import (
    Attempt,
    Book,
    BookAffected,
    BookDiscrepancy,
    BookOrder,
    BookPage,
    BookPayment,
    BookRefund,
    BookRow,
    BookTransition,
    BookVoucher,
    RefundState,
)
from harness.targets.protocol import Reply
from harness.targets.reference_answers import RAW_STATES, utc_ms

_ATTEMPTS = {
    "created": Attempt.LIVE,
    "sent": Attempt.LIVE,
    "unknown": Attempt.UNKNOWN,
    "paid": Attempt.PAID,
    # Captured too late to be honoured: paid in the books' sense, and a refund row of its own says that it goes back.
    "late": Attempt.PAID,
    "closed": Attempt.DEAD,
    "failed": Attempt.DEAD,
}


class _OrderRow(msgspec.Struct, frozen=True):
    id: str
    user: str
    state: str
    amount_minor: int
    currency: str
    paid_minor: int
    refunded_minor: int
    pay_by: datetime
    created_at: datetime

    def canonical(self) -> BookOrder:
        return BookOrder(
            order=self.id,
            user=self.user,
            state=RAW_STATES[self.state],
            raw_state=self.state,
            amount_minor=self.amount_minor,
            currency=self.currency,
            paid_minor=self.paid_minor,
            refunded_minor=self.refunded_minor,
            pay_by_utc_ms=utc_ms(self.pay_by),
            created_utc_ms=utc_ms(self.created_at),
        )


class _PaymentRow(msgspec.Struct, frozen=True):
    id: str
    order_id: str
    method: str
    number: str | None
    state: str
    amount_minor: int
    captured_minor: int

    def canonical(self) -> BookPayment:
        return BookPayment(
            payment=self.id,
            order=self.order_id,
            provider=self.method,
            number=self.number,
            state=_ATTEMPTS[self.state],
            raw_state=self.state,
            amount_minor=self.amount_minor,
            captured_minor=self.captured_minor,
        )


class _RefundRow(msgspec.Struct, frozen=True):
    id: str
    order_id: str
    payment_id: str | None
    method: str
    number: str | None
    state: str
    amount_minor: int
    requested: bool

    def canonical(self) -> BookRefund:
        return BookRefund(
            refund=self.id,
            order=self.order_id,
            payment=self.payment_id,
            provider=self.method,
            number=self.number,
            state=RefundState(self.state),
            raw_state=self.state,
            amount_minor=self.amount_minor,
            requested=self.requested,
        )


class _TransitionRow(msgspec.Struct, frozen=True, rename={"from_state": "from", "to_state": "to"}):
    seq: int
    kind: str
    id: str
    order_id: str
    from_state: str | None
    to_state: str
    at: datetime
    build: str | None = None

    def canonical(self) -> BookTransition:
        return BookTransition(
            seq=self.seq,
            kind=self.kind,
            subject=self.id,
            order=self.order_id,
            from_state=self.from_state,
            to_state=self.to_state,
            at_utc_ms=utc_ms(self.at),
            build=self.build or None,
        )


class _VoucherRow(msgspec.Struct, frozen=True):
    id: str
    order_id: str
    amount_minor: int
    currency: str
    at: datetime

    def canonical(self) -> BookVoucher:
        return BookVoucher(
            voucher=self.id,
            order=self.order_id,
            amount_minor=self.amount_minor,
            currency=self.currency,
            at_utc_ms=utc_ms(self.at),
        )


class _AffectedRow(msgspec.Struct, frozen=True):
    order_id: str
    reason: str
    at: datetime

    def canonical(self) -> BookAffected:
        return BookAffected(order=self.order_id, reason=self.reason, at_utc_ms=utc_ms(self.at))


class _DiscrepancyRow(msgspec.Struct, frozen=True):
    provider: str
    number: str
    order_id: str | None
    kind: Literal["missing_in_bill", "missing_in_books", "amount_differs"]
    amount_minor: int
    at: datetime

    def canonical(self) -> BookDiscrepancy:
        return BookDiscrepancy(
            provider=self.provider,
            number=self.number,
            order=self.order_id,
            kind=self.kind,
            amount_minor=self.amount_minor,
            at_utc_ms=utc_ms(self.at),
        )


class _Row(Protocol):
    def canonical(self) -> BookRow: ...


def _rows_by(row: type[_Row]) -> Callable[[bytes], tuple[BookRow, ...]]:
    decoder = msgspec.json.Decoder(row)
    return lambda body: tuple(row.canonical() for row in decoder.decode_lines(body))


_READ: Mapping[Book, Callable[[bytes], tuple[BookRow, ...]]] = {
    Book.ORDERS: _rows_by(_OrderRow),
    Book.PAYMENTS: _rows_by(_PaymentRow),
    Book.REFUNDS: _rows_by(_RefundRow),
    Book.TRANSITIONS: _rows_by(_TransitionRow),
    Book.VOUCHERS: _rows_by(_VoucherRow),
    Book.AFFECTED: _rows_by(_AffectedRow),
    Book.DISCREPANCIES: _rows_by(_DiscrepancyRow),
}


def page_of(book: Book, reply: Reply) -> BookPage:
    """One page of a book; what was not answered 200 or cannot be read is a page with a problem."""
    if reply.ending is not Ending.ANSWERED:
        return _problem(f"ended {reply.ending.value}")
    if reply.status != 200:  # noqa: PLR2004
        return _problem(f"was answered {reply.status}")
    try:
        rows = _READ[book](reply.body)
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        return _problem(f"has a row that is not understood: {error}")
    return BookPage(rows=rows, cursor=reply.headers.get("x-next-cursor"))


def _problem(why: str) -> BookPage:
    return BookPage(rows=(), cursor=None, problem=why)
