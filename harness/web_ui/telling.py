"""How is what is known told: phases, faults, promises, load, verdict?

From `Known` to words and figures in the order in which the tab shows them. Pure: no clock, no I/O; escaping is the
template's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.checks import CHECKS
from harness.faults.timeline import fault_records
from harness.live.state import State
from harness.operation import Phase
from harness.records import load_told, phases_of
from harness.report.answering import faults_told
from harness.scenario import Plan, Scenario
from harness.web_ui.known import Ended, Known

BEFORE = ("stack", "preflight")
AFTER = ("drain", "evidence", "verdict")
WORDS = {Phase.WARMUP.value: "warm-up", Phase.FAULT.value: "faults"}
"""Where a phase is called otherwise than in the files."""
UNDER_WAY_MS, IDLE_MS = 1_000, 3_000
"""How often to ask again, while a run goes on and while none does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One phase of a scenario."""

    name: str
    state: str
    """done, now or later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Now:
    """The scenario that is being run."""

    run: str
    """The run's id, and which of several scenarios it is at."""
    scenario: str
    doc: str
    asked: str
    """Load, size, seed, build and defects."""
    steps: tuple[Step, ...]
    text: str
    share: float | None
    cut: str | None
    faults_on: tuple[str, ...]
    faults_planned: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What is known of one promise so far."""

    check: str
    sentence: str
    state: str
    """broken, at risk, or watched."""
    watched: int
    broken: int
    at_risk: int
    newest: str
    risk: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number of the load."""

    name: str
    value: str
    bad: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """All that the tab shows."""

    next_ms: int
    """Ask again after so long."""
    now: Now | None
    """None while no run goes on."""
    promises: tuple[Promise, ...]
    figures: tuple[Figure, ...]
    ended: tuple[Ended, ...]
    seen: bool
    """Something is known of the run from within."""


def tell(known: Known) -> Told:
    """Put into words what is known."""
    if not known.busy:
        return Told(next_ms=IDLE_MS, now=None, promises=(), figures=(), ended=known.ended, seen=False)
    scenario = _current(known)
    live = known.live if known.live is not None and known.live.scenario == scenario.name else None
    return Told(
        next_ms=UNDER_WAY_MS,
        now=_now(known, scenario, live),
        promises=() if live is None else tuple(_promises(live)),
        figures=() if live is None else tuple(_figures(live)),
        ended=known.ended,
        seen=live is not None,
    )


def _current(known: Known) -> Scenario:
    """The scenario that progress was last told of; before that the first."""
    scenarios = known.assignment.scenarios
    named = known.progress.scenario if known.progress is not None else ""
    if known.progress is not None and known.progress.phase == "verdict":
        return scenarios[-1]
    return next((scenario for scenario in scenarios if scenario.name == named), scenarios[0])


def _now(known: Known, scenario: Scenario, live: State | None) -> Now:
    assignment, progress = known.assignment, known.progress
    plan = scenario.plans[assignment.size]
    number, count = assignment.scenarios.index(scenario) + 1, len(assignment.scenarios)
    defects = f", defects {', '.join(assignment.chosen.defects)}" if assignment.chosen.defects else ""
    return Now(
        run=f"Run {assignment.run_id}" + (f", {number} of {count} scenarios" if count > 1 else ""),
        scenario=scenario.name,
        doc=scenario.doc.splitlines()[0],
        asked=f"{load_told(plan.load, assignment.rate)}; size {assignment.size.value}, seed {assignment.seed}; "
        f"build {assignment.chosen.build}{defects}",
        steps=tuple(_steps(plan, "stack" if progress is None else progress.phase, live)),
        text="" if progress is None else progress.text,
        share=None if progress is None else progress.share,
        cut=known.cut,
        faults_on=() if live is None else tuple(_faults_on(live)),
        faults_planned=tuple(faults_told(fault_records(plan.faults, plan.conditions))),
    )


def _steps(plan: Plan, phase: str, live: State | None) -> Iterator[Step]:
    """The phases in their order; of the load all are "now" while nobody knows which."""
    of_load = [each.name for each in phases_of(plan)]
    order = [*BEFORE, *of_load, *AFTER]
    if phase == "load" and live is not None and live.phase in of_load:
        phase = live.phase
    first, last = (of_load[0], of_load[-1]) if phase == "load" else (phase, phase)
    if first not in order:
        first = last = BEFORE[0]
    for place, name in enumerate(order):
        state = "done" if place < order.index(first) else "later" if place > order.index(last) else "now"
        yield Step(name=WORDS.get(name, name), state=state)


def _faults_on(live: State) -> Iterator[str]:
    """Each kind of fault that stands, with its places and for how long."""
    places: dict[str, list[str]] = {}
    since: dict[str, float] = {}
    for fault in live.faults:
        places.setdefault(fault.kind, []).append(fault.where)
        since[fault.kind] = min(fault.since_s, since.get(fault.kind, fault.since_s))
    for kind, where in places.items():
        on_s = None if live.since_start_s is None else live.since_start_s - since[kind]
        how_long = f", for {on_s:.0f} s" if on_s is not None and since[kind] >= 0 else ""
        yield f"{kind} on {', '.join(dict.fromkeys(where))}{how_long}"


def _promises(live: State) -> Iterator[Promise]:
    for promise in live.promises:
        yield Promise(
            check=promise.check,
            sentence=CHECKS[promise.check].promise if promise.check in CHECKS else "",
            state="broken" if promise.broken else "at risk" if promise.at_risk else "watched",
            watched=promise.watched,
            broken=promise.broken,
            at_risk=promise.at_risk,
            newest=promise.newest,
            risk=promise.risk,
        )


def _figures(live: State) -> Sequence[Figure]:
    late_ms, cpu = live.lateness_p99_ms, live.generator_cpu_share
    outcomes = ", ".join(f"{live.outcomes[name]} {name}" for name in ("ok", "fail", "info") if name in live.outcomes)
    return (
        Figure(name="arrivals planned", value=str(live.planned)),
        Figure(name="started", value=str(live.started)),
        Figure(name="missed", value=str(live.missed), bad=live.missed > 0),
        Figure(name="under way", value=str(live.in_flight)),
        Figure(name="operations", value=outcomes or "none yet"),
        Figure(name="lateness, p99", value="not known" if late_ms is None else f"{late_ms:.1f} ms"),
        Figure(name="generator CPU", value="not known" if cpu is None else f"{cpu:.0%} of a core"),
    )
