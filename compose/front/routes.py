"""Which build serves a user, since when, and who moved it?

One build is stable; at most one other is a candidate with a share of the users.
A user's token is hashed to a point between 0 and 1, and whoever lies below the
share is the candidate's: so nobody changes build while the share stands, and a
growing share moves users one way only. Pure values; no clock, no socket.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from compose.payment_api.defects import Defect


class Refused(Exception):
    """What was asked for cannot be done now; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One change of who serves whom."""

    at_ns: int
    """CLOCK_MONOTONIC of the front's host."""
    stable: str
    candidate: str | None
    share: float
    """Of the users, to the candidate."""
    by: str
    """"control", or "front" where it rolled back by itself."""
    why: str


class Routes:
    """Who serves whom. Every change is kept, the first one included."""

    def __init__(
        self,
        stable: str,
        *,
        now_ns: Callable[[], int],
        defects: frozenset[Defect] = frozenset(),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.stable = stable
        self.candidate: str | None = None
        self.share = 0.0
        self.moves: list[Move] = []
        self._now_ns = now_ns
        self._defects = defects
        self._chance = chance
        self._note("control", "started")

    def choose(self, token: bytes | None, wish: str | None = None) -> str:
        """The build for a request: by its user's token; one without goes where it wishes, else to the stable build."""
        if self.candidate is None:
            return self.stable
        if token is None:
            return wish if wish in {self.stable, self.candidate} else self._without_token()
        share = min(1.0, 2 * self.share) if Defect.CANARY_TWICE_SHARE in self._defects else self.share
        point = self._chance() if Defect.CANARY_NOT_STICKY in self._defects else point_of(token)
        return self.candidate if point < share else self.stable

    def move(self, candidate: str, share: float) -> None:
        """Give a share of the users to a candidate; raises Refused where there is another, or it serves as stable."""
        if self.candidate not in {None, candidate}:
            raise Refused(f"{self.candidate} is the candidate: promote it or roll it back first")
        if candidate == self.stable:
            raise Refused(f"{candidate} serves as the stable build")
        self.candidate, self.share = candidate, share
        self._note("control", f"{share:g} of the users to {candidate}")

    def promote(self) -> str:
        """Make the candidate the stable build; returns the one that it replaces. Only when it serves everybody."""
        if self.candidate is None or self.share < 1.0:
            raise Refused("there is no candidate that serves everybody")
        old, self.stable = self.stable, self.candidate
        self.candidate, self.share = None, 0.0
        self._note("control", f"{self.stable} in the place of {old}")
        return old

    def roll_back(self, by: str, why: str) -> str:
        """Everybody to the stable build; returns the candidate that was. Raises Refused where there is none."""
        if self.candidate is None:
            raise Refused("there is no candidate")
        old, self.candidate, self.share = self.candidate, None, 0.0
        self._note(by, why)
        return old

    def _without_token(self) -> str:
        return self.candidate if self.candidate is not None and self.share >= 1.0 else self.stable

    def _note(self, by: str, why: str) -> None:
        self.moves.append(
            Move(
                at_ns=self._now_ns(),
                stable=self.stable,
                candidate=self.candidate,
                share=self.share,
                by=by,
                why=why,
            )
        )


def point_of(token: bytes) -> float:
    """Where a token lies between 0 and 1, for ever."""
    return int.from_bytes(blake2b(token, digest_size=7).digest()) / (1 << 56)
