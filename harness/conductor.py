"""What happens in a run, in which order?

    ground up (PostgreSQL, Toxiproxy, warden)
    for each scenario, by name:
        stack up · conditions on · watermark · preflight
        load and faults, side by side
        drain: until nothing moves any more, or its limit
        conditions off · evidence · stack down
    run.json closed

Judging is another process's work (`harness check`). A run may be cut short at
any instant: faults are lifted first, then what was recorded is kept and said to
be cut short. Everything waits with a limit. Works inside Locust's process, on
gevent; knows nothing of Locust.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from harness.assignment import Assignment, read_anchor
from harness.cut import Cut, RunCut
from harness.drain import Drain, acknowledged_refunds
from harness.evidence.clocks import sample_clocks
from harness.evidence.ledgers import watermark
from harness.faults.timeline import Timeline
from harness.known_breaches import KNOWN_FILE
from harness.live.news import Marked, PhaseBegins, Rested, ScenarioEnds
from harness.live.state import State
from harness.load.client import Client, Deadlines
from harness.load.dispatch import Dispatch
from harness.load.leaks import Scanner
from harness.load.session import OnRequest
from harness.load.traits import Traits, traits_of
from harness.loading import JOURNEYS_LIMIT_S, load, travel_as
from harness.onlooker import scenario_news, watching
from harness.operation import JourneyEnd, Phase, StackKind
from harness.progress import Progress, Say
from harness.recorder.rows import PREFLIGHT_JOURNEYS
from harness.recorder.traces import Traces
from harness.recorder.writer import HistoryWriter
from harness.records import run_record, scenario_record
from harness.scenario import Scenario
from harness.stack.container_ground import open_container_ground
from harness.stack.local import open_ground, open_stack
from harness.stage import (
    Account,
    Run,
    Stage,
    close_account,
    closing,
    gather,
    looked_at,
    made,
    surroundings_of,
    write,
    written,
)
from harness.targets.adapter import make_adapter

PREFLIGHT_COUNT = 3
"""One for each method."""
ASK_LIMIT_S = 10.0
"""Watermark and clock samples."""


def conduct(
    assignment: Assignment, *, cut: Cut, say: Say, on_request: OnRequest, on_state: Callable[[State], None]
) -> Path:
    """Run every scenario of an assignment and return the run directory, ready to be judged.

    `on_state` is told once a second what is known so far, where the run is watched.

    Raises UsageError before anything is started, another HarnessError where harness or machine failed; `run.json`
    then says so.
    """
    folder = assignment.folder
    with ExitStack() as opened:
        opened.enter_context(made(folder))
        if assignment.known is not None:
            (folder / KNOWN_FILE).write_bytes(assignment.known)
        anchor = read_anchor()
        say(Progress(scenario="", phase="stack", text=f"starting PostgreSQL and Toxiproxy, seed {assignment.seed}"))
        opening = open_ground if assignment.stack is StackKind.PROCESSES else open_container_ground
        ground = opened.enter_context(
            opening(
                assignment.target,
                run_id=assignment.run_id,
                logs=folder / "logs",
                port_base=assignment.port_base,
                allowed_hosts=assignment.allow_hosts,
            )
        )
        record = run_record(assignment, ground.versions(), anchor)
        opened.enter_context(closing(record, folder / "run.json", cut))
        tell = opened.enter_context(watching(assignment, on_state=on_state, say=say))
        run = Run(
            assignment=assignment, ground=ground, anchor=anchor, cut=cut, say=say, tell=tell, on_request=on_request
        )
        for number, scenario in enumerate(assignment.scenarios, 1):
            if cut.reason is None:
                if len(assignment.scenarios) > 1:
                    turn = f"{number} of {len(assignment.scenarios)} scenarios"
                    say(Progress(scenario=scenario.name, phase="begins", text=turn))
                conduct_scenario(scenario, run)
    return folder


def conduct_scenario(scenario: Scenario, run: Run) -> None:
    """One scenario from a clean stack to evidence on disk."""
    cut, now = run.cut, ""

    def said(phase: str, text: str, share: float | None = None) -> None:
        nonlocal now
        if phase != now:
            now = phase
            run.tell(PhaseBegins(phase=phase))
        run.say(Progress(scenario=scenario.name, phase=phase, text=text, share=share))

    said("stack", "starting the target")
    with open_stage(scenario, run, account=Account(), say=said) as stage:
        with written(stage.history, cut):
            try:
                with looked_at(stage):
                    prepare(stage)
                    load(stage)
                    drain(stage)
                stage.timeline.end_conditions()
            except RunCut:
                stage.account.cut_short = cut.reason
                stage.timeline.lift_all()
        collected = gather(stage)
        close_account(stage, collected)
        stage.tell(ScenarioEnds())


@contextmanager
def open_stage(
    scenario: Scenario, run: Run, *, account: Account, say: Callable[[str, str, float | None], None]
) -> Iterator[Stage]:
    """Bring a scenario's stack up until the block ends, with `scenario.json` before it and `processes.jsonl` after it.

    Raises what `open_stack` and `make_adapter` raise.
    """
    assignment, anchor, cut = run.assignment, run.anchor, run.cut
    plan = scenario.plans[assignment.size]
    folder = assignment.folder / scenario.name
    windows = assignment.windows(scenario)
    with ExitStack() as opened:
        stack = opened.enter_context(
            open_stack(
                run.ground,
                scenario=scenario.name,
                seed=assignment.seed,
                chosen=assignment.chosen,
                windows=windows,
                logs=folder / "logs",
                allowed_hosts=assignment.allow_hosts,
                settings=assignment.settings(scenario),
            )
        )
        target = make_adapter(assignment.target, stack.settings)
        record = scenario_record(scenario, assignment, target.capabilities, stack.sources)
        write(folder / "scenario.json", record)
        timeline = opened.enter_context(
            Timeline(
                around=surroundings_of(stack),
                faults=plan.faults,
                conditions=plan.conditions,
                path=folder / "faults.jsonl",
            )
        )
        opened.enter_context(cut.calls(timeline.lift_all))
        (folder / "history").mkdir(parents=True, exist_ok=True)
        run.tell(scenario_news(scenario.name, folder, stack, anchor))
        yield Stage(
            scenario=scenario,
            plan=plan,
            windows=windows,
            record=record,
            assignment=assignment,
            stack=stack,
            target=target,
            client=Client(stack.base_url, deadlines=Deadlines.within(windows.client_deadline_ms)),
            scanner=Scanner(seed=assignment.seed, run_id=assignment.run_id),
            timeline=timeline,
            history=HistoryWriter(folder / "history" / "0.jsonl", 0, time.monotonic_ns),
            traces=Traces(run_id=assignment.run_id, scenario=scenario.name),
            folder=folder,
            anchor=anchor,
            account=account,
            cut=cut,
            say=say,
            tell=run.tell,
            on_request=run.on_request,
        )
    with (folder / "evidence" / "processes.jsonl").open("wb") as file:
        file.writelines(msgspec.json.encode(event.row()) + b"\n" for event in stack.events)


def prepare(stage: Stage) -> None:
    """Conditions, clocks, watermark, and one journey a method: steady state must hold before anything is broken."""
    stage.cut.check()  # it may have been pulled while the stack came up
    stage.timeline.place_conditions()
    take_marks(stage)
    stage.cut.check()
    stage.say("preflight", "one journey for each method", None)
    ends: dict[str, JourneyEnd] = {}

    def journey(number: int, scheduled_ns: int) -> None:
        traits = preflight_traits(number, stage)
        ends[traits.methods[0]] = travel_as(traits, stage, Phase.WARMUP, scheduled_ns)

    count = 1 if stage.plan.only_create else PREFLIGHT_COUNT
    dispatch = Dispatch(tuple(range(count)), journey, cap=count)
    with stage.cut.calls(dispatch.stop):
        dispatch.start(time.monotonic_ns())
        dispatch.wait_idle(stage.windows.patience_ms / 1_000 + JOURNEYS_LIMIT_S)
    stage.cut.check()
    wanted = JourneyEnd.ORDERED if stage.plan.only_create else JourneyEnd.PAID
    failed = sorted(f"{method}: {end}" for method, end in ends.items() if end is not wanted)
    if failed:
        stage.cut.pull(f"preflight: steady state does not hold before anything is broken ({', '.join(failed)})")
        stage.cut.check()


def take_marks(stage: Stage) -> None:
    """Note how far each source's clock is from ours, and where each ledger ends: what comes after is the run's."""
    sources = stage.stack.sources
    clocks = sample_clocks(stage.target, sources, stage.anchor, limit_s=ASK_LIMIT_S)
    mark = watermark(sources, limit_s=ASK_LIMIT_S)
    stage.account.clocks = clocks.samples
    stage.account.watermark = dict(mark.last_seq)
    stage.tell(Marked(watermark=dict(mark.last_seq)))
    stage.account.problems += [*clocks.problems, *mark.problems]


def preflight_traits(number: int, stage: Stage) -> Traits:
    """A patient customer who keeps what was paid for."""
    traits = traits_of(PREFLIGHT_JOURNEYS + number, seed=stage.assignment.seed, run_id=stage.assignment.run_id)
    return replace(traits, leaves_early=False, refunds_half=False)


def drain(stage: Stage) -> None:
    """Wait until nothing moves; note what still does at the limit."""
    draining = Drain(
        target=stage.target,
        sources=stage.stack.sources,
        windows=stage.windows,
        anchor=stage.anchor,
        last_fault_ns=stage.timeline.last_lifted_ns or stage.account.load_start_ns or 0,
    )
    stage.history.flush()
    draining.asked(acknowledged_refunds(stage.folder / "history"))
    stage.account.drained = draining.wait(
        stage.windows.drain_ms / 1_000,
        give_up=lambda: stage.cut.reason is not None,
        say=lambda text, share: stage.say("drain", text, share),
    )
    stage.tell(Rested(quiescent=stage.account.drained.quiescent_ns is not None))
    stage.cut.check()
