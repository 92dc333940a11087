"""What becomes of an attempt whose result is not known?

    query ──> paid: booked
      │  └──> not known, not begun: the same number again, unless the provider is in trouble
      │  └──> no answer: later again, after 0.1 s, 0.2 s ... at most 1 s
      └─ and nobody wants it any more (another method was asked for, `pay_by` or the limit has passed,
         the order was paid otherwise): close ──> query ──> paid: booked; closed: booked, and watched

An unknown result is never booked as failed. Which attempts are live stands in the
database, so a process that starts takes up where the killed one stopped. An
attempt that is believed closed is asked about for a while longer: providers have
captured what they had closed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from compose.payment_api.background import Background, Signals, wait_s
from compose.payment_api.books import READ_PAYMENT, Books
from compose.payment_api.charger import Charger
from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.gates import Gates
from compose.payment_api.lease import Lease
from compose.payment_api.model import UNPAID, Method, OrderState, Payment, PaymentState, payment_of
from compose.payment_api.providers.shape import Provider, Result
from compose.payment_api.steps import now

READ_CASE = """
SELECT p.*, o.state AS order_state, o.pay_by FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.id = $1
"""
LIVE_BEFORE = """
SELECT id FROM payments WHERE state IN ('created', 'sent', 'unknown') AND watched AND created_at < $1 AND slot = $2
ORDER BY created_at, seq
"""
UNWANTED = "UPDATE payments SET unwanted = true WHERE id = $1"
CLOSED_SINCE = "SELECT * FROM payments WHERE state = 'closed' AND closed_at > $1 ORDER BY closed_at, seq"

FIRST_PAUSE_S = 0.1
PENDING_PAUSE_S = 0.35
"""An accepted charge is captured, and its notice here, within this; asking before would be in vain."""
LONGEST_PAUSE_S = 1.0
LOOK_EVERY_S = 0.25
"""Whoever waits for another process's work is told nothing of it, and looks."""
RESENDS_MAX = 2
RESOLVE_DEADLINES = 3
"""So many deadlines after its creation an attempt that is still not paid is closed."""
WATCH_DEADLINES = 10
"""So many deadlines long a closed attempt is asked about ..."""
WATCH_EVERY_DEADLINES = 2
"""... and so often."""
WATCHED_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """An attempt with what decides whether it is still wanted."""

    payment: Payment
    order_state: OrderState
    pay_by: datetime
    watched: bool
    unwanted: bool
    slot: str


