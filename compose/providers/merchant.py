"""In which order does a merchant's request go through authorisation, ledger, faults, effect and answer?

    arrival ─> "request" row ─> fault before ─> effect rows ─> fault after ─> "answered" row ─> answer
              └──────────── one transaction where no fault makes the request wait ────────────┘

A fault before the effect delays it, or answers in its stead; a fault after it
leaves the effect in the ledger and touches the answer only.
"""

import asyncio
import contextlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from compose.providers.acquirer import Acquirer
from compose.providers.book import Book
from compose.providers.connection import Holds, Stopping, drop
from compose.providers.faults import Fault, Faults
from compose.providers.ledger import Ledger, Transaction
from compose.providers.scheduler import OpenBook
from compose.providers.schema import HEADER, OPERATIONS, merchant_of, refuse_schema, version_of
from compose.providers.settings import Settings
from compose.providers.wire import Answer, Malformed, Mention, Wire, read_fields

BODY_LIMIT_BYTES = 64 * 1024
BODY_LIMIT_S = 10.0
MARKS = {"slow_answer": "slow", "lost_answer": "lost", "error_answer": "error", "refuse_schema": "schema"}
"""Kind of fault -> what the "answered" row says of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counter:
    """What every merchant call needs."""

    acquirer: Acquirer
    settings: Settings
    ledger: Ledger
    faults: Faults
    holds: Holds
    open_book: OpenBook
    executing: "Executing"


class Executing:
    """Requests that wait before their effect."""

    def __init__(self) -> None:
        self.count = 0
        self.keys: set[str] = set()
        """Their idempotency keys."""

    @contextlib.contextmanager
    def around(self, key: str | None) -> Iterator[None]:
        """Count one for the length of the block."""
        self.count += 1
        if key is not None:
            self.keys.add(key)
        try:
            yield
        finally:
            self.count -= 1
            if key is not None:
                self.keys.discard(key)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Course:
    """What the faults do to one request."""

    before_ms: int
    before_end: Fault | None
    """Loses the request, or answers an error, before it had any effect."""
    after_ms: int
    after_end: Fault | None
    mark: Fault | None
    """What the "answered" row names: the fault that ended it, or else the one that slowed it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """How far a request has come."""

    whose: Mention
    course: _Course
    answer: Answer | None = None
    done: bool = False
    """Its "answered" row is written."""


