"""What does each of the live checks look at?"""

from dataclasses import dataclass
from typing import Protocol

from harness.documents import ScenarioRecord
from harness.live.faults import Faults
from harness.live.operations import Operation, Operations
from harness.live.score import Score

BEFORE_NS = 500_000_000
"""A planned fault counts so long before its instant."""


@dataclass(kw_only=True, slots=True)
class Scene:
    """One scenario as it stands: what every live check may read."""

    record: ScenarioRecord
    operations: Operations
    faults: Faults
    load_start_ns: int | None = None
    """None before the load."""

    def window_ns(self, name: str) -> int:
        """One of the scenario's time windows, by its name in `harness.profile.Windows`."""
        return self.record.windows[name] * 1_000_000

    def any_fault(self, from_ns: int, to_ns: int) -> bool:
        """Whether any fault stood, or was to stand, at any moment between; also one that stands all the time."""
        for fault in self.faults.each.values():
            planned_ms = fault.plan.start_ms
            start_ns = fault.start_ns
            if start_ns is None:
                if planned_ms is None or self.load_start_ns is None:
                    continue  # never set so far, or not before the load begins
                start_ns = self.load_start_ns + planned_ms * 1_000_000
            ended = fault.lifted_ns is not None and fault.end_ns is not None and fault.end_ns < from_ns
            if start_ns - BEFORE_NS <= to_ns and not ended:
                return True
        return False


class Watcher(Protocol):
    """A cheap check: it is told of operations as they come, and looks once a second."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """Of the promises that it watches."""

    def begins(self, operation: Operation) -> None: ...
    def ends(self, operation: Operation) -> None: ...
    def look(self, now_ns: int) -> None:
        """Judge what only time proves; rows up to about now have been taken in."""
