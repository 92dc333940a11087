"""What does someone see who looks at the terminal only?

For each scenario the promises as a table, then what broke and what it cost, the worst orders as
short stories, and last where everything lies. Whoever sees nothing else must be able to name cause
and loss. Reads a `SavedRun`; prints to a rich console, which makes plain text of it in a log.
"""

from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.checks import CHECKS
from harness.documents import RunRecord, ScenarioRecord
from harness.report.answering import (
    clocks_line,
    faults_told,
    known_lines,
    losses_told,
    measured_told,
    objective_told,
    rating_line,
    verdict_sentence,
)
from harness.report.reasons import undecided
from harness.report.saved import SavedRun
from harness.report.stories import Story, by_gravity, stories
from harness.verdict import ASSUMPTIONS, JudgedCheck, ScenarioVerdict, Status, Verdict

MOST_STORIES = 3
"""Orders of a scenario whose story is told; every further one stands in verdict.json."""
MOST_SUBJECTS = 6
"""Orders named for one broken promise."""

SPEAKING = frozenset({Status.FAIL, Status.KNOWN, Status.UNKNOWN})
"""Statuses whose notes are worth reading."""

_COLOUR = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.UNKNOWN: "yellow",
    Status.KNOWN: "magenta",
    Status.NOT_EXERCISED: "dim",
    Status.NOT_OFFERED: "dim",
}


def print_run(saved: SavedRun, console: Console) -> None:
    """Print the whole report of one run."""
    for scenario in saved.verdict.scenarios:
        if scenario.scenario in saved.scenarios:
            _print_scenario(scenario, saved.scenarios[scenario.scenario], console)
    for scenario in saved.verdict.scenarios:
        if scenario.scenario in saved.scenarios:
            _print_breaches(scenario, saved.scenarios[scenario.scenario], console)
    _print_end(saved.verdict, saved.run, saved.folder, console)


def story_lines(story: Story, record: ScenarioRecord, columns: int) -> list[str]:
    """One order's story as plain text, with the faults that were on meanwhile."""
    out = StringIO()
    _print_story(story, record, Console(file=out, width=columns, highlight=False, color_system=None))
    return [line.rstrip() for line in out.getvalue().rstrip().splitlines()]


def _print_scenario(verdict: ScenarioVerdict, record: ScenarioRecord, console: Console) -> None:
    console.print(f"\n[bold]{verdict.scenario}[/] [{_COLOUR[verdict.status]}]{verdict.status}[/]")
    console.print(escape(record.doc.splitlines()[0]))
    _indented(console, 0, f"load: {record.load}; size {record.size}; facts {' '.join(record.facts) or 'none'}", "dim")
    for line in faults_told(record.faults):
        _indented(console, 0, f"fault: {line}", "dim")
    if verdict.cut_short:
        _indented(console, 0, f"cut short: {verdict.cut_short}", "yellow")
    marks, reasons = undecided(verdict.checks)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("promise", "objective", "measured", "examined", "status", "facts"):
        right = name in {"objective", "measured", "examined"}
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column("")
    for check in verdict.checks:
        table.add_row(*_row(check, marks[check.check]))
    console.print(table)
    if any(check.status is Status.NOT_EXERCISED for check in verdict.checks):
        _indented(console, 0, "NOT_EXERCISED: this scenario does not claim it; counted, and no breach seen", "dim")
    for number, reason in enumerate(reasons, 1):
        _indented(console, 0, f"({number}) {reason}", "yellow")
    for check in verdict.checks:
        for note in _telling(check):
            _indented(console, 0, f"{check.check}: {note}", "dim")
    if verdict.clocks:
        _indented(console, 0, f"clocks: {clocks_line(verdict.clocks)}")
    _indented(console, 0, f"rating: {rating_line(verdict.rating, verdict.unrated)}")


def _row(check: JudgedCheck, marks: Sequence[int]) -> Iterable[str]:
    colour = _COLOUR[check.status]
    also = [f"{len(check.findings)} {'breach' if len(check.findings) == 1 else 'breaches'}"] if check.findings else []
    also += [f"{check.undecided} undecided"] if check.undecided else []
    also += [" ".join(f"({mark})" for mark in marks)] if marks else []
    return (
        check.check,
        objective_told(check),
        measured_told(check),
        str(check.examined),
        f"[{colour}]{check.status}[/]",
        " ".join(check.facts),
        ", ".join(also),
    )


