"""When is a run over, so that its evidence can be read?

When nothing moves any more: the providers have nothing planned, every refund
owed is in a provider's ledger or past its window, every paid order is released
or past its window, every order rests in a terminal state or has had T_stuck to
do so, every affected order has its voucher and every row planted in a bill is
named, or past its window, and effects and states have not changed for two
seconds. Or at the drain's limit: what still moves then is undecided, and this
says what it was.

Asks only; it judges nothing. What is owed here is a lower bound that keeps the
drain waiting, never a finding.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.documents import Anchor
from harness.evidence.asking import Patience, Unread, Until, get, opened
from harness.evidence.books import States, books_source, digest_of_states
from harness.evidence.ledgers import digest_of_effects, numbered
from harness.evidence.redress import Planted, outstanding
from harness.operation import Op, Outcome, State
from harness.profile import Windows
from harness.recorder.reader import rows_of
from harness.recorder.rows import Done, Inv
from harness.targets.drive import HttpxSender
from harness.targets.protocol import Target
from harness.targets.source import Source, SourceKind

STILL_NS = 2_000_000_000
"""Two digests must agree over at least this long."""
POLL_S = 0.4
QUESTION_LIMIT_S = 10.0
"""Longest that one round of questions may take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """How the drain ended."""

    quiescent_ns: int | None
    """When stillness was established; None where the limit came first."""
    still_moving: tuple[str, ...] = ()
    """What moved at the limit, as sentences."""


class LedgerRow(msgspec.Struct, frozen=True, gc=False):
    """What the drain needs of a ledger's row."""

    seq: int
    kind: str
    at_ns: int
    order: str | None = None
    amount_minor: int | None = None
    number: str | None = None


@dataclass(slots=True)
class Money:
    """What providers took and gave back for one order."""

    captured_minor: int = 0
    refunded_minor: int = 0
    captured_ns: int = 0
    asked_minor: int = 0
    """Refunds that customers were promised."""
    asked_ns: int = 0


