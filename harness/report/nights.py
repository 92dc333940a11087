"""How do runs stand side by side on a terminal or in a log?

All runs first, each with a number; then for each scenario its promises, clocks and rating by night; last what got
worse, what was not compared, what got better and what else is different, since the end of a log is what is read. Where
nights do not fit beside each other, the tables show the last ones and say so. Prints a `Comparison` to a rich console.
"""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.errors import ExitCode
from harness.rating import Rating
from harness.report.answering import measured_told
from harness.report.change import Change, Turn, clock_told
from harness.report.comparison import Comparison, Night, verdict_of
from harness.verdict import ScenarioVerdict, Status

GAP = 2
"""Columns between two columns of a table."""

_HEADINGS = {
    Turn.WORSE: "what got worse",
    Turn.UNCOMPARED: "what was not compared",
    Turn.BETTER: "what got better",
    Turn.DIFFERENT: "what else is different (one value a night has no error bar: a difference is only a difference)",
}
_ENDS = {
    ExitCode.PASS: "nothing got worse",
    ExitCode.UNDECIDED: "nothing is seen to be worse, but not everything could be compared",
}
_IDLE = frozenset({Status.NOT_EXERCISED, Status.NOT_OFFERED})


def print_comparison(compared: Comparison, console: Console) -> None:
    """Print everything, the changes last."""
    _print_runs(compared.nights, console)
    for scenario in compared.scenarios:
        _print_scenario(scenario, compared.nights, console)
    for turn, heading in _HEADINGS.items():
        found = [change for change in compared.changes if change.turn is turn]
        if found:
            console.print(f"\n[bold]{heading}[/]")
        for change in found:
            _print_line(_told(change), console, indent=2)
    worse = sum(change.turn is Turn.WORSE for change in compared.changes)
    things = "1 thing" if worse == 1 else f"{worse} things"
    end = _ENDS.get(compared.exit_code, f"{things} got worse")
    last = compared.nights[-1].saved.folder
    console.print()
    _print_line(f"{last}: {end} (exit code {int(compared.exit_code)})", console)


def _print_runs(nights: Sequence[Night], console: Console) -> None:
    table = _table("night", "run", "began, UTC", "verdict", "rating", "seed")
    for number, night in enumerate(nights, 1):
        run, verdict = night.saved.run, night.saved.verdict
        began = datetime.fromtimestamp(run.anchor.utc_ms / 1_000, tz=UTC).strftime("%Y-%m-%d %H:%M")
        table.add_row(str(number), run.run_id, began, verdict.status, _grade(verdict.rating), str(run.seed))
    console.print(table)
    last = nights[-1].saved.run
    switched = f", defects {', '.join(last.defects)}" if last.defects else ""
    rate = "" if last.rate == 1 else f", rate {last.rate:g}"
    _print_line(
        f"target {last.target}, build {last.build}{switched}; size {last.size}{rate}, profile {last.profile}", console
    )
    for number, night in enumerate(nights, 1):
        if night.unlike:
            _print_line(f"night {number}* is not compared: {'; '.join(night.unlike)}", console)
        if night.saved.verdict.cut_short:
            _print_line(f"night {number} was cut short: {night.saved.verdict.cut_short}", console)


def _print_scenario(scenario: str, nights: Sequence[Night], console: Console) -> None:
    verdicts = [verdict_of(night.saved, scenario) for night in nights]
    rows = [("promise", *(f"{number}{'*' if night.unlike else ''}" for number, night in enumerate(nights, 1)))]
    rows += _rows(verdicts)
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    shown = len(nights)
    while shown > 2 and widths[0] + sum(GAP + width for width in widths[-shown:]) > console.width:  # noqa: PLR2004  # two make a comparison
        shown -= 1
    table = _table(*(escape(cell) for cell in (rows[0][0], *rows[0][-shown:])))
    for row in rows[1:]:
        table.add_row(*(escape(cell) for cell in (row[0], *row[-shown:])))
    console.print(f"\n[bold]{escape(scenario)}[/]")
    console.print(table)
    if shown < len(nights):
        _print_line(f"nights 1 to {len(nights) - shown} are left out: too many for {console.width} columns", console)


def _rows(verdicts: Sequence[ScenarioVerdict | None]) -> Iterator[tuple[str, ...]]:
    """A row a promise that some run was held to or broke, then the clocks that ran, then the rating."""
    yield ("scenario", *(_whole(verdict) for verdict in verdicts))
    newest = [verdict for verdict in reversed(verdicts) if verdict is not None]
    for name in dict.fromkeys(check.check for verdict in newest for check in verdict.checks):
        cells = [_promise(verdict, name) for verdict in verdicts]
        if any(not cell.startswith(tuple(_IDLE)) for cell in cells if cell):
            yield (name, *cells)
    for name in dict.fromkeys(clock.name for verdict in newest for clock in verdict.clocks):
        cells = [_clock(verdict, name) for verdict in verdicts]
        if any(cell not in {"", "not measured"} for cell in cells):
            yield (f"clock {name}", *cells)
    yield ("rating", *(_grade(verdict.rating if verdict else None) for verdict in verdicts))


def _whole(verdict: ScenarioVerdict | None) -> str:
    if verdict is None:
        return "missing"
    return f"{verdict.status}, cut short" if verdict.cut_short else verdict.status


def _promise(verdict: ScenarioVerdict | None, name: str) -> str:
    check = next((check for check in verdict.checks if check.check == name), None) if verdict else None
    return "" if check is None else f"{check.status} {'' if check.status in _IDLE else measured_told(check)}".rstrip()


def _clock(verdict: ScenarioVerdict | None, name: str) -> str:
    clock = next((clock for clock in verdict.clocks if clock.name == name), None) if verdict else None
    return "" if clock is None else clock_told(clock)


def _grade(rating: Rating | None) -> str:
    return "none" if rating is None else f"{rating.grade} {rating.score:.1f}"


def _told(change: Change) -> str:
    where = " ".join(part for part in (change.scenario, change.what) if part)
    return f"{where}: {change.told}" if where else change.told


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print_line(text: str, console: Console, indent: int = 0) -> None:
    """A paragraph; its further lines are indented, so that its beginning stands out."""
    lines = textwrap.wrap(
        text,
        width=console.width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + GAP),
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.print("\n".join(lines), markup=False, soft_wrap=True)
