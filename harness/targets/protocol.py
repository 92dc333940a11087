"""What must an adapter say about its API, without any I/O?

Each operation is a generator that yields `Request`s, is sent a `Reply` for
each, and returns an `Observation` (or `Listing`, or a page of books). Load
drives it with gevent, evidence with httpx, tests with recorded replies.

    call = target.pay(user, order_id, Method.CARD, key)
    request = next(call)                 # the adapter speaks first
    request = call.send(reply)           # ... until StopIteration.value is the observation

An adapter imports no client, keeps no state between operations and never waits.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from harness.operation import Ending, Line, Method, Op, Outcome, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One HTTP request; `path` begins with a slash and is relative to the target's base URL."""

    method: str
    path: str
    name: str
    """What statistics group it by, such as "POST /v1/orders"."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """How a request ended; `status`, `headers` and `body` say something only when it was answered."""

    ending: Ending
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; of a repeated header the last value."""
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What a target says of the process that answered; None where it does not say. Instants: ms, UTC, its clock."""

    build: str | None = None
    pid: int | None = None
    started_utc_ms: int | None = None
    utc_ms: int | None = None
    """When it answered; relates the target's clock to ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What one operation told the customer. Money in minor units."""

    outcome: Outcome
    ending: Ending
    http: int | None = None
    code: str | None = None
    """The target's stable code of a refusal."""
    busy: bool = False
    """The refusal matches the target's declared busy contract."""
    order_id: str | None = None
    result_id: str | None = None
    """What a write made: order id, attempt id, refund id."""
    state: State | None = None
    amount_minor: int | None = None
    paid_minor: int | None = None
    refunded_minor: int | None = None
    retry_after_s: float | None = None
    pay_by_utc_ms: int | None = None
    order_ids: tuple[str, ...] = ()
    """Of a list: every order named, over all pages that were read."""
    complete: bool = False
    """Of a list: its last page was reached."""
    health: Health | None = None
    """Of a health request that was answered ok."""


Call = Generator[Request, Reply, Observation]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOrder:
    """What a customer orders."""

    line: Line
    merchant: str
    amount_minor: int
    currency: str


class Book(StrEnum):
    """The four books that a target may show; the value is their file's name in evidence."""

    ORDERS = "orders"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    TRANSITIONS = "transitions"


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


BookRow = BookOrder | BookPayment | BookRefund | BookTransition


@dataclass(frozen=True, kw_only=True, slots=True)
class BookPage:
    """One page of a book; `cursor` is None on the last one."""

    rows: tuple[BookRow, ...]
    cursor: str | None
    problem: str | None = None
    """Why the page could not be read; rows and cursor then mean nothing."""


BookCall = Generator[Request, Reply, BookPage]


@dataclass(frozen=True, kw_only=True, slots=True)
class BusyContract:
    """A refusal that certainly had no effect: any of these statuses with all of these marks."""

    statuses: frozenset[int]
    codes: frozenset[str]
    needs_retry_after: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a target offers; what it lacks makes a check NOT_OFFERED, never a pass."""

    operations: frozenset[Op]
    books: frozenset[Book]
    idempotent: frozenset[Op]
    """Operations that carry an idempotency key."""
    pay_by: bool
    """Orders close by themselves at an announced instant."""
    busy: BusyContract | None
    raw_states: Mapping[str, State]
    """The order's states in the target's own words."""
    legal_edges: frozenset[tuple[str, str]]
    """Published machine of the order, in the target's own words."""
    key_lives_ms: int | None = None
    """How long an idempotency key is remembered after its first request; None: longer than any run."""


class Target(Protocol):
    """One payment API."""

    @property
    def capabilities(self) -> Capabilities: ...
    def create_order(self, user: str, order: NewOrder, key: str) -> Call: ...
    def pay(self, user: str, order_id: str, method: Method, key: str) -> Call: ...
    def read(self, user: str, order_id: str) -> Call: ...
    def list_orders(self, user: str) -> Call: ...
    def refund(self, user: str, order_id: str, amount_minor: int, key: str) -> Call: ...
    def health(self) -> Call: ...
    def books(self, book: Book, cursor: str | None) -> BookCall: ...


T = TypeVar("T")
