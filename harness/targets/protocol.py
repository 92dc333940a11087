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
from typing import Protocol, TypeVar

from harness.operation import Ending, Line, Method, Op, Outcome, State
from harness.targets.books import Book, BookPage


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
class StatusPage:
    """What a status page told, once it could be read."""

    degraded: bool
    methods: tuple[Method, ...] = ()
    """Methods that it names as not working, or not well."""
    since_utc_ms: int | None = None
    """When this state began, by the page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One order as a list shows it; None where the list does not say. Money in minor units."""

    state: State | None = None
    amount_minor: int | None = None
    paid_minor: int | None = None
    refunded_minor: int | None = None


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
    refunds_done: tuple[str, ...] = ()
    """Refunds of the order, by id, that the reply calls done: their money is back."""
    shown: tuple[Shown, ...] = ()
    """Of a list that shows more than names: each of these orders, in the same order; else empty."""
    complete: bool = False
    """Of a list: its last page was reached."""
    health: Health | None = None
    """Of a health request that was answered ok."""
    build: str | None = None
    """Build that answered, where the reply names it."""
    named_key: str | None = None
    """Idempotency key that a refusal names."""
    offers: tuple[Method, ...] = ()
    """Of a payment that did not succeed: methods that the target says work now."""
    page: StatusPage | None = None
    """Of a look at the status page that was answered ok."""


Call = Generator[Request, Reply, Observation]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOrder:
    """What a customer orders."""

    line: Line
    merchant: str
    amount_minor: int
    currency: str
    phone: str | None = None
    """Where to reach the customer; None: an old client, which does not say."""
    openid: str | None = None
    """The customer at the wallet; None: the same."""


BookCall = Generator[Request, Reply, BookPage]


@dataclass(frozen=True, kw_only=True, slots=True)
class BusyContract:
    """A refusal that certainly had no effect: any of these statuses with all of these marks."""

    statuses: frozenset[int]
    codes: frozenset[str]
    needs_retry_after: bool = True
    unknown_codes: frozenset[str] = frozenset()
    """Codes under one of these statuses that say "the result is not known": no refusal, so no case of the contract."""
    most_retry_after_s: int | None = None
    """Longest wait that Retry-After asks for; None: not published, so no longer than a customer's patience."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compensation:
    """The target's published rule: who is affected by an outage, and what a voucher is worth."""

    unresolved_ms: int
    """An attempt that stayed unresolved for longer, by the target's own log, makes its order affected."""
    percent: int
    """Of the order's amount, rounded half up."""
    least_minor: int
    most_minor: int
    unresolved_states: frozenset[str]
    """States of an attempt, in the target's own words, in which it is unresolved."""


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
    payment_edges: frozenset[tuple[str, str]] = frozenset()
    """Published machine of a payment attempt; empty: not published."""
    refund_edges: frozenset[tuple[str, str]] = frozenset()
    """Published machine of a refund; empty: not published."""
    offline_payment: bool = False
    """Orders can be paid outside of all providers (cash to the driver), so a paid one may have no capture."""
    names_build: bool = False
    """Replies and transitions name the build that answered."""
    offers_methods: bool = False
    """A failed attempt's answer names methods that work now."""
    compensation: Compensation | None = None
    """The published rule; None: the target compensates nobody."""
    reconciliation_grace_ms: int | None = None
    """A difference between books and a bill that has not stood for so long is money on its way, and none that the
    target's reconciliation may name; None: not published."""
    closed_at_any_time: frozenset[str] = frozenset()
    """Of the closed states, in the target's own words, those that an unpaid order may come to before its `pay_by`:
    cancelled by its customer, sold out. Every other one waits for `pay_by`."""
    merges_creates: bool = False
    """A create under a new key may be answered with an order that its customer made shortly before, by a published
    rule; else each key makes an order of its own."""
    extends_pay_by: bool = False
    """By a published rule an order's `pay_by` may be put off after it was told."""


class Target(Protocol):
    """One payment API."""

    @property
    def capabilities(self) -> Capabilities: ...
    def create_order(self, user: str, order: NewOrder, key: str) -> Call: ...
    def pay(self, user: str, order_id: str, method: Method, key: str, card: str | None = None) -> Call: ...
    def read(self, user: str, order_id: str) -> Call: ...
    def list_orders(self, user: str) -> Call: ...
    def refund(self, user: str, order_id: str, amount_minor: int, key: str) -> Call: ...
    def health(self) -> Call: ...
    def status(self) -> Call: ...
    def books(self, book: Book, cursor: str | None) -> BookCall: ...


T = TypeVar("T")
