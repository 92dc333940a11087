"""What does a run come to, for a machine that knows tests?

A suite is a scenario, a case is a promise, and one case more says whether the scenario ran to its end; so the worst
case of all says what the run's exit code says.

    PASS           passed
    FAIL           failed, with the orders' stories; where the scenario does not claim the promise, as unclaimed::NAME
    UNKNOWN        an error, never skipped: nobody knows whether the promise holds, and the reasons say why
    KNOWN          skipped, with its ticket: a breach is proven, so it cannot pass, and it has no effect on the exit
                   code, so it cannot fail
    NOT_EXERCISED, NOT_OFFERED   skipped, with the reason

Reads a `SavedRun`; no I/O, no clock.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from harness.checks import CHECKS
from harness.documents import ScenarioRecord
from harness.known_breaches import told as told_known
from harness.report.answering import faults_told, figures_told
from harness.report.room import Room, cut
from harness.report.saved import SavedRun
from harness.report.stories import stories_of
from harness.report.stories import told as told_story
from harness.verdict import JudgedCheck, ScenarioVerdict, Status

RAN = "ran_to_its_end"
"""The case that is no promise: the scenario was not cut short, and holds to something at all."""
WHOLE_RUN = "whole_run"
"""Suite of what no scenario says: a run that was cut short beside them."""
MOST_IN_A_LINE = 1_000
"""Characters of a message."""


class Result(StrEnum):
    """What tests come to."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


