"""Is money in the wrong place, by the providers' ledgers so far?

    charged more than an order costs ──> at risk ──not back by its window──> refund_in_window is broken
                                                 └─still so at rest────────> no_double_charge is broken
    a refund was promised ──> at risk ──not back by its window──> refund_in_window is broken

What is charged twice may yet go back in time, so it is at risk at once and broken later: by
`harness.checks.refund_in_window` once its window is over, whatever comes then, and by `no_double_charge` where the run
came to rest with it. A window begins again when a provider recovers. Where a ledger does not claim to be complete, or
the target shows no books, nothing is called: the verdict leaves it undecided too.
"""

from collections.abc import Callable

from harness.live.accounts import Account, Debt
from harness.live.ledgers import Gained, LedgerRow
from harness.live.operations import Operation
from harness.live.score import Score
from harness.live.watch import Scene
from harness.money import amount
from harness.operation import Op, Outcome

MONEY = frozenset({"captured", "refund_accepted", "refunded", "failed"})
"""Kinds of a ledger's rows that an order's account is made of."""
SLACK_NS = 300_000_000
"""Beyond a window: a clock's coarseness, and a row that is being written."""
AFTER_OUTAGE_NS = 1_000_000_000
"""A provider that was down counts as back so long after its fault was seen to end."""


