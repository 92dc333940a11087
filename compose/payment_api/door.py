"""Who may begin something new, and what are the others told?

    pay ──> slot at once ─────────────────────────────────────────────┐
     └─ none: nothing new? (a key that was used, a live attempt) ─────┤
              new: wait a little for a slot ──────────────────────────┴──> payments
                       └─ none: refusal kept ──> busy: 503, Retry-After, system_busy, order id

A create is refused while the queue of new payments is full: an order that could
not be paid is a promise too many. Queries and refunds come through no door: they
have database connections of their own (`service`), which new payments cannot fill.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum

from compose.payment_api.admission import Admission, Ask, Full, Gone
from compose.payment_api.background import Background
from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.errors import ApiError, Undone
from compose.payment_api.model import UNPAID, Method, Payment
from compose.payment_api.orders import Orders, Wanted
from compose.payment_api.payments import Payments, Wish
from compose.payment_api.refusals import Refusals
from compose.payment_api.settings import Settings
from compose.payment_api.spool import Spool

DROP_ORDER = """
DELETE FROM orders WHERE id = $1 AND (SELECT count(*) FROM refusals WHERE order_id = $1) > 1
"""
READ_STATE = "SELECT state FROM orders WHERE id = $1"
READ_LAST_METHOD = """
SELECT p.method FROM payments p JOIN orders o ON o.id = p.order_id
WHERE o.user_id = $1 AND o.id <> $2 ORDER BY p.created_at DESC LIMIT 1
"""
"""Only of the defect charged_unasked."""

RETRY_AFTER_S = 1
RETRY_AFTER_MS = 1000
"""Only of the defect retry_after_in_ms."""
IN_TIME_S = 0.7
"""What took longer to show, a loss of the database or a slot that none is, is told as it is: a busy answer would come
too late."""
LATE_DEADLINES = 4
"""Only of the defect busy_after_20_s: 20 s at the scale of life, where a deadline is 5 s."""


class Asks(StrEnum):
    """What is asked for; only the first two come through the door."""

    CREATE = "create"
    PAY = "pay"
    LIST = "list"
    READ = "read"
    REFUND = "refund"


class Door:
    """Admits, or says that the system is busy."""

    def __init__(
        self,
        *,
        express: Database,
        orders: Orders,
        payments: Payments,
        background: Background,
        settings: Settings,
        on_busy: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_busy` is told what was asked for, each time that somebody is turned away."""
        self._on_busy = on_busy
        self.admission = Admission(
            slots=settings.payment_slots, slot_s=settings.payment_slot_s, defects=settings.defects
        )
        self._express = express
        self._orders = orders
        self._payments = payments
        self.refusals = Refusals(express, Spool(settings.spool))
        self._background = background
        self._defects = settings.defects
        self._deadline_s = settings.deadline_s

    async def create(self, user: str, wanted: Wanted, key: str) -> Mapping[str, object]:
        """Create an order, or raise busy; a key that made its order gets it whatever the load."""
        if self.admission.is_full and not await self._orders.knows(user, key):
            raise await self._busy(Asks.CREATE, key=key)
        made = await self._orders.create(user, wanted, key)
        if Defect.CHARGED_UNASKED in self._defects:
            await self._pay_unasked(user, str(made["id"]))
        return made

    async def pay(self, wish: Wish, is_gone: Ask) -> Payment:
        """Pay, or raise busy, with the order as it was before."""
        began_s = time.monotonic()
        try:
            slot = self.admission.at_once()
            if slot is None and not await self._payments.is_new(wish):
                return await self._payments.pay(wish)
            slot = slot or await self.admission.wait(is_gone)
            with slot:
                return await self._payments.pay(wish, on_new=slot.use)
        except Gone:
            raise await self._busy(Asks.PAY, order_id=wish.order_id) from None  # which nobody hears
        except (Full, Undone) as exc:
            if time.monotonic() - began_s > IN_TIME_S:
                raise (exc.cause if isinstance(exc, Undone) else TimeoutError()) from exc
            raise await self._refuse(wish) from exc

    async def express(self, asks: Asks, is_gone: Ask, order_id: str | None = None) -> None:
        """Let a query or a refund through: always, and at once, unless a defect makes it wait for new payments."""
        if not await self._waits(asks, order_id):
            return
        if Defect.QUERIES_BEHIND_PAYMENTS in self._defects:
            if (slot := self.admission.at_once()) is None:
                raise await self._busy(asks, order_id=order_id)
            with slot:
                return
        try:
            with await self.admission.wait(is_gone, behind=True):
                return
        except (Full, Gone):
            raise await self._busy(asks, order_id=order_id) from None

    async def _waits(self, asks: Asks, order_id: str | None) -> bool:
        if Defect.QUERIES_BEHIND_PAYMENTS in self._defects and asks is not Asks.REFUND:
            row = await self._express.row(READ_STATE, order_id)
            return row is None or row["state"] in UNPAID
        return Defect.REFUNDS_BEHIND_PAYMENTS in self._defects

    async def _pay_unasked(self, user: str, order_id: str) -> None:
        row = await self._express.row(READ_LAST_METHOD, user, order_id)
        if row is not None:
            wish = Wish(user=user, order_id=order_id, method=Method(row["method"]), key=secrets.token_hex(8))
            self._background.start(f"pay unasked {order_id}", self._payments.pay(wish))

    async def _refuse(self, wish: Wish) -> ApiError:
        """Keep the refusal of a payment, and say so."""
        await self.refusals.keep(user=wish.user, order_id=wish.order_id, method=wish.method.value)
        if Defect.REFUSED_BUT_CHARGED in self._defects:
            unbound = replace(wish, key=secrets.token_hex(8))
            self._background.start(f"pay all the same {unbound.key}", self._payments.pay(unbound))
        if Defect.ORDER_DROPPED_WHEN_BUSY in self._defects:
            await self._express.execute(DROP_ORDER, wish.order_id)
        return await self._busy(Asks.PAY, order_id=wish.order_id)

    async def _busy(self, asks: Asks, *, order_id: str | None = None, key: str | None = None) -> ApiError:
        """The one busy answer, unless a defect spoils it."""
        self._on_busy(asks)
        if Defect.BUSY_AFTER_20_S in self._defects:
            await asyncio.sleep(LATE_DEADLINES * self._deadline_s)
        wait_s = RETRY_AFTER_MS if Defect.RETRY_AFTER_IN_MS in self._defects else RETRY_AFTER_S
        bare = {Defect.BUSY_AS_200, Defect.BUSY_WITHOUT_RETRY_AFTER} & self._defects
        return ApiError(
            200 if Defect.BUSY_AS_200 in self._defects else 503,
            "system_busy",
            "The system is busy. This request had no effect. Try again in a moment.",
            order_id=order_id,
            key=key,
            retry_after_s=None if bare else wait_s,
        )
