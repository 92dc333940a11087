"""What is the whole story of one order of a saved run?

    harness explain runs/<id> ord_63b7

The order may be named by the beginning of its id, as long as no other begins so. Nothing but the run
directory is read, the target file apart, whose adapter knows how requests look; where that is not at hand
the story is told without them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.documents import read_run_record
from harness.errors import RunDirectoryError, TargetFileError, UsageError
from harness.evidence.tables import Evidence, open_evidence
from harness.money import amount
from harness.report.course import Asked, Moment, courses
from harness.report.curl import STAND_IN, curl_lines
from harness.report.stories import in_trace
from harness.targets.adapter import make_adapter
from harness.targets.file import load_target
from harness.verdict import Finding, Verdict
from harness.verdict_document import decode_verdict

MOST_NAMED = 6
"""Orders named where a beginning fits several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """One order's story."""

    scenario: str
    order_id: str
    user: str | None
    total: str
    moments: tuple[Moment, ...]
    at_rest: str
    broken: tuple[tuple[str, Finding], ...]
    """Check and finding, of those that are about this order."""
    sent: tuple[Asked, ...]
    seed: int
    start_ns: int
    utc_ms: float
    """Of the load's start."""


FITTING = "SELECT order_id FROM orders WHERE starts_with(order_id, $begin) ORDER BY order_id"


def explain(run_dir: Path, order: str) -> Explanation:
    """Tell of the one order whose id is or begins with `order`.

    Raises RunDirectoryError where the folder is none, UsageError where no order fits, or several.
    """
    record = read_run_record(run_dir)
    folders = [run_dir / name for name in record.scenarios if (run_dir / name / "scenario.json").is_file()]
    found: list[tuple[Path, str]] = []
    for folder in folders:
        with open_evidence(folder) as evidence:
            found += [(folder, order_id) for (order_id,) in evidence.rows(FITTING, begin=order)]
    exact = [(folder, order_id) for folder, order_id in found if order_id == order]
    folder, order_id = _only(exact or found, order, run_dir)
    with open_evidence(folder) as evidence:
        return _explained(evidence, order_id, _verdict(run_dir))


def _only(found: list[tuple[Path, str]], order: str, run_dir: Path) -> tuple[Path, str]:
    if not found or not order:
        raise UsageError(f"no order of {run_dir} begins with {order!r}; verdict.json and evidence/ name them")
    if len(found) > 1:
        names = ", ".join(f"{order_id} ({folder.name})" for folder, order_id in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise UsageError(f"{len(found)} orders of {run_dir} begin with {order!r}: {names}{more}")
    return found[0]


def _verdict(run_dir: Path) -> Verdict | None:
    """The verdict, where there is one; a story can be told without."""
    path = run_dir / "verdict.json"
    try:
        return decode_verdict(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as exc:
        raise RunDirectoryError(f"{path} is damaged: {exc}; `harness check {run_dir}` writes it anew") from exc


def _explained(evidence: Evidence, order_id: str, verdict: Verdict | None) -> Explanation:
    told = courses(evidence, [order_id])[order_id]
    scenarios = [] if verdict is None else [s for s in verdict.scenarios if s.scenario == evidence.scenario.name]
    return Explanation(
        scenario=evidence.scenario.name,
        order_id=order_id,
        user=told.user,
        total="price unknown" if told.total_minor is None else amount(told.total_minor, told.currency),
        moments=tuple(told.moments),
        at_rest=told.at_rest,
        broken=tuple(
            (check.check, finding)
            for each in scenarios
            for check in each.checks
            for finding in check.findings
            if finding.subject == order_id
        ),
        sent=tuple(told.sent),
        seed=evidence.scenario.seed,
        start_ns=evidence.start_ns,
        utc_ms=evidence.utc_ms(evidence.start_ns),
    )


def print_explanation(run_dir: Path, told: Explanation, console: Console) -> None:
    """Print the story, what was broken, and the requests as curl lines."""
    console.print(f"[bold]{escape(told.order_id)}[/] of {told.scenario}, {told.total}, user {escape(told.user or '?')}")
    for check, finding in told.broken:
        console.print(f"[bold red]{check}[/]: {escape(finding.message)}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column("UTC", no_wrap=True)
    table.add_column("who", no_wrap=True)
    table.add_column("what", overflow="fold")
    for moment in told.moments:
        since_s = (moment.at_ns - told.start_ns) / 1e9
        utc = datetime.fromtimestamp(told.utc_ms / 1e3 + since_s, tz=UTC)
        style = "dim" if moment.who == "fault" else ""
        clock = f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03d}"
        table.add_row(f"{since_s:+.3f}", clock, moment.who, escape(in_trace(moment.what, moment.trace_id)), style=style)
    table.add_row("at rest", "", "books", escape(told.at_rest))
    console.print(table)
    console.print("\n[bold]the customers' requests[/]")
    for line in _curls(run_dir, told):
        console.print(line, markup=False, soft_wrap=True)


def _curls(run_dir: Path, told: Explanation) -> Iterable[str]:
    """The script, or why there is none."""
    record = read_run_record(run_dir)
    try:
        file = load_target(Path(record.target_file))
        target = make_adapter(file, dict.fromkeys(file.settings, STAND_IN))
    except TargetFileError as exc:
        return [f"# how the target is spoken to is not known here: {exc}"]
    return curl_lines(target, told.sent, told.order_id, seed=told.seed, run_id=record.run_id)
