"""Adapter of a GraphQL shop: every error arrives as 200, and one checkout takes five requests.

Only the last of the five makes an order. Whatever becomes of an earlier one, the
checkout has certainly no effect, and nothing more is sent.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace

import msgspec

from harness.operation import Method, Op, Outcome, State
from harness.targets.books import Book
from harness.targets.outcomes import UNREADABLE, TableRow, judge
from harness.targets.protocol import BookCall, Call, Capabilities, NewOrder, Observation, Reply, Request
from tests.targets.unoffered import no_books, unoffered

STATES = {"PENDING": State.OPEN, "AUTHORIZING": State.PAYING, "PAID": State.PAID, "VOIDED": State.CLOSED}
EVERY = frozenset({Op.CREATE, Op.PAY, Op.READ, Op.LIST, Op.REFUND})
UNDECIDED = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})
ROWS = (
    # The server broke off while it worked on it: 200 or not, nobody knows.
    TableRow(ops=EVERY, when=lambda _, code: code in UNDECIDED, outcome=Outcome.INFO),
    # Any other error of the shop's own is a refusal before the work, although it arrives as 200.
    TableRow(ops=EVERY, when=lambda _, code: code is not None, outcome=Outcome.FAIL),
)
CHECKOUT = (
    ("checkoutCreate", "mutation($merchant:ID!){checkoutCreate(merchant:$merchant){checkout{id} userErrors{code}}}"),
    (
        "checkoutLinesAdd",
        "mutation($id:ID!,$amount:Int!){checkoutLinesAdd(id:$id,amount:$amount){checkout{id} userErrors{code}}}",
    ),
    (
        "checkoutAddressSet",
        "mutation($id:ID!){checkoutAddressSet(id:$id,address:HOME){checkout{id} userErrors{code}}}",
    ),
    (
        "checkoutShippingSet",
        "mutation($id:ID!){checkoutShippingSet(id:$id,rate:STANDARD){checkout{id} userErrors{code}}}",
    ),
)
COMPLETE = "mutation($id:ID!,$key:ID!){checkoutComplete(id:$id,key:$key){order{id state total paid} userErrors{code}}}"
ORDER = "query($id:ID!){order(id:$id){order{id state total paid}}}"


class Extensions(msgspec.Struct, frozen=True):
    code: str


class Error(msgspec.Struct, frozen=True):
    extensions: Extensions


class UserError(msgspec.Struct, frozen=True):
    code: str


class Checkout(msgspec.Struct, frozen=True):
    id: str


class Order(msgspec.Struct, frozen=True):
    id: str
    state: str
    total: int
    paid: int


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    checkout: Checkout | None = None
    order: Order | None = None
    user_errors: list[UserError] = []


class Answer(msgspec.Struct, frozen=True):
    data: dict[str, Payload | None] | None = None
    errors: list[Error] = []


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    observed: Observation
    payload: Payload


class GraphqlShop:
    def __init__(self, settings: Mapping[str, str]) -> None:
        self._token = settings["storefront_token"]

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset({Op.CREATE, Op.READ}),
            books=frozenset(),
            idempotent=frozenset({Op.CREATE}),
            pay_by=False,
            busy=None,
            raw_states=STATES,
            legal_edges=frozenset(),
        )

    def create_order(self, user: str, order: NewOrder, key: str) -> Call:
        variables: dict[str, str | int] = {"merchant": order.merchant}
        for field, query in CHECKOUT:
            step = yield from self._step(user, Op.CREATE, field, query, variables, decisive=False)
            if step.observed.outcome is not Outcome.OK:
                return step.observed
            if step.payload.checkout is None:
                return replace(step.observed, outcome=Outcome.FAIL, code=UNREADABLE)
            variables = {"id": step.payload.checkout.id}
            if field == "checkoutCreate":
                variables["amount"] = order.amount_minor
        step = yield from self._step(
            user, Op.CREATE, "checkoutComplete", COMPLETE, variables | {"key": key}, decisive=True
        )
        return ordered(step, created=True)

    def read(self, user: str, order_id: str) -> Call:
        step = yield from self._step(user, Op.READ, "order", ORDER, {"id": order_id}, decisive=True)
        return ordered(step, created=False)

    def pay(self, user: str, order_id: str, method: Method, key: str, card: str | None = None) -> Call:
        del user, order_id, method, key, card  # pays at checkout
        return unoffered()

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

    def _step(
        self, user: str, op: Op, field: str, query: str, variables: Mapping[str, str | int], *, decisive: bool
    ) -> Generator[Request, Reply, Step]:
        reply = yield Request(
            method="POST",
            path="/graphql",
            name=f"POST /graphql {field}",
            headers=(
                ("x-storefront-token", self._token),
                ("x-customer", user),
                ("content-type", "application/json"),
            ),
            body=msgspec.json.encode({"query": query, "variables": variables}),
        )
        payload, code = read(field, reply)
        judgement = judge(op, reply, code=code, rows=ROWS, decisive=decisive)
        observed = Observation(outcome=judgement.outcome, ending=reply.ending, http=reply.status, code=judgement.code)
        return Step(observed=observed, payload=payload)


def read(field: str, reply: Reply) -> tuple[Payload, str | None]:
    try:
        answer = msgspec.json.decode(reply.body, type=Answer)
    except msgspec.DecodeError:
        return Payload(), None
    payload = (answer.data or {}).get(field) or Payload()
    codes = [error.extensions.code for error in answer.errors] + [error.code for error in payload.user_errors]
    return payload, next(iter(codes), None)


def ordered(step: Step, *, created: bool) -> Observation:
    order = step.payload.order
    if step.observed.outcome is not Outcome.OK:
        return step.observed
    if order is None:
        return replace(step.observed, outcome=Outcome.INFO, code=UNREADABLE)
    return replace(
        step.observed,
        order_id=order.id,
        result_id=order.id if created else None,
        state=STATES.get(order.state),
        amount_minor=order.total,
        paid_minor=order.paid,
    )
