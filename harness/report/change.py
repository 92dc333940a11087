"""What changed between two verdicts on one scenario, and is it worse?

Nights differ by their seeds, so that no figure comes out the same twice. The rules:

    promise    worse where it is FAIL and was not, where it is UNKNOWN and was PASS, and where it was claimed and is not
               claimed, offered or judged any more; better where it is PASS and was not, and where a breach of what is
               not claimed is not seen any more
    share      of a promise that is PASS both times, or FAIL both times: worse where the highest share that its counts
               allow now lies below the lowest that they allowed before, both by the exact one-sided 95 % bound that
               checks judge by (`harness.binomial.fell`); better the other way round
    clock      worse where a case never ended and every one did before; better the other way round
    figure     a measured value, a clock's longest case, a number of breaches, a grade: one value a run has no error
               bar, so that a difference is only a difference; it is told from a tenth of its objective or window on,
               where there is none from a tenth of what it was

A breach that is known (known.toml) is told and is not worse, as it has no effect on a verdict either. Shares, figures
and clocks of a scenario whose load, faults, windows or settings are others now are not compared. No I/O.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from harness.binomial import fell, lower_bound, upper_bound
from harness.documents import ScenarioRecord
from harness.rating import Clock
from harness.report.answering import measured_told
from harness.verdict import JudgedCheck, Ratio, ScenarioVerdict, Status

TELLING_SHARE = 0.1
"""From this part of its objective or window on, a figure's difference is told."""

_DECIDED = frozenset({Status.PASS, Status.FAIL})
_IDLE = frozenset({Status.NOT_EXERCISED, Status.NOT_OFFERED})
_DESCRIPTION = ("load", "phases", "faults", "windows", "settings")
"""What of a scenario's description its figures depend on."""


class Turn(StrEnum):
    """Which way something changed."""

    WORSE = "worse"
    UNCOMPARED = "not compared"
    BETTER = "better"
    DIFFERENT = "different"
    """Neither: a difference that nothing says more about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that is not as it was."""

    turn: Turn
    scenario: str
    """Empty where it is about the runs as a whole."""
    what: str
    """A check's name, "clock refund", "rating"; empty where it is about the scenario as a whole."""
    told: str
    """What is and what was, as one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A scenario that ran to its end in some run."""

    run: str
    """The run directory, as the command line names it."""
    verdict: ScenarioVerdict
    record: ScenarioRecord


def changes(before: Judged, after: Judged) -> Iterator[Change]:
    """Everything that changed, in the order of the checks; the same each time."""
    name = after.verdict.scenario
    others = [field for field in _DESCRIPTION if getattr(before.record, field) != getattr(after.record, field)]
    if others:
        told = f"described otherwise ({', '.join(others)}): its shares, figures and clocks are not compared"
        yield Change(turn=Turn.DIFFERENT, scenario=name, what="", told=told)
    earlier = {check.check: check for check in before.verdict.checks}
    for check in after.verdict.checks:
        was = earlier.pop(check.check, None)
        yield from _promise(name, was, check)
        if was is not None and was.status is check.status and not others:
            yield from _shares(name, was, check, before.run)
            yield from _figures(name, was, check)
    for was in earlier.values():
        if was.claimed is not None:
            told = f"not judged any more, was {was.status}"
            yield Change(turn=Turn.WORSE, scenario=name, what=was.check, told=told)
    clocks = {clock.name: clock for clock in before.verdict.clocks}
    for clock in after.verdict.clocks if not others else ():
        if clock.name in clocks:
            yield from _clock(name, clocks[clock.name], clock)
    yield from _rating(before.verdict, after.verdict)


def breaches(before: ScenarioVerdict | None, after: ScenarioVerdict) -> Iterator[Change]:
    """Of a scenario that was cut short: breaches that are new, which are proven all the same."""
    earlier = {} if before is None else {check.check: check for check in before.checks}
    for check in after.checks:
        if check.status is Status.FAIL:
            yield from _promise(after.scenario, earlier.get(check.check), check)


def _promise(scenario: str, was: JudgedCheck | None, check: JudgedCheck) -> Iterator[Change]:
    """What became of a promise, where its status or its floor is another."""
    status, before = check.status, None if was is None else was.status
    if status is before:
        if was is not None and was.claimed != check.claimed and status not in _IDLE:
            told = f"at least {_floor(check)} cases are claimed, were {_floor(was)}"
            yield Change(turn=Turn.DIFFERENT, scenario=scenario, what=check.check, told=told)
        return
    if was is None and status in _IDLE:
        return
    said = "it was not judged" if was is None else f"was {was.status}"
    told = f"{status}, {said}: {check.reason}"
    yield Change(turn=_turn(was, check), scenario=scenario, what=check.check, told=told)


def _turn(was: JudgedCheck | None, check: JudgedCheck) -> Turn:
    before = None if was is None else was.status
    if check.status is Status.FAIL or (check.status is Status.UNKNOWN and before is Status.PASS):
        return Turn.WORSE
    if check.status is Status.PASS:
        return Turn.BETTER if was is not None else Turn.DIFFERENT
    if check.status in _IDLE and was is not None and before not in _IDLE:
        return Turn.BETTER if was.claimed is None and check.status is Status.NOT_EXERCISED else Turn.WORSE
    return Turn.DIFFERENT


