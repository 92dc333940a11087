"""What did providers take for one order, what gave they back, and what is still owed on it?

Counted towards the target throughout: any money back on an order, whoever asked for it. What only the books could tell
(was a late capture honoured?) is no debt here. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Debt:
    """So much must have gone back on an order, all in all, in time from an instant on."""

    needed_minor: int
    since_ns: int
    why: str


@dataclass(slots=True)
class Account:
    """One order's money, in minor units of its currency; instants are CLOCK_MONOTONIC."""

    total_minor: int | None = None
    """What its create asked for; None where no acknowledged create was seen."""
    currency: str | None = None
    pay_by_ns: int = 0
    captures: list[tuple[str, int, int]] = field(default_factory=list)
    """Provider, instant, amount."""
    back: list[tuple[int, int]] = field(default_factory=list)
    """Refunds that were done: instant, amount."""
    running: dict[str, int] = field(default_factory=dict)
    """Refunds that a provider has accepted and not ended, by number: amount."""
    promised: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Refunds that were acknowledged to customers, by key: instant, amount."""

    @property
    def taken_minor(self) -> int:
        """All that was captured."""
        return sum(amount_minor for _, _, amount_minor in self.captures)

    @property
    def providers(self) -> frozenset[str]:
        """That took something."""
        return frozenset(provider for provider, _, _ in self.captures)

    @property
    def beyond_minor(self) -> int:
        """What is taken beyond the price and has not gone back; 0 where the price is not known."""
        return 0 if self.total_minor is None else max(0, self.taken_minor - self.back_minor() - self.total_minor)

    def back_minor(self, by_ns: int | None = None) -> int:
        """All that went back, by an instant where one is given."""
        return sum(amount_minor for at_ns, amount_minor in self.back if by_ns is None or at_ns <= by_ns)

    def debts(self) -> Iterator[Debt]:
        """What must go back: what was charged beyond the first capture and the price, and what was promised."""
        if self.captures and self.total_minor is not None:
            first_minor = min(self.captures, key=lambda capture: capture[1])[2]
            twice_minor = self.taken_minor - max(self.total_minor, first_minor)
            if twice_minor > 0:  # one that was not honoured is owed from its pay_by on, at the latest
                since_ns = max(self.pay_by_ns, *(at_ns for _, at_ns, _ in self.captures))
                yield Debt(needed_minor=twice_minor, since_ns=since_ns, why="it was charged twice")
        due_minor = 0
        for at_ns, amount_minor in sorted(self.promised.values()):
            due_minor = min(due_minor + amount_minor, self.taken_minor)  # what was never captured cannot go back
            yield Debt(needed_minor=due_minor, since_ns=at_ns, why="its customer was promised it back")
