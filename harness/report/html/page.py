"""What stands on the page, section by section?

From the verdict and the evidence of a saved run to plain values, in the order in which the page shows them: what
the template prints, and what its script draws. Reads the run directory and nothing else, so that the same
directory gives the same page.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.checks import CHECKS
from harness.documents import RunRecord, ScenarioRecord
from harness.evidence.tables import open_evidence
from harness.facts import FACTS
from harness.rating import Rating
from harness.report.answering import (
    clocks_line,
    faults_told,
    known_lines,
    measured_told,
    objective_told,
    rating_line,
)
from harness.report.html.axis import Axis, axis
from harness.report.html.lanes import SPACE, Space, Tales, tales
from harness.report.html.stakes import Money, money, sentence
from harness.report.html.validity import Validity, validity
from harness.report.reasons import undecided
from harness.report.saved import SavedRun
from harness.verdict import ASSUMPTIONS, JudgedCheck, ScenarioVerdict, Status, Verdict

GROUPS = (Status.FAIL, Status.UNKNOWN, Status.KNOWN, Status.PASS)
"""Statuses whose promises stand in the open, in this order; the others are folded away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """One row of the table of promises."""

    name: str
    sentence: str
    status: Status
    claimed: bool
    examined: int
    undecided: int
    breaches: int
    measured: str
    objective: str
    facts: tuple[tuple[str, str], ...]
    """Number and sentence."""
    reasons: tuple[int, ...]
    """Numbers of the reasons why it is undecided."""
    notes: tuple[str, ...]
    ticket: str
    traceback: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFile:
    """One file of the run directory."""

    path: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One scenario."""

    number: int
    name: str
    status: Status
    title: str
    text: str
    load: str
    facts: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]
    cut_short: str | None
    sentence: str
    money: Money
    promises: tuple[Promise, ...]
    others: tuple[Promise, ...]
    """Promises that the scenario does not claim or the target does not offer, where no breach was seen."""
    reasons: tuple[str, ...]
    clocks: str
    rating: str
    axis: Axis | None
    """None where the scenario was never begun."""
    tales: Tales
    validity: Validity | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The whole page."""

    run: RunRecord
    verdict: Verdict
    sentence: str
    money: Money
    rating: str
    grade: str
    """The rating in a word, or empty."""
    known: tuple[str, ...]
    sections: tuple[Section, ...]
    files: tuple[RawFile, ...]


def page(saved: SavedRun) -> Page:
    """Put the page of one judged run together; costs about 0.5 s a scenario."""
    sections = tuple(_section(saved, number, each) for number, each in enumerate(saved.verdict.scenarios, 1))
    checks = [check for scenario in saved.verdict.scenarios for check in scenario.checks]
    return Page(
        run=saved.run,
        verdict=saved.verdict,
        sentence=sentence(saved.verdict.status, saved.verdict.scenarios),
        money=money(checks, [section.axis for section in sections if section.axis is not None]),
        rating=rating_line(saved.verdict.rating, None),
        grade=_grade(saved.verdict.rating),
        known=tuple(known_lines(saved.verdict.known)),
        sections=sections,
        files=tuple(_files(saved)),
    )


def _section(saved: SavedRun, number: int, judged: ScenarioVerdict) -> Section:
    record = saved.scenarios.get(judged.scenario)
    marks, reasons = undecided(judged.checks)
    promises = [_promise(check, marks.get(check.check, [])) for check in judged.checks]
    shown = [promise for status in GROUPS for promise in promises if promise.status is status]
    drawn: Axis | None = None
    told, stands = Tales(told=()), None
    if record is not None:
        with open_evidence(saved.folder / judged.scenario) as evidence:
            drawn = axis(evidence, _recovered_s(judged.checks))
            told = tales(evidence, judged.checks, _space(len(saved.scenarios)))
            stands = validity(evidence, judged.checks)
    return Section(
        number=number,
        name=judged.scenario,
        status=judged.status,
        title="it was never begun" if record is None else record.doc.strip().splitlines()[0],
        text="" if record is None else _text(record),
        load="" if record is None else f"{record.load}; size {record.size}",
        facts=_facts(judged.facts),
        faults=() if record is None else tuple(faults_told(record.faults)),
        cut_short=judged.cut_short,
        sentence=sentence(judged.status, [judged]),
        money=money(judged.checks, [] if drawn is None else [drawn]),
        promises=tuple(shown),
        others=tuple(promise for promise in promises if promise.status not in GROUPS),
        reasons=tuple(reasons),
        clocks=clocks_line(judged.clocks),
        rating=rating_line(judged.rating, judged.unrated),
        axis=drawn,
        tales=told,
        validity=stands,
    )


def _grade(rating: Rating | None) -> str:
    return "" if rating is None else f"{rating.grade}, {rating.score:.1f} of 100"


def _text(record: ScenarioRecord) -> str:
    return " ".join(line.strip() for line in record.doc.strip().splitlines()[1:]).strip()


def _facts(numbers: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((number, FACTS.get(number, "")) for number in numbers)


def _recovered_s(checks: Iterable[JudgedCheck]) -> float | None:
    return next((check.measured for check in checks if check.check == "recovery_time"), None)


def _promise(check: JudgedCheck, reasons: Sequence[int]) -> Promise:
    return Promise(
        name=check.check,
        sentence=CHECKS[check.check].promise if check.check in CHECKS else "",
        status=check.status,
        claimed=check.claimed is not None,
        examined=check.examined,
        undecided=check.undecided,
        breaches=len(check.findings),
        measured=measured_told(check),
        objective=objective_told(check),
        facts=_facts(check.facts),
        reasons=tuple(reasons),
        notes=() if check.check == ASSUMPTIONS else check.notes,
        ticket="" if check.known is None else check.known.ticket,
        traceback=check.traceback or "",
    )


def _space(scenarios: int) -> Space:
    """A scenario's part of the page."""
    return Space(
        whole_bytes=SPACE.whole_bytes // scenarios,
        brief_bytes=SPACE.brief_bytes // scenarios,
        named=SPACE.named // scenarios,
    )


KEPT = (".json", ".jsonl", ".parquet")


def _files(saved: SavedRun) -> Iterator[RawFile]:
    """The files that the verdict was made of; reports beside them are none."""
    names = ["run.json", "verdict.json"]
    folders = [saved.folder / judged.scenario for judged in saved.verdict.scenarios]
    paths = [saved.folder / name for name in names]
    paths += [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in KEPT]
    for path in paths:
        if path.is_file():
            yield RawFile(path=_relative(path, saved.folder), bytes=path.stat().st_size)


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
