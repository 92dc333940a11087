"""How are verdict, faults, figures, losses, clocks, rating and known breaches told in a line each?

A clock that did not run is named as not measured; one that has not ended says "at least".
"""

from collections.abc import Iterable, Iterator

from harness.documents import FaultRecord
from harness.known_breaches import told
from harness.money import Bearer, amount, totals
from harness.rating import Clock, Rating
from harness.report.stories import by_gravity
from harness.verdict import JudgedCheck, KnownEntry, Standing, Status, Verdict

_ENDS = {
    Status.PASS: "every claimed promise held",
    Status.FAIL: "promises were broken",
    Status.UNKNOWN: "undecided: what was seen does not carry a verdict",
}
LOST = {
    Bearer.CUSTOMER: "taken from customers or owed to them, and not given back",
    Bearer.LATE: "given back to customers too late",
    Bearer.OPERATOR: "given back beyond what was owed or asked for",
    Bearer.BOOKS: "booked otherwise than the providers moved it",
}

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


def verdict_sentence(verdict: Verdict) -> str:
    """Status, exit code, and what it means; names the broken promises, gravest first."""
    broken = list(dict.fromkeys(c.check for s in verdict.scenarios for c in by_gravity(s.checks)))
    what = f"broken: {', '.join(broken)}" if verdict.status is Status.FAIL else _ENDS[verdict.status]
    if verdict.status is Status.PASS and any(entry.standing is Standing.SOFTENED for entry in verdict.known):
        what += ", but for what is known"
    return f"{verdict.status} (exit code {verdict.exit_code}): {what}"


def losses_told(checks: Iterable[JudgedCheck]) -> list[str]:
    """What broken promises cost, a line for each bearer and currency."""
    return [
        f"{amount(total.amount_minor, total.currency)} of {total.orders} order{'' if total.orders == 1 else 's'}: "
        f"{LOST[total.bearer]}"
        for total in totals(by_gravity(checks))
    ]


def faults_told(faults: Iterable[FaultRecord]) -> Iterator[str]:
    """One line for the same fault on several edges or providers."""
    places: dict[str, list[str]] = {}
    for fault in faults:
        places.setdefault(fault.describe.replace(f" on {fault.where}", " on {}", 1), []).append(fault.where)
    return (line.replace("{}", ", ".join(dict.fromkeys(where))) for line, where in places.items())


def objective_told(check: JudgedCheck) -> str:
    """What was asked for, with its unit where that is no count; empty where there is none."""
    return _number(check.objective, check.unit if check.unit in {"s", "share"} else "")


def measured_told(check: JudgedCheck) -> str:
    """What was measured, with its unit; money in its currency where all of it is in one."""
    currencies = {total.currency for total in totals([check])}
    if check.unit != "minor units" or check.measured is None or len(currencies) != 1:
        return _number(check.measured, check.unit)
    return amount(round(check.measured), currencies.pop())


def figures_told(check: JudgedCheck) -> str:
    """All numbers of a promise."""
    every = (
        ("examined", str(check.examined)),
        ("undecided", str(check.undecided)),
        ("breaches", str(len(check.findings))),
        ("measured", measured_told(check)),
        ("objective", objective_told(check)),
        ("floor claimed", "" if check.claimed is None else str(check.claimed)),
    )
    return "; ".join(f"{name} {value}" for name, value in every if value)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "share":
        return f"{value:.2%}"
    if value == 1 and unit.endswith("s") and unit != "s":
        return f"1 {unit.removesuffix('s')}"
    return f"{round(value, 3):.12g} {unit}".rstrip()
