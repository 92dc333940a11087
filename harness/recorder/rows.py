"""What does one line of `history/*.jsonl` say?

An operation is two lines, its invocation and
its completion, joined by `id`; the completion carries only what is new. What
has no completion is `info`. First line of a file: `Header`; last line: `Footer`,
whose absence means that the file was cut short.
"""

import msgspec

SCHEMA_VERSION = 1
PREFLIGHT_JOURNEYS = 1_000_000
"""Preflight's journeys are numbered from here; they are no arrivals and not counted as such."""


class Header(msgspec.Struct, tag_field="k", tag="head", gc=False, frozen=True):
    """First line of a worker's file."""

    schema_version: int
    worker: int
    clock: str
    """Always "monotonic": CLOCK_MONOTONIC of the host, in ns."""


class Inv(msgspec.Struct, tag_field="k", tag="inv", omit_defaults=True, gc=False, kw_only=True):
    """An operation begins. All instants are CLOCK_MONOTONIC, in ns."""

    id: int
    """worker << 40 | sequence number."""
    journey: int
    """Number of the arrival; one journey, one customer, one user of the target."""
    intent: int
    """What the customer wants (this ride, paid once); survives every retry, key and method."""
    op: str
    """`harness.operation.Op`."""
    phase: str
    """`harness.operation.Phase` of the journey's scheduled instant."""
    scheduled_ns: int
    """When the customer meant to act; latency counts from here."""
    sent_ns: int
    parent: int | None = None
    """Of a request within an operation: the operation's `id`."""
    user: str | None = None
    """On the journey's row: the target's user."""
    order_no: int | None = None
    order: str | None = None
    """The order's id at the target, on whichever row first names it."""
    method: str | None = None
    key_no: int | None = None
    """Idempotency key, numbered within the run; same number, same key on the wire."""
    attempt: int | None = None
    """1 for a key's first request, 2 for its first repetition."""
    amount_minor: int | None = None
    currency: str | None = None
    line: str | None = None
    leaves_early: bool = False
    """On the journey's row: this customer walks away after an unresolved answer."""
    tried: str | None = None
    """Of a trespass: "read", "pay" or "refund"; "create": the owner's create was replayed, with its key."""


class Done(msgspec.Struct, tag_field="k", tag="done", omit_defaults=True, gc=False, kw_only=True):
    """An operation ended."""

    id: int
    outcome: str
    """`harness.operation.Outcome`."""
    done_ns: int
    ending: str | None = None
    """`harness.operation.Ending` of its last request; None on a journey's row."""
    http: int | None = None
    order_no: int | None = None
    order: str | None = None
    result_id: str | None = None
    """What the write made: the attempt's id, the refund's id; of a create the order's id."""
    code: str | None = None
    """Stable code of a refusal; of a journey its final word (`JourneyEnd`)."""
    state: str | None = None
    """`harness.operation.State` as the reply told it."""
    amount_minor: int | None = None
    paid_minor: int | None = None
    refunded_minor: int | None = None
    retry_after_s: float | None = None
    pay_by_utc_ms: int | None = None
    """When the order closes unpaid, ms since the epoch, UTC: from the reply of a create; from any other reply of
    its owner only where it tells another instant than this session was told first."""
    refunds_done: tuple[str, ...] = ()
    """Refunds of the order, by id, that the reply called done."""
    listed: int | None = None
    """Of a list: how many orders it named, over all pages."""
    listed_orders: tuple[str, ...] = ()
    """Of a list that was read to its last page: the orders that it named, in its order."""
    listed_states: tuple[str | None, ...] = ()
    """Of the same list, where it shows more than names: the `State` of each of them, in the same order ..."""
    listed_amounts: tuple[int | None, ...] = ()
    """... what it is over, in minor units ..."""
    listed_paid: tuple[int | None, ...] = ()
    """... what of it is paid ..."""
    listed_refunded: tuple[int | None, ...] = ()
    """... and what went back."""
    build: str | None = None
    """Build that answered the last request, as the reply named it."""
    names: str | None = None
    """Of a refusal: "order" or "key", where its reply named just the one that was asked about."""
    offers: tuple[str, ...] = ()
    """Methods that the reply to a payment named as working now."""
    leaks: tuple[str, ...] = ()
    """What stood in a reply (body or header) that must not leave the target, by kind: "phone", "card", "token",
    "openid", "stack", "sql", "path", "other_order"."""


class Footer(msgspec.Struct, tag_field="k", tag="foot", gc=False, frozen=True):
    """Last line of a worker's file."""

    invocations: int
    completions: int
    cut_short: bool
    """The run was ended early; operations without completion were in flight."""


Row = Header | Inv | Done | Footer
