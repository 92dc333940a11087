"""What is an owner told of an order that nobody has asked about for a while?

A few reads a second, over the customers' own way in, of known orders that were not heard of for longest: an order that
vanishes when its customer has left is seen all the same. Each answer is a row of `evidence/rereads.jsonl`, so that the
verdict stands on it too.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from harness.operation import Ending, Outcome
from harness.targets.drive import HttpxSender, drive
from harness.targets.protocol import Target

EACH_LOOK = 2
"""Reads a second, at most."""
UNHEARD_NS = 2_000_000_000
"""Only of orders that no reply named for so long."""
DEADLINE_S = 0.8


class Reread(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `evidence/rereads.jsonl`; instants are CLOCK_MONOTONIC, in ns."""

    order: str
    user: str
    outcome: Outcome
    ending: Ending
    http: int | None
    code: str | None
    sent_ns: int
    done_ns: int


class Rereads:
    """Of one scenario's orders."""

    def __init__(self, target: Target, base_url: str, into: Path, clock_ns: Callable[[], int]) -> None:
        self._target = target
        self._send = HttpxSender(base_url, DEADLINE_S)
        self._into = into
        self._clock_ns = clock_ns
        self._heard_ns: dict[str, int] = {}
        """Of known orders, the longest unheard of first."""

    def hear(self, order: str, at_ns: int) -> None:
        """A reply to its owner named the order."""
        self._heard_ns.pop(order, None)
        self._heard_ns[order] = at_ns

    def due(self) -> tuple[str, ...]:
        """Orders to ask about now; they count as heard of from now on."""
        now_ns = self._clock_ns()
        found: list[str] = []
        for order, heard_ns in self._heard_ns.items():
            if len(found) == EACH_LOOK or now_ns - heard_ns < UNHEARD_NS:
                break
            found.append(order)
        for order in found:
            self.hear(order, now_ns)
        return tuple(found)

    def ask(self, order: str, user: str) -> Reread:
        """Ask for the owner, once; from any thread."""
        sent_ns = self._clock_ns()
        seen = drive(self._target.read(user, order), self._send)
        return Reread(
            order=order,
            user=user,
            outcome=seen.outcome,
            ending=seen.ending,
            http=seen.http,
            code=seen.code,
            sent_ns=sent_ns,
            done_ns=self._clock_ns(),
        )

    def keep(self, row: Reread) -> None:
        """Append the answer to the file."""
        self._into.parent.mkdir(parents=True, exist_ok=True)
        with self._into.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")

    def close(self) -> None:
        """Let go of the connections."""
        self._send.__exit__(None, None, None)
