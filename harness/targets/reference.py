"""How is the reference payment API spoken to?

JSON over HTTP; a bearer token a user, one operator's token for the books; the
idempotency key in a header. Settings of the target file: `token_secret`,
`operator_token`. What its answers mean stands in `reference_answers`, how its
books read in `reference_books`.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

import msgspec

from harness.errors import TargetFileError
from harness.operation import Method, Op, Outcome
from harness.targets.books import Book
from harness.targets.protocol import BookCall, Call, Capabilities, Compensation, NewOrder, Request, Shown
from harness.targets.reference_answers import (
    BUSY,
    RAW_STATES,
    created,
    healthy,
    listed,
    next_page,
    observe,
    order_read,
    page_shown,
    paid,
    refunded,
)
from harness.targets.reference_books import page_of

LEGAL_EDGES = frozenset(
    {
        ("open", "paying"),
        ("paying", "open"),
        ("paying", "paid"),
        ("open", "paid"),
        ("open", "closed"),
        ("paid", "part_refunded"),
        ("paid", "refunded"),
        ("part_refunded", "refunded"),
    }
)
_TAKEN = {"paid", "late"}
_DECIDED = {"paid", "late", "closed", "failed"}
_LIVE = {"created", "sent", "unknown"}
PAYMENT_EDGES = frozenset(
    {("created", "sent"), ("created", "unknown"), ("unknown", "sent")}
    | {(live, decided) for live in _LIVE for decided in _DECIDED}
    # Closed or refused, and captured all the same: honoured or sent back, never denied.
    | {(dead, taken) for dead in ("closed", "failed") for taken in _TAKEN}
)
REFUND_EDGES = frozenset({("pending", "done"), ("pending", "failed")})
CAPABILITIES = Capabilities(
    operations=frozenset({Op.CREATE, Op.PAY, Op.READ, Op.LIST, Op.REFUND, Op.STATUS}),
    books=frozenset(Book),
    idempotent=frozenset({Op.CREATE, Op.PAY, Op.REFUND}),
    pay_by=True,
    busy=BUSY,
    raw_states=RAW_STATES,
    legal_edges=LEGAL_EDGES,
    names_build=True,
    payment_edges=PAYMENT_EDGES,
    refund_edges=REFUND_EDGES,
    offers_methods=True,
    compensation=Compensation(
        unresolved_ms=3_000,
        percent=10,
        least_minor=100,
        most_minor=2_000,
        unresolved_states=frozenset({"created", "sent", "unknown"}),
    ),
    reconciliation_grace_ms=3_000,
)
ORDERS_A_PAGE = 2
"""So few that customers with some orders come to a second page; most have one order, and need one page."""
LIST_PAGES_MAX = 50
"""A list longer than this many pages is reported as not complete."""
ROWS_A_BOOK_PAGE = 1_000


class Reference:
    """Adapter of the reference payment API; `module:Class` in its target file."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Reads `token_secret` and `operator_token`; raises `TargetFileError` where one is missing."""
        missing = sorted({"token_secret", "operator_token"} - set(settings))
        if missing:
            raise TargetFileError(f"reference adapter: [settings] of the target file lacks {', '.join(missing)}")
        self._secret = settings["token_secret"].encode()
        self._operator = (("authorization", f"Bearer {settings['operator_token']}"),)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def create_order(self, user: str, order: NewOrder, key: str) -> Call:
        body: dict[str, str | int] = {
            "line": order.line.value,
            "merchant": order.merchant,
            "amount_minor": order.amount_minor,
            "currency": order.currency,
        }
        body |= {name: said for name, said in (("phone", order.phone), ("openid", order.openid)) if said is not None}
        reply = yield self._post(user, "/v1/orders", "POST /v1/orders", key, body)
        return observe(Op.CREATE, reply, created)

    def pay(self, user: str, order_id: str, method: Method, key: str, card: str | None = None) -> Call:
        path = f"/v1/orders/{quote(order_id, safe='')}/payments"
        body = {"method": method.value} | ({} if card is None else {"card": card})
        reply = yield self._post(user, path, "POST /v1/orders/{id}/payments", key, body)
        return observe(Op.PAY, reply, paid)

    def read(self, user: str, order_id: str) -> Call:
        path = f"/v1/orders/{quote(order_id, safe='')}"
        reply = yield Request(method="GET", path=path, name="GET /v1/orders/{id}", headers=self._token(user))
        return observe(Op.READ, reply, order_read)

    def list_orders(self, user: str) -> Call:
        orders: tuple[str, ...] = ()
        shown: tuple[Shown, ...] = ()
        query = {"limit": str(ORDERS_A_PAGE)}
        for _ in range(LIST_PAGES_MAX):
            path = f"/v1/orders?{urlencode(query)}"
            reply = yield Request(method="GET", path=path, name="GET /v1/orders", headers=self._token(user))
            page = observe(Op.LIST, reply, listed)
            orders += page.order_ids
            shown += page.shown
            if page.outcome is not Outcome.OK or page.complete:
                break
            query["cursor"] = next_page(reply.body)
        return replace(page, order_ids=orders, shown=shown)

    def refund(self, user: str, order_id: str, amount_minor: int, key: str) -> Call:
        path = f"/v1/orders/{quote(order_id, safe='')}/refunds"
        reply = yield self._post(user, path, "POST /v1/orders/{id}/refunds", key, {"amount_minor": amount_minor})
        return observe(Op.REFUND, reply, refunded)

    def health(self) -> Call:
        reply = yield Request(method="GET", path="/healthz", name="GET /healthz")
        return observe(Op.READ, reply, healthy)

    def status(self) -> Call:
        reply = yield Request(method="GET", path="/status", name="GET /status")
        return observe(Op.STATUS, reply, page_shown)

    def books(self, book: Book, cursor: str | None) -> BookCall:
        query = {"limit": str(ROWS_A_BOOK_PAGE)} | ({} if cursor is None else {"after": cursor})
        reply = yield Request(
            method="GET",
            path=f"/v1/ledger/{book.value}?{urlencode(query)}",
            name=f"GET /v1/ledger/{book.value}",
            headers=self._operator,
        )
        return page_of(book, reply)

    def _token(self, user: str) -> tuple[tuple[str, str], ...]:
        mark = hmac.new(self._secret, user.encode(), hashlib.sha256).hexdigest()
        return (("authorization", f"Bearer {user}.{mark}"),)

    def _post(self, user: str, path: str, name: str, key: str, body: Mapping[str, str | int]) -> Request:
        return Request(
            method="POST",
            path=path,
            name=name,
            headers=(*self._token(user), ("idempotency-key", key), ("content-type", "application/json")),
            body=msgspec.json.encode(body),
        )
