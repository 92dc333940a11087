"""Adapter of a wallet whose "payment failed" is HTTP 520.

A CDN before it answers 520 too, for "the origin said something strange": only with
the wallet's own error in the body is it definite.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

import msgspec

from harness.operation import Method, Op, Outcome, State
from harness.targets.books import Book
from harness.targets.outcomes import UNREADABLE, TableRow, judge, retry_after_s
from harness.targets.protocol import BookCall, BusyContract, Call, Capabilities, NewOrder, Observation, Reply, Request
from tests.targets.unoffered import no_books, unoffered

STATES = {"INIT": State.OPEN, "PROCESSING": State.PAYING, "SUCCESS": State.PAID, "CANCELLED": State.CLOSED}
BUSY = BusyContract(statuses=frozenset({503}), codes=frozenset({"BUSY"}))
ROWS = (
    TableRow(
        ops=frozenset({Op.PAY}),
        when=lambda reply, code: reply.status == 520 and code == "PAYMENT_FAILED",
        outcome=Outcome.FAIL,
        code="payment_failed",
    ),
)


class Bill(msgspec.Struct, frozen=True, rename="camel"):
    bill_no: str
    status: str
    amount: int


class Failed(msgspec.Struct, frozen=True, rename="camel"):
    err_code: str


class Wallet:
    def __init__(self, settings: Mapping[str, str]) -> None:
        self._app = settings["app_id"]

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset({Op.CREATE, Op.PAY, Op.READ}),
            books=frozenset(),
            idempotent=frozenset({Op.CREATE, Op.PAY}),
            pay_by=False,
            busy=BUSY,
            raw_states=STATES,
            legal_edges=frozenset(),
        )

    def create_order(self, user: str, order: NewOrder, key: str) -> Call:
        body: dict[str, str | int] = {
            "requestNo": key,
            "payer": user,
            "payee": order.merchant,
            "amount": order.amount_minor,
        }
        seen = told(Op.CREATE, (yield self._post("/bills", "POST /bills", body)))
        return replace(seen, result_id=seen.order_id)

    def pay(self, user: str, order_id: str, method: Method, key: str, card: str | None = None) -> Call:
        del card
        body = {"requestNo": key, "payer": user, "channel": method.value}
        path = f"/bills/{quote(order_id, safe='')}/pay"
        return told(Op.PAY, (yield self._post(path, "POST /bills/{no}/pay", body)))

    def read(self, user: str, order_id: str) -> Call:
        path = f"/bills/{quote(order_id, safe='')}?payer={quote(user, safe='')}"
        return told(Op.READ, (yield Request(method="GET", path=path, name="GET /bills/{no}", headers=self._headers())))

    def list_orders(self, user: str) -> Call:  # noqa: ARG002
        return unoffered()

    def refund(self, user: str, order_id: str, amount_minor: int, key: str) -> Call:  # noqa: ARG002
        return unoffered()

    def health(self) -> Call:
        return unoffered()

    def status(self) -> Call:
        return unoffered()

    def books(self, book: Book, cursor: str | None) -> BookCall:  # noqa: ARG002
        return no_books()

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("x-app", self._app), ("content-type", "application/json"))

    def _post(self, path: str, name: str, body: Mapping[str, str | int]) -> Request:
        return Request(method="POST", path=path, name=name, headers=self._headers(), body=msgspec.json.encode(body))


def told(op: Op, reply: Reply) -> Observation:
    judgement = judge(op, reply, code=code_of(reply), rows=ROWS, busy=BUSY)
    observed = Observation(
        outcome=judgement.outcome,
        ending=reply.ending,
        http=reply.status,
        code=judgement.code,
        busy=judgement.busy,
        retry_after_s=retry_after_s(reply),
    )
    if observed.outcome is not Outcome.OK:
        return observed
    try:
        bill = msgspec.json.decode(reply.body, type=Bill)
    except msgspec.DecodeError:
        return replace(observed, outcome=Outcome.INFO, code=UNREADABLE)
    return replace(
        observed,
        order_id=bill.bill_no,
        state=STATES.get(bill.status),
        amount_minor=bill.amount,
        paid_minor=bill.amount if bill.status == "SUCCESS" else 0,
    )


def code_of(reply: Reply) -> str | None:
    try:
        return msgspec.json.decode(reply.body, type=Failed).err_code
    except msgspec.DecodeError:
        return None
