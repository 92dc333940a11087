"""What does someone read of a run on a pull request, in a pipeline's summary, in a chat?

GitHub's flavour: the verdict in a sentence and what it cost, each scenario's promises as a table, the orders' stories
worst first, what is undecided and why, and how to run it again. What a target said is text here and never markup.
"""

import re
import shlex
from collections.abc import Iterable, Iterator

from harness.checks import CHECKS
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
from harness.report.room import Room, cut, fitting
from harness.report.saved import SavedRun
from harness.report.stories import Story, by_gravity, stories, told
from harness.verdict import JudgedCheck, ScenarioVerdict, Status

MOST_BYTES = 1024 * 1024
"""What GitHub takes as the summary of one step."""

_WORST_FIRST = (
    Status.FAIL,
    Status.UNKNOWN,
    Status.KNOWN,
    Status.PASS,
    Status.NOT_OFFERED,
    Status.NOT_EXERCISED,
)
_MARKUP = re.compile(r"([\\`*{}\[\]#|~!]|(?<![^\W_])_|_(?![^\W_]))")
"""What could begin something; an underline inside a word cannot."""


def render(saved: SavedRun, most_bytes: int = MOST_BYTES) -> bytes:
    """The page of a run, UTF-8, at most `most_bytes` long; raises HarnessError where that is too little for any."""
    return fitting(lambda room: _page(saved, room), most_bytes)


def plain(text: str) -> str:
    """Text on one line that reads as it is, whatever is in it."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fenced(lines: Iterable[str], language: str = "text") -> str:
    """A block of lines as they are; its fence is longer than any in them."""
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max((len(found) for found in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _page(saved: SavedRun, room: Room) -> bytes:
    text = "\n\n".join(part for part in _parts(saved, room) if part)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _parts(saved: SavedRun, room: Room) -> Iterator[str]:
    verdict, run = saved.verdict, saved.run
    yield f"## {plain(verdict_sentence(verdict))}"
    checks = [check for scenario in verdict.scenarios for check in scenario.checks]
    yield "\n".join(f"- **{plain(line)}**" for line in losses_told(checks))
    switched = f", defects {', '.join(run.defects)}" if run.defects else ""
    which = f"Run {verdict.run_id}, size {run.size}, seed {verdict.seed}"
    yield plain(f"{which}; target {run.target}, build {run.build}{switched}")
    if verdict.cut_short:
        yield f"Cut short: {plain(cut(verdict.cut_short, room.chars))}"
    yield "\n".join(f"- known: {plain(line)}" for line in known_lines(verdict.known))
    for scenario in sorted(verdict.scenarios, key=lambda each: _WORST_FIRST.index(each.status)):
        yield from _scenario(saved, scenario, room)
    yield "### Run it again"
    yield fenced(_again(saved), "sh")


def _scenario(saved: SavedRun, verdict: ScenarioVerdict, room: Room) -> Iterator[str]:
    yield f"### {plain(verdict.scenario)}: {verdict.status}"
    if verdict.scenario in saved.scenarios:
        record = saved.scenarios[verdict.scenario]
        meanwhile = f" Meanwhile: {'; '.join(faults_told(record.faults))}." if record.faults else ""
        yield plain(cut(f"{record.doc.splitlines()[0]} Load: {record.load}.{meanwhile}", max(room.chars, 400)))
    if verdict.cut_short:
        yield f"Cut short: {plain(cut(verdict.cut_short, room.chars))}"
    yield _table(verdict.checks)
    idle = [f"`{check.check}`" for check in verdict.checks if _idle(check)]
    yield f"Not claimed here, counted, no breach seen: {', '.join(idle)}." if idle else ""
    if verdict.clocks:
        yield plain(f"Clocks: {clocks_line(verdict.clocks)}.")
    yield plain(f"Rating: {rating_line(verdict.rating, verdict.unrated)}.") if verdict.checks else ""
    yield from _undecided(verdict.checks, room)
    yield from _broken(verdict.checks, room)


def _idle(check: JudgedCheck) -> bool:
    return check.status is Status.NOT_EXERCISED and not check.findings and check.traceback is None


def _table(checks: Iterable[JudgedCheck]) -> str:
    shown = sorted((check for check in checks if not _idle(check)), key=lambda check: _WORST_FIRST.index(check.status))
    if not shown:
        return ""
    head = ("promise", "status", "objective", "measured", "examined", "undecided", "breaches")
    rows = [head, ("---", "---", "--:", "--:", "--:", "--:", "--:")]
    for check in shown:
        status = f"**{check.status}**" if check.status in {Status.FAIL, Status.UNKNOWN} else plain(check.status)
        counts = (str(check.examined), str(check.undecided or ""), str(len(check.findings) or ""))
        figures = (plain(objective_told(check)), plain(measured_told(check)))
        rows.append((f"`{check.check}`", status, *figures, *counts))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _undecided(checks: Iterable[JudgedCheck], room: Room) -> Iterator[str]:
    lines = [
        f"- `{check.check}` {plain(check.status)}: {plain(cut(check.reason, room.chars))}"
        for check in checks
        if check.status in {Status.UNKNOWN, Status.KNOWN, Status.NOT_OFFERED} or check.traceback is not None
    ]
    if lines:
        yield "#### Undecided, known, not offered, and why"
        yield "\n".join(lines)
    for check in checks:
        if check.traceback is not None:
            yield f"`{check.check}` crashed:"
            yield fenced(cut(check.traceback, room.chars).splitlines())


def _broken(checks: tuple[JudgedCheck, ...], room: Room) -> Iterator[str]:
    broken = by_gravity(checks)
    if not broken:
        return
    yield "#### What broke"
    yield "\n".join(f"- `{check.check}`: {_promise(check)} {plain(check.reason)}." for check in broken)
    found = stories(checks, room.stories) if room.stories else ()
    for story in found:
        yield _story(story, room)
    left_out = len({finding.subject for check in broken for finding in check.findings}) - len(found)
    if left_out > 0:
        yield f"{left_out} more stories stand in `verdict.json`."


def _promise(check: JudgedCheck) -> str:
    return f"*{plain(CHECKS[check.check].promise)}*" if check.check in CHECKS else ""


def _story(story: Story, room: Room) -> str:
    title = f"**{plain(story.subject)}** breaks {', '.join(f'`{name}`' for name in story.promises)}"
    return "\n\n".join((title, fenced(cut("\n".join(told(story)), room.chars).splitlines())))


def _again(saved: SavedRun) -> Iterator[str]:
    yield f"harness rerun {saved.folder}     # the same again, where the run directory is at hand"
    if saved.run.arguments:
        yield f"harness gate {shlex.join(saved.run.arguments)}     # the same again, anywhere"
    for scenario in saved.verdict.scenarios:
        for story in stories(scenario.checks, 1)[:1]:
            yield f"harness explain {saved.folder} {story.subject}     # the worst order of {scenario.scenario}"
