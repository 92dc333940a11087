"""How does one operation of a customer become requests, and rows of history?

    adapter ──Request──> session ──> connection          (drives the generator)
            <───Reply───    │
                            └──> recorder: inv before sending, done after

An operation is one pair of rows. One that takes several requests has besides a
pair for each, which name it as their parent; that there is a second is known
only once the adapter yields it, so the first request's pair is written then.
The operation's own invocation is with the kernel before anything is sent. An
operation that is killed leaves its invocation without completion. Each request
carries the trace that follows from its operation's row (`harness.recorder.traces`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, Self

import gevent

from harness.load.client import Exchange
from harness.load.keys import key_number, key_text
from harness.load.leaks import Scanner
from harness.operation import WRITES, Ending, Method, Op, Outcome, Phase
from harness.recorder.rows import Done, Inv
from harness.recorder.traces import TRACEPARENT, Traces
from harness.targets.outcomes import judge
from harness.targets.protocol import Call, Observation, Reply, Request

OnRequest = Callable[[str, str, float, int, Ending, int | None], None]
"""Told after each request: name, HTTP method, response in ms from its scheduled instant, size, ending, status."""


class Clock(Protocol):
    """CLOCK_MONOTONIC, and waiting by it."""

    def now_ns(self) -> int: ...
    def sleep_until(self, instant_ns: int) -> None: ...


class GeventClock:
    """The real one; other greenlets run while one sleeps."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep_until(self, instant_ns: int) -> None:
        while (left_ns := instant_ns - time.monotonic_ns()) > 0:
            gevent.sleep(left_ns / 1e9)


class Sends(Protocol):
    """A connection: `harness.load.client.Connection`."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def send(self, request: Request) -> Exchange: ...


class Connects(Protocol):
    """Where connections come from: `harness.load.client.Client`."""

    def connection(self) -> Sends: ...


class Records(Protocol):
    """What takes rows: `harness.recorder.writer.HistoryWriter`."""

    def next_id(self) -> int: ...
    def order_no(self, order: str) -> tuple[int, bool]: ...
    def invoke(self, inv: Inv, *, flush: bool | None = None) -> None: ...
    def complete(self, done: Done) -> None: ...


@dataclass(kw_only=True, slots=True)
class Key:
    """An idempotency key and how often it was sent."""

    number: int
    text: str
    attempts: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What one operation told, and when it had ended."""

    told: Observation
    done_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """What the customer is about to do; the fields are those of `Inv`."""

    op: Op
    scheduled_ns: int
    order: str | None = None
    method: Method | None = None
    key: Key | None = None
    amount_minor: int | None = None
    currency: str | None = None
    line: str | None = None
    tried: str | None = None


