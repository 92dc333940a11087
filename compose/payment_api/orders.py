"""How does an order come into being, once for each key, and who may see it?

Key and order are one statement, so they exist both or neither. A second request
with the key waits at the key's unique index until the first has committed, and
then reads what that one made: no check comes before the insert that a race could
slip past.
"""

import asyncio
import copy
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
import msgspec

from compose.payment_api.background import Background
from compose.payment_api.database import Connection, Database
from compose.payment_api.defects import Defect
from compose.payment_api.errors import ApiError
from compose.payment_api.model import Kind, OrderState, Step
from compose.payment_api.steps import now
from compose.payment_api.views import (
    SHOW_ANYONES,
    SHOW_ONE,
    SHOW_PAGE,
    STATE_AS_OF,
    all_called,
    as_a_replica_shows,
    as_it_was_made,
    instant,
    order_view,
)

CREATE = """
WITH bound AS (
    INSERT INTO idempotency_keys (user_id, key, digest, order_id, result_id, created_at)
    VALUES ($2, $11, $12, $1, $1, $7) ON CONFLICT DO NOTHING RETURNING order_id
), made AS (
    INSERT INTO orders (id, user_id, state, line, merchant, amount_minor, currency, pay_by, created_at, contact, payer)
    SELECT $1, $2, 'open', $3, $4, $5, $6, $8, $7, $9, $10 FROM bound RETURNING id
)
INSERT INTO transitions (kind, subject, order_id, from_state, to_state, at)
SELECT 'order', id, id, NULL, 'open', $7 FROM made RETURNING order_id
"""
CREATE_WITHOUT_KEY = """
WITH made AS (
    INSERT INTO orders (id, user_id, state, line, merchant, amount_minor, currency, pay_by, created_at, contact, payer)
    VALUES ($1, $2, 'open', $3, $4, $5, $6, $8, $7, $9, $10) RETURNING id
)
INSERT INTO transitions (kind, subject, order_id, from_state, to_state, at)
SELECT 'order', id, id, NULL, 'open', $7 FROM made RETURNING order_id
"""
READ_KEY = "SELECT digest, result_id FROM idempotency_keys WHERE user_id = $1 AND key = $2"
READ_SAME = """
SELECT id FROM orders WHERE user_id = $1 AND line = $2 AND merchant = $3 AND created_at > $4 ORDER BY seq DESC LIMIT 1
"""
"""Only for the defect create_swallowed."""
READ_ANYONES_KEY = "SELECT digest, result_id FROM idempotency_keys WHERE key = $1 ORDER BY created_at LIMIT 1"
"""Only for the defect key_without_user."""
BIND_KEY = """
INSERT INTO idempotency_keys (user_id, key, digest, order_id, result_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING result_id
"""

WRITE_BEHIND_S = 0.25
REPLICA_LAG_S = 0.6
"""Only for the defect stale_read_after_write."""
FEN_A_YUAN = 100
"""Only for the defects amount_rounded_down and refund_rounded_up."""
DOUBLE_TAP_S = 30
"""Only for the defect create_swallowed."""
AHEAD = timedelta(hours=8)
"""Only for the defect pay_by_in_local_time."""
SLOW_S = 1.5
"""Only for the defect lists_slow."""
NEWEST = (1 << 63) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a customer orders."""

    line: str
    merchant: str
    amount_minor: int
    currency: str
    contact: str | None = None
    """The phone number, masked."""
    payer: str | None = None
    """What stands for the wallet's openid."""


