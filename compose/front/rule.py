"""When does a candidate's error rate depart from the stable build's? Published numbers, so that it can be held to them.

Of the answers of the last WINDOW_S seconds: the candidate gave at least
ANSWERS_MIN, at least FAILURES_MIN of them failures, and its share of failures
lies at least DEPARTS_BY above the stable build's. A failure is an answer with
status 500 or above, and an answer that never came. Compared with the stable build
and not with zero, so that a provider's outage rolls nothing back; where the
stable build answers nobody there is nothing to compare with.
"""

from collections import deque

WINDOW_S = 4.0
ANSWERS_MIN = 12
FAILURES_MIN = 6
DEPARTS_BY = 0.25
STABLE_MIN = 6
"""Answers of the stable build below which there is nothing to compare with."""


class Tally:
    """What one build answered: lately, and in all."""

    __slots__ = ("_failed_lately", "_lately", "answers", "failures")

    def __init__(self) -> None:
        self.answers = 0
        self.failures = 0
        self._lately: deque[tuple[float, bool]] = deque()
        self._failed_lately = 0

    def note(self, now_s: float, *, failed: bool) -> None:
        """One answer."""
        self.answers += 1
        self.failures += failed
        self._lately.append((now_s, failed))
        self._failed_lately += failed
        self._forget(now_s)

    def lately(self, now_s: float) -> tuple[int, int]:
        """Answers and failures of the last WINDOW_S."""
        self._forget(now_s)
        return len(self._lately), self._failed_lately

    def _forget(self, now_s: float) -> None:
        lately = self._lately
        while lately and lately[0][0] < now_s - WINDOW_S:
            self._failed_lately -= lately.popleft()[1]


def departed(candidate: Tally, stable: Tally, now_s: float) -> str | None:
    """Why the candidate is to be rolled back; None where it is not."""
    answers, failures = candidate.lately(now_s)
    if answers < ANSWERS_MIN or failures < FAILURES_MIN:
        return None
    beside, failed = stable.lately(now_s)
    if beside < STABLE_MIN or failures / answers < failed / beside + DEPARTS_BY:
        return None
    return f"{failures} of {answers} answers failed, {failed} of {beside} beside it"


def published() -> dict[str, float]:
    """The numbers, as the control API tells them."""
    return {
        "window_s": WINDOW_S,
        "answers_min": ANSWERS_MIN,
        "failures_min": FAILURES_MIN,
        "departs_by": DEPARTS_BY,
        "stable_min": STABLE_MIN,
    }