RESULTS = {
    Status.PASS: Result.PASSED,
    Status.FAIL: Result.FAILED,
    Status.UNKNOWN: Result.ERROR,
    Status.KNOWN: Result.SKIPPED,
    Status.NOT_EXERCISED: Result.SKIPPED,
    Status.NOT_OFFERED: Result.SKIPPED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One promise, or `RAN`."""

    name: str
    """Unique in its suite."""
    status: Status
    message: str
    """Why, in one line."""
    text: str = ""
    """What a person needs to see who sees nothing else: why, figures, stories, notes, traceback; empty of a pass."""
    check: JudgedCheck | None = None
    """The promise, with its figures; None for `RAN`."""

    @property
    def result(self) -> Result:
        """The status in the words of tests."""
        return RESULTS[self.status]


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From when to when, in ms since the epoch, UTC."""

    start_ms: float
    end_ms: float

    @property
    def seconds(self) -> float:
        """How long it took; never below 0."""
        return max(0.0, self.end_ms - self.start_ms) / 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """One scenario."""

    name: str
    cases: tuple[Case, ...]
    span: Span
    """Its load, from the first arrival to the last journey's end; empty where none began."""
    verdict: ScenarioVerdict | None = None
    record: ScenarioRecord | None = None
    """The description as it was run; None where it was never begun."""


def suites(saved: SavedRun, room: Room) -> tuple[Suite, ...]:
    """The whole run; the worst result in it is the verdict's."""
    found = [_suite(saved, verdict, room) for verdict in saved.verdict.scenarios]
    if saved.verdict.status is Status.UNKNOWN and all(each.status is Status.PASS for each in saved.verdict.scenarios):
        why = f"cut short: {saved.verdict.cut_short or 'no scenario was judged'}"
        case = Case(name=RAN, status=Status.UNKNOWN, message=cut(why, room.chars), text=cut(why, room.chars))
        found.append(Suite(name=WHOLE_RUN, cases=(case,), span=_nothing(saved)))
    return tuple(found)


def span_of(saved: SavedRun) -> Span:
    """From the run's beginning to the end of the last load in it."""
    start_ms = saved.run.anchor.utc_ms
    ends = [_span(saved, verdict.scenario).end_ms for verdict in saved.verdict.scenarios]
    return Span(start_ms=start_ms, end_ms=max([start_ms, *ends]))


def figures(check: JudgedCheck) -> dict[str, str | int | float]:
    """The numbers of a promise by name; what it does not have is left out."""
    every = {
        "status": check.status.value,
        "claimed": check.claimed,
        "examined": check.examined,
        "undecided": check.undecided,
        "breaches": len(check.findings),
        "measured": check.measured,
        "objective": check.objective,
        "unit": check.unit or None,
    }
    return {name: value for name, value in every.items() if value is not None}


def _suite(saved: SavedRun, verdict: ScenarioVerdict, room: Room) -> Suite:
    record = saved.scenarios.get(verdict.scenario)
    return Suite(
        name=verdict.scenario,
        cases=(_ran(verdict, room), *(_case(check, record, saved, room) for check in verdict.checks)),
        span=_span(saved, verdict.scenario),
        verdict=verdict,
        record=record,
    )


def _ran(verdict: ScenarioVerdict, room: Room) -> Case:
    why = None
    if verdict.cut_short is not None:
        why = f"cut short: {verdict.cut_short}"
    elif verdict.status is Status.UNKNOWN and all(check.status is not Status.UNKNOWN for check in verdict.checks):
        why = verdict.reason
    if why is None:
        return Case(name=RAN, status=Status.PASS, message="the scenario ran to its end")
    return Case(name=RAN, status=Status.UNKNOWN, message=cut(why, room.chars), text=cut(why, room.chars))


def _case(check: JudgedCheck, record: ScenarioRecord | None, saved: SavedRun, room: Room) -> Case:
    unclaimed = check.status is Status.FAIL and check.claimed is None
    passed = check.status is Status.PASS
    return Case(
        name=f"unclaimed::{check.check}" if unclaimed else check.check,
        status=check.status,
        message=cut(" ".join(_message(check).split()), min(room.chars, MOST_IN_A_LINE)),
        text="" if passed else cut("\n".join(_text(check, record, saved, room)), room.chars),
        check=check,
    )


def _message(check: JudgedCheck) -> str:
    if check.known is not None:
        return f"known breach {told_known(check.known)}: {check.reason}"
    if check.status is Status.FAIL:
        first = stories_of(check, 1)
        return f"{check.reason}{f'; {first[0].message}' if first else ''}"
    return check.reason


def _text(check: JudgedCheck, record: ScenarioRecord | None, saved: SavedRun, room: Room) -> Iterator[str]:
    yield f"{check.status}: {check.reason}"
    if check.check in CHECKS:
        yield f"The promise: {CHECKS[check.check].promise}"
    yield figures_told(check)
    if check.status is Status.FAIL and check.claimed is None:
        yield "The scenario does not claim it; a breach that is proven counts all the same."
    if check.known is not None:
        yield "A breach is proven, and known.toml names a ticket for it, so it has no effect on the exit code."
    if check.status in {Status.NOT_EXERCISED, Status.NOT_OFFERED} and not check.findings and check.traceback is None:
        return
    if record is not None:
        yield f"The scenario: {record.doc.splitlines()[0]}"
        yield from (f"Meanwhile: {fault}" for fault in faults_told(record.faults))
    yield from check.notes
    stories = stories_of(check, room.stories)
    for story in stories:
        yield ""
        yield from told_story(story)
    subjects = len({finding.subject for finding in check.findings})
    if subjects > len(stories):
        yield f"\n{subjects - len(stories)} of {subjects} are left out here; all stand in {saved.folder}/verdict.json"
    if check.traceback:
        yield f"\n{check.traceback}"
    yield ""
    if stories:
        yield f"The whole story of an order: harness explain {saved.folder} {stories[0].subject}"
    yield f"The same again: harness rerun {saved.folder}"
    if saved.run.arguments:
        yield f"or, where that is not at hand: harness gate {shlex.join(saved.run.arguments)}"


def _nothing(saved: SavedRun) -> Span:
    return Span(start_ms=saved.run.anchor.utc_ms, end_ms=saved.run.anchor.utc_ms)


def _span(saved: SavedRun, scenario: str) -> Span:
    """The load's; a scenario that was cut off in it ends where it began."""
    conduct = saved.conducts.get(scenario)
    if conduct is None or conduct.load_start_ns is None:
        return _nothing(saved)
    start_ms, end_ms = (
        saved.run.anchor.utc_ms + (instant_ns - saved.run.anchor.monotonic_ns) / 1e6
        for instant_ns in (conduct.load_start_ns, conduct.load_end_ns or conduct.load_start_ns)
    )
    return Span(start_ms=start_ms, end_ms=end_ms)
