"""Who carries out what is planned: late captures, refunds, notices?

One task. It sleeps until the soonest planned instant, or until a transaction
plans something sooner, takes what is due in one transaction and sends the
notices among it. The plans lie in the ledger's file and are deleted with their
effect, so a killed provider goes on where it was.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from compose.providers.book import Book
from compose.providers.ledger import Ledger, Transaction
from compose.providers.notices import Notice, read_notice, record_delivery, sign_notice
from compose.providers.post import Posted, post
from compose.providers.settings import Settings

DEADLINE_S = 5.0
"""For a merchant to answer a notice."""

DELIVERIES_LIMIT = 64
"""Notices on their way at the same time."""

EFFECTS_LIMIT = 100
"""Planned effects carried out in one transaction."""

TAKE_DUE = """
SELECT id, what, key, op, fault FROM plans
WHERE running = 0 AND due_ns <= ? AND (what <> 'notice' OR ?) ORDER BY due_ns, id LIMIT ?
"""
NEXT_DUE = "SELECT min(due_ns) FROM plans WHERE running = 0 AND (what <> 'notice' OR ?)"
DELETE_PLAN = "DELETE FROM plans WHERE id = ?"
SET_RUNNING = "UPDATE plans SET running = 1 WHERE id = ?"
RESET_RUNNING = "UPDATE plans SET running = 0 WHERE running = 1"

OpenBook = Callable[[Transaction], Book]
"""Gives the book of one transaction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Due:
    notices: tuple[Notice, ...]
    next_ns: int | None


class Scheduler:
    """Carries out planned effects; `run` ends by cancellation only."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        *,
        prefix: str,
        open_book: OpenBook,
        acknowledges: Callable[[Posted], bool],
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._prefix = prefix
        self._open_book = open_book
        self._acknowledges = acknowledges
        self._woken = asyncio.Event()
        self._next_ns: int | None = None
        self._under_way = 0

    def wake(self, due_ns: int) -> None:
        """Tell it that something is planned for that instant."""
        if self._next_ns is None or due_ns < self._next_ns:
            self._woken.set()

    async def run(self) -> None:
        """Carry on until cancelled; deliveries under way are then cut and come again after a restart."""
        async with asyncio.TaskGroup() as deliveries:
            while True:
                self._woken.clear()
                self._next_ns = None  # until the answer is there, anything planned wakes
                free = DELIVERIES_LIMIT - self._under_way
                due = await self._ledger.write(partial(self._take_due, free=free))
                for notice in due.notices:
                    self._under_way += 1
                    deliveries.create_task(self._deliver(notice))
                self._next_ns = due.next_ns
                await self._sleep_until(due.next_ns)

    async def _sleep_until(self, due_ns: int | None) -> None:
        if due_ns is None:
            await self._woken.wait()
            return
        try:
            async with asyncio.timeout(max(0.0, (due_ns - time.monotonic_ns()) / 1e9)):
                await self._woken.wait()
        except TimeoutError:
            return

    def _take_due(self, transaction: Transaction, free: int) -> _Due:
        book = self._open_book(transaction)
        limit = min(free, EFFECTS_LIMIT) if free else EFFECTS_LIMIT
        notices: list[Notice] = []
        for plan_id, what, key, op, fault in transaction.execute(
            TAKE_DUE, transaction.now_ns, free > 0, limit
        ).fetchall():
            if what == "notice":
                transaction.execute(SET_RUNNING, plan_id)
                notices.append(read_notice(transaction, key))
            else:
                transaction.execute(DELETE_PLAN, plan_id)
                _carry_out(book, what, key, op, fault)
        (next_ns,) = transaction.execute(NEXT_DUE, free > len(notices)).fetchone()
        return _Due(notices=tuple(notices), next_ns=next_ns)

    async def _deliver(self, notice: Notice) -> None:
        try:
            headers = sign_notice(notice, prefix=self._prefix, key=self._settings.key, seed=self._settings.seed)
            posted = await post(notice.url, notice.body, headers, deadline_s=DEADLINE_S)
            http = None if posted is None else posted.status
            acknowledged = posted is not None and self._acknowledges(posted)
            schedule_ms = self._settings.notice_schedule_ms
            await self._ledger.write(
                lambda transaction: record_delivery(
                    transaction, notice, http=http, acknowledged=acknowledged, schedule_ms=schedule_ms
                )
            )
        finally:
            if self._under_way == DELIVERIES_LIMIT:
                self._woken.set()
            self._under_way -= 1


def resume_plans(transaction: Transaction) -> None:
    """Give plans free that a killed process had taken and not finished; wake the scheduler for them."""
    transaction.execute(RESET_RUNNING)


def _carry_out(book: Book, what: str, key: str, op: str, fault: str | None) -> None:
    if what == "capture":
        trade = book.trade(key)
        assert trade is not None
        book.capture(trade, op, fault)
    else:
        refund = book.refund(key)
        assert refund is not None
        trade = book.trade(refund.number)
        assert trade is not None
        book.complete_refund(trade, refund, op)