class Orders:
    """Creating and reading orders."""

    def __init__(self, database: Database, background: Background, defects: frozenset[Defect], pay_by_s: float) -> None:
        self._database = database
        self._background = background
        self._defects = defects
        self._pay_by_s = pay_by_s
        self._unwritten: dict[str, asyncio.Task[None]] = {}
        """Only with the defect ack_before_commit: orders that were acknowledged and are not committed, by id ..."""
        self._unwritten_keys: dict[tuple[str, str], Mapping[str, object]] = {}
        """... and what their keys were answered."""

    async def create(self, user: str, wanted: Wanted, key: str) -> Mapping[str, object]:
        """The order of this key: a new one, or the one that the key made before, as it is now."""
        at = now()
        mark = digest("create", _fields(wanted) | _told(wanted))
        if Defect.AMOUNT_ROUNDED_DOWN in self._defects:
            wanted = replace(wanted, amount_minor=wanted.amount_minor // FEN_A_YUAN * FEN_A_YUAN)
        new = _New(
            id=f"ord_{secrets.token_hex(12)}",
            user=user,
            key=key,
            mark=mark,
            wanted=wanted,
            pay_by=at + timedelta(seconds=self._pay_by_s),
            at=at,
        )
        if Defect.ACK_BEFORE_COMMIT in self._defects:
            if (user, key) not in self._unwritten_keys:
                self._unwritten_keys[user, key] = _new_view(new)
                self._unwritten[new.id] = self._background.start(f"write {new.id}", self._write_later(new))
            return self._unwritten_keys[user, key]
        if Defect.KEY_WITHOUT_USER in self._defects:
            known = await self._database.row(READ_ANYONES_KEY, key)
            if known is not None and (row := await self._database.row(SHOW_ANYONES, known["result_id"])) is not None:
                check_digest(known, new.mark, self._defects)
                return order_view(row)
        if Defect.CREATE_SWALLOWED in self._defects and not await self.knows(user, key):
            since = at - timedelta(seconds=DOUBLE_TAP_S)
            same = await self._database.row(READ_SAME, user, wanted.line, wanted.merchant, since)
            if same is not None:
                return await self.show(user, same["id"])
        if await self._write(new):
            return _new_view(new)
        row = await self._database.row(READ_KEY, user, key)
        if row is None:
            raise ApiError(409, "request_in_progress", "Try again with the same key.", retry_after_s=1)
        check_digest(row, new.mark, self._defects)
        return await self.show(user, row["result_id"])

    async def knows(self, user: str, key: str) -> bool:
        """Whether the key was used before."""
        return await self._database.row(READ_KEY, user, key) is not None

    def through(self, database: Database) -> "Orders":
        """The same orders, read over other connections."""
        twin = copy.copy(self)
        twin._database = database  # noqa: SLF001 - its own
        return twin

    async def show(self, user: str, order_id: str) -> Mapping[str, object]:
        """The order, or 404 where there is none or it is another's."""
        await self.written(order_id)
        row = await self._database.row(SHOW_ONE, order_id, user)
        if row is None:
            if Defect.STACK_TRACE_IN_500 in self._defects:
                raise LookupError(order_id)  # nobody foresaw it
            raise order_not_found()
        if Defect.CLOSED_ORDER_HIDDEN in self._defects and row["state"] == OrderState.CLOSED:
            raise order_not_found()
        view = order_view(row)
        if Defect.PAY_BY_IN_LOCAL_TIME in self._defects:
            view["pay_by"] = instant(row["pay_by"] + AHEAD)
        if Defect.PAID_SAID_FAILED in self._defects:
            view["attempts"] = all_called(row["attempts"], "failed")
        if Defect.REFUND_SAID_DONE in self._defects:
            view["refunds"] = all_called(row["refunds"], "done")
        return view

    async def read(self, user: str, order_id: str, *, degraded: bool) -> Mapping[str, object]:
        """The same for whoever only looks; `degraded`: a provider is in trouble."""
        if degraded and Defect.OTHER_ORDER_READABLE_WHILE_DEGRADED in self._defects:
            row = await self._database.row(SHOW_ANYONES, order_id)
            if row is not None:
                return order_view(row)
        view = await self.show(user, order_id)
        if Defect.STALE_READ_AFTER_WRITE in self._defects:
            then = await self._database.row(STATE_AS_OF, order_id, now() - timedelta(seconds=REPLICA_LAG_S))
            return view if then is None else as_a_replica_shows(view, then["to_state"])
        return view

    async def page(self, user: str, limit: int, before_seq: int | None) -> Mapping[str, object]:
        """The user's orders, newest first, with the cursor of the next page."""
        for order_id in list(self._unwritten):
            await self.written(order_id)
        if Defect.LISTS_SLOW in self._defects:
            await asyncio.sleep(SLOW_S)
        rows = await self._database.rows(SHOW_PAGE, user, before_seq or NEWEST, limit + 1)
        last = limit if Defect.PAGE_SKIPS_ONE in self._defects else limit - 1
        return {
            "orders": [self._listed(row) for row in rows[:limit]],
            "next": str(rows[last]["seq"]) if len(rows) > limit else None,
        }

    def _listed(self, row: asyncpg.Record) -> dict[str, object]:
        view = order_view(row)
        return as_it_was_made(view) if Defect.LIST_FROM_INDEX in self._defects else view

    async def written(self, order_id: str) -> None:
        """Wait for an order that is on its way to the disk; there is none unless a defect says so."""
        if (task := self._unwritten.get(order_id)) is not None:
            await asyncio.wait({task})

    async def _write(self, new: "_New") -> bool:
        """Commit the order with its key; False where the key is taken."""
        wanted = new.wanted
        what = (wanted.line, wanted.merchant, wanted.amount_minor, wanted.currency)
        values = (new.id, new.user, *what, new.at, new.pay_by, wanted.contact, wanted.payer)
        bound = (CREATE, *values, new.key, new.mark)
        keyless = (CREATE_WITHOUT_KEY, *values)
        made = await self._database.row(*(keyless if Defect.CREATE_IGNORES_KEY in self._defects else bound))
        if made is not None:
            self._database.on_commit([Step(Kind.ORDER, new.id, new.id, None, OrderState.OPEN)])
        return made is not None

    async def _write_later(self, new: "_New") -> None:
        await asyncio.sleep(WRITE_BEHIND_S)
        try:
            await self._write(new)
        finally:
            self._unwritten.pop(new.id, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Binding:
    """What a key is bound to."""

    user: str
    key: str
    mark: bytes
    order_id: str
    result_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _New:
    id: str
    user: str
    key: str
    mark: bytes
    wanted: Wanted
    pay_by: datetime
    at: datetime


def digest(operation: str, body: Mapping[str, object]) -> bytes:
    """What a key stands for: the operation with all that it was asked to do."""
    return hashlib.sha256(msgspec.json.encode([operation, sorted(body.items())])).digest()


def check_digest(row: asyncpg.Record, mark: bytes, defects: frozenset[Defect]) -> None:
    """Raise 422 where a key that was used for one thing is used for another."""
    if row["digest"] != mark and Defect.KEY_IGNORES_BODY not in defects:
        raise key_reused()


async def bind_key(connection: Connection, binding: Binding, at: datetime) -> None:
    """Bind a key to what it made; the caller holds the order's lock and has found the key free there."""
    values = (binding.user, binding.key, binding.mark, binding.order_id, binding.result_id, at)
    if await connection.fetchrow(BIND_KEY, *values) is None:
        raise key_reused()  # by another order in the same instant: one key cannot mean both


def key_reused() -> ApiError:
    """The key stands for another request."""
    return ApiError(422, "idempotency_key_reused", "This key was used for another request. Use a new one.")


def order_not_found() -> ApiError:
    """There is no such order, or it is another's: the answer does not say which."""
    return ApiError(404, "order_not_found", "There is no such order.")


def _fields(wanted: Wanted) -> dict[str, object]:
    return {
        "line": wanted.line,
        "merchant": wanted.merchant,
        "amount_minor": wanted.amount_minor,
        "currency": wanted.currency,
    }


def _told(wanted: Wanted) -> dict[str, object]:
    """What the customer told of itself, in the form in which it is kept; nothing where it told nothing."""
    told = {"contact": wanted.contact, "payer": wanted.payer}
    return {name: value for name, value in told.items() if value is not None}


def _new_view(new: _New) -> dict[str, object]:
    view: dict[str, object] = {"id": new.id, "state": "open"} | _fields(new.wanted)
    view |= {} if new.wanted.contact is None else {"contact": new.wanted.contact}
    view |= {"paid_minor": 0, "refunded_minor": 0, "pay_by": instant(new.pay_by), "created_at": instant(new.at)}
    return view | {"attempts": [], "refunds": []}
