"""Whose orders does a history name, so that their owners can be asked?

Read row by row from `history/*.jsonl`; what is kept in memory is one entry a
journey and one an order. It takes every order that any row names: the judge
decides which of them were acknowledged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.operation import Op
from harness.recorder.reader import rows_of
from harness.recorder.rows import Done, Inv


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Journeys and orders of one run."""

    users: Mapping[int, str]
    """Journey -> the target's user."""
    orders: Mapping[str, str]
    """Order -> the user whose journey first named it."""
    problems: tuple[str, ...] = ()


def known_in(history: Path) -> Known:
    """Read a folder of history files; a line that cannot be read is left to the judge, and said."""
    users: dict[int, str] = {}
    journey_of: dict[str, int] = {}
    open_ops: dict[int, int] = {}
    strangers: set[int] = set()
    damaged: list[None] = []
    for row in rows_of(history, lambda: damaged.append(None)):
        if isinstance(row, Inv):
            open_ops[row.id] = row.journey
            if row.op == Op.TRESPASS:
                strangers.add(row.id)  # what a stranger names is another's
            if row.op == Op.JOURNEY and row.user is not None:
                users[row.journey] = row.user
            journey = row.journey
        elif isinstance(row, Done):
            journey = open_ops.pop(row.id, -1)
        else:
            continue
        if row.order is not None and row.id not in strangers:
            journey_of.setdefault(row.order, journey)
    orders = {order: users[journey] for order, journey in journey_of.items() if journey in users}
    return Known(users=users, orders=orders, problems=_said(len(damaged), len(journey_of) - len(orders)))


def _said(damaged: int, ownerless: int) -> tuple[str, ...]:
    said: list[str] = []
    if damaged:
        said.append(f"{damaged} lines of the history could not be read for the orders they name")
    if ownerless:
        said.append(f"{ownerless} orders of the history belong to no journey with a user; nobody asked for them")
    return tuple(said)