@dataclass(kw_only=True, slots=True)
class Drain:
    """One scenario's drain; `look` takes a reading, `wait` repeats it to the end."""

    target: Target
    sources: Sequence[Source]
    windows: Windows
    anchor: Anchor
    last_fault_ns: int
    """When the last fault ended; the load's start where there was none."""
    now_ns: Callable[[], int] = time.monotonic_ns
    pause: Callable[[float], None] = time.sleep
    _money: defaultdict[str, Money] = field(default_factory=lambda: defaultdict(Money))
    _released: set[str] = field(default_factory=set)
    _seen_paid_ns: dict[str, int] = field(default_factory=dict)
    """When an order was first seen paid here; its release has a window from then on."""
    _planted: list[Planted] = field(default_factory=list)
    _read_to: dict[str, int] = field(default_factory=dict)
    _digest: tuple[str, str] | None = None
    _since_ns: int = 0

    def asked(self, refunds: Mapping[str, tuple[int, int]]) -> None:
        """Note acknowledged refund requests: order -> (sum in minor units, when the last was acknowledged)."""
        for order, (amount_minor, at_ns) in refunds.items():
            self._money[order].asked_minor = amount_minor
            self._money[order].asked_ns = at_ns

    def wait(self, limit_s: float, *, give_up: Callable[[], bool], say: Callable[[str, float], None]) -> Drained:
        """Look until nothing moves, `give_up` says so, or `limit_s` is over."""
        begun_ns = self.now_ns()
        moving: tuple[str, ...] = ("nothing was looked at",)
        while not give_up():
            elapsed_s = (self.now_ns() - begun_ns) / 1e9
            if elapsed_s >= limit_s:
                break
            moving = self.look()
            if not moving:
                return Drained(quiescent_ns=self.now_ns())
            say("; ".join(moving), elapsed_s / limit_s)
            self.pause(POLL_S)
        return Drained(quiescent_ns=None, still_moving=moving)

    def look(self) -> tuple[str, ...]:
        """Say what still moves; nothing where all has been still for two seconds."""
        effects = digest_of_effects(self.sources, limit_s=QUESTION_LIMIT_S)
        states = self._states()
        problems = (*effects.problems, *states.problems, *self._read_ledgers())
        now_ns = self.now_ns()
        digest = (effects.digest or "", states.digest or "")
        if problems or digest != self._digest:
            self._digest, self._since_ns = None if problems else digest, now_ns
        moving = list(problems)
        if effects.planned:
            moving.append(f"{effects.planned} effects or notices of providers are due")
        if waiting := self._unfinished(states, now_ns):
            moving.append(f"{waiting} orders are not at rest and have time left")
        if owed := self._owed(states, now_ns):
            moving.append(f"{owed} refunds are owed and have time left")
        if unreleased := self._unreleased(states, now_ns):
            moving.append(f"{unreleased} paid orders are not released and have time left")
        if not moving:  # the books that tell more are read only once all else rests
            moving += self._outstanding(now_ns)
        if not moving and now_ns - self._since_ns < STILL_NS:
            moving.append("watching that nothing moves for 2 s")
        return tuple(moving)

    def _states(self) -> States:
        source = books_source(self.sources)
        if source is None:
            return States(digest="")
        with HttpxSender(source.url, 5.0, headers=source.headers) as send:
            return digest_of_states(self.target, send, limit_s=QUESTION_LIMIT_S)

    def _unfinished(self, states: States, now_ns: int) -> int:
        """Orders not at rest that are not yet T_stuck past both the last fault and their `pay_by`."""
        return sum(
            now_ns <= max(self.last_fault_ns, self._ns(order.pay_by_utc_ms)) + self.windows.stuck_ms * 1_000_000
            for order in states.unfinished
        )

    def _owed(self, states: States, now_ns: int) -> int:
        """Orders of which more was taken than is honoured and given back, and whose window is not over."""
        unfinished = {order.order for order in states.unfinished}
        count = 0
        for name, money in self._money.items():
            if name in unfinished or not money.captured_minor:
                continue
            order = states.orders.get(name)
            honoured = order is not None and order.state in (State.PAID, State.REFUNDED)
            kept_minor = order.amount_minor if order is not None and honoured else 0
            due_minor = max(0, money.captured_minor - kept_minor) + money.asked_minor
            since_ns = max(money.captured_ns, money.asked_ns, self._ns(order.pay_by_utc_ms if order else None))
            if due_minor > money.refunded_minor and now_ns <= since_ns + self.windows.refund_ms * 1_000_000:
                count += 1
        return count

    def _unreleased(self, states: States, now_ns: int) -> int:
        """Orders that are paid and not released, where releases can be seen, and whose window is not over."""
        if not any(source.kind is SourceKind.FULFILMENT for source in self.sources):
            return 0
        window_ns = self.windows.released_ms * 1_000_000
        waiting = [name for name, order in states.orders.items() if order.state is State.PAID]
        return sum(
            name not in self._released and now_ns <= self._seen_paid_ns.setdefault(name, now_ns) + window_ns
            for name in waiting
        )

    def _outstanding(self, now_ns: int) -> list[str]:
        """What is to be made good or to be named by the target, and has time left."""
        source = books_source(self.sources)
        if source is None:
            return []
        with HttpxSender(source.url, 5.0, headers=source.headers) as send:
            left = outstanding(
                self.target,
                send,
                self._planted,
                self.windows,
                calm_utc_ms=self._utc_ms(self.last_fault_ns),
                at_utc_ms=self._utc_ms(now_ns),
                until=Until.start("what is to be made good", QUESTION_LIMIT_S, self.now_ns),
            )
        counted = (
            (left.vouchers, "vouchers, or places on the list of affected orders, are owed and have time left"),
            (left.discrepancies, "rows planted in bills are not named and have time left"),
        )
        return [*left.problems, *(f"{count} {what}" for count, what in counted if count)]

    def _read_ledgers(self) -> tuple[str, ...]:
        """Take in what the ledgers have gained since the last look."""
        problems = []
        patience = Patience(tries=2)
        until = Until.start("drain's reading of the ledgers", QUESTION_LIMIT_S, self.now_ns)
        for source in numbered(self.sources):
            try:
                with opened(source, patience) as send:
                    self._read_ledger(source, send, until, patience)
            except Unread as unread:
                problems.append(f"{source.kind} {source.name} could not be read: {unread}")
        return tuple(problems)

    def _read_ledger(self, source: Source, send: HttpxSender, until: Until, patience: Patience) -> None:
        while True:
            after = self._read_to.get(source.name, 0)
            reply = get(send, source.url, f"after={after}&limit=5000", until, patience)
            rows = [msgspec.json.decode(line, type=LedgerRow) for line in reply.body.split(b"\n") if line]
            if not rows:
                return
            for row in rows:
                self._take(source.name, row)
            self._read_to[source.name] = rows[-1].seq

    def _take(self, source: str, row: LedgerRow) -> None:
        if row.kind == "bill_planted" and row.number is not None:
            self._planted.append(Planted(provider=source, number=row.number, at_utc_ms=self._utc_ms(row.at_ns)))
        if row.kind == "released" and row.order is not None:
            self._released.add(row.order)
        if row.order is None or row.amount_minor is None:
            return
        if row.kind == "captured":
            self._money[row.order].captured_minor += row.amount_minor
            self._money[row.order].captured_ns = max(self._money[row.order].captured_ns, row.at_ns)
        elif row.kind == "refunded":
            self._money[row.order].refunded_minor += row.amount_minor

    def _utc_ms(self, at_ns: int) -> int:
        """An instant of our clock on the target's."""
        return round(self.anchor.utc_ms + (at_ns - self.anchor.monotonic_ns) / 1_000_000)

    def _ns(self, utc_ms: int | None) -> int:
        """An instant of the target's clock on ours; 0 for none."""
        return 0 if utc_ms is None else self.anchor.monotonic_ns + round((utc_ms - self.anchor.utc_ms) * 1_000_000)


def acknowledged_refunds(history: Path) -> dict[str, tuple[int, int]]:
    """Read from a history what customers were promised back: order -> (sum in minor units, last acknowledgement)."""
    names: dict[int, str] = {}
    asked: dict[int, tuple[int, int]] = {}
    kept: dict[str, tuple[int, int]] = {}
    seen: set[tuple[int, int | None]] = set()
    keys: dict[int, int | None] = {}
    for row in rows_of(history):
        if isinstance(row, Inv | Done) and row.order is not None and row.order_no is not None:
            names[row.order_no] = row.order
        if isinstance(row, Inv) and row.op == Op.REFUND and row.order_no is not None:
            asked[row.id] = (row.order_no, row.amount_minor or 0)
            keys[row.id] = row.key_no
        elif isinstance(row, Done) and row.outcome == Outcome.OK and row.id in asked:
            order_no, amount_minor = asked[row.id]
            if (order_no, keys[row.id]) not in seen:
                seen.add((order_no, keys[row.id]))
                before = kept.get(names[order_no], (0, 0))
                kept[names[order_no]] = (before[0] + amount_minor, row.done_ns)
    return kept
