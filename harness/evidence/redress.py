"""What has the target yet to make good, or to say, beside sending money back?

Vouchers of orders that are affected by its own list, by its own log of attempts, or as it refunds them
unasked; and rows that a fault planted in a provider's bill and that its reconciliation has not named.
Each counts until its window is over. A lower bound that keeps a drain waiting, never a finding; a busy
answer that only its customer saw is not known here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.evidence.asking import Patience, Unread, Until
from harness.evidence.books import book_rows
from harness.profile import Windows
from harness.targets.books import (
    Book,
    BookAffected,
    BookDiscrepancy,
    BookRefund,
    BookRow,
    BookTransition,
    BookVoucher,
)
from harness.targets.drive import Send
from harness.targets.protocol import Compensation, Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Planted:
    """A row that a fault planted in a provider's bill."""

    provider: str
    number: str
    at_utc_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Redress:
    """What is outstanding at one moment."""

    vouchers: int = 0
    """Affected orders that have none, or do not stand on the list."""
    discrepancies: int = 0
    problems: tuple[str, ...] = ()


def outstanding(
    target: Target,
    send: Send,
    planted: Iterable[Planted],
    windows: Windows,
    *,
    calm_utc_ms: int,
    at_utc_ms: int,
    until: Until,
) -> Redress:
    """Read the books that tell; costs a full reading of up to six. `calm_utc_ms` is the last fault's end."""
    offered, patience = target.capabilities.books, Patience(tries=2)

    def rows(book: Book) -> list[BookRow]:
        return list(book_rows(target, book, send, until, patience)) if book in offered else []

    try:
        vouchers = 0
        if target.capabilities.compensation is not None and {Book.VOUCHERS, Book.AFFECTED} <= offered:
            own_list = rows(Book.AFFECTED)
            log = [*own_list, *rows(Book.TRANSITIONS), *rows(Book.REFUNDS)]
            listed = {row.order for row in own_list if isinstance(row, BookAffected)}
            given = {row.order for row in rows(Book.VOUCHERS) if isinstance(row, BookVoucher)}
            since = affected_since(log, target.capabilities.compensation, at_utc_ms)
            vouchers = sum(
                at_utc_ms <= since_ms + windows.voucher_ms
                for order, since_ms in since.items()
                if order not in listed & given
            )
        # A bill that could not be had while a fault was on cannot have been looked at.
        due = {
            (row.provider, row.number)
            for row in planted
            if Book.DISCREPANCIES in offered and at_utc_ms <= max(row.at_utc_ms, calm_utc_ms) + windows.discrepancy_ms
        }
        if due:
            due -= {(row.provider, row.number) for row in rows(Book.DISCREPANCIES) if isinstance(row, BookDiscrepancy)}
    except Unread as unread:
        return Redress(problems=(f"what is to be made good could not be read: {unread}",))
    return Redress(vouchers=vouchers, discrepancies=len(due))


def affected_since(rows: Iterable[BookRow], rule: Compensation, at_utc_ms: int) -> dict[str, int]:
    """Orders that are affected by what the target's books say, and since when; of several reasons the last."""
    since: dict[str, int] = {}
    begun: dict[str, tuple[str, int]] = {}
    decided: dict[str, int] = {}
    refunds: dict[str, int] = {}
    unasked: dict[str, str] = {}
    for row in rows:
        match row:
            case BookAffected():
                since[row.order] = max(row.at_utc_ms, since.get(row.order, 0))
            case BookTransition(kind="payment", from_state=None):
                begun[row.subject] = (row.order, row.at_utc_ms)
            case BookTransition(kind="payment") if row.to_state not in rule.unresolved_states:
                decided.setdefault(row.subject, row.at_utc_ms)
            case BookTransition(kind="refund", from_state=None):
                refunds[row.subject] = row.at_utc_ms
            case BookRefund(requested=False, compensation=False):
                unasked[row.refund] = row.order
            case _:
                pass
    for attempt, (order, begun_ms) in begun.items():
        if decided.get(attempt, at_utc_ms) - begun_ms > rule.unresolved_ms:
            since[order] = max(begun_ms + rule.unresolved_ms, since.get(order, 0))
    for refund, order in unasked.items():
        since[order] = max(refunds.get(refund, 0), since.get(order, 0))
    return since