class Charges:
    """Every order's account, and what of it is late or charged twice."""

    def __init__(self, scene: Scene, utc_ns: int, clock_ns: Callable[[], int]) -> None:
        """`utc_ns` brings an instant of UTC, in ns since the epoch, to CLOCK_MONOTONIC."""
        self.twice = Score("no_double_charge", clock_ns)
        self.owed = Score("refund_in_window", clock_ns)
        self.rested_ns: int | None = None
        """Since when nothing moves any more, so that nothing more goes back."""
        self.moved: dict[tuple[str, str, str], int] = {}
        """Provider, "captured" or "refunded", currency -> sum in minor units, of all orders."""
        self._scene = scene
        self._utc_ns = utc_ns
        books = {"orders", "refunds"} <= set(scene.record.capabilities.books)
        ledgers = [source for source in scene.record.sources if source.kind == "ledger"]
        self._decides_double = all(source.complete for source in ledgers)
        self._decides_owed = self._decides_double and books
        self._accounts: dict[str, Account] = {}
        self._open: set[str] = set()
        """Orders to be looked at: something came in, or is owed."""
        self._seen_ns: dict[str, int] = {}
        """Provider -> up to when its ledger is known whole."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """Of both promises."""
        return (self.twice, self.owed)

    def begins(self, operation: Operation) -> None:
        """What is only asked for moves no money."""

    def ends(self, operation: Operation) -> None:
        """An acknowledged create prices an order, an acknowledged refund owes one."""
        inv, done, order = operation.inv, operation.done, operation.named
        if done is None or order is None or done.outcome != Outcome.OK:
            return
        if inv.op == Op.CREATE:
            account = self._touch(order)
            if account.total_minor is None:
                account.total_minor, account.currency = inv.amount_minor, inv.currency
            if done.pay_by_utc_ms is not None:
                account.pay_by_ns = max(account.pay_by_ns, done.pay_by_utc_ms * 1_000_000 + self._utc_ns)
        elif inv.op == Op.REFUND and inv.amount_minor:
            key = -inv.id if inv.key_no is None else inv.key_no
            promised = self._touch(order).promised
            self.owed.watched += key not in promised
            promised.setdefault(key, (done.done_ns, inv.amount_minor))

    def take(self, gained: Gained) -> None:
        """Take in what a ledger gained."""
        for row in gained.rows:
            self._take_row(gained.provider, row)
        if gained.whole:
            self._seen_ns[gained.provider] = gained.asked_ns

    def look(self, now_ns: int) -> None:
        """See what is at risk, and what is past its window."""
        doubled, waiting = dict[str, list[int]](), 0
        for order in tuple(self._open):
            account = self._accounts[order]
            waits = self._judge(order, account)
            waiting += waits
            if account.beyond_minor:
                self._judge_double(order, account, now_ns)
                if not self.twice.knows(order):
                    doubled.setdefault(account.currency or "", []).append(account.beyond_minor)
            elif not waits:
                self._open.discard(order)
        self.twice.at_risk, self.owed.at_risk = sum(map(len, doubled.values())), waiting
        sums = ", ".join(amount(sum(minors), currency) for currency, minors in sorted(doubled.items()))
        self.twice.risk = f"{self.twice.at_risk} orders are charged beyond their price, by {sums}" if doubled else ""
        self.owed.risk = f"on {waiting} orders money is owed that has time left" if waiting else ""

    def _touch(self, order: str) -> Account:
        self._open.add(order)
        return self._accounts.setdefault(order, Account())

    def _take_row(self, provider: str, row: LedgerRow) -> None:
        if row.amount_minor is None or row.at_ns is None:
            return
        if row.kind in {"captured", "refunded"}:
            moved = (provider, row.kind, row.currency or "")
            self.moved[moved] = self.moved.get(moved, 0) + row.amount_minor
        if row.order is None or row.kind not in MONEY:
            return
        account, number = self._touch(row.order), row.refund_number or f"seq {row.seq}"
        if row.kind == "captured":
            self.twice.watched += not account.captures
            account.captures.append((provider, row.at_ns, row.amount_minor))
        elif row.kind == "refund_accepted":
            account.running[number] = row.amount_minor
        else:
            account.running.pop(number, None)
            if row.kind == "refunded":
                account.back.append((row.at_ns, row.amount_minor))

    def _judge(self, order: str, account: Account) -> bool:
        """Call what is late; gives whether anything is owed that has time left."""
        waits = False
        for debt in account.debts():
            by_ns = self._back_by(account, debt.since_ns)
            if by_ns is not None and account.back_minor(by_ns) >= debt.needed_minor:
                continue
            if by_ns is None or any(self._seen_ns.get(name, 0) < by_ns for name in account.providers):
                waits |= account.back_minor() < debt.needed_minor
                continue
            if self._decides_owed:
                self.owed.breach((order, debt.since_ns), order, _late(order, account, debt, by_ns), provable_ns=by_ns)
        return waits

    def _judge_double(self, order: str, account: Account, now_ns: int) -> None:
        """Call what is still charged twice where nothing moves any more."""
        if not self._decides_double or self.rested_ns is None or account.beyond_minor <= sum(account.running.values()):
            return
        by_ns = self._back_by(account, max(account.pay_by_ns, *(at_ns for _, at_ns, _ in account.captures)))
        seen = all(self._seen_ns.get(name, 0) > self.rested_ns for name in account.providers)
        if seen and by_ns is not None and by_ns < now_ns:
            message = (
                f"Order {order} costs {amount(account.total_minor or 0, account.currency)}, and at rest "
                f"{amount(account.beyond_minor, account.currency)} more than that stay taken."
            )
            self.twice.breach(order, order, message, provable_ns=max(by_ns, self.rested_ns))

    def _back_by(self, account: Account, since_ns: int) -> int | None:
        """When money owed since then must be back by any provider that took some; None where one is still down."""
        window_ns = self._scene.window_ns("refund_ms")
        owed_ns = since_ns
        for fault in self._scene.faults.each.values():
            down = fault.plan.driver == "process" or fault.plan.kind == "down"
            if not down or fault.plan.where not in account.providers or fault.start_ns is None:
                continue
            if fault.start_ns < since_ns + window_ns and (fault.lifted_ns is None or fault.end_ns is None):
                return None
            if fault.start_ns < since_ns + window_ns and fault.end_ns is not None and fault.end_ns > since_ns:
                owed_ns = max(owed_ns, fault.end_ns + AFTER_OUTAGE_NS)
        return owed_ns + window_ns + SLACK_NS


def _late(order: str, account: Account, debt: Debt, by_ns: int) -> str:
    back = amount(account.back_minor(by_ns), account.currency)
    return (
        f"On order {order} {amount(debt.needed_minor, account.currency)} had to go back, since {debt.why}; "
        f"{(by_ns - debt.since_ns) / 1e9:.1f} s later {back} had."
    )
