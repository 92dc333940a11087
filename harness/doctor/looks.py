"""What did the doctor look at, and how does it say so?

One look is one line, and a second one with the way out where something is wrong or not there. Values and words only;
who looks is `harness.doctor.reaching` and `harness.doctor.customers`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

WIDTH = 26
"""Columns of what was looked at."""
SCENARIO_NAME = "Doctor"
"""Of the little run, in whose folder its evidence lies."""


class Condition(StrEnum):
    """How what was looked at is."""

    OK = "ok"
    WRONG = "wrong"
    """It does not do what the target file says."""
    ABSENT = "absent"
    """The target file, or its adapter, does not name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One thing that was looked at."""

    what: str
    """Kind and name: "ledger card", "payment by alipay"."""
    condition: Condition
    said: str
    """What was tried and what was seen."""
    way_out: str = ""
    """Key of the target file, or part of the adapter, that would change it."""


Tell = Callable[[Look], None]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What `harness doctor` was asked for, as its child is given it."""

    target_file: str
    runs: str
    """Folder for what the child records."""
    run_id: str
    build: str
    seed: int = 1
    profile: str = "gate"
    port_base: int = 0
    allow_hosts: tuple[str, ...] = ()


def ok(what: str, said: str) -> Look:
    """It is as it should be."""
    return Look(what=what, condition=Condition.OK, said=said)


def wrong(what: str, said: str, way_out: str) -> Look:
    """It is not as the target file says."""
    return Look(what=what, condition=Condition.WRONG, said=said, way_out=way_out)


def absent(what: str, said: str, way_out: str) -> Look:
    """Nobody names it."""
    return Look(what=what, condition=Condition.ABSENT, said=said, way_out=way_out)


def lines(look: Look) -> str:
    """A look as it is printed."""
    told = f"{look.condition.value:<7} {look.what:<{WIDTH}} {look.said}"
    return f"{told}\n{'':7} {'':{WIDTH}} -> {look.way_out}" if look.way_out else told
