"""What happens when a customer pays?

    lock order, look ──> intent on disk ──> commit ──> charge (background) ──> wait, one deadline ──> 200 or 202
            │
            ├─ the method does not work: refused at once, without effect; methods that do are named
            └─ another attempt is live: have it resolved (query, close, query), then look again, or 409

The intent is committed before the provider hears of it, and the unique index on
live attempts stands behind every look. Whoever comes with a key that was used
before joins what that key began. No provider is called in a transaction.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from compose.payment_api.background import Signals, wait_s
from compose.payment_api.books import HOLD_ORDER, LIVE_ATTEMPT, READ_PAYMENT
from compose.payment_api.charger import Charger, new_number
from compose.payment_api.database import Connection, Database
from compose.payment_api.defects import Defect
from compose.payment_api.errors import ApiError
from compose.payment_api.gates import Gates
from compose.payment_api.model import (
    UNPAID,
    Method,
    Order,
    OrderState,
    Payment,
    PaymentState,
    order_of,
    payment_of,
)
from compose.payment_api.orders import READ_KEY, Binding, Orders, bind_key, check_digest, digest, order_not_found
from compose.payment_api.releaser import book_release
from compose.payment_api.resolver import LOOK_EVERY_S, Resolver
from compose.payment_api.steps import born, move_order, move_payment, now, payment_step

INSERT_PAYMENT = """
INSERT INTO payments (id, order_id, method, number, provider_number, state, amount_minor, currency, created_at,
                      instrument, merchant)
VALUES ($1, $2, $3, $4, $5, 'created', $6, $7, $8, $9, $10)
"""
COUNT_ATTEMPTS = "SELECT count(*) AS attempts FROM payments WHERE order_id = $1"
FEE_MINOR = 100
"""Only for the defect charged_with_a_fee."""
ANSWER_DEADLINES = 2
"""So many deadlines after it asked a customer is answered, however long it took until its charge began."""
SWITCH_SHARE = 0.5
"""Of the deadline that may go into resolving another attempt, so that with the charge after it an answer is in time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """The attempt that a key stands for."""

    payment: Payment
    is_new: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocked:
    """Another method's attempt is live."""

    payment_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a request asks for."""

    user: str
    order_id: str
    method: Method
    key: str
    instrument: str | None = None
    """What stands for the card that was named."""
    came_at: datetime = field(default_factory=now, compare=False)

    @property
    def mark(self) -> bytes:
        """What the key stands for."""
        what = {"order": self.order_id, "method": self.method.value}
        return digest("pay", what | ({} if self.instrument is None else {"instrument": self.instrument}))


def answer_by(created_at: datetime, came_at: datetime, deadline: timedelta) -> datetime:
    """When a customer who asked at `came_at` is answered at the latest about an attempt of `created_at`."""
    return min(created_at + deadline, came_at + ANSWER_DEADLINES * deadline)


class Payments:
    """Paying."""

    def __init__(
        self,
        *,
        database: Database,
        orders: Orders,
        charger: Charger,
        resolver: Resolver,
        gates: Gates,
        signals: Signals,
        defects: frozenset[Defect],
        deadline_s: float,
    ) -> None:
        self._database = database
        self._orders = orders
        self._charger = charger
        self._resolver = resolver
        self._gates = gates
        self._signals = signals
        self._defects = defects
        self._deadline_s = deadline_s

    async def is_new(self, wish: Wish) -> bool:
        """Whether paying would begin a new attempt; raises as `pay` does for an order that cannot be paid."""
        await self._orders.written(wish.order_id)
        async with self._database.transaction() as connection:
            return not isinstance(await self._look(connection, wish, begins=False), Begun)

    async def pay(self, wish: Wish, on_new: Callable[[], None] = lambda: None) -> Payment:
        """Pay an order by one method; returns the attempt, decided or still live after one deadline.

        `on_new` is called once a new attempt is on disk, before its provider hears of it.
        """
        await self._orders.written(wish.order_id)
        begun = await self._begin(wish)
        if isinstance(begun, Blocked):
            await self._resolver.close(begun.payment_id, limit_s=self._deadline_s * SWITCH_SHARE)
            begun = await self._begin(wish)
        if isinstance(begun, Blocked):
            raise _unresolved(wish.order_id)
        if begun.is_new:
            on_new()
        if begun.is_new and Defect.ROW_AFTER_PROVIDER not in self._defects:
            self._charger.start(begun.payment)
            self._resolver.watch(begun.payment.id)
        if begun.payment.is_live:
            await self._decided(begun.payment, wish.came_at)
        row = await self._database.row(READ_PAYMENT, begun.payment.id)
        if row is None:  # deleted with its order, which no correct build does
            raise order_not_found()
        return payment_of(row)

    async def _decided(self, payment: Payment, came_at: datetime) -> None:
        """Wait for the attempt's result: one deadline after its creation, and not beyond what the customer waits."""
        if Defect.NO_DEADLINE in self._defects or Defect.GLOBAL_LOCK in self._defects:
            await self._charger.finished(payment.id)  # the call's own time, or that of all calls before it
        with self._signals.watching(payment.id) as news:
            until = answer_by(payment.created_at, came_at, timedelta(seconds=self._deadline_s))
            while (left_s := (until - now()).total_seconds()) > 0:
                row = await self._database.row(READ_PAYMENT, payment.id)
                if row is None or not payment_of(row).is_live:
                    return
                await wait_s(news, min(left_s, LOOK_EVERY_S))
                news.clear()

    async def _begin(self, wish: Wish) -> Begun | Blocked:
        draft = None
        if Defect.ROW_AFTER_PROVIDER in self._defects:
            async with self._database.transaction() as connection:
                looked = await self._look(connection, wish)
            if not isinstance(looked, Order):
                return looked
            draft, answer = await self._charger.call(_new_attempt(looked, wish), on_disk=False)
        async with self._database.transaction() as connection:
            looked = await self._look(connection, wish)
            if not isinstance(looked, Order):
                return looked
            payment = draft or _new_attempt(looked, wish)
            if Defect.CHARGED_WITH_A_FEE in self._defects:
                payment = replace(payment, amount_minor=payment.amount_minor + FEE_MINOR)
            await bind_key(connection, _binding(wish, payment.id), payment.created_at)
            await _insert(connection, looked, payment)
            if Defect.RELEASED_BEFORE_PAYMENT in self._defects:
                await book_release(connection, looked.id)
        if draft is not None:
            await self._charger.book(draft, answer)
            self._resolver.watch(draft.id)
        if Defect.RELEASED_BEFORE_PAYMENT in self._defects:
            self._signals.release_due(wish.order_id)
        return Begun(payment=payment, is_new=True)

    async def _look(self, connection: Connection, wish: Wish, *, begins: bool = True) -> Order | Begun | Blocked:
        """Lock the order and say what this request meets: the order, free to be paid, or an attempt in its way.

        `begins`: where it is free, a charge does begin.
        """
        row = await connection.fetchrow(HOLD_ORDER, wish.order_id)
        if row is None or row["user_id"] != wish.user:
            raise order_not_found()
        order = order_of(row)
        known = await connection.fetchrow(READ_KEY, wish.user, wish.key)
        if known is not None:
            check_digest(known, wish.mark, self._defects)
            attempt = await connection.fetchrow(READ_PAYMENT, known["result_id"])
            assert attempt is not None
            return Begun(payment=payment_of(attempt), is_new=False)
        _check_payable(order)
        live = await connection.fetchrow(LIVE_ATTEMPT, order.id)
        attempt_there = None if live is None else payment_of(live)
        if attempt_there is not None and attempt_there.method is wish.method:  # the same wish in other words
            await bind_key(connection, _binding(wish, attempt_there.id), now())
            return Begun(payment=attempt_there, is_new=False)
        await self._check_works(connection, wish, begins=begins and attempt_there is None)
        if attempt_there is None:
            return order
        if Defect.SWITCH_WITHOUT_CLOSE in self._defects:
            await move_payment(connection, attempt_there, PaymentState.CLOSED, now())
            return order
        return Blocked(payment_id=attempt_there.id)

    async def _check_works(self, connection: Connection, wish: Wish, *, begins: bool) -> None:
        """Raise a refusal where no charge by this method is to begin now; `begins`: one does, if it may."""
        gate = self._gates[wish.method]
        attempts = 0
        if not gate.is_well():
            row = await connection.fetchrow(COUNT_ATTEMPTS, wish.order_id)
            attempts = 0 if row is None else row["attempts"]
        if not gate.admits(attempts, begins=begins):
            raise self._gates.refusal(wish.method, wish.order_id)


