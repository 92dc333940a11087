"""Which faults are in force, and whom do they hit?

A fault is set and lifted over the control API and kept with its counters in the
ledger's file, so that it outlives a kill. Everything here runs on the writer
thread, inside the transaction that the fault bears on: counting follows the
order of effects, not the order in which answers come home.

    ratio   each matching case with this probability, drawn from seed, fault and count
    nth     every Nth matching case, the first counted as one
    orders  only cases of these orders
    none    every matching case; of plant_in_bill, which strikes once, the first

What was planted in a bill stays there when the fault is lifted: bills are not mended by themselves.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import msgspec

from compose.providers.ledger import Transaction
from compose.providers.seeded import draw_share

KINDS: Mapping[str, frozenset[str]] = {
    "slow_answer": frozenset({"by_ms", "when"}),
    "lost_answer": frozenset({"when"}),
    "error_answer": frozenset({"status", "when"}),
    "late_capture": frozenset({"by_ms", "despite_close"}),
    "lose_notices": frozenset({"of"}),
    "late_notices": frozenset({"by_ms", "of"}),
    "repeat_notices": frozenset({"times", "reorder", "of"}),
    "plant_in_bill": frozenset(),
    "forge_notices": frozenset(),
    "refuse_schema": frozenset({"version", "merchants"}),
}
"""Kind -> settings that it takes beside its selectors."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "slow_answer": ("by_ms", "when"),
    "lost_answer": ("when",),
    "error_answer": ("status", "when"),
    "late_capture": ("by_ms",),
    "late_notices": ("by_ms",),
    "repeat_notices": ("times",),
    "refuse_schema": ("version", "merchants"),
}

SELECTORS = frozenset({"id", "kind", "op", "ratio", "nth", "orders"})
ID_LIMIT = 128
DELAY_LIMIT_MS = 3_600_000
TIMES_LIMIT = 100
STATUSES = frozenset({200, *range(400, 600)})
"""What can be answered instead of the truth: 200 is how Alipay says all its errors."""

ANSWER_FAULTS = ("slow_answer", "lost_answer", "error_answer")

INSERT_FAULT = "INSERT INTO faults (id, settings) VALUES (?, ?)"
DELETE_FAULT = "DELETE FROM faults WHERE id = ?"
READ_FAULTS = "SELECT id, settings, seen, hits FROM faults ORDER BY rowid"
COUNT_SEEN = "UPDATE faults SET seen = seen + 1 WHERE id = ? RETURNING seen"
COUNT_HIT = "UPDATE faults SET hits = hits + 1 WHERE id = ?"


