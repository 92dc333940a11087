"""Of captures whose answers were cut: how many were there, were all resolved, and what did their customers do then?

faults.jsonl ─ windows in which an edge's answers were cut
ledger       ─ charges answered in such a window, and captured
history      ─ what the customer of that order did after it
books        ─ how payment and order stand in the end
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.documents import ScenarioRecord
from harness.operation import JourneyEnd, Op, Outcome
from harness.recorder.rows import Done, Inv
from tests.proof.gates import Gated, Row, history, rows
from tests.proof.item import need

LEAST_CUT = 20
LEAST_OF_EACH = 3
CHARGES = frozenset({"charge", "confirm"})
"""Requests that move money, as the ledgers name them."""
KINDS = ("same key again", "second method", "own orders listed", "half refunded", "left early")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """Captures whose answers were cut."""

    captures: int
    unresolved: tuple[str, ...]
    """Orders of those whose payment or order is not settled in the books."""
    kinds: dict[str, int]
    """What the customer did after the cut -> so many of them."""

    def told(self) -> str:
        """In one line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
        return f"{self.captures} captures with answers cut, {len(self.unresolved)} unresolved: {kinds}"

    def judge(self) -> None:
        """Raise NotProven unless there are enough, of each kind too, and all are resolved."""
        enough = self.captures >= LEAST_CUT and min(self.kinds.values()) >= LEAST_OF_EACH
        need(enough and not self.unresolved, self.told())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Charge:
    provider: str
    number: str
    order: str
    cut_ns: int


@dataclass(slots=True)
class _Journey:
    """One customer's operations."""

    begun: list[Inv]
    ended: dict[int, Done]


def measure(gated: Gated, scenario: str) -> Cut:
    """Read one scenario's files."""
    folder = gated.folder / scenario
    charges = {charge.order: charge for charge in charges_cut(folder)}
    journeys = journeys_of(gated, scenario)
    settled = settled_orders(folder / "evidence")
    paid_numbers = {
        str(row["number"]) for row in rows(folder / "evidence" / "books.payments.jsonl") if row["state"] == "paid"
    }
    unresolved = tuple(
        sorted(
            charge.order
            for charge in charges.values()
            if charge.order not in settled or charge.number not in paid_numbers
        )
    )
    kinds = dict.fromkeys(KINDS, 0)
    for charge in charges.values():
        for kind in kinds_of(charge, journeys[charge.order]):
            kinds[kind] += 1
    return Cut(captures=len(charges), unresolved=unresolved, kinds=kinds)


def charges_cut(folder: Path) -> list[_Charge]:
    """Charges that were captured and whose answer left the provider while the edge's answers were cut."""
    record = msgspec.json.decode((folder / "scenario.json").read_bytes(), type=ScenarioRecord)
    places = {fault.number: fault.where for fault in record.faults if fault.kind == "cut_answers"}
    begun: dict[int, int] = {}
    windows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows(folder / "faults.jsonl"):
        number, at_ns = whole(row, "number"), whole(row, "at_ns")
        if number in places and row["event"] == "read_back":
            begun[number] = at_ns
        if number in places and row["event"] == "lifted":
            windows[places[number]].append((begun[number], at_ns))
    found = []
    for provider, spans in windows.items():
        ledger = list(rows(folder / "evidence" / f"ledger.{provider}.jsonl"))
        captured = {str(row["number"]) for row in ledger if row["kind"] == "captured"}
        seen: set[str] = set()
        for row in ledger:
            charge, at_ns = str(row["number"]), whole(row, "at_ns")
            is_charge = row["kind"] == "answered" and row["op"] in CHARGES and charge in captured
            if is_charge and charge not in seen and any(start <= at_ns <= end for start, end in spans):
                seen.add(charge)
                found.append(_Charge(provider=provider, number=charge, order=str(row["order"]), cut_ns=at_ns))
    return found


def journeys_of(gated: Gated, scenario: str) -> dict[str, _Journey]:
    """Order -> the journey that it belongs to."""
    by_number: dict[int, _Journey] = defaultdict(lambda: _Journey(begun=[], ended={}))
    of_operation: dict[int, _Journey] = {}
    of_order: dict[str, _Journey] = {}
    for row in history(gated, scenario):
        if isinstance(row, Inv):
            of_operation[row.id] = by_number[row.journey]
            of_operation[row.id].begun.append(row)
        else:
            of_operation[row.id].ended[row.id] = row
        if row.order is not None:
            of_order.setdefault(row.order, of_operation[row.id])
    return of_order


def kinds_of(charge: _Charge, journey: _Journey) -> set[str]:
    """What this customer did after the answer was cut."""
    before = [row for row in journey.begun if row.op == Op.PAY and row.sent_ns <= charge.cut_ns]
    after = [row for row in journey.begun if row.sent_ns > charge.cut_ns]
    keys = {row.key_no for row in before}
    kinds = set()
    for row in after:
        if row.op == Op.PAY and row.key_no in keys:
            kinds.add("same key again")
        if row.op == Op.PAY and row.method != charge.provider:
            kinds.add("second method")
        if row.op == Op.LIST:
            kinds.add("own orders listed")
        ended = journey.ended.get(row.id)
        if row.op == Op.REFUND and ended is not None and ended.outcome == Outcome.OK:
            kinds.add("half refunded")
    if any(row.op == Op.JOURNEY and _final(journey, row) == JourneyEnd.LEFT for row in journey.begun):
        kinds.add("left early")
    return kinds


def settled_orders(evidence: Path) -> set[str]:
    """Orders that rest in the books, with no attempt that is live or unknown."""
    open_attempts = {
        str(row["order"]) for row in rows(evidence / "books.payments.jsonl") if row["state"] not in {"paid", "dead"}
    }
    resting = {"paid", "refunded", "closed"}
    return {
        str(row["order"])
        for row in rows(evidence / "books.orders.jsonl")
        if row["state"] in resting and row["order"] not in open_attempts
    }


def whole(row: Row, name: str) -> int:
    """A number of a row."""
    value = row[name]
    assert isinstance(value, int)
    return value


def _final(journey: _Journey, row: Inv) -> str | None:
    ended = journey.ended.get(row.id)
    return None if ended is None else ended.code
