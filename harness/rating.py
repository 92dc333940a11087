"""How well was a failure answered, in one figure that nights can be compared by?

The published rule (F22), number `RULE`, for one scenario:

    promises   40 points, times the share of the claimed promises that held
    clocks     60 points, times the mean over the clocks that ran: 1 where the longest case took half its window
               or less, falling in a straight line to 0 at one and a half windows; 0 where one has not ended
    caps       39 where a promise about money or orders broke (so grade E), 74 where any other did (C at best)

A clock that did not run counts for nothing, either way; where none ran the promises are worth all 100 points. A known
breach (known.toml) is a breach all the same. What was cut short is not rated. A run's score is the mean of its
scenarios', under the lowest of their caps. Grades: A from 90, B from 75, C from 60, D from 40, else E.

The figures are read from evidence by `harness.checks.clocks`. No I/O, no clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

RULE = 1
"""Number of the rule above; scores of different rules must not be compared."""

PROMISES_POINTS = 40.0
CLOCKS_POINTS = 60.0
MONEY_CAP = 39.0
BREACH_CAP = 74.0
MONEY_OR_ORDERS = (
    "no_double_charge",
    "no_vanished_order",
    "no_orphan_charge",
    "refund_in_window",
    "no_over_refund",
    "money_conserved",
)
"""Promises that cost customers money or orders where they break, gravest first."""
GRADES = ((90.0, "A"), (75.0, "B"), (60.0, "C"), (40.0, "D"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """How long one step of answering a failure took, at its longest."""

    name: str
    """"detect", "announce", "recover", "resolve", "refund" or "compensate"."""
    cases: int
    """How often it ran; 0: nothing happened that would have started it."""
    unended: int = 0
    """Of them those that never ended, as far as the evidence reaches."""
    longest_s: float | None = None
    """Of a case that has not ended: until its cause was over or the evidence taken. None: not measured, never 0."""
    window_s: float
    scenario: str
    """Where it was longest, against its window."""
    why: str = ""
    """Why it was not measured, where it was not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rating:
    """The one figure, and what it is made of."""

    rule: int = RULE
    score: float
    """0 to 100, one decimal."""
    grade: str
    promises_held: int
    promises_claimed: int
    clocks_share: float | None
    """Mean over the clocks that ran, 0 to 1; None where none ran."""
    capped_at: float | None = None
    capped_by: tuple[str, ...] = ()
    """Checks whose breach caps the score; of a run "<Scenario>: <check>"."""


def clock_share(clock: Clock) -> float | None:
    """Between 0 and 1: how much of a clock's points it earns; None where it was not measured."""
    if clock.longest_s is None:
        return None
    if clock.unended or clock.window_s <= 0:
        return 0.0
    return min(1.0, max(0.0, 1.5 - clock.longest_s / clock.window_s))


def rate(*, held: int, claimed: int, broken: Iterable[str], clocks: Iterable[Clock]) -> Rating:
    """One scenario's rating; `broken` are the names of the checks that found a breach, claimed or not."""
    shares = [share for clock in clocks if (share := clock_share(clock)) is not None]
    promises = held / claimed if claimed else 0.0
    clocks_share = fmean(shares) if shares else None
    points = PROMISES_POINTS * promises + CLOCKS_POINTS * (promises if clocks_share is None else clocks_share)
    found = tuple(broken)
    grave = tuple(name for name in found if name in MONEY_OR_ORDERS)
    cap = MONEY_CAP if grave else BREACH_CAP if found else None
    return _rating(points, cap, grave or found, held=held, claimed=claimed, clocks_share=clocks_share)


def rate_run(ratings: Sequence[tuple[str, Rating | None]]) -> Rating | None:
    """A run's rating, from its scenarios' by name; None where there is none, or one of them was not rated."""
    rated = [(name, rating) for name, rating in ratings if rating is not None]
    if not rated or len(rated) < len(ratings):
        return None
    caps = [rating.capped_at for _, rating in rated if rating.capped_at is not None]
    cap = min(caps, default=None)
    shares = [rating.clocks_share for _, rating in rated if rating.clocks_share is not None]
    return _rating(
        fmean(rating.score for _, rating in rated),
        cap,
        tuple(f"{name}: {check}" for name, rating in rated if rating.capped_at == cap for check in rating.capped_by),
        held=sum(rating.promises_held for _, rating in rated),
        claimed=sum(rating.promises_claimed for _, rating in rated),
        clocks_share=fmean(shares) if shares else None,
    )


def longest(clocks: Iterable[Sequence[Clock]]) -> tuple[Clock, ...]:
    """A run's clocks from its scenarios': of each name the one that is longest against its window, all cases added."""
    named: dict[str, list[Clock]] = {}
    for each in clocks:
        for clock in each:
            named.setdefault(clock.name, []).append(clock)
    return tuple(_longest(same) for same in named.values())


def _longest(same: Sequence[Clock]) -> Clock:
    ran = [clock for clock in same if clock.longest_s is not None]
    if not ran:
        whys = {clock.why for clock in same}
        return replace(same[0], why=whys.pop() if len(whys) == 1 else "it ran in no scenario", scenario="")
    worst = max(ran, key=lambda clock: (clock.unended > 0, (clock.longest_s or 0.0) / clock.window_s))
    return replace(worst, cases=sum(clock.cases for clock in ran), unended=sum(clock.unended for clock in ran))


def _rating(
    points: float, cap: float | None, capped_by: tuple[str, ...], *, held: int, claimed: int, clocks_share: float | None
) -> Rating:
    score = round(points if cap is None else min(points, cap), 1)
    return Rating(
        score=score,
        grade=next((grade for least, grade in GRADES if score >= least), "E"),
        promises_held=held,
        promises_claimed=claimed,
        clocks_share=None if clocks_share is None else round(clocks_share, 4),
        capped_at=cap,
        capped_by=capped_by if cap is not None else (),
    )