def _telling(check: JudgedCheck) -> Iterable[str]:
    """Notes worth reading here: of undecided and broken promises, and what was healed; all stand in verdict.json."""
    for note in check.notes:
        premise = check.check == ASSUMPTIONS and (" holds: " in note or " broken: " in note)
        matters = check.status in SPEAKING or check.check == ASSUMPTIONS or "healed" in note
        if matters and not premise:
            yield note


def _print_breaches(verdict: ScenarioVerdict, record: ScenarioRecord, console: Console) -> None:
    broken = by_gravity(verdict.checks)
    if broken:
        console.print(f"\n[bold]{verdict.scenario}: what broke[/]")
    for subjects, checks in _same_subjects(broken):
        for check in checks:
            promise = CHECKS[check.check].promise if check.check in CHECKS else ""
            console.print(f"  [bold red]{check.check}[/]  {escape(promise)}")
        more = f" and {len(subjects) - MOST_SUBJECTS} more" if len(subjects) > MOST_SUBJECTS else ""
        _indented(console, 4, f"{', '.join(subjects[:MOST_SUBJECTS])}{more}")
    for line in losses_told(verdict.checks):
        _indented(console, 2, line, "bold")
    for story in stories(verdict.checks, MOST_STORIES):
        _print_story(story, record, console)
    for check in verdict.checks:
        if check.traceback:
            console.print(f"\n[yellow]{check.check} crashed[/]\n{escape(check.traceback)}")


def _same_subjects(broken: Iterable[JudgedCheck]) -> Iterable[tuple[list[str], list[JudgedCheck]]]:
    """Checks that found breaches of the very same orders, told together; which orders, sorted."""
    together: dict[tuple[str, ...], list[JudgedCheck]] = {}
    for check in broken:
        together.setdefault(tuple(sorted({finding.subject for finding in check.findings})), []).append(check)
    return ((list(subjects), checks) for subjects, checks in together.items())


def _print_story(story: Story, record: ScenarioRecord, console: Console) -> None:
    named = "" if story.message.startswith(story.subject) else f"{story.subject}  "
    console.print()
    _indented(console, 2, f"{named}{', '.join(story.promises)}", "bold")
    _indented(console, 4, story.message)
    instants = [event.at_s for event in story.events if event.at_s is not None]
    if instants:
        meanwhile = [
            fault
            for fault in record.faults
            if fault.start_ms is not None and fault.end_ms is not None
            if fault.start_ms < max(instants) * 1000 and fault.end_ms > min(instants) * 1000
        ]
        if meanwhile:
            _indented(console, 4, f"meanwhile: {'; '.join(faults_told(meanwhile))}", "dim")
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for event in story.events:
        table.add_row("at rest" if event.at_s is None else f"{event.at_s:+.3f} s", event.who, escape(event.told()))
    if story.left_out:
        table.add_row("", "", f"{story.left_out} more rows in verdict.json")
    if story.events:
        console.print(Padding(table, (0, 0, 0, 4)))


def _print_end(verdict: Verdict, run: RunRecord, folder: Path, console: Console) -> None:
    console.print()
    colour = _COLOUR[verdict.status]
    where = ", see the numbered reasons" if verdict.status is Status.UNKNOWN else ""
    _indented(console, 0, f"{verdict_sentence(verdict)}{where}", colour)
    if len(verdict.scenarios) > 1:
        for line in losses_told(check for scenario in verdict.scenarios for check in scenario.checks):
            _indented(console, 2, line, "bold")
        _indented(console, 0, f"clocks: {clocks_line(verdict.clocks, where=True)}")
        _indented(console, 0, f"rating: {rating_line(verdict.rating, None)}")
    for line in known_lines(verdict.known):
        _indented(console, 0, line, "magenta")
    if verdict.cut_short:
        _indented(console, 0, f"cut short: {verdict.cut_short}", "yellow")
    switched = f", defects {', '.join(run.defects)}" if run.defects else ""
    _indented(console, 0, f"target {run.target}, build {run.build}{switched}; seed {verdict.seed}")
    _indented(console, 0, f"everything lies in {folder}")
    _indented(console, 0, f"judge again: harness check {folder}", "dim")
    _indented(console, 0, f"run again:   harness rerun {folder}", "dim")


def _indented(console: Console, columns: int, text: str, style: str = "") -> None:
    """Print a paragraph all of whose lines are indented."""
    for line in Text(text).wrap(console, console.width - columns):
        line.rstrip()
        console.print(Text(" " * columns).append(line.plain, style=style), soft_wrap=True)
