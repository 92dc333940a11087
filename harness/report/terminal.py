"""What does someone see who looks at the terminal only?

For each scenario the promises as a table, then the breaches as short stories,
worst first, then where everything lies. Whoever sees nothing else must be able
to name cause and loss. Reads a `SavedRun`; prints to a rich console, which makes
plain text of it in a log.
"""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.documents import RunRecord, ScenarioRecord
from harness.report.saved import SavedRun
from harness.verdict import JudgedCheck, ScenarioVerdict, Status, Verdict

MOST_STORIES = 5
"""Stories told of one promise; how many more there are is said, and all stand in verdict.json."""

_COLOUR = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.UNKNOWN: "yellow",
    Status.NOT_EXERCISED: "dim",
    Status.NOT_OFFERED: "dim",
}
_GRAVEST_FIRST = (
    "no_double_charge",
    "no_vanished_order",
    "no_orphan_charge",
    "money_conserved",
    "refund_in_window",
    "no_over_refund",
)
"""What costs customers money or orders is told first; the rest follows in the checks' own order."""

_ENDS = {
    Status.PASS: "every claimed promise held",
    Status.FAIL: "promises were broken",
    Status.UNKNOWN: "undecided: what was seen does not carry a verdict",
}


def print_run(saved: SavedRun, console: Console) -> None:
    """Print the whole report of one run."""
    for scenario in saved.verdict.scenarios:
        if scenario.scenario in saved.scenarios:
            _print_scenario(scenario, saved.scenarios[scenario.scenario], console)
    for scenario in saved.verdict.scenarios:
        _print_stories(scenario, console)
    _print_end(saved.verdict, saved.run, saved.folder, console)


def _print_scenario(verdict: ScenarioVerdict, record: ScenarioRecord, console: Console) -> None:
    console.print()
    console.rule(f"[bold]{verdict.scenario}[/]  [{_COLOUR[verdict.status]}]{verdict.status}[/]", align="left")
    console.print(escape(record.doc.splitlines()[0]))
    console.print(
        f"load: {escape(record.load)}; size {record.size}; facts {' '.join(record.facts) or 'none'}", style="dim"
    )
    for line in dict.fromkeys(fault.describe for fault in record.faults):
        console.print(f"fault: {escape(line)}", style="dim")
    if verdict.cut_short:
        console.print(f"cut short: {escape(verdict.cut_short)}", style="yellow")
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("promise", "objective", "measured", "examined", "status", "facts"):
        table.add_column(
            name, justify="right" if name in ("objective", "measured", "examined") else "left", no_wrap=True
        )
    table.add_column("why", overflow="fold")
    for check in verdict.checks:
        table.add_row(*_row(check))
    console.print(table)


def _row(check: JudgedCheck) -> Iterable[str]:
    colour = _COLOUR[check.status]
    examined = str(check.examined) + (f" ({check.undecided} undecided)" if check.undecided else "")
    return (
        check.check,
        _number(check.objective, check.unit),
        _number(check.measured, check.unit),
        examined,
        f"[{colour}]{check.status}[/]",
        " ".join(check.facts),
        escape(check.reason) if check.status is not Status.PASS else "",
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "share":
        return f"{value:.2%}"
    return f"{round(value, 3):g} {unit}".rstrip()


def _print_stories(verdict: ScenarioVerdict, console: Console) -> None:
    broken = [check for check in verdict.checks if check.findings]
    rank = {name: place for place, name in enumerate(_GRAVEST_FIRST)}
    for check in sorted(broken, key=lambda check: rank.get(check.check, len(rank))):
        console.print()
        count = "1 breach" if len(check.findings) == 1 else f"{len(check.findings)} breaches"
        console.print(f"[bold red]{verdict.scenario} · {check.check}[/]: {count}")
        for finding in check.findings[:MOST_STORIES]:
            console.print(f"  [bold]{escape(finding.subject)}[/]  {escape(finding.message)}")
        if len(check.findings) > MOST_STORIES:
            console.print(f"  and {len(check.findings) - MOST_STORIES} more in verdict.json", style="dim")
    for check in verdict.checks:
        if check.traceback:
            console.print(f"\n[yellow]{check.check} crashed[/]\n{escape(check.traceback)}")
        for note in check.notes:
            if " holds: " in note:
                continue  # a premise that holds is no news; all of them stand in verdict.json
            console.print(f"[dim]{verdict.scenario} · {check.check}: {escape(note)}[/]")


def _print_end(verdict: Verdict, run: RunRecord, folder: Path, console: Console) -> None:
    console.print()
    colour = _COLOUR[verdict.status]
    broken = sorted({c.check for s in verdict.scenarios for c in s.checks if c.status is Status.FAIL})
    what = f"{len(broken)} broken: {', '.join(broken)}" if broken else _ENDS[verdict.status]
    console.print(f"[{colour}]{verdict.status}[/] (exit code {verdict.exit_code}): {what}")
    if verdict.cut_short:
        console.print(f"cut short: {escape(verdict.cut_short)}", style="yellow")
    switched = f", defects {', '.join(run.defects)}" if run.defects else ""
    console.print(f"target {escape(run.target)}, build {escape(run.build)}{switched}; seed {verdict.seed}")
    console.print(
        f"everything lies in {folder}; judge again: harness check {folder}; run again: harness rerun {folder}"
    )
