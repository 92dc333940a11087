"""Which of several runs can be compared with the last one, and what do they say together?

Runs are given oldest first, and the last is the one in question. Each of its scenarios is held against the latest
earlier run that is like it (target, build, defects, size, rate and profile are the same) and has that scenario whole;
what changed is judged by `harness.report.change`. A scenario that such a run has and the last one lacks is worse. One
that was cut short in the last run, or in every earlier one, is not compared, but a new breach in the last counts. Seeds
differ from night to night and are no reason not to compare. No I/O.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.errors import ExitCode, UsageError
from harness.report.change import Change, Judged, Turn, breaches, changes
from harness.report.saved import SavedRun
from harness.verdict import ScenarioVerdict

ALIKE = ("target", "build", "defects", "size", "rate", "profile")
"""Fields of `run.json` that are the same in runs that can be compared."""
TELLING_VERSIONS = ("harness", "python", "locust", "toxiproxy", "postgresql")
"""What ran, of `run.json`'s versions: whose change is said, as it may explain others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Night:
    """One of the runs, and whether the last one can be held against it."""

    saved: SavedRun
    unlike: tuple[str, ...]
    """Why not, as short phrases; empty for the last run itself and for those like it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """All runs side by side, and what changed in the last."""

    nights: tuple[Night, ...]
    scenarios: tuple[str, ...]
    """Of all runs: the last one's in its order, then those that only earlier ones have."""
    changes: tuple[Change, ...]

    @property
    def exit_code(self) -> ExitCode:
        """1 where something got worse, else 3 where something could not be compared, else 0."""
        turns = {change.turn for change in self.changes}
        if Turn.WORSE in turns:
            return ExitCode.BROKEN
        return ExitCode.UNDECIDED if Turn.UNCOMPARED in turns else ExitCode.PASS


def compare(runs: Sequence[SavedRun]) -> Comparison:
    """Hold the last run against the earlier ones; raises UsageError where there are fewer than two, or one twice."""
    if len(runs) < 2:  # noqa: PLR2004  # "side by side" is of two
        raise UsageError("a comparison takes two runs or more, oldest first: harness compare RUN RUN")
    seen: dict[str, SavedRun] = {}
    for saved in runs:
        if saved.verdict.run_id in seen:
            first = seen[saved.verdict.run_id].folder
            raise UsageError(f"{first} and {saved.folder} are the same run {saved.verdict.run_id}; name it once")
        seen[saved.verdict.run_id] = saved
    *earlier, last = runs
    nights = (
        *(Night(saved=saved, unlike=tuple(_unlike(saved, last))) for saved in earlier),
        Night(saved=last, unlike=()),
    )
    alike = [night.saved for night in nights[:-1] if not night.unlike]
    ordered = [verdict.scenario for saved in (last, *reversed(earlier)) for verdict in saved.verdict.scenarios]
    scenarios = tuple(dict.fromkeys(ordered))
    return Comparison(nights=nights, scenarios=scenarios, changes=tuple(_all(alike, last, scenarios)))


def verdict_of(saved: SavedRun, scenario: str) -> ScenarioVerdict | None:
    """What a run says of a scenario; None where it lacks it."""
    return next((verdict for verdict in saved.verdict.scenarios if verdict.scenario == scenario), None)


def _unlike(saved: SavedRun, last: SavedRun) -> Iterator[str]:
    for field in ALIKE:
        one, other = getattr(saved.run, field), getattr(last.run, field)
        if one != other:
            yield f"{field} {_told(one)}, the last run has {_told(other)}"


def _told(value: str | float | tuple[str, ...]) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else ", ".join(value) or "none"


def _all(alike: Sequence[SavedRun], last: SavedRun, scenarios: Iterable[str]) -> Iterator[Change]:
    if not alike:
        told = "no earlier run is like the last one; name one with the same target, build, size, rate and profile"
        yield Change(turn=Turn.UNCOMPARED, scenario="", what="", told=told)
        return
    yield from _surroundings(alike[-1], last)
    for name in scenarios:
        yield from _scenario(name, alike, last)


def _surroundings(before: SavedRun, last: SavedRun) -> Iterator[Change]:
    """What ran, and in which order, where that is another."""
    for name in TELLING_VERSIONS:
        was, now = before.run.versions.get(name), last.run.versions.get(name)
        if was != now:
            told = f"{name} {now or 'unnamed'}, was {was or 'unnamed'}"
            yield Change(turn=Turn.DIFFERENT, scenario="", what="", told=told)
    if last.run.anchor.utc_ms < before.run.anchor.utc_ms:
        told = f"{last.folder} is named last and began before {before.folder}; runs are named oldest first"
        yield Change(turn=Turn.DIFFERENT, scenario="", what="", told=told)


def _scenario(name: str, alike: Sequence[SavedRun], last: SavedRun) -> Iterator[Change]:
    """A scenario of the last run against the latest run that has it whole."""
    having = [saved for saved in alike if verdict_of(saved, name) is not None]
    whole = [judged for saved in having if (judged := _judged(saved, name)) is not None]
    now, verdict = _judged(last, name), verdict_of(last, name)
    if verdict is None:
        if whole:
            told = f"missing; {whole[-1].run} has it, {whole[-1].verdict.status}"
            yield Change(turn=Turn.WORSE, scenario=name, what="", told=told)
    elif now is None:
        told = f"cut short: {verdict.cut_short or 'it has no checks'}"
        yield Change(turn=Turn.UNCOMPARED, scenario=name, what="", told=told)
        yield from breaches(whole[-1].verdict if whole else None, verdict)
    elif whole:
        yield from changes(whole[-1], now)
    elif having:
        told = "cut short in every earlier run like this one"
        yield Change(turn=Turn.UNCOMPARED, scenario=name, what="", told=told)
    else:
        told = f"{verdict.status}; in no earlier run like this one, so that there is nothing to hold it against"
        yield Change(turn=Turn.DIFFERENT, scenario=name, what="", told=told)


def _judged(saved: SavedRun, name: str) -> Judged | None:
    """The scenario of a run, where it ran to its end."""
    verdict = verdict_of(saved, name)
    if verdict is None or verdict.cut_short is not None or name not in saved.scenarios:
        return None
    return Judged(run=str(saved.folder), verdict=verdict, record=saved.scenarios[name])
