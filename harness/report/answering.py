"""How are clocks, rating and known breaches told in a line each?

A clock that did not run is named as not measured; one that has not ended says "at least".
"""

from collections.abc import Iterable, Iterator

from harness.known_breaches import told
from harness.rating import Clock, Rating
from harness.verdict import KnownEntry, Standing

_STANDINGS = {
    Standing.SOFTENED: "known, so without effect on the exit code",
    Standing.EXPIRED: "its entry has expired, so it counts again",
    Standing.HEALED: "healed: the promise was held, so its entry can go",
    Standing.UNSEEN: "not seen in this run, which does not prove that it is gone",
    Standing.NOT_RUN: "its scenario was not run",
}


def clocks_line(clocks: Iterable[Clock], *, where: bool = False) -> str:
    """All clocks, each with its longest case, its window and how many cases there were; `where`: in which scenario."""
    every = tuple(clocks)
    ran = [_ran(clock, where=where) for clock in every if clock.longest_s is not None]
    still = [clock.name for clock in every if clock.longest_s is None]
    return "; ".join([*ran, *([f"not measured: {', '.join(still)}"] if still else [])])


def _ran(clock: Clock, *, where: bool) -> str:
    least = "at least " if clock.unended else ""
    cases = f"{clock.cases} case{'' if clock.cases == 1 else 's'}"
    unended = f", {clock.unended} never ended" if clock.unended else ""
    place = f", {clock.scenario}" if where else ""
    return f"{clock.name} {least}{clock.longest_s:.1f} s (window {clock.window_s:g} s, {cases}{unended}{place})"


def rating_line(rating: Rating | None, unrated: str | None) -> str:
    """The grade, and what it is made of; or why there is none."""
    if rating is None:
        return f"none: {unrated or 'not every scenario has one'}"
    clocks = "no clock ran" if rating.clocks_share is None else f"clocks at {rating.clocks_share:.0%}"
    capped = "" if rating.capped_at is None else f"; capped at {rating.capped_at:g} by {', '.join(rating.capped_by)}"
    held = f"{rating.promises_held} of {rating.promises_claimed} promises held"
    return f"{rating.grade}, {rating.score:.1f} of 100: {held}, {clocks}{capped} (rule {rating.rule})"


def known_lines(entries: Iterable[KnownEntry]) -> Iterator[str]:
    """Each entry of known.toml, and what became of it."""
    for entry in entries:
        breach = entry.breach
        yield f"{breach.check} in {breach.scenario} ({told(breach)}): {_STANDINGS[entry.standing]}"