class Resolver:
    """Resolves live attempts in the background, one task each."""

    def __init__(
        self,
        *,
        database: Database,
        books: Books,
        charger: Charger,
        providers: Mapping[Method, Provider],
        gates: Gates,
        background: Background,
        signals: Signals,
        lease: Lease,
        defects: frozenset[Defect],
        deadline_s: float,
    ) -> None:
        self._database = database
        self._books = books
        self._charger = charger
        self._providers = providers
        self._gates = gates
        self._background = background
        self._signals = signals
        self._lease = lease
        self._defects = defects
        self._deadline_s = deadline_s
        self._unwanted: set[str] = set()
        self._swept_before = False

    def watch(self, payment_id: str) -> None:
        """See to it that the attempt is resolved."""
        name = f"resolve {payment_id}"
        if not self._background.runs(name):
            self._background.start(name, self._resolve(payment_id))

    async def close(self, payment_id: str, *, limit_s: float) -> None:
        """Have the attempt closed, or found paid, since another method is asked for.

        Returns when that is done or after `limit_s`; the work goes on behind.
        """
        if await self._is_own(payment_id):
            self._unwanted.add(payment_id)
            self.watch(payment_id)
            self._signals.announce(payment_id)
        else:
            await self._database.execute(UNWANTED, payment_id)
        until = now() + timedelta(seconds=limit_s)
        with self._signals.watching(payment_id) as news:
            while (left_s := (until - now()).total_seconds()) > 0:
                row = await self._database.row(READ_PAYMENT, payment_id)
                if row is None or not payment_of(row).is_live:
                    return
                await wait_s(news, min(left_s, LOOK_EVERY_S))
                news.clear()

    async def sweep(self) -> None:
        """Take up attempts that nobody works on: those of a killed process, and those whose task ended in an error."""
        before = now() - timedelta(seconds=2 * self._deadline_s if self._swept_before else 0)
        for row in await self._database.rows(LIVE_BEFORE, before, self._lease.slot):
            self.watch(row["id"])
        self._swept_before = True

    async def watch_closed(self) -> None:
        """Ask once about each attempt that was closed lately: the notice of a late capture may be lost."""
        if Defect.SWITCH_WITHOUT_CLOSE in self._defects:
            return
        since = now() - timedelta(seconds=WATCH_DEADLINES * self._deadline_s)
        at_once = asyncio.Semaphore(WATCHED_AT_ONCE)

        async def ask(payment: Payment) -> None:
            async with at_once:
                answer = await self._providers[payment.method].query(payment)
            if answer.result is Result.PAID:
                await self._books.captured(payment.id)

        closed = await self._database.rows(CLOSED_SINCE, since)
        await asyncio.gather(*(ask(payment_of(row)) for row in closed))

    @property
    def watch_every_s(self) -> float:
        """Pause between two rounds of `watch_closed`."""
        return WATCH_EVERY_DEADLINES * self._deadline_s

    async def _resolve(self, payment_id: str) -> None:
        try:
            charged = await self._charger.finished(payment_id)
            if charged is Result.PAID:
                return
            pause_s = {Result.PENDING: PENDING_PAUSE_S, None: 0.0}.get(charged, FIRST_PAUSE_S)
            if payment_id in self._unwanted:
                pause_s = 0.0
            resends = 0
            with self._signals.watching(payment_id) as news:
                while True:
                    await wait_s(news, pause_s)
                    news.clear()
                    case = await self._read(payment_id)
                    if case is None or not case.watched or not case.payment.is_live or case.slot != self._lease.slot:
                        return
                    resends = await self._step(case, resends)
                    pause_s = min(max(pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        finally:
            self._unwanted.discard(payment_id)

    async def _step(self, case: Case, resends: int) -> int:
        """Ask, and act on the answer; returns how often the charge was sent again so far."""
        payment = case.payment
        if Defect.UNKNOWN_LEFT_ALONE in self._defects and payment.state is not PaymentState.SENT:
            return resends
        answer = await self._providers[payment.method].query(payment)
        if answer.result is Result.PAID:
            await self._books.captured(payment.id)
        elif answer.result is Result.CLOSED:
            await self._books.closed(payment.id)
        elif answer.result is Result.UNKNOWN:
            pass
        elif not self._is_wanted(case):
            await self._close(payment)
        elif answer.result in (Result.NOT_KNOWN, Result.NOT_PAID) and self._may_resend(payment, resends):
            await self._charger.charge(payment)
            return resends + (payment.provider_number is not None)  # a card's intent alone charges nothing
        return resends

    def _may_resend(self, payment: Payment, resends: int) -> bool:
        """A charge is not repeated into trouble; the intent of a card that is not there yet charges nothing."""
        return resends < RESENDS_MAX and (payment.provider_number is None or self._gates[payment.method].is_well())

    async def _close(self, payment: Payment) -> None:
        """Close, and believe only what a query says after it: a customer may have paid between the two."""
        provider = self._providers[payment.method]
        await provider.close(payment)
        answer = await provider.query(payment)
        if answer.result is Result.PAID:
            await self._books.captured(payment.id)
        elif answer.result in (Result.CLOSED, Result.NOT_KNOWN):
            await self._books.closed(payment.id)

    def _is_wanted(self, case: Case) -> bool:
        payment, at = case.payment, now()
        in_time = at < case.pay_by and at < payment.created_at + timedelta(seconds=RESOLVE_DEADLINES * self._deadline_s)
        return in_time and case.order_state in UNPAID and not case.unwanted and payment.id not in self._unwanted

    async def _is_own(self, payment_id: str) -> bool:
        """Whether this process works on the attempt, or nobody does any more."""
        row = await self._database.row(READ_PAYMENT, payment_id)
        return row is None or row["slot"] == self._lease.slot

    async def _read(self, payment_id: str) -> Case | None:
        row = await self._database.row(READ_CASE, payment_id)
        if row is None:
            return None
        return Case(
            payment=payment_of(row),
            order_state=OrderState(row["order_state"]),
            pay_by=row["pay_by"],
            watched=row["watched"],
            unwanted=row["unwanted"],
            slot=row["slot"],
        )