class Session:
    """One customer's operations, over one connection."""

    def __init__(
        self,
        *,
        journey: int,
        user: str,
        phase: Phase,
        connection: Sends,
        recorder: Records,
        traces: Traces,
        clock: Clock,
        on_request: OnRequest,
        keys_from: int = 0,
        scanner: Scanner | None = None,
    ) -> None:
        """`keys_from`: this session's keys are numbered above it within the journey; `scanner` looks at each reply."""
        self.journey = journey
        self.user = user
        self._phase = phase
        self._connection = connection
        self._recorder = recorder
        self._traces = traces
        self._clock = clock
        self._on_request = on_request
        self._keys = keys_from
        self._scanner = scanner
        self._leaks: set[str] = set()
        """What leaked in replies to the operation under way."""
        self._pay_by_utc_ms: dict[str, int] = {}
        """Of each order, what this session was told first."""

    def new_key(self) -> Key:
        """A key that was never sent."""
        self._keys += 1
        return Key(number=key_number(self.journey, self._keys), text=key_text(self.user, self._keys))

    def perform(self, act: Act, call: Call) -> Seen:
        """Drive one operation to its end and record it. Costs as many requests as the adapter yields."""
        inv = self._invocation(act)
        self._recorder.invoke(inv)
        self._leaks.clear()
        request, nth = next(call), 1
        exchange = self._send(self._traced(request, inv.id, nth), act.scheduled_ns, act.order)
        told = _resume(call, exchange.reply)
        if isinstance(told, Request):
            first = self._invoke_request(inv, exchange.sent_ns)
            self._complete_request(first, inv, exchange)
        while isinstance(told, Request):
            now_ns = self._clock.now_ns()
            later = self._invoke_request(inv, now_ns)
            nth += 1
            exchange = self._send(self._traced(told, inv.id, nth), now_ns, act.order)
            self._complete_request(later, inv, exchange)
            told = _resume(call, exchange.reply)
        self._recorder.complete(self._completion(inv.id, act, told, exchange))
        self._own(act, told)
        return Seen(told=told, done_ns=exchange.done_ns)

    def _traced(self, request: Request, operation: int, nth: int) -> Request:
        """The request under its operation's trace; two such headers would be none, so an adapter's own gives way."""
        headers = [header for header in request.headers if header[0].lower() != TRACEPARENT]
        return replace(request, headers=(*headers, (TRACEPARENT, self._traces.traceparent(operation, nth))))

    def _send(self, request: Request, scheduled_ns: int, asked: str | None) -> Exchange:
        exchange = self._connection.send(request)
        reply = exchange.reply
        response_ms = (exchange.done_ns - scheduled_ns) / 1e6
        self._on_request(request.name, request.method, response_ms, len(reply.body), reply.ending, reply.status)
        if self._scanner is not None and reply.ending is Ending.ANSWERED:
            self._leaks.update(self._scanner.kinds(reply.headers, reply.body, journey=self.journey, asked=asked))
        return exchange

    def _own(self, act: Act, told: Observation) -> None:
        """Let the scanner know whose the orders are that a create made, or that its customer's own list names."""
        if self._scanner is None or told.outcome is not Outcome.OK:
            return
        if act.op is Op.CREATE and told.order_id is not None:
            self._scanner.owns(self.journey, told.order_id)
        for order in told.order_ids if act.op is Op.LIST else ():
            self._scanner.owns(self.journey, order)

    def _invocation(self, act: Act) -> Inv:
        inv = Inv(
            id=self._recorder.next_id(),
            journey=self.journey,
            intent=self.journey,
            op=act.op,
            phase=self._phase,
            scheduled_ns=act.scheduled_ns,
            sent_ns=self._clock.now_ns(),
            method=act.method,
            amount_minor=act.amount_minor,
            currency=act.currency,
            line=act.line,
            tried=act.tried,
        )
        if act.order is not None:
            inv.order_no, first = self._recorder.order_no(act.order)
            inv.order = act.order if first else None
        if act.key is not None:
            act.key.attempts += 1
            inv.key_no, inv.attempt = act.key.number, act.key.attempts
        return inv

    def _completion(self, number: int, act: Act, told: Observation, last: Exchange) -> Done:
        done = Done(
            id=number,
            outcome=told.outcome,
            done_ns=last.done_ns,
            ending=last.reply.ending,
            http=last.reply.status,
            build=told.build,
            result_id=told.result_id,
            code=told.code,
            state=told.state,
            amount_minor=told.amount_minor,
            paid_minor=told.paid_minor,
            refunded_minor=told.refunded_minor,
            retry_after_s=told.retry_after_s,
            offers=tuple(str(method) for method in told.offers),
            pay_by_utc_ms=self._pay_by(act, told),
            refunds_done=told.refunds_done,
            leaks=tuple(sorted(self._leaks)),
            names=_named(act, told),
            listed=len(told.order_ids) if act.op is Op.LIST and told.outcome is Outcome.OK else None,
        )
        if told.complete:
            done.listed_orders = told.order_ids
            done.listed_states = tuple(each.state for each in told.shown)
            done.listed_amounts = tuple(each.amount_minor for each in told.shown)
            done.listed_paid = tuple(each.paid_minor for each in told.shown)
            done.listed_refunded = tuple(each.refunded_minor for each in told.shown)
        if told.order_id is not None and told.order_id != act.order:
            done.order_no, first = self._recorder.order_no(told.order_id)
            done.order = told.order_id if first else None
        return done

    def _pay_by(self, act: Act, told: Observation) -> int | None:
        """What a create's reply tells, and another's where it tells another instant than the order's first did."""
        order, pay_by_utc_ms = told.order_id or act.order, told.pay_by_utc_ms
        if pay_by_utc_ms is None or order is None or act.op is Op.TRESPASS:
            return None
        is_known = self._pay_by_utc_ms.get(order) == pay_by_utc_ms
        self._pay_by_utc_ms.setdefault(order, pay_by_utc_ms)
        return None if is_known and act.op is not Op.CREATE else pay_by_utc_ms

    def _invoke_request(self, parent: Inv, sent_ns: int) -> int:
        number = self._recorder.next_id()
        inv = Inv(
            id=number,
            journey=self.journey,
            intent=self.journey,
            op=Op.REQUEST,
            phase=self._phase,
            scheduled_ns=sent_ns,
            sent_ns=sent_ns,
            parent=parent.id,
        )
        self._recorder.invoke(inv, flush=parent.op in WRITES)
        return number

    def _complete_request(self, number: int, parent: Inv, exchange: Exchange) -> None:
        reply = exchange.reply
        self._recorder.complete(
            Done(
                id=number,
                outcome=judge(Op(parent.op), reply).outcome,
                done_ns=exchange.done_ns,
                ending=reply.ending,
                http=reply.status,
            )
        )


def _named(act: Act, told: Observation) -> str | None:
    """Which of the two that the request carried a reply names that is no acknowledgement: just that, and no other."""
    if told.outcome is Outcome.OK or told.result_id is not None:
        return None
    if act.order is not None:
        return "order" if told.order_id == act.order else None
    return "key" if act.key is not None and told.named_key == act.key.text else None


def _resume(call: Call, reply: Reply) -> Request | Observation:
    """Hand a reply to the adapter: it asks for more, or has seen enough."""
    try:
        return call.send(reply)
    except StopIteration as stop:
        told: Observation = stop.value
        return told
