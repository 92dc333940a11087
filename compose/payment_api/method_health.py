"""Which methods work, by what their customers were told?

    answer to a payment ──> attempts of the last 2 s ──> ok, degraded, down
    nobody asks any more ──> a query that costs nothing ──> ok once the provider answers it

A method that fails stays failing until something shows that it works: customers
turn away from it, so that no attempt proves nothing. Where orders cannot be placed,
no method works. All of it is in memory, and nobody who asks waits for the database:
what is told here must not fail with what it is about.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

from compose.payment_api.errors import LOST, ApiError, Undone
from compose.payment_api.model import LIVE, Method, Payment, PaymentState
from compose.payment_api.providers.shape import Provider, Result
from compose.payment_api.steps import now

WINDOW_S = 2.0
"""Attempts of so long say whether a method works."""
FEWEST = 2
"""So many of them at least, of which half failed: one alone may have had bad luck."""
IN_A_ROW = 3
"""So many failures one after the other say the same, however far apart they lie."""
LATE_S = 2.5
"""An answer that took longer reached nobody in time, whatever it says."""
QUIET_S = 1.0
"""A failing method of which no attempt was seen for so long is probed ..."""
PROBE_EVERY_S = 0.25
"""... so often."""


REFUSED = (PaymentState.FAILED, PaymentState.CLOSED)
"""States of an attempt that came to nothing: a plain no, unless the provider is in trouble."""


class Health(StrEnum):
    """How a method fares."""

    OK = "ok"
    DEGRADED = "degraded"
    """Half of its attempts failed."""
    DOWN = "down"
    """All of them did."""


@dataclass(kw_only=True, slots=True)
class Attempt:
    """What a customer is about to be told of an attempt to pay."""

    works: bool | None = None
    """None: it says nothing about the method; declined, say, or the order was paid before."""
    lost: bool = False
    """The database was: no order could have been placed either."""

    def ended(self, state: PaymentState, *, is_well: bool = True) -> None:
        """An answer with the attempt in this state; `is_well`: there is no sign of trouble with the provider."""
        if state is PaymentState.PAID:
            self.works = True
        elif state in LIVE or (state in REFUSED and not is_well):
            self.works = False


@dataclass(kw_only=True, slots=True)
class _Record:
    """What was seen of one method."""

    since_utc_ms: int
    state: Health = Health.OK
    lately: deque[tuple[float, bool]] = field(default_factory=deque)
    """Instant and result of the attempts that count."""
    failed_in_a_row: int = 0
    asked_at: float = float("-inf")
    """When an attempt was seen last."""


class MethodHealth:
    """The health of every method, fed by the routes."""

    def __init__(
        self,
        methods: Iterable[Method],
        now_s: Callable[[], float] = time.monotonic,
        now_utc_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._now_s = now_s
        self._now_utc_ms = now_utc_ms
        self._records = {method: _Record(since_utc_ms=now_utc_ms()) for method in methods}
        self._orders = _Record(since_utc_ms=now_utc_ms())
        """Of placing orders, before which nothing can be paid."""

    @contextmanager
    def watching(self, method: Method) -> Iterator[Attempt]:
        """Note what comes of one attempt to pay, also where it ends in an exception."""
        attempt, began_s = Attempt(), self._now_s()
        try:
            with _judged(attempt):
                yield attempt
        finally:
            if attempt.works is not None:
                self.seen(method, works=attempt.works and self._now_s() - began_s <= LATE_S)
            if attempt.lost:
                self._see(self._orders, works=False)

    @contextmanager
    def watching_orders(self) -> Iterator[None]:
        """Note what comes of one attempt to place an order."""
        attempt, began_s = Attempt(), self._now_s()
        try:
            with _judged(attempt):
                yield
                attempt.works = True
        finally:
            if attempt.works is not None:
                self._see(self._orders, works=attempt.works and self._now_s() - began_s <= LATE_S)

    def seen(self, method: Method, *, works: bool) -> None:
        """Count one attempt that worked, or that failed or stayed unresolved."""
        self._see(self._records[method], works=works)

    def _see(self, record: _Record, *, works: bool) -> None:
        record.asked_at = self._now_s()
        record.lately.append((record.asked_at, works))
        record.failed_in_a_row = 0 if works else record.failed_in_a_row + 1
        self._judge(record)

    def answers(self, method: Method) -> None:
        """A provider whose method nobody asks for any more has answered: it works again, as far as is known."""
        self._forgive(self._records[method])

    def orders_can_be_placed(self) -> None:
        """Nobody orders any more, and what orders need is there."""
        self._forgive(self._orders)

    def _forgive(self, record: _Record) -> None:
        record.failed_in_a_row = 0
        record.lately.clear()
        self._turn(record, Health.OK)

    def working(self) -> tuple[Method, ...]:
        """Methods to turn to."""
        return tuple(method for method, record in self._records.items() if record.state is Health.OK)

    def silent(self) -> tuple[Method, ...]:
        """Methods that fail, and of which no attempt was seen for a while."""
        return tuple(method for method, record in self._records.items() if self._is_silent(record))

    def orders_are_silent(self) -> bool:
        """Orders could not be placed, and nobody has tried for a while."""
        return self._is_silent(self._orders)

    def _is_silent(self, record: _Record) -> bool:
        return record.state is not Health.OK and record.asked_at < self._now_s() - QUIET_S

    def told(self) -> Mapping[str, object]:
        """What the operator is told."""
        methods = {}
        for record in (self._orders, *self._records.values()):
            self._judge(record)
        for method, record in self._records.items():
            told = self._orders if record.state is Health.OK and self._orders.state is not Health.OK else record
            methods[method.value] = {"state": told.state.value, "since_utc_ms": told.since_utc_ms}
        return {"methods": methods, "utc_ms": self._now_utc_ms()}

    def _judge(self, record: _Record) -> None:
        """Hold the attempts of the last window against the rule; where they say nothing, nothing changes."""
        before = self._now_s() - WINDOW_S
        while record.lately and record.lately[0][0] <= before:
            record.lately.popleft()
        count, failed = len(record.lately), sum(not works for _, works in record.lately)
        if (count >= FEWEST and 2 * failed >= count) or record.failed_in_a_row >= IN_A_ROW:
            self._turn(record, Health.DOWN if failed == count else Health.DEGRADED)
        elif count and 2 * failed < count:
            self._turn(record, Health.OK)

    def _turn(self, record: _Record, state: Health) -> None:
        """`since` is when it began to fail, or when it worked again, and not when it got worse."""
        if (record.state is Health.OK) is not (state is Health.OK):
            record.since_utc_ms = self._now_utc_ms()
        record.state = state


async def probe(
    health: MethodHealth, providers: Mapping[Method, Provider], reach: Callable[[], Awaitable[object]]
) -> None:
    """Ask each provider whose method fails and has no customers about a payment that never was.

    `reach` asks for what orders need; it raises where that is not there.
    """

    async def ask(method: Method) -> None:
        answer = await providers[method].query(_nothing(method))
        if answer.result is not Result.UNKNOWN and method in health.silent():
            health.answers(method)

    await asyncio.gather(*(ask(method) for method in health.silent()))
    if health.orders_are_silent():
        with suppress(*LOST):
            await reach()
            health.orders_can_be_placed()


@contextmanager
def _judged(attempt: Attempt) -> Iterator[None]:
    """What an exception says of the attempt that it ends."""
    try:
        yield
    except ApiError as exc:
        attempt.works = False if exc.status >= HTTPStatus.INTERNAL_SERVER_ERROR or _turns_away(exc) else None
        attempt.lost = isinstance(exc.__cause__, Undone)
        raise
    except Exception as exc:
        attempt.works, attempt.lost = False, isinstance(exc, LOST)
        raise


def _turns_away(exc: ApiError) -> bool:
    """Refused because of the method or the load, and not because of the order."""
    return exc.status == HTTPStatus.TOO_MANY_REQUESTS or exc.code in ("method_unavailable", "system_busy")


def _nothing(method: Method) -> Payment:
    return Payment(
        id="pay_probe",
        order_id="ord_probe",
        method=method,
        number="PROBE",
        provider_number="PROBE",
        state=PaymentState.UNKNOWN,
        amount_minor=0,
        currency="CNY",
        captured_minor=0,
        created_at=now(),
    )