def _floor(check: JudgedCheck) -> str:
    return "none" if check.claimed is None else str(check.claimed)


def _shares(scenario: str, was: JudgedCheck, check: JudgedCheck, run: str) -> Iterator[Change]:
    """Shares that fell or rose by the bounds of both; of what is known or not claimed it is told and is not worse."""
    if check.status in {Status.UNKNOWN, Status.NOT_OFFERED}:
        return
    if check.ratios and was.measured is not None and not was.ratios:
        told = f"its shares are not kept in {run}; `harness check {run}` judges it again and keeps them"
        yield Change(turn=Turn.UNCOMPARED, scenario=scenario, what=check.check, told=told)
        return
    for before, ratio in _same_shares(was.ratios, check.ratios):
        turn, told = _share_turned(before, ratio)
        if told:
            counts = check.status in _DECIDED
            said = f"{ratio.what}: {told}" if counts else f"{check.status} both times; {ratio.what}: {told}"
            yield Change(turn=turn if counts else Turn.DIFFERENT, scenario=scenario, what=check.check, told=said)


def _same_shares(was: Iterable[Ratio], now: Iterable[Ratio]) -> Iterator[tuple[Ratio, Ratio]]:
    """Shares of one name, in order; kinds that few cases put together otherwise this time are compared one by one."""
    earlier, later = ({ratio.what: ratio for ratio in ratios} for ratios in (was, now))
    same = earlier.keys() & later.keys()
    yield from ((earlier[what], ratio) for what, ratio in later.items() if what in same)
    kinds, others = (
        {part.what: part for ratio in ratios.values() if ratio.what not in same for part in ratio.parts or (ratio,)}
        for ratios in (earlier, later)
    )
    yield from ((kinds[what], part) for what, part in others.items() if what in kinds)


def _share_turned(was: Ratio, ratio: Ratio) -> tuple[Turn, str]:
    """Which way a share went, and by which bounds; an empty line where it did not move as far as they part."""
    old, new = (was.good, was.total), (ratio.good, ratio.total)
    if fell(old, new):
        bounds = f"at most {upper_bound(*new):.2%}", f"at least {lower_bound(*old):.2%}"
        turn = Turn.WORSE
    elif fell(new, old):
        bounds = f"at least {lower_bound(*new):.2%}", f"at most {upper_bound(*old):.2%}"
        turn = Turn.BETTER
    else:
        return Turn.DIFFERENT, ""
    return turn, f"{_counts(ratio)}, with 95 % confidence {bounds[0]}; was {_counts(was)}, {bounds[1]}"


def _counts(ratio: Ratio) -> str:
    return f"{ratio.good} of {ratio.total}" + (f" ({ratio.good / ratio.total:.2%})" if ratio.total else "")


def _figures(scenario: str, was: JudgedCheck, check: JudgedCheck) -> Iterator[Change]:
    """A value or a number of breaches that moved far enough to be told; what is judged by shares has none."""
    if check.status in _IDLE:
        return
    if not check.ratios and _moved(was.measured, check.measured, check.objective):
        told = f"{measured_told(check)}, was {measured_told(was)}"
        yield Change(turn=Turn.DIFFERENT, scenario=scenario, what=check.check, told=told)
    now, then = len(check.findings), len(was.findings)
    if _moved(then, now, None):
        told = f"{now} breaches among {check.examined} examined, were {then} among {was.examined}"
        yield Change(turn=Turn.DIFFERENT, scenario=scenario, what=check.check, told=told)


def _moved(before: float | None, after: float | None, scale: float | None) -> bool:
    if before is None or after is None:
        return False
    # The slack forgives 4.8 - 4.0 for being a hair less than a tenth of 8.
    return before != after and abs(after - before) >= TELLING_SHARE * abs(scale or before) * (1.0 - 1e-9)


def _clock(scenario: str, was: Clock, clock: Clock) -> Iterator[Change]:
    turn, told = Turn.DIFFERENT, ""
    if bool(clock.unended) is not bool(was.unended) and clock.cases and was.cases:
        turn = Turn.WORSE if clock.unended else Turn.BETTER
        told = f"{clock.unended} of {clock.cases} cases never ended, were {was.unended} of {was.cases}"
    elif (clock.longest_s is None) is not (was.longest_s is None) or _moved(
        was.longest_s, clock.longest_s, clock.window_s
    ):
        told = f"{clock_told(clock)}, was {clock_told(was)} (window {clock.window_s:g} s)"
    if told:
        yield Change(turn=turn, scenario=scenario, what=f"clock {clock.name}", told=told)


def clock_told(clock: Clock) -> str:
    """Its longest case in few words."""
    if clock.longest_s is None:
        return "not measured"
    return f"{'at least ' if clock.unended else ''}{clock.longest_s:.1f} s"


def _rating(before: ScenarioVerdict, after: ScenarioVerdict) -> Iterator[Change]:
    was, rating = before.rating, after.rating
    if was is None or rating is None or (was.rule, was.grade) == (rating.rule, rating.grade):
        return
    told = f"{rating.grade} {rating.score:.1f}, was {was.grade} {was.score:.1f}"
    if was.rule != rating.rule:
        told = f"by rule {rating.rule}, was by rule {was.rule}: not compared"
    yield Change(turn=Turn.DIFFERENT, scenario=after.scenario, what="rating", told=told)
