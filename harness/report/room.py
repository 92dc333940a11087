"""How much of a run fits into a file that has a limit?

A report is first made with room for much, and made anew with less until it fits; what was left out is said in it.
Everything stands in verdict.json. No I/O.
"""

from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import HarnessError


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How much may be told of one promise."""

    stories: int
    """Orders whose story is told."""
    chars: int
    """Characters of one text."""


ROOMS = (
    Room(stories=50, chars=60_000),
    Room(stories=10, chars=12_000),
    Room(stories=3, chars=3_000),
    Room(stories=1, chars=800),
    Room(stories=0, chars=200),
)
"""From the widest to the narrowest."""


def fitting(make: Callable[[Room], bytes], limit_bytes: int) -> bytes:
    """What `make` gives with the widest room with which it keeps the limit; raises HarnessError where none does."""
    for room in ROOMS:
        made = make(room)
        if len(made) <= limit_bytes:
            return made
    raise HarnessError(f"a report needs {len(made)} bytes and may have {limit_bytes}; report fewer scenarios a run")


def cut(text: str, chars: int) -> str:
    """The text, or its beginning and how much more there is."""
    more = len(text) - chars
    return text if more <= 0 else f"{text[:chars].rstrip()} ... ({more} more characters, see verdict.json)"