class MerchantCall:
    """The ASGI endpoint of one operation."""

    def __init__(self, op: str, counter: Counter) -> None:
        self._op = op
        self._counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived_ns = time.monotonic_ns()
        request = Request(scope, receive)
        try:
            async with asyncio.timeout(BODY_LIMIT_S):
                wire = await _read(request)
        except HTTPException as refused:
            await Response(status_code=refused.status_code)(scope, receive, send)
            return
        except (TimeoutError, ClientDisconnect):
            await drop(scope, receive)
            return
        try:
            if self._authorised(request):
                step = await self._serve(wire, arrived_ns)
            else:
                step = await self._counter.ledger.write(lambda transaction: self._refuse(transaction, arrived_ns))
        except (Stopping, asyncio.CancelledError):
            await drop(scope, receive)
            return
        ended_by = step.course.before_end or step.course.after_end
        if ended_by is not None and ended_by.kind == "lost_answer":
            await self._counter.holds.hold(ended_by.id, receive)
            await drop(scope, receive)
        elif step.answer is not None:
            answer = step.answer
            media_type = answer.media_type if answer.body else None
            await Response(answer.body, answer.status, media_type=media_type)(scope, receive, send)

    def _authorised(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {self._counter.settings.key}".encode())

    async def _serve(self, wire: Wire, arrived_ns: int) -> _Step:
        """Take the request through; no more than one transaction where nothing makes it wait."""
        ledger, holds = self._counter.ledger, self._counter.holds
        step = await ledger.write(lambda transaction: self._begin(transaction, wire, arrived_ns))
        if not step.done and step.answer is None:
            with self._counter.executing.around(wire.key):
                await holds.pause(step.course.before_ms)
                begun = step
                step = await ledger.write(lambda transaction: self._take_effect(transaction, wire, begun))
        if not step.done:
            await holds.pause(step.course.after_ms)
            effected = step
            step = await ledger.write(lambda transaction: self._finish(transaction, effected))
        return step

    def _refuse(self, transaction: Transaction, arrived_ns: int) -> _Step:
        """A call with a wrong key: written down, but nothing in it is believed."""
        transaction.append("request", at_ns=arrived_ns, op=self._op)
        step = _Step(whose=Mention(), course=_course(()), answer=self._counter.acquirer.unauthorized())
        return self._finish(transaction, step)

    def _begin(self, transaction: Transaction, wire: Wire, arrived_ns: int) -> _Step:
        book = self._counter.open_book(transaction)
        whose = _attribute(self._op, wire, self._counter.acquirer, book)
        self._append(transaction, "request", whose, at_ns=arrived_ns)
        refused_by = self._refusing_schema(transaction, wire, whose)
        if refused_by is not None:
            step = _Step(whose=whose, course=replace(_course(()), mark=refused_by))
            return self._finish(transaction, replace(step, answer=refuse_schema(self._counter.acquirer.name)))
        course = _course(self._counter.faults.on_answer(transaction, self._op, whose.order))
        step = _Step(whose=whose, course=course)
        refusal = self._counter.acquirer.in_use(wire, self._counter.executing.keys)
        if refusal is not None:
            return self._finish(transaction, replace(step, course=_course(()), answer=refusal))
        return step if course.before_ms else self._take_effect(transaction, wire, step)

    def _refusing_schema(self, transaction: Transaction, wire: Wire, whose: Mention) -> Fault | None:
        if self._op not in OPERATIONS:
            return None
        merchant, version = merchant_of(wire.fields), wire.schema_version
        return self._counter.faults.on_schema(transaction, self._op, whose.order, version, merchant)

    def _take_effect(self, transaction: Transaction, wire: Wire, step: _Step) -> _Step:
        acquirer, course = self._counter.acquirer, step.course
        if course.before_end is not None:
            answer = acquirer.injected(course.before_end.status)
            return self._finish(transaction, replace(step, answer=answer))
        book = self._counter.open_book(transaction)
        try:
            answer = acquirer.unknown() if self._op == "unknown" else acquirer.answer(self._op, wire, book)
        except Malformed as malformed:
            answer = acquirer.malformed(malformed.field)
        if course.after_end is not None and course.after_end.kind == "error_answer":
            injected = acquirer.injected(course.after_end.status)
            acquirer.overwrite_reply(wire, injected, book)
            answer = replace(injected, number=answer.number, refund_number=answer.refund_number)
        step = replace(step, answer=answer)
        return step if course.after_ms else self._finish(transaction, step)

    def _finish(self, transaction: Transaction, step: _Step) -> _Step:
        answer, mark = step.answer, step.course.mark
        assert answer is not None
        whose = replace(
            step.whose,
            number=step.whose.number or answer.number,
            refund_number=step.whose.refund_number or answer.refund_number,
        )
        lost = mark is not None and mark.kind == "lost_answer"
        self._append(transaction, "answered", whose, http=None if lost else answer.status, fault=mark)
        return replace(step, done=True)

    def _append(
        self,
        transaction: Transaction,
        kind: str,
        whose: Mention,
        *,
        at_ns: int | None = None,
        http: int | None = None,
        fault: Fault | None = None,
    ) -> None:
        transaction.append(
            kind,
            at_ns=at_ns,
            number=whose.number,
            order=whose.order,
            run=whose.run,
            refund_number=whose.refund_number,
            amount_minor=whose.amount_minor,
            currency=whose.currency,
            op=self._op,
            http=http,
            fault=None if fault is None else MARKS[fault.kind],
            note=None if fault is None else fault.id,
        )


async def _read(request: Request) -> Wire:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return Wire(
        target=f"{request.method} {request.url.path}",
        path=request.path_params,
        query=request.query_params,
        key=request.headers.get("idempotency-key"),
        schema_version=version_of(request.headers.get(HEADER)),
        fields=read_fields(bytes(body)),
        base_url=f"http://{request.headers.get('host', '')}",
    )


def _attribute(op: str, wire: Wire, acquirer: Acquirer, book: Book) -> Mention:
    """Whose request it is: what it says itself, and what the trade or refund it names says."""
    told = acquirer.mention(op, wire)
    number = told.number
    if number is None and told.refund_number is not None:
        refund = book.refund(acquirer.refund_key(told) or "")
        number = None if refund is None else refund.number
    trade = None if number is None else book.trade(number)
    if trade is None:
        return replace(told, number=number)
    currency = told.currency or (None if told.amount_minor is None else trade.currency)
    return replace(told, number=number, order=told.order or trade.order, run=told.run or trade.run, currency=currency)


def _course(faults: Sequence[Fault]) -> _Course:
    """Fold the faults that hit a request: delays add up, the first that ends it wins."""
    slow = [fault for fault in faults if fault.kind == "slow_answer"]
    ends = [fault for fault in faults if fault.kind != "slow_answer"]
    before_end = next((fault for fault in ends if fault.when == "before"), None)
    after_end = None if before_end is not None else next((fault for fault in ends), None)
    return _Course(
        before_ms=sum(fault.by_ms for fault in slow if fault.when == "before"),
        before_end=before_end,
        after_ms=0 if before_end is not None else sum(fault.by_ms for fault in slow if fault.when == "after"),
        after_end=after_end,
        mark=before_end or after_end or next(iter(slow), None),
    )
