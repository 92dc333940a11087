"""How does the load tell a waiting fault that its moment has come?

The load rings, a fault waits. Ringing costs next to nothing while nobody waits;
both sides may be threads or, under gevent's monkey-patching, greenlets.
"""

import threading


class Bell:
    """Remembers the latest ring and wakes who waits for one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._latest_ns = 0

    def ring(self, at_ns: int) -> None:
        """It happened at `at_ns` (CLOCK_MONOTONIC): an acknowledgement was read in full, say."""
        with self._changed:
            if at_ns > self._latest_ns:
                self._latest_ns = at_ns
                self._changed.notify_all()

    def wait(self, after_ns: int, limit_s: float) -> int | None:
        """The latest ring later than `after_ns`, waited for at most `limit_s`; None where there was none."""
        with self._changed:
            rang = self._changed.wait_for(lambda: self._latest_ns > after_ns, limit_s)
            return self._latest_ns if rang else None