class FaultRefused(Exception):
    """A fault that cannot be set as it was asked for; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault with its selectors; settings that its kind does not take keep their defaults."""

    id: str
    kind: str
    op: tuple[str, ...] | None = None
    ratio: float | None = None
    nth: int | None = None
    orders: tuple[str, ...] | None = None
    when: str = "after"
    """"before" the effect, which then comes late or never, or "after" it."""
    by_ms: int = 0
    status: int = 500
    despite_close: bool = False
    times: int = 1
    """Deliveries of each notice, although the first is acknowledged."""
    reorder: bool = False
    version: int = 0
    """Schema version that is refused ..."""
    merchants: tuple[str, ...] = ()
    """... for these merchants."""
    of: str = "both"
    """Notices of a "capture", of a "refund" or of "both"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultCount:
    """How often a fault was met."""

    fault: Fault
    seen: int
    """Matching cases."""
    hits: int
    """Cases that it did something to."""


class Faults:
    """The faults in force."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._in_force: dict[str, Fault] = {}

    def load(self, transaction: Transaction) -> None:
        """Take up the faults that an earlier process was told."""
        for count in read_counts(transaction.connection):
            self._in_force[count.fault.id] = count.fault

    def set(self, transaction: Transaction, fault: Fault) -> None:
        """Put a fault in force; the same one again changes nothing; another one under its id is refused."""
        known = self._in_force.get(fault.id)
        if known == fault:
            return
        if known is not None:
            raise FaultRefused(f"fault {fault.id} is in force with other settings: lift it first")
        transaction.execute(INSERT_FAULT, fault.id, msgspec.json.encode(asdict(fault)))
        transaction.append("fault_set", fault=fault.kind, note=fault.id)
        self._in_force[fault.id] = fault

    def lift(self, transaction: Transaction, fault_id: str) -> bool:
        """End a fault; False where none of this id is in force."""
        fault = self._in_force.pop(fault_id, None)
        if fault is None:
            return False
        transaction.execute(DELETE_FAULT, fault_id)
        transaction.append("fault_cleared", fault=fault.kind, note=fault_id)
        return True

    def on_answer(self, transaction: Transaction, op: str, order: str | None) -> tuple[Fault, ...]:
        """Faults that hit this request's answer."""
        return tuple(self._hitting(transaction, ANSWER_FAULTS, op, order))

    def on_charge(self, transaction: Transaction, op: str, order: str | None) -> Fault | None:
        """The fault that makes this charge's capture late, or only pretends that there is one, or None."""
        return next(self._hitting(transaction, ("late_capture", "forge_notices"), op, order), None)

    def on_capture(self, transaction: Transaction, op: str, order: str | None) -> Fault | None:
        """The fault that has this capture left out of the bill, or None."""
        return next(self._hitting(transaction, ("plant_in_bill",), op, order), None)

    def on_schema(
        self, transaction: Transaction, op: str, order: str | None, version: int, merchant: str | None
    ) -> Fault | None:
        """The fault that refuses this request for its schema version, or None."""
        for fault in self._in_force.values():
            refuses = fault.kind == "refuse_schema" and fault.version == version and merchant in fault.merchants
            if refuses and next(self._hitting(transaction, ("refuse_schema",), op, order), None) is not None:
                return fault
        return None

    def on_notice(
        self, transaction: Transaction, kind: str, of: str, op: str | None, order: str | None
    ) -> Fault | None:
        """The fault of this kind that hits a notice of this effect, or None."""
        return next(self._hitting(transaction, (kind,), op, order, of=of), None)

    def _hitting(
        self, transaction: Transaction, kinds: tuple[str, ...], op: str | None, order: str | None, of: str = "both"
    ) -> Iterator[Fault]:
        for fault in self._in_force.values():
            if fault.kind in kinds and _concerns(fault, op, order, of):
                (seen,) = transaction.execute(COUNT_SEEN, fault.id).fetchone()
                if self._strikes(fault, seen):
                    transaction.execute(COUNT_HIT, fault.id)
                    yield fault

    def _strikes(self, fault: Fault, seen: int) -> bool:
        if fault.kind == "plant_in_bill":
            return seen == (fault.nth or 1)
        if fault.nth is not None:
            return seen % fault.nth == 0
        if fault.ratio is not None:
            return draw_share(self._seed, "fault", fault.id, seen) < fault.ratio
        return True


def parse_fault(body: bytes) -> Fault:
    """Read a fault as the control API takes it; raise FaultRefused, which names what is wrong."""
    try:
        asked = msgspec.json.decode(body, type=dict[str, object])
        fault = msgspec.convert(asked, Fault)
    except msgspec.MsgspecError as exc:
        raise FaultRefused(str(exc)) from exc
    allowed = KINDS.get(fault.kind)
    if allowed is None:
        raise FaultRefused(f"unknown kind {fault.kind!r}: one of {', '.join(KINDS)}")
    unknown = sorted(set(asked) - allowed - SELECTORS)
    missing = sorted(name for name in NEEDED.get(fault.kind, ()) if name not in asked)
    for names, says in ((unknown, "does not take"), (missing, "needs")):
        if names:
            raise FaultRefused(f"{fault.kind} {says} {', '.join(names)}")
    _refuse_values(fault)
    return fault


def read_counts(connection: sqlite3.Connection) -> list[FaultCount]:
    """The faults in force with their counts, in the order in which they were set."""
    return [
        FaultCount(fault=msgspec.json.decode(settings, type=Fault), seen=seen, hits=hits)
        for _, settings, seen, hits in connection.execute(READ_FAULTS)
    ]


def _concerns(fault: Fault, op: str | None, order: str | None, of: str) -> bool:
    return (
        (fault.op is None or op in fault.op)
        and (fault.orders is None or order in fault.orders)
        and (fault.of == "both" or of in {"both", fault.of})
    )


def _refuse_values(fault: Fault) -> None:
    rules = (
        (bool(fault.id) and len(fault.id) <= ID_LIMIT, "id must have 1 to 128 characters"),
        (fault.ratio is None or 0 <= fault.ratio <= 1, "ratio must lie between 0 and 1"),
        (fault.nth is None or fault.nth >= 1, "nth must be 1 or more"),
        (fault.ratio is None or fault.nth is None, "give ratio or nth, not both"),
        (fault.when in {"before", "after"}, 'when must be "before" or "after"'),
        (fault.of in {"capture", "refund", "both"}, 'of must be "capture", "refund" or "both"'),
        (0 <= fault.by_ms <= DELAY_LIMIT_MS, "by_ms must lie between 0 and 3600000"),
        (fault.status in STATUSES, "status must be 200 (Alipay) or 400 to 599"),
        (1 <= fault.times <= TIMES_LIMIT, "times must lie between 1 and 100"),
    )
    for holds, complaint in rules:
        if not holds:
            raise FaultRefused(complaint)
