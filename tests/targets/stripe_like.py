"""Adapter of a card API in Stripe's manner: forms in, JSON out, and replies stored by key, a 500 included."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

import msgspec

from harness.operation import Method, Op, Outcome, State
from harness.targets.books import Book
from harness.targets.outcomes import UNREADABLE, TableRow, judge, retry_after_s
from harness.targets.protocol import BookCall, Call, Capabilities, NewOrder, Observation, Reply, Request
from tests.targets.unoffered import no_books, unoffered

STATES = {
    "requires_payment_method": State.OPEN,
    "requires_confirmation": State.OPEN,
    "requires_action": State.PAYING,
    "processing": State.PAYING,
    "succeeded": State.PAID,
    "canceled": State.CLOSED,
}
KINDS = {Method.CARD: "card", Method.ALIPAY: "alipay", Method.WECHAT: "wechat_pay"}
WRITES = frozenset({Op.CREATE, Op.PAY, Op.REFUND})
ROWS = (
    # The key's first execution broke off half-way. Repeating it tells the same for ever: only a read can resolve it.
    TableRow(
        ops=WRITES,
        when=lambda reply, _: (reply.status or 0) >= 500 and reply.headers.get("idempotent-replayed") == "true",
        outcome=Outcome.INFO,
        code="stored_500",
    ),
    # Stands before the layer of keys: nothing was begun.
    TableRow(
        ops=WRITES,
        when=lambda reply, code: reply.status == 429 and code == "lock_timeout",
        outcome=Outcome.FAIL,
    ),
    TableRow(
        ops=frozenset({Op.READ}),
        when=lambda reply, code: reply.status == 404 and code == "resource_missing",
        outcome=Outcome.FAIL,
    ),
)


class Charge(msgspec.Struct, frozen=True):
    amount_refunded: int


class Intent(msgspec.Struct, frozen=True):
    id: str
    amount: int
    status: str
    amount_received: int = 0
    latest_charge: Charge | None = None


class Refund(msgspec.Struct, frozen=True):
    id: str
    amount: int
    payment_intent: str


class Named(msgspec.Struct, frozen=True):
    id: str


class Page(msgspec.Struct, frozen=True):
    data: list[Named]
    has_more: bool


class Failure(msgspec.Struct, frozen=True):
    type: str
    code: str | None = None


class Failed(msgspec.Struct, frozen=True):
    error: Failure


class StripeLike:
    def __init__(self, settings: Mapping[str, str]) -> None:
        self._authorization = ("authorization", f"Bearer {settings['secret_key']}")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset({Op.CREATE, Op.PAY, Op.READ, Op.LIST, Op.REFUND}),
            books=frozenset(),
            idempotent=WRITES,
            pay_by=False,
            busy=None,
            raw_states=STATES,
            legal_edges=frozenset(),
        )

    def create_order(self, user: str, order: NewOrder, key: str) -> Call:
        form: dict[str, str | int] = {
            "amount": order.amount_minor,
            "currency": order.currency.lower(),
            "customer": user,
            "metadata[line]": order.line.value,
            "metadata[merchant]": order.merchant,
        }
        reply = yield self._post("/v1/payment_intents", "POST /v1/payment_intents", key, form)
        observed = intent_told(Op.CREATE, reply)
        return replace(observed, result_id=observed.order_id)

    def pay(self, user: str, order_id: str, method: Method, key: str, card: str | None = None) -> Call:
        del user, card  # one key for the shop
        form = {"payment_method": f"pm_{KINDS[method]}", "expand[]": "latest_charge"}
        path = f"/v1/payment_intents/{quote(order_id, safe='')}/confirm"
        reply = yield self._post(path, "POST /v1/payment_intents/{id}/confirm", key, form)
        return intent_told(Op.PAY, reply)

    def read(self, user: str, order_id: str) -> Call:  # noqa: ARG002
        path = f"/v1/payment_intents/{quote(order_id, safe='')}?expand[]=latest_charge"
        return intent_told(Op.READ, (yield self._get(path, "GET /v1/payment_intents/{id}")))

    def list_orders(self, user: str) -> Call:
        orders: tuple[str, ...] = ()
        query = {"customer": user, "limit": "2"}
        while True:
            reply = yield self._get(f"/v1/payment_intents?{urlencode(query)}", "GET /v1/payment_intents")
            observed = judged(Op.LIST, reply)
            if observed.outcome is not Outcome.OK:
                return replace(observed, order_ids=orders)
            page = msgspec.json.decode(reply.body, type=Page)
            orders += tuple(intent.id for intent in page.data)
            if not page.has_more:
                return replace(observed, order_ids=orders, complete=True)
            query["starting_after"] = orders[-1]

    def refund(self, user: str, order_id: str, amount_minor: int, key: str) -> Call:  # noqa: ARG002
        reply = yield self._post(
            "/v1/refunds", "POST /v1/refunds", key, {"payment_intent": order_id, "amount": amount_minor}
        )
        observed = judged(Op.REFUND, reply)
        if observed.outcome is not Outcome.OK:
            return observed
        made = msgspec.json.decode(reply.body, type=Refund)
        return replace(observed, order_id=made.payment_intent, result_id=made.id, amount_minor=made.amount)

    def health(self) -> Call:
        return judged(Op.READ, (yield self._get("/healthcheck", "GET /healthcheck")))

    def status(self) -> Call:
        return unoffered()

    def books(self, book: Book, cursor: str | None) -> BookCall:  # noqa: ARG002
        return no_books()

    def _get(self, path: str, name: str) -> Request:
        return Request(method="GET", path=path, name=name, headers=(self._authorization,))

    def _post(self, path: str, name: str, key: str, form: Mapping[str, str | int]) -> Request:
        return Request(
            method="POST",
            path=path,
            name=name,
            headers=(
                self._authorization,
                ("idempotency-key", key),
                ("content-type", "application/x-www-form-urlencoded"),
            ),
            body=urlencode(form).encode(),
        )


def judged(op: Op, reply: Reply) -> Observation:
    judgement = judge(op, reply, code=code_of(reply), rows=ROWS)
    return Observation(
        outcome=judgement.outcome,
        ending=reply.ending,
        http=reply.status,
        code=judgement.code,
        retry_after_s=retry_after_s(reply),
    )


def intent_told(op: Op, reply: Reply) -> Observation:
    observed = judged(op, reply)
    if observed.outcome is not Outcome.OK:
        return observed
    try:
        intent = msgspec.json.decode(reply.body, type=Intent)
    except msgspec.DecodeError:
        return replace(observed, outcome=Outcome.INFO, code=UNREADABLE)
    settled = op is not Op.PAY or intent.status == "succeeded"
    return replace(
        observed,
        outcome=Outcome.OK if settled else Outcome.INFO,
        order_id=intent.id,
        state=STATES.get(intent.status),
        amount_minor=intent.amount,
        paid_minor=intent.amount_received,
        refunded_minor=intent.latest_charge.amount_refunded if intent.latest_charge else 0,
    )


def code_of(reply: Reply) -> str | None:
    try:
        failure = msgspec.json.decode(reply.body, type=Failed).error
    except msgspec.DecodeError:
        return None
    return failure.code or failure.type
