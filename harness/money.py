"""How is money told, and what did broken promises cost?

A check that finds money in the wrong place puts a `Loss` beside its proof. One order's loss is
often seen by several checks, so losses are added over orders and never over checks. No I/O.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.verdict import JudgedCheck

NO_MINOR_UNIT = frozenset({"JPY", "KRW", "VND", "CLP"})


class Bearer(StrEnum):
    """Whose money is in the wrong place."""

    CUSTOMER = "customer"
    """Taken or owed, and not given back."""
    LATE = "late"
    """Given back to the customer, but after the window."""
    OPERATOR = "operator"
    """Given back beyond what was owed or asked for."""
    BOOKS = "books"
    """Booked otherwise than the provider moved it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """What one bearer lost in one currency."""

    bearer: Bearer
    currency: str
    amount_minor: int
    orders: int


def amount(minor: int, currency: str | None) -> str:
    """An amount of money for people."""
    if currency in NO_MINOR_UNIT:
        return f"{minor} {currency}"
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d} {currency or ''}".rstrip()


def loss(bearer: Bearer, minor: int, currency: str | None) -> dict[str, object]:
    """The entry of a finding's evidence that says what the breach cost; `minor` in the currency's minor units."""
    return {"loss": {"bearer": bearer.value, "amount_minor": abs(minor), "currency": currency or ""}}


def losses(evidence: Mapping[str, object]) -> tuple[tuple[Bearer, str, int], ...]:
    """What a finding's evidence says it cost, as (bearer, currency, minor units); empty where it says nothing."""
    told = evidence.get("loss")
    match told:
        case {"bearer": str(bearer), "amount_minor": int(minor), "currency": str(currency)} if bearer in set(Bearer):
            return ((Bearer(bearer), currency, minor),)
    return ()


def totals(checks: Iterable[JudgedCheck]) -> tuple[Total, ...]:
    """Losses by bearer and currency, added over the orders concerned.

    Where several checks tell of one order's loss, the largest of their sums counts, once.
    """
    by_order: dict[tuple[Bearer, str], dict[str, int]] = defaultdict(dict)
    for check in checks:
        here: dict[tuple[Bearer, str, str], int] = defaultdict(int)
        for finding in check.findings:
            for bearer, currency, minor in losses(finding.evidence):
                here[bearer, currency, finding.subject] += minor
        for (bearer, currency, subject), minor in here.items():
            orders = by_order[bearer, currency]
            orders[subject] = max(minor, orders.get(subject, 0))
    return tuple(
        Total(bearer=bearer, currency=currency, amount_minor=sum(orders.values()), orders=len(orders))
        for bearer in Bearer
        for (whose, currency), orders in sorted(by_order.items())
        if whose is bearer
    )
