"""What is known of one promise so far?

Counts only grow, but for what is at risk: that is counted anew at each look. A breach is counted once a case, and
told while there are few enough of them to be read.
"""

from collections.abc import Callable, Hashable

from harness.live.state import Broken, Promise

MOST_TOLD = 100
"""Breaches of one promise that are told one by one; the rest are counted."""


class Score:
    """Of one promise in one scenario."""

    def __init__(self, check: str, clock_ns: Callable[[], int]) -> None:
        self.check = check
        self._clock_ns = clock_ns
        self.watched = 0
        self.at_risk = 0
        self.risk = ""
        """What is at risk, in one sentence."""
        self._newest = ""
        self._cases: set[Hashable] = set()
        self._new: list[Broken] = []

    def knows(self, case: Hashable) -> bool:
        """Whether the case is a breach already."""
        return case in self._cases

    @property
    def broken(self) -> int:
        """Breaches so far."""
        return len(self._cases)

    def breach(self, case: Hashable, subject: str, message: str, *, provable_ns: int) -> None:
        """Note one as seen now, unless it was noted before; `case` tells it from others of this promise."""
        if case in self._cases:
            return
        self._cases.add(case)
        self._newest = message
        if len(self._cases) <= MOST_TOLD:
            self._new.append(
                Broken(
                    check=self.check,
                    subject=subject,
                    message=message,
                    provable_ns=provable_ns,
                    seen_ns=self._clock_ns(),
                )
            )

    def new(self) -> list[Broken]:
        """What no call before gave."""
        new, self._new = self._new, []
        return new

    def promise(self) -> Promise:
        """As it is told."""
        return Promise(
            check=self.check,
            watched=self.watched,
            broken=self.broken,
            at_risk=self.at_risk,
            newest=self._newest,
            risk=self.risk,
        )