def _binding(wish: Wish, payment_id: str) -> Binding:
    return Binding(user=wish.user, key=wish.key, mark=wish.mark, order_id=wish.order_id, result_id=payment_id)


def _check_payable(order: Order) -> None:
    if order.state is OrderState.CLOSED or (order.state in UNPAID and now() >= order.pay_by):
        raise ApiError(409, "order_closed", "The order ran out of time. Order again.", order_id=order.id)
    if order.state not in UNPAID:
        raise ApiError(409, "order_paid", "The order is paid.", order_id=order.id)


def _unresolved(order_id: str) -> ApiError:
    return ApiError(
        409,
        "attempt_unresolved",
        "The result of an earlier attempt is not known yet. You will not be charged twice. Try again in a moment.",
        order_id=order_id,
        retry_after_s=1,
    )


def _new_attempt(order: Order, wish: Wish) -> Payment:
    number, method = new_number(), wish.method
    return Payment(
        id=f"pay_{secrets.token_hex(12)}",
        order_id=order.id,
        method=method,
        number=number,
        provider_number=None if method is Method.CARD else number,
        state=PaymentState.CREATED,
        amount_minor=order.amount_minor,
        currency=order.currency,
        captured_minor=0,
        created_at=now(),
        instrument=wish.instrument,
        merchant=order.merchant,
    )


async def _insert(connection: Connection, order: Order, payment: Payment) -> None:
    """The intent: the attempt's row, and the order is being paid."""
    await connection.execute(
        INSERT_PAYMENT,
        payment.id,
        order.id,
        payment.method.value,
        payment.number,
        payment.provider_number,
        payment.amount_minor,
        payment.currency,
        payment.created_at,
        payment.instrument,
        payment.merchant,
    )
    await born(connection, payment_step(payment, None, PaymentState.CREATED), payment.created_at)
    if order.state is OrderState.OPEN:
        await move_order(connection, order, OrderState.PAYING, payment.created_at)
