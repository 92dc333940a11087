"""How is a run's folder written by hand, so that it can be read like a story?

Instants are seconds after the load's start, amounts are minor units. A `Run`
starts empty; `paid_order` writes a whole good order, after which a test spoils
what it wants to see found. `write` makes the folder that `open_evidence` reads.

    run = Run()
    order = run.paid_order("A", at=1.0)
    run.ledger("wechat").captured(2.0, "A-2", order="A", amount=1000)
    with open_evidence(run.write(tmp_path)) as evidence: ...
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from harness.documents import ConductRecord, FaultRecord, ScenarioRecord, SourceRecord
from harness.operation import Method, State
from harness.recorder.rows import Done, Inv
from harness.targets.books import (
    Attempt,
    BookAffected,
    BookDiscrepancy,
    BookOrder,
    BookPayment,
    BookRefund,
    BookTransition,
    BookVoucher,
    RefundState,
)
from tests.histories.customer import Journey
from tests.histories.folder import write_folder
from tests.histories.ledger import Ledger
from tests.histories.settings import CONDUCT, PAY_BY_S, PROVIDERS, RUN, SCENARIO, ns, utc_ms

__all__ = ["CONDUCT", "PROVIDERS", "SCENARIO", "Journey", "Ledger", "Run", "ns", "utc_ms"]


@dataclass(kw_only=True, slots=True)
class Run:
    """A run's folder in the making; every list may be changed before `write`."""

    scenario: ScenarioRecord = SCENARIO
    conduct: ConductRecord = CONDUCT
    history: list[Inv | Done] = field(default_factory=list)
    footer: bool = True
    orders: list[BookOrder] = field(default_factory=list)
    payments: list[BookPayment] = field(default_factory=list)
    refunds: list[BookRefund] = field(default_factory=list)
    transitions: list[BookTransition] = field(default_factory=list)
    vouchers: list[BookVoucher] = field(default_factory=list)
    affected: list[BookAffected] = field(default_factory=list)
    discrepancies: list[BookDiscrepancy] = field(default_factory=list)
    releases: list[dict[str, Any]] = field(default_factory=list)
    """Of the source "dispatch"; `release` writes one."""
    status: list[dict[str, Any]] = field(default_factory=list)
    """Samples of the status page; `sample` writes one."""
    log_leaks: list[dict[str, Any]] = field(default_factory=list)
    ledgers: dict[str, Ledger] = field(default_factory=lambda: {p: Ledger() for p in PROVIDERS})
    reads: list[dict[str, Any]] = field(default_factory=list)
    rereads: list[dict[str, Any]] = field(default_factory=list)
    """Of the live judge; `reread` writes one."""
    lists: list[dict[str, Any]] = field(default_factory=list)
    clocks: list[dict[str, Any]] = field(default_factory=list)
    processes: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    """Names of files not to write, such as "ledger.wechat" or "books.orders"."""
    _numbers: dict[str, int] = field(default_factory=dict)
    _last_id: int = 0
    _last_key: int = 0

    def ledger(self, provider: str) -> Ledger:
        return self.ledgers[provider]

    def journey(
        self, at: float = 0.0, *, phase: str = "steady", leaves_early: bool = False, amount: int = 1000
    ) -> Journey:
        """A customer who came at `at`, with a user of her own and one intent."""
        number = self.next_id()
        user = f"user-{number}"
        self.history.append(
            Inv(
                id=number,
                journey=number,
                intent=number,
                op="journey",
                phase=phase,
                scheduled_ns=ns(at),
                sent_ns=ns(at),
                user=user,
                amount_minor=amount,
                currency="CNY",
                line="ride",
                leaves_early=leaves_early,
            )
        )
        return Journey(run=self, number=number, user=user, phase=phase, intent=number)

    def paid_order(self, order: str, at: float = 1.0, *, method: str = "wechat", amount: int = 1000) -> Journey:
        """A whole good order: created, paid at once, in books and ledger, seen by its owner at the end."""
        journey = self.journey(at, amount=amount)
        journey.create(at, at + 0.1, order, amount)
        journey.pay(at + 0.2, at + 0.4, order, method, state="paid", paid_minor=amount, amount_minor=amount)
        journey.ends(at + 0.4)
        self.books_order(order, journey, "paid", amount, at=at)
        self.payment(order, method, f"{order}-1", "paid", amount=amount)
        self.ledger(method).captured(at + 0.3, f"{order}-1", order, amount)
        self.seen(order, journey, state="paid", amount=amount)
        return journey

    def seen(self, order: str, owner: Journey, *, state: str = "paid", amount: int = 1000, at: float = 60.0) -> None:
        """The owner's own read after the drain, and her own list, both naming the order."""
        self.final_read(order, owner, at=at, state=state, amount_minor=amount)
        for row in self.lists:
            if row["user"] == owner.user:
                row["orders"].append(order)
                return
        self.final_list(owner, [order], at=at)

    def final_read(self, order: str, owner: Journey, *, at: float = 60.0, outcome: str = "ok", **more: Any) -> None:
        row = {"order": order, "user": owner.user, "outcome": outcome, "ending": "answered", "tries": 1}
        row |= {"http": 200 if outcome == "ok" else None, "sent_ns": ns(at), "done_ns": ns(at + 0.01)} | more
        self.reads = [r for r in self.reads if r["order"] != order] + [row]

    def reread(self, order: str, owner: Journey, *, at: float, outcome: str = "ok", **more: Any) -> None:
        """The live judge's read for the order's owner while the run went on."""
        row = {"order": order, "user": owner.user, "outcome": outcome, "ending": "answered", "code": None}
        row |= {"http": 200 if outcome == "ok" else None, "sent_ns": ns(at), "done_ns": ns(at + 0.01)} | more
        self.rereads.append(row)

    def final_list(self, owner: Journey, orders: list[str], *, at: float = 60.0, complete: bool = True) -> None:
        row = {"user": owner.user, "journey": owner.number, "outcome": "ok", "complete": complete, "orders": orders}
        row |= {"sent_ns": ns(at), "done_ns": ns(at + 0.01)}
        self.lists = [r for r in self.lists if r["user"] != owner.user] + [row]

    def books_order(
        self, order: str, owner: Journey | None, state: str, amount: int = 1000, *, refunded: int = 0, at: float = 1.0
    ) -> None:
        """The order in O, replacing an earlier row; paid by the state unless changed afterwards."""
        paid = amount if state in {"paid", "refunded"} else 0
        row = BookOrder(
            order=order,
            user=owner.user if owner else "user-of-nobody",
            state=State(state),
            raw_state=state,
            amount_minor=amount,
            currency="CNY",
            paid_minor=paid,
            refunded_minor=refunded,
            pay_by_utc_ms=utc_ms(at + PAY_BY_S),
            created_utc_ms=utc_ms(at),
        )
        self.orders = [o for o in self.orders if o.order != order] + [row]

    def payment(
        self,
        order: str,
        provider: str,
        number: str | None,
        state: str,
        *,
        amount: int = 1000,
        captured: int | None = None,
    ) -> None:
        """An attempt in O, replacing an earlier row of that number."""
        row = BookPayment(
            payment=f"payment-{order}-{number}",
            order=order,
            provider=Method(provider),
            number=number,
            state=Attempt(state),
            raw_state=state,
            amount_minor=amount,
            captured_minor=(amount if state == "paid" else 0) if captured is None else captured,
        )
        self.payments = [p for p in self.payments if p.payment != row.payment] + [row]

    def books_refund(
        self,
        refund: str,
        order: str,
        provider: str,
        number: str | None,
        amount: int,
        *,
        state: str = "done",
        requested: bool = True,
        compensation: bool = False,
    ) -> None:
        """A refund in O; `number` is the one that the provider's ledger knows it by."""
        self.refunds.append(
            BookRefund(
                refund=refund,
                order=order,
                payment=None,
                provider=Method(provider),
                number=number,
                state=RefundState(state),
                raw_state=state,
                amount_minor=amount,
                requested=requested,
                compensation=compensation,
            )
        )

    def offers(self, **capabilities: Any) -> None:
        """The target offers this too; fields of `CapabilitiesRecord`, a tuple is added to what was there."""
        record = self.scenario.capabilities
        more = {k: (*getattr(record, k), *v) if isinstance(v, tuple) else v for k, v in capabilities.items()}
        self.scenario = msgspec.structs.replace(self.scenario, capabilities=msgspec.structs.replace(record, **more))

    def dispatches(self) -> None:
        """Released orders arrive at a source "dispatch"."""
        source = SourceRecord(name="dispatch", kind="fulfilment", complete=True, attribution="order", clock="monotonic")
        self.scenario = msgspec.structs.replace(self.scenario, sources=(*self.scenario.sources, source))

    def transition(
        self,
        at: float,
        kind: str,
        subject: str,
        order: str,
        *,
        old: str | None,
        new: str,
        build: str | None = None,
    ) -> None:
        """One step in O's own log."""
        row = BookTransition(
            seq=len(self.transitions) + 1,
            kind=kind,
            subject=subject,
            order=order,
            from_state=old,
            to_state=new,
            at_utc_ms=utc_ms(at),
            build=build,
        )
        self.transitions.append(row)

    def release(self, at: float, order: str, *, line: str = "ride", kind: str = "released", **more: Any) -> None:
        """An order released at `at`."""
        row = {"seq": len(self.releases) + 1, "kind": kind, "at_ns": ns(at), "utc_ms": utc_ms(at), "order": order}
        self.releases.append(row | {"run": RUN.run_id, "line": line} | more)

    def sample(self, at: float, *methods: str, degraded: bool | None = None, **more: Any) -> None:
        """The status page as it was at `at`: degraded, and naming these methods, or ok."""
        row = {"sent_ns": ns(at), "done_ns": ns(at + 0.005), "outcome": "ok", "ending": "answered", "http": 200}
        told = bool(methods) if degraded is None else degraded
        self.status.append(row | {"degraded": told, "methods": list(methods)} | more)

    def fault(
        self,
        kind: str,
        driver: str,
        where: str,
        start: float,
        end: float,
        *,
        status: str = "confirmed",
        **settings: Any,
    ) -> int:
        """A fault planned and carried out as planned; `status` is that of its effect."""
        number = len(self.scenario.faults) + 1
        record = FaultRecord(
            number=number,
            kind=kind,
            driver=driver,
            where=where,
            settings=settings,
            start_ms=round(start * 1000),
            end_ms=round(end * 1000),
            cue=None,
            describe=f"{kind} at {where}",
        )
        self.scenario = msgspec.structs.replace(self.scenario, faults=(*self.scenario.faults, record))
        told = [("injected", start), ("read_back", start), ("effect_seen", start + 0.1), ("watched", end - 0.1)]
        told += [("lifted", end), ("lift_read_back", end), ("effect_gone", end)]
        for event, at in told:
            verdict = status if event == "effect_seen" else "confirmed"
            self.faults.append({"number": number, "event": event, "status": verdict, "at_ns": ns(at), "detail": {}})
        return number

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def next_key(self) -> int:
        self._last_key += 1
        return self._last_key

    def names(self, order: str | None) -> dict[str, Any]:
        """`order_no` and, at first sight of the string, `order`: as a recorder writes them."""
        if order is None:
            return {}
        first = order not in self._numbers
        number = self._numbers.setdefault(order, len(self._numbers) + 1)
        return {"order_no": number, "order": order} if first else {"order_no": number}

    def write(self, folder: Path) -> Path:
        """Write the folder `<folder>/HandWritten` with `run.json` above it; returns the scenario's folder."""
        return write_folder(self, folder)
