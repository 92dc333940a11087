"""How does a provider's ledger stand in a hand-written run?"""

from dataclasses import dataclass, field
from typing import Any

from tests.histories.settings import RUN_ID, ns, utc_ms


@dataclass(kw_only=True, slots=True)
class Ledger:
    """A provider's ledger; rows get their `seq` in the order in which they are told."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, at_s: float, kind: str, number: str | None = None, **fields: Any) -> int:
        """Append a row of any kind; returns its `seq`."""
        seq = len(self.rows) + 1
        row = {"seq": seq, "kind": kind, "at_ns": ns(at_s), "utc_ms": utc_ms(at_s), "number": number, "run": RUN_ID}
        self.rows.append({k: v for k, v in (row | fields).items() if v is not None})
        return seq

    def captured(self, at_s: float, number: str, order: str | None, amount: int, **fields: Any) -> int:
        return self.add(at_s, "captured", number, order=order, amount_minor=amount, currency="CNY", **fields)

    def refunded(
        self, at_s: float, number: str, order: str | None, amount: int, refund: str, *, done: bool = True, **fields: Any
    ) -> int:
        """A refund accepted at `at_s` and, unless still running, done 0.2 s later."""
        money = {"order": order, "refund_number": refund, "amount_minor": amount, "currency": "CNY"} | fields
        seq = self.add(at_s, "refund_accepted", number, **money)
        return self.add(at_s + 0.2, "refunded", number, **money) if done else seq
