"""What do the target's own books say, and has anything moved in them?

Read through the adapter, a page in memory at a time. The digest covers states
and amounts only, so that a target which merely asks its providers again does
not look as if it moved.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from harness.evidence.asking import Patience, Unread, Until, whole_file
from harness.operation import TERMINAL
from harness.targets.books import Book, BookOrder, BookPage, BookPayment, BookRefund, BookRow, RefundState
from harness.targets.drive import HttpxSender, Send, drive
from harness.targets.protocol import BookCall, Target
from harness.targets.source import Source, SourceKind

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, kw_only=True, slots=True)
class States:
    """Where the target says that its orders stand."""

    digest: str | None
    """Over states and amounts of orders, attempts and refunds; None where a book could not be read."""
    orders: Mapping[str, BookOrder] = field(default_factory=dict)
    """Every order of the book, by its id."""
    unfinished: tuple[BookOrder, ...] = ()
    """Orders in a state in which none may rest; each names its `pay_by_utc_ms`."""
    pending_refunds: tuple[BookRefund, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BooksRead:
    """How reading the books went."""

    read_ns: tuple[int, int] | None
    """When it began and ended; None where no book was read."""
    problems: tuple[str, ...] = ()


def books_source(sources: Iterable[Source]) -> Source | None:
    """The target's own books among the sources; the first by name, None where there are none."""
    return min((s for s in sources if s.kind is SourceKind.BOOKS), key=lambda source: source.name, default=None)


def copy_books(target: Target, source: Source, into: Path, until: Until, patience: Patience) -> BooksRead:
    """Write each book that the target offers to `<into>/books.<book>.jsonl`; one that fails leaves no file."""
    problems: list[str] = []
    begun_ns = patience.now_ns()
    offered = [book for book in Book if book in target.capabilities.books]
    with HttpxSender(source.url, patience.request_s, headers=source.headers) as send:
        for book in offered:
            try:
                with whole_file(into / f"books.{book.value}.jsonl") as file:
                    for row in book_rows(target, book, send, until, patience):
                        file.write(_ENCODER.encode(row) + b"\n")
            except Unread as unread:
                problems.append(f"book {book.value} of {source.name} could not be read: {unread}")
    read_ns = (begun_ns, patience.now_ns()) if len(problems) < len(offered) else None
    return BooksRead(read_ns=read_ns, problems=tuple(problems))


def digest_of_states(target: Target, send: Send, *, limit_s: float, patience: Patience | None = None) -> States:
    """Read orders, attempts and refunds, digest their states and amounts, pick out what is not at rest.

    `send` must reach the books. Costs a full reading of three books; a book
    that the target does not offer is left out, one that cannot be read makes the
    digest None.
    """
    patience = patience or Patience()
    until = Until.start("digest of states", limit_s, patience.now_ns)
    sums = hashlib.sha256()
    orders: dict[str, BookOrder] = {}
    pending: list[BookRefund] = []
    book = Book.ORDERS
    try:
        for book in (Book.ORDERS, Book.PAYMENTS, Book.REFUNDS):
            if book not in target.capabilities.books:
                continue
            for row in book_rows(target, book, send, until, patience):
                sums.update(_ENCODER.encode(_standing(row)) + b"\n")
                if isinstance(row, BookOrder):
                    orders[row.order] = row
                if isinstance(row, BookRefund) and row.state is RefundState.PENDING:
                    pending.append(row)
    except Unread as unread:
        return States(digest=None, problems=(f"book {book.value} could not be read: {unread}",))
    return States(
        digest=sums.hexdigest(),
        orders=orders,
        unfinished=tuple(order for order in orders.values() if order.state not in TERMINAL),
        pending_refunds=tuple(pending),
    )


def book_rows(target: Target, book: Book, send: Send, until: Until, patience: Patience) -> Iterator[BookRow]:
    """Every row of a book, page by page; raises `Unread` where a page stays a problem after all tries."""
    cursor: str | None = None
    while True:
        page = _page(partial(target.books, book, cursor), cursor or "the start", send, until, patience)
        yield from page.rows
        if page.cursor is None:
            return
        if page.cursor == cursor:
            raise Unread(f"the page after {cursor} names itself as the next")
        cursor = page.cursor


def _page(call: Callable[[], BookCall], where: str, send: Send, until: Until, patience: Patience) -> BookPage:
    problem = ""
    for attempt in range(patience.tries):
        if attempt:
            patience.wait(patience.pause_s)
        until.check()
        page = drive(call(), send)
        if page.problem is None:
            return page
        problem = page.problem
    raise Unread(f"the page after {where} {problem}")


def _standing(row: BookRow) -> tuple[str | int, ...]:
    """What of a row counts as having moved."""
    match row:
        case BookOrder():
            return (row.order, row.raw_state, row.paid_minor, row.refunded_minor)
        case BookPayment():
            return (row.payment, row.raw_state, row.captured_minor)
        case BookRefund():
            return (row.refund, row.raw_state, row.amount_minor)
        case _:
            return ()
