"""What does someone read who sees one promise only, as a test's message?

A promise of a saved run is settled: what its check says, and what the scenario says about all of
them (a run that was cut short passes nothing). A breach is told as the stories of its worst orders,
what is undecided with its reason. A headline says it in one line, for lists that have room for no more.

    ScenarioVerdict ──settle──> Settled ──> a test's outcome and its message
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from harness.checks import CHECKS
from harness.checks.judging import COMPLETE
from harness.report.answering import losses_told
from harness.report.saved import SavedRun
from harness.report.stories import stories
from harness.report.terminal import story_lines
from harness.verdict import ASSUMPTIONS, JudgedCheck, ScenarioVerdict, Status

UNCLAIMED = "unclaimed"
"""Stands for all promises that a scenario does not claim: none of them may be seen broken."""
MOST_STORIES = 3
"""Orders whose story is told in one message; the others are named in verdict.json."""
MOST_NOTES = 5
COLUMNS = 110
HARNESS_FAILED = "the harness failed"

_GRAVITY = (Status.FAIL, Status.UNKNOWN, Status.KNOWN)
"""What of several promises is told of them together, gravest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What became of one promise."""

    scenario: str
    promise: str
    status: Status
    headline: str
    """One line."""
    text: str
    """All there is to say, in lines."""
    figures: tuple[tuple[str, str], ...] = ()
    """Name and value, for files that machines read."""


def claimed_names(verdict: ScenarioVerdict) -> tuple[str, ...]:
    """The promises that a judged scenario claims; `assumptions` is always among them."""
    return tuple(check.check for check in verdict.checks if check.claimed is not None) or (ASSUMPTIONS,)


def settle(saved: SavedRun, scenario: str, promise: str, listed: Collection[str] = ()) -> Settled:
    """Settle one promise of a scenario, or as `unclaimed` all of those that are not `listed`."""
    verdict = next((each for each in saved.verdict.scenarios if each.scenario == scenario), None)
    if verdict is None:
        return _settled(saved, scenario, promise, Status.UNKNOWN, f"{saved.folder} holds no run of {scenario}")
    if promise == UNCLAIMED:
        return _settle_others(saved, verdict, [check for check in verdict.checks if check.check not in listed])
    found = [check for check in verdict.checks if check.check == promise]
    if not found:
        why = f"{saved.folder} does not judge this promise" if verdict.checks else verdict.reason
        return _settled(saved, scenario, promise, Status.UNKNOWN, why)
    (check,) = found
    doubt = _doubt(saved, verdict, check)
    if doubt is not None:
        return _settled(saved, scenario, promise, Status.UNKNOWN, doubt, checks=found)
    return _settled(saved, scenario, promise, check.status, check.reason, checks=found)


def _settle_others(saved: SavedRun, verdict: ScenarioVerdict, checks: Sequence[JudgedCheck]) -> Settled:
    for status in _GRAVITY:
        those = [check for check in checks if check.status is status]
        if those:
            why = "; ".join(f"{check.check}: {check.reason}" for check in those)
            return _settled(saved, verdict.scenario, UNCLAIMED, status, why, checks=those)
    lame = [f"{check.check}: {check.reason}" for check in checks if check.traceback or check.findings]
    offered = [check for check in checks if check.status is not Status.NOT_OFFERED]
    why = f"{len(offered)} promises that the scenario does not claim: no breach seen"
    if len(offered) < len(checks):
        why += f"; {len(checks) - len(offered)} more are not offered"
    return _settled(saved, verdict.scenario, UNCLAIMED, Status.NOT_EXERCISED, "; ".join([why, *lame]))


def _doubt(saved: SavedRun, verdict: ScenarioVerdict, check: JudgedCheck) -> str | None:
    """Why a check that passed by itself does not pass in this run."""
    if check.status is not Status.PASS:
        return None
    cut = verdict.cut_short
    if cut is None and saved.run.ended != COMPLETE:
        others = any(each.cut_short for each in saved.verdict.scenarios)
        if not others or saved.run.ended.startswith(HARNESS_FAILED):
            cut = saved.verdict.cut_short
    if cut is not None:
        return f"cut short: {cut}; until then {check.reason}"
    undecided = any(each.status is Status.UNKNOWN for each in verdict.checks)
    if check.check == ASSUMPTIONS and verdict.status is Status.UNKNOWN and not undecided:
        return verdict.reason  # nothing was held to
    return None


def _settled(
    saved: SavedRun, scenario: str, promise: str, status: Status, why: str, *, checks: Sequence[JudgedCheck] = ()
) -> Settled:
    headline = why if status in {Status.PASS, Status.NOT_EXERCISED, Status.NOT_OFFERED} else f"{status}: {why}"
    lines = [headline]
    if status in {Status.FAIL, Status.KNOWN}:
        worst, lines = _breach(saved, scenario, checks)
        headline = worst if status is Status.FAIL else headline
    elif status is Status.UNKNOWN:
        lines += [f"  {note}" for check in checks for note in check.notes[:MOST_NOTES]]
        lines += [check.traceback for check in checks if check.traceback]
    lines += ["", *_whereabouts(saved)]
    return Settled(
        scenario=scenario,
        promise=promise,
        status=status,
        headline=" ".join(headline.split()),
        text="\n".join(lines),
        figures=(("status", str(status)), *_figures(checks if len(checks) == 1 else ())),
    )


def _breach(saved: SavedRun, scenario: str, checks: Sequence[JudgedCheck]) -> tuple[str, list[str]]:
    """The worst order's own sentence; and the promises, what it cost, and the worst orders' stories."""
    broken = [replace(check, status=Status.FAIL) for check in checks]
    worst = stories(broken, MOST_STORIES)
    lines = []
    for check in checks:
        promise = CHECKS[check.check].promise if check.check in CHECKS else ""
        lines.append(f"{check.check} {check.status}, {check.reason}. {promise}".rstrip())
    lines += [f"  {told}" for told in losses_told(broken)]
    record = saved.scenarios.get(scenario)
    if record is not None:
        lines += [line for story in worst for line in story_lines(story, record, COLUMNS)]
    subjects = dict.fromkeys(finding.subject for check in checks for finding in check.findings)
    untold = len(subjects.keys() - {story.subject for story in worst})
    lines += ["", f"  {untold} more in {saved.folder / scenario / 'verdict.json'}"] if untold else []
    told = next((story.subject for story in worst if story.events), None)
    lines += [] if told is None else ["", f"the whole story: harness explain {saved.folder} {told}"]
    return worst[0].message, lines


def _whereabouts(saved: SavedRun) -> Iterable[str]:
    run = saved.run
    defects = f", defects {', '.join(run.defects)}" if run.defects else ""
    yield f"run {saved.folder}: seed {run.seed}, size {run.size}, target {run.target}, build {run.build}{defects}"


def _figures(checks: Sequence[JudgedCheck]) -> Iterable[tuple[str, str]]:
    for check in checks:
        yield "examined", str(check.examined)
        yield "undecided", str(check.undecided)
        if check.claimed is not None:
            yield "claimed", str(check.claimed)
        if check.measured is not None:
            yield "measured", f"{check.measured:.12g} {check.unit}".rstrip()
        if check.objective is not None:
            yield "objective", f"{check.objective:.12g} {check.unit}".rstrip()
