"""Who comes to look, once customers are blocked, and how fast?

    a customer meets trouble ──> `reads` readers, spread ──> one queue ──> at most `most_per_s` ──> page or order

Observers outnumber payers (F27). Readers are people of their own, each with a
connection of its own; whoever looks at an order does so as its owner, since
nobody else may. One that could not come in time comes a little later: the storm
grows no faster than its limit, and none of it is lost until `ends` says so.
"""

import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import gevent

from harness.load.person import Person
from harness.load.traits import Traits
from harness.operation import Op
from harness.scenario import Audience


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocked:
    """A customer who was told busy, or nothing, for the first time."""

    person: Person
    """Its order may become known later; whoever looks then asks for it then."""
    at_ns: int

    @property
    def traits(self) -> Traits:
        """Who it is."""
        return self.person.traits


class Storm:
    """All readers of one audience."""

    def __init__(
        self,
        audience: Audience,
        look: Callable[[Blocked, Op, int], None],
        spawn: Callable[..., object],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`look(blocked, what, scheduled_ns)` plays one reader; `spawn(function, *values)` starts it in a greenlet."""
        self._audience = audience
        self._look = look
        self._spawn = spawn
        self._now_ns = now_ns
        self._due: list[tuple[int, int, Op, Blocked]] = []
        self._numbers = count()
        self._next_ns = 0
        self._sending = False

    def gathers_for(self, blocked: Blocked) -> None:
        """Let the readers of one more blocked customer come."""
        chance = random.Random(f"audience/{blocked.traits.seed}")
        for _ in range(self._audience.reads):
            due_ns = blocked.at_ns + round(chance.uniform(0, self._audience.spread_s) * 1e9)
            what = Op.STATUS if chance.random() < self._audience.status_share else Op.READ
            heapq.heappush(self._due, (due_ns, next(self._numbers), what, blocked))
        if not self._sending:
            self._sending = True
            self._spawn(self._send_all)

    def ends(self) -> None:
        """Let nobody come who has not come yet."""
        self._due.clear()

    def _send_all(self) -> None:
        """Send whoever is due, no two closer than the limit allows, until nobody is left."""
        gap_ns = round(1e9 / self._audience.most_per_s)
        while self._due:
            due_ns = max(self._due[0][0], self._next_ns)
            if (left_ns := due_ns - self._now_ns()) > 0:
                gevent.sleep(left_ns / 1e9)
                continue  # somebody may have come in before
            _, _, what, blocked = heapq.heappop(self._due)
            self._next_ns = max(due_ns, self._now_ns() - gap_ns) + gap_ns
            self._spawn(self._look, blocked, what, due_ns)
        self._sending = False
