"""May a charge go to this provider now?

    closed ───── enough failures in a row ────> open ──── after `open_s` ────> half-open
      ^                                          ^                              │  │
      │                                          └───────────── a failure ──────┘  │
      └──────────── a success, or `QUIET` times `open_s` without any news ─────────┘

A pure state machine: the clock comes in as an argument, in seconds from any one
zero. What counts as a failure is the caller's business.
"""

from dataclasses import dataclass
from enum import StrEnum

PEACE = 1
"""Times `open_s` after a failure that no other followed: it looks well again."""
QUIET = 5
"""Times `open_s` after which failures are no row any more, and a half-open breaker that nobody tries closes."""


class State(StrEnum):
    """A breaker's."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(kw_only=True, slots=True)
class Breaker:
    """One provider's."""

    open_s: float
    """So long nobody is let through; then one charge each such while, until one of them is answered."""
    enough: int
    """Failures in a row that open it."""
    _failures: int = 0
    """In a row."""
    _failed_s: float = 0.0
    """When the last of them was."""
    _opened_s: float | None = None
    """When it opened; None while closed."""
    _probed_s: float | None = None
    """When it last let a charge through half open."""
    _has_opened: bool = False

    def state(self, now_s: float) -> State:
        """Where it stands."""
        if self._opened_s is None or self._is_quiet(now_s):
            return State.CLOSED
        return State.OPEN if now_s < self._opened_s + self.open_s else State.HALF_OPEN

    def is_well(self, now_s: float) -> bool:
        """Closed, and no failure since the last success, or none for a while."""
        recent = self._failures > 0 and now_s < self._failed_s + PEACE * self.open_s
        return self.state(now_s) is State.CLOSED and not recent

    @property
    def has_opened(self) -> bool:
        """Did it ever open? Only for the defect breaker_never_closes."""
        return self._has_opened

    def would_admit(self, now_s: float) -> bool:
        """Closed, or half open and nobody was let through in the last `open_s`."""
        state = self.state(now_s)
        if state is State.HALF_OPEN:
            return self._probed_s is None or now_s >= self._probed_s + self.open_s
        return state is State.CLOSED

    def admits(self, now_s: float) -> bool:
        """Let a charge through; half open one in each `open_s`, so a probe that never comes back blocks nobody."""
        admitted = self.would_admit(now_s)
        if admitted and self.state(now_s) is State.HALF_OPEN:
            self._probed_s = now_s
        return admitted

    def succeeded(self) -> None:
        """A charge was answered."""
        self._failures, self._opened_s, self._probed_s = 0, None, None

    def failed(self, now_s: float) -> None:
        """A call was not answered, or answered that the provider is in trouble."""
        state = self.state(now_s)
        if now_s >= self._failed_s + QUIET * self.open_s:
            self._failures = 0
        self._failures, self._failed_s = self._failures + 1, now_s
        if state is State.HALF_OPEN or (state is State.CLOSED and self._failures >= self.enough):
            self._opened_s, self._probed_s, self._has_opened = now_s, None, True

    def _is_quiet(self, now_s: float) -> bool:
        assert self._opened_s is not None
        last_s = max(self._opened_s + self.open_s, self._probed_s or 0.0)
        return now_s >= last_s + QUIET * self.open_s
