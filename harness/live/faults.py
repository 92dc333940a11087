"""Which faults stand now, and which stood?"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.documents import FaultRecord
from harness.live.follow import Lines


class Step(msgspec.Struct, frozen=True, gc=False):
    """What is needed of a `harness.faults.proof.FaultRow`."""

    number: int
    event: str
    at_ns: int


_STEP = msgspec.json.Decoder(Step)
BEGINS, LIFTED = "injected", "lifted"
ENDS = frozenset({LIFTED, "lift_read_back", "effect_gone"})
"""The last of them is a fault's end, as `harness.evidence.shared` has it. Words of `harness.faults.proof`, whose import
would bring every driver along."""


@dataclass(slots=True)
class FaultSoFar:
    """One fault, as planned and as it went so far."""

    plan: FaultRecord
    start_ns: int | None = None
    lifted_ns: int | None = None
    end_ns: int | None = None
    """The latest step of its end that was seen; there may be later ones."""

    @property
    def stands(self) -> bool:
        """It was set, and not lifted."""
        return self.start_ns is not None and self.lifted_ns is None


class Faults:
    """The faults of one scenario, by `faults.jsonl` so far."""

    def __init__(self, plans: Iterable[FaultRecord], path: Path) -> None:
        self.each = {plan.number: FaultSoFar(plan=plan) for plan in plans}
        self._lines = Lines(path)

    def read(self) -> None:
        """Take in what the file has gained."""
        for line in self._lines.new():
            row = _STEP.decode(line)
            fault = self.each.get(row.number)
            if fault is None:
                continue
            if row.event == BEGINS:
                fault.start_ns = row.at_ns if fault.start_ns is None else min(fault.start_ns, row.at_ns)
            elif row.event in ENDS:
                fault.end_ns = max(fault.end_ns or 0, row.at_ns)
                if row.event == LIFTED:
                    fault.lifted_ns = row.at_ns

    def planned_on(self, where: str, driver: str | None = None) -> bool:
        """Whether any is planned there with a window of its own, whatever has become of it."""
        return any(
            fault.plan.where == where and driver in (None, fault.plan.driver) and fault.plan.start_ms is not None
            for fault in self.each.values()
        )

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()
