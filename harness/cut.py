"""How is a run ended early?

One switch, pulled by Ctrl-C, Stop, `-t`, SIGTERM or a preflight that fails. The
first pull calls what must happen at once, in the order in which it was put
there: faults are lifted before load is stopped. Whatever waits looks at
`reason`, or calls `check`. A second pull hurries.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class RunCut(Exception):  # it is no error
    """The run was cut short while something was waited for; the reason stands in `Cut`."""


class Cut:
    """The switch."""

    def __init__(self) -> None:
        self.reason: str | None = None
        """Why the run is cut short; None while it is not."""
        self.hurried = False
        """It was pulled again: evidence that is not there yet is not waited for."""
        self.over = False
        """The run has ended by itself; pulling means nothing any more."""
        self._actions: list[Callable[[], object]] = []

    def pull(self, reason: str) -> None:
        """End the run early; what is registered by `calls` has been called when this returns."""
        if self.over:
            return
        if self.reason is not None:
            self.hurried = True
            return
        self.reason = reason
        for action in tuple(self._actions):
            action()

    @contextmanager
    def calls(self, action: Callable[[], object]) -> Iterator[None]:
        """Call `action` if the switch is pulled within the block."""
        self._actions.append(action)
        try:
            yield
        finally:
            self._actions.remove(action)

    def check(self) -> None:
        """Raise RunCut if the switch was pulled."""
        if self.reason is not None:
            raise RunCut(self.reason)
