"""What does an answer of the reference payment API tell the customer?

Its error has one shape, `{"error": {"code", "message", "order_id"?, "methods"?}}`; a refusal
without it comes from a proxy. An acknowledgement that lacks a field read here is
`info`, with the code `unreadable_answer`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from harness.operation import Method, Op, Outcome, State
from harness.targets.outcomes import UNREADABLE, Judgement, TableRow, judge, retry_after_s
from harness.targets.protocol import BusyContract, Health, Observation, Reply, Shown, StatusPage

RAW_STATES = {
    "open": State.OPEN,
    "paying": State.PAYING,
    "paid": State.PAID,
    "part_refunded": State.PAID,
    "refunded": State.REFUNDED,
    "closed": State.CLOSED,
}
BUSY = BusyContract(
    statuses=frozenset({503, 429}), codes=frozenset({"system_busy"}), unknown_codes=frozenset({"unavailable"})
)

_CONFLICT = 409
_WRITES = frozenset({Op.CREATE, Op.PAY, Op.REFUND})
_ROWS = (
    # This very key is being worked on: what comes of it is open.
    TableRow(
        ops=_WRITES,
        when=lambda reply, code: reply.status == _CONFLICT and code == "request_in_progress",
        outcome=Outcome.INFO,
    ),
    # Every other conflict that the API names is a refusal: order_paid, attempt_unresolved, nothing_to_refund.
    TableRow(
        ops=_WRITES,
        when=lambda reply, code: reply.status == _CONFLICT and code is not None,
        outcome=Outcome.FAIL,
    ),
    TableRow(
        ops=frozenset({Op.READ}),
        when=lambda reply, code: reply.status == 404 and code == "order_not_found",  # noqa: PLR2004
        outcome=Outcome.FAIL,
    ),
)
_STATE_BY_CODE = {"order_paid": State.PAID, "order_closed": State.CLOSED, "attempt_unresolved": State.PAYING}
"""Refusals that tell the order's state."""
_DEAD_ATTEMPT = frozenset({"closed", "failed"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def utc_ms(at: datetime) -> int:
    """Milliseconds since the epoch; an instant that names no zone is taken as UTC."""
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


class _Attempt(msgspec.Struct, frozen=True):
    id: str
    state: str
    amount_minor: int


class _Refund(msgspec.Struct, frozen=True):
    id: str
    amount_minor: int
    state: str


class _Order(msgspec.Struct, frozen=True):
    id: str
    state: str
    amount_minor: int
    paid_minor: int
    refunded_minor: int
    pay_by: datetime
    refunds: list[_Refund] = []


class _PaymentAnswer(msgspec.Struct, frozen=True):
    payment: _Attempt
    order: _Order
    methods: list[str] = []


class _RefundAnswer(msgspec.Struct, frozen=True):
    refund: _Refund
    order: _Order


class _Listed(msgspec.Struct, frozen=True):
    id: str
    state: str
    amount_minor: int
    paid_minor: int
    refunded_minor: int


class _PageAnswer(msgspec.Struct, frozen=True):
    orders: list[_Listed]
    next: str | None


class _Refusal(msgspec.Struct, frozen=True):
    code: str | None = None
    order_id: str | None = None
    methods: list[str] = []
    key: str | None = None


class _ErrorAnswer(msgspec.Struct, frozen=True):
    error: _Refusal


class _HealthAnswer(msgspec.Struct, frozen=True):
    build: str
    pid: int
    started_utc_ms: int
    utc_ms: int


class _MethodSaid(msgspec.Struct, frozen=True):
    method: str
    state: str


class _StatusAnswer(msgspec.Struct, frozen=True):
    status: Literal["ok", "degraded"]
    since_utc_ms: int
    methods: list[_MethodSaid]


_ORDER = msgspec.json.Decoder(_Order)
_PAYMENT = msgspec.json.Decoder(_PaymentAnswer)
_REFUND = msgspec.json.Decoder(_RefundAnswer)
_PAGE = msgspec.json.Decoder(_PageAnswer)
_ERROR = msgspec.json.Decoder(_ErrorAnswer)
_HEALTH = msgspec.json.Decoder(_HealthAnswer)
_STATUS = msgspec.json.Decoder(_StatusAnswer)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What an acknowledgement says beyond its status."""

    order: _Order | None = None
    result_id: str | None = None
    refunds: Sequence[_Refund] = ()
    amount_minor: int | None = None
    judgement: Judgement | None = None
    """Where the body says more than the status."""
    order_ids: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()
    complete: bool = False
    health: Health | None = None
    page: StatusPage | None = None
    methods: Sequence[str] = ()


def observe(op: Op, reply: Reply, told_by: Callable[[bytes], Told]) -> Observation:
    """Judge a reply and read it; an acknowledgement that cannot be read is no information."""
    refusal = _refusal(reply)
    judged = judge(op, reply, code=refusal.code, rows=_ROWS, busy=BUSY)
    told = Told()
    if judged.outcome is Outcome.OK:
        try:
            told = told_by(reply.body)
        except msgspec.DecodeError:
            refusal = _error_in(reply.body)  # a refusal under a status that acknowledges is told by its code
            judged = Judgement(outcome=Outcome.INFO, code=refusal.code or UNREADABLE)
    judged = told.judgement or judged
    order = told.order
    refunds = (*told.refunds, *(order.refunds if order else ()))
    return Observation(
        outcome=judged.outcome,
        ending=reply.ending,
        http=reply.status,
        code=judged.code,
        busy=judged.busy,
        build=reply.headers.get("x-build"),
        order_id=order.id if order else refusal.order_id,
        result_id=told.result_id,
        state=RAW_STATES.get(order.state) if order else _STATE_BY_CODE.get(judged.code or ""),
        amount_minor=told.amount_minor,
        paid_minor=order.paid_minor if order else None,
        refunded_minor=order.refunded_minor if order else None,
        retry_after_s=retry_after_s(reply),
        pay_by_utc_ms=utc_ms(order.pay_by) if order else None,
        refunds_done=tuple(sorted({refund.id for refund in refunds if refund.state == "done"})),
        order_ids=told.order_ids,
        shown=told.shown,
        complete=told.complete,
        health=told.health,
        page=told.page,
        offers=tuple(Method(name) for name in told.methods or refusal.methods if name in set(Method)),
        named_key=refusal.key,
    )


def _refusal(reply: Reply) -> _Refusal:
    """The error in a reply, or an empty one: a proxy's answer has none."""
    if reply.status is None or reply.status < 400:  # noqa: PLR2004
        return _Refusal()
    return _error_in(reply.body)


def _error_in(body: bytes) -> _Refusal:
    try:
        return _ERROR.decode(body).error
    except msgspec.DecodeError:
        return _Refusal()


def order_read(body: bytes) -> Told:
    """Of `GET /v1/orders/{id}`."""
    order = _ORDER.decode(body)
    return Told(order=order, amount_minor=order.amount_minor)


def created(body: bytes) -> Told:
    """Of `POST /v1/orders`: the order is what the write made."""
    return replace(order_read(body), result_id=_ORDER.decode(body).id)


def paid(body: bytes) -> Told:
    """Read a payment's answer, which has an attempt in any state.

    Only a paid attempt is an acknowledged payment. One that is over is `fail`:
    it will never be captured. Everything else (sent, unknown: answered 202; late:
    captured and to be paid back) may move money, now or later: `info`.
    """
    answer = _PAYMENT.decode(body)
    state = answer.payment.state
    judgement = Judgement(outcome=Outcome.OK)
    if state != "paid":
        outcome = Outcome.FAIL if state in _DEAD_ATTEMPT else Outcome.INFO
        judgement = Judgement(outcome=outcome, code=f"attempt_{state}")
    return Told(
        order=answer.order,
        result_id=answer.payment.id,
        amount_minor=answer.payment.amount_minor,
        judgement=judgement,
        methods=answer.methods,
    )


def refunded(body: bytes) -> Told:
    """Of `POST /v1/orders/{id}/refunds`; the amount is the refund's."""
    answer = _REFUND.decode(body)
    made = answer.refund
    return Told(order=answer.order, result_id=made.id, refunds=(made,), amount_minor=made.amount_minor)


def listed(body: bytes) -> Told:
    """Of one page of `GET /v1/orders`."""
    page = _PAGE.decode(body)
    shown = tuple(
        Shown(
            state=RAW_STATES.get(order.state),
            amount_minor=order.amount_minor,
            paid_minor=order.paid_minor,
            refunded_minor=order.refunded_minor,
        )
        for order in page.orders
    )
    return Told(order_ids=tuple(order.id for order in page.orders), shown=shown, complete=page.next is None)


def next_page(body: bytes) -> str:
    """Cursor of the page after this one, of a list that was read and is not complete."""
    return _PAGE.decode(body).next or ""


def healthy(body: bytes) -> Told:
    """Of `GET /healthz`."""
    answer = _HEALTH.decode(body)
    return Told(
        health=Health(
            build=answer.build,
            pid=answer.pid,
            started_utc_ms=answer.started_utc_ms,
            utc_ms=answer.utc_ms,
        )
    )


def page_shown(body: bytes) -> Told:
    """Of `GET /status`, wherever that page is served."""
    answer = _STATUS.decode(body)
    ill = {said.method for said in answer.methods if said.state != "ok"}
    return Told(
        page=StatusPage(
            degraded=answer.status == "degraded",
            methods=tuple(method for method in Method if method.value in ill),
            since_utc_ms=answer.since_utc_ms,
        )
    )
