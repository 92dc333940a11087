"""What is one thing to be proven, and what is kept of it once it was?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec


class NotProven(Exception):
    """What was to be shown was not; the message says what was seen instead."""


class JudgedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one run, as far as tables need it."""

    status: str
    claimed: int | None
    decided: int


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario of one run."""

    scenario: str
    size: str
    seed: int
    defect: str | None
    arrival_digest: str
    checks: dict[str, JudgedFacts]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What an item showed."""

    told: str
    """One line for people."""
    runs: tuple[RunFacts, ...] = ()


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an item."""

    group: str
    name: str
    ok: bool
    told: str
    seconds: float
    runs: tuple[RunFacts, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """Where an item may work."""

    folder: Path
    """Its own, empty; kept."""
    postgres: str
    """URL of the PostgreSQL that all items share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing to be proven."""

    group: str
    name: str
    """A file name."""
    prove: Callable[[Room], Shown]
    """Raises NotProven where it is not so; any other exception counts the same."""
    alone: bool = False
    """Depends on timing or looks at the whole machine, so nothing else runs beside it."""


def need(holds: bool, otherwise: str) -> None:
    """Raise NotProven, saying what was seen, unless it holds."""
    if not holds:
        raise NotProven(otherwise)
