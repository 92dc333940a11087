"""Do our books and the providers' bills agree, and who is told where they do not?

    books ──┐
            ├─> differences ──> the same ones at every look for 3 s, or 6 s ──> a row in `discrepancies`, once
    bills ──┘

In flight is no discrepancy: whatever the next looks find settled. An attempt whose result is not known
yet, or a refund that is not confirmed yet, gets longer, though not for ever: billed is billed. What is
named stays named, and is named once: the table holds each (provider, number, kind) once, whichever
process found it.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.model import Method
from compose.payment_api.providers.bills import Bills, BillUnread, Line
from compose.payment_api.steps import now

log = logging.getLogger("payment_api")

RECONCILE_EVERY_S = 1.5
GRACE_S = 3.0
"""A difference that is seen for so long is no money on its way ..."""
IN_FLIGHT_GRACE_S = 6.0
"""... nor, where the books still wait for the provider's word, one that is seen for so long."""
LOOK_BACK = timedelta(hours=1)
BOOKS_LOOK_BACK = timedelta(hours=25)
"""What is billed in the last hour may have been begun before it, but not so long ago."""

FIRST_ORDER = "SELECT created_at FROM orders ORDER BY seq LIMIT 1"
BOOKED = """
SELECT false AS is_refund, provider_number AS number, order_id, captured_minor AS amount_minor, created_at,
       state IN ('paid', 'late') AS settled, state IN ('created', 'sent', 'unknown') AS in_flight
FROM payments WHERE method = $1 AND provider_number IS NOT NULL AND created_at > $2
UNION ALL
SELECT true, CASE method WHEN 'card' THEN provider_number ELSE number END, order_id, amount_minor, created_at,
       state = 'done', state = 'pending'
FROM refunds WHERE method = $1 AND created_at > $2
ORDER BY created_at, number
"""
NAME = """
INSERT INTO discrepancies (provider, number, order_id, kind, amount_minor, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Booked:
    """One movement of money as our books have it."""

    is_refund: bool
    number: str | None
    order_id: str
    amount_minor: int
    settled: bool
    """Moved, say the books."""
    in_flight: bool
    """May have moved."""
    must_be_billed: bool
    """Begun in the time that the bill was read for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One number on which books and bill do not agree."""

    provider: Method
    number: str
    kind: str
    """"missing_in_bill", "missing_in_books" or "amount_differs"."""
    order_id: str | None
    amount_minor: int
    """What is missing; of two amounts, what the bill has."""
    grace_s: float = GRACE_S


class Reconciler:
    """Compares in the background; `look` is one round over all providers."""

    def __init__(self, database: Database, bills: Bills, defects: frozenset[Defect]) -> None:
        self._database = database
        self._bills = bills
        self._blind = frozenset({Method.ALIPAY}) if Defect.RECONCILIATION_BLIND in defects else frozenset()
        self._has_patience = Defect.RECONCILIATION_WITHOUT_GRACE not in defects
        self._since: dict[Method, dict[tuple[str, str], datetime]] = {method: {} for method in Method}
        """Since when each difference was seen at every look, by number and kind."""

    async def look(self) -> None:
        """Compare once, all providers side by side: one that is silent keeps no other waiting."""
        await asyncio.gather(*(self._look_at(method) for method in Method if method not in self._blind))

    async def _look_at(self, method: Method) -> None:
        """Compare with one provider; a bill that cannot be had is left for the next round."""
        try:
            found = await self._differences(method)
        except BillUnread as exc:
            log.info("%s", exc)
            return
        await self._name_lasting(method, found)

    async def _differences(self, method: Method) -> list[Difference]:
        first = await self._database.row(FIRST_ORDER)
        if first is None:
            return []
        at = now()
        since = max(first["created_at"], at - LOOK_BACK)
        rows = await self._database.rows(BOOKED, method.value, since - BOOKS_LOOK_BACK)
        booked = [
            Booked(
                is_refund=row["is_refund"],
                number=row["number"],
                order_id=row["order_id"],
                amount_minor=row["amount_minor"],
                settled=row["settled"],
                in_flight=row["in_flight"],
                must_be_billed=row["created_at"] >= since,
            )
            for row in rows
        ]
        return list(differences(method, booked, await self._bills.read(method, since, at)))

    async def _name_lasting(self, method: Method, found: Iterable[Difference]) -> None:
        before, at = self._since[method], now()
        self._since[method] = {}
        for what in found:
            since = self._since[method][what.number, what.kind] = before.get((what.number, what.kind), at)
            grace_s = what.grace_s if self._has_patience else 0.0
            if (at - since).total_seconds() >= grace_s:
                values = (what.provider.value, what.number, what.order_id, what.kind, what.amount_minor, at)
                await self._database.execute(NAME, *values)


def differences(provider: Method, booked: Iterable[Booked], bill: Iterable[Line]) -> Iterator[Difference]:
    """Where books and bill do not agree at this look."""
    billed: dict[tuple[bool, str], int] = {}
    for line in bill:
        key = (line.is_refund, line.number)
        billed[key] = billed.get(key, 0) + line.amount_minor
    for row in booked:
        if row.number is None:
            continue
        amount_minor = billed.pop((row.is_refund, row.number), None)
        kind = None
        if amount_minor is None:
            kind = "missing_in_bill" if row.settled and row.must_be_billed else None
        elif not row.settled:
            kind = "missing_in_books"
        elif amount_minor != row.amount_minor:
            kind = "amount_differs"
        if kind is not None:
            yield Difference(
                provider=provider,
                number=row.number,
                kind=kind,
                order_id=row.order_id,
                amount_minor=row.amount_minor if amount_minor is None else amount_minor,
                grace_s=IN_FLIGHT_GRACE_S if row.in_flight else GRACE_S,
            )
    for (_, number), amount_minor in sorted(billed.items()):
        yield Difference(
            provider=provider, number=number, kind="missing_in_books", order_id=None, amount_minor=amount_minor
        )
