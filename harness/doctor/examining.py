"""What is looked at, in which order?

    target file ─> stack up (or the target that runs already) ─> everything that the file names
      ─> one order and payment a method, one refund ─> rest ─> evidence, as after any run ─> stack down

Runs in a process of its own (`python -m harness.doctor`), on gevent as a run does, and leaves a run's folder for
`harness.doctor.promises`. Whatever happens, what it started ends with it.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from harness.arrivals import Steady
from harness.assignment import Assignment, assign, read_anchor
from harness.conductor import drain, open_stage, take_marks
from harness.cut import Cut
from harness.doctor import reaching
from harness.doctor.customers import send_customers
from harness.doctor.looks import SCENARIO_NAME, Asked, Condition, Look, Tell, ok, wrong
from harness.errors import ExitCode, StackError, TimeLimit
from harness.onlooker import nobody
from harness.operation import Method, Size
from harness.progress import Progress, plain_lines
from harness.records import run_record
from harness.scenario import CLAIMED_ALWAYS, Plan, Scenario
from harness.stack.ground import open_ground
from harness.stage import Account, Run, Stage, close_account, closing, gather, looked_at, surroundings_of, written

DRAIN_MS = 10_000
"""Longest wait for rest; three paid orders need none."""
SCENARIO = Scenario(
    name=SCENARIO_NAME,
    doc="One order and payment for each method, and one refund.",
    facts=(),
    plans={
        Size.SCENE: Plan(
            load=Steady(rate_per_s=3, duration_s=1),
            warmup_s=0,
            claims=dict(CLAIMED_ALWAYS),
            windows={"drain_ms": DRAIN_MS},
        )
    },
)


def examine(asked: Asked, print_look: Tell) -> ExitCode:
    """Look at everything; PASS where all is well, USAGE where the target cannot be reached, else UNDECIDED.

    Raises UsageError where the file is wrong or names a host that may not be spoken to.
    """
    assignment = assigned(asked)
    target = assignment.target
    print_look(ok("target file", f"{target.path}: {target.name}, adapter {target.adapter}"))
    print_look(ok("hosts", "loopback" if not asked.allow_hosts else f"loopback and {', '.join(asked.allow_hosts)}"))
    seen: list[Look] = []

    def tell(look: Look) -> None:
        seen.append(look)
        print_look(look)

    try:
        reached = on_its_stack(assignment, tell)
    except (StackError, TimeLimit) as error:
        tell(
            wrong("stack", str(error), "[[service]] command and environment, [postgres], [commands]; the log is named")
        )
        return ExitCode.USAGE
    if not reached:
        return ExitCode.USAGE
    return ExitCode.UNDECIDED if any(look.condition is Condition.WRONG for look in seen) else ExitCode.PASS


def assigned(asked: Asked) -> Assignment:
    """The doctor's little run, known to be possible; raises UsageError where it is not."""
    return assign(
        scenarios=(SCENARIO,),
        size=Size.SCENE.value,
        seed=asked.seed,
        target_file=Path(asked.target_file),
        build=asked.build,
        defects=(),
        profile=asked.profile,
        runs=Path(asked.runs),
        run_id=asked.run_id,
        port_base=asked.port_base,
        allow_hosts=asked.allow_hosts,
        host="",
        most_journeys=len(Method),
    )


def on_its_stack(assignment: Assignment, tell: Tell) -> bool:
    """Bring everything up, look, and end it again; False where nobody answers customers."""
    say = plain_lines()
    parts = [service.name for service in assignment.target.service if not service.on_demand]

    def progress(phase: str, text: str, share: float | None = None) -> None:
        say(Progress(scenario="", phase=phase, text=text, share=share))

    if parts:
        progress("stack", f"starting {', '.join(parts)} and what they stand on")
    anchor, cut = read_anchor(), Cut()
    with ExitStack() as opened:
        ground = opened.enter_context(
            open_ground(
                assignment.target,
                run_id=assignment.run_id,
                logs=assignment.folder / "logs",
                port_base=assignment.port_base,
                allowed_hosts=assignment.allow_hosts,
            )
        )
        record = run_record(assignment, ground.versions(), anchor)
        opened.enter_context(closing(record, assignment.folder / "run.json", cut))
        run = Run(
            assignment=assignment,
            ground=ground,
            anchor=anchor,
            cut=cut,
            say=lambda _: None,
            tell=nobody,
            on_request=lambda *_: None,
        )
        with open_stage(SCENARIO, run, account=Account(), say=progress) as stage:
            reached = look_around(stage, tell)
            if reached:
                act(stage, tell)
            else:
                (stage.folder / "evidence").mkdir()
            progress("end", "ending what was started")
    return reached


def look_around(stage: Stage, tell: Tell) -> bool:
    """Look at everything that the file names; False, at once, where nobody answers customers."""
    stack, target = stage.stack, stage.target
    for look in reaching.processes(stack):
        tell(look)
    for look in reaching.edges(stack, surroundings_of(stack)):
        tell(look)
    customers = reaching.customers_address(stack, target)
    tell(customers)
    if customers.condition is Condition.WRONG:
        return False
    for look in sources_of(stage):
        tell(look)
    return True


def sources_of(stage: Stage) -> Iterator[Look]:
    """Everything that evidence is read from, and what can be broken."""
    stack, target = stage.stack, stage.target
    yield reaching.status_page(stack, target)
    yield from reaching.ledgers(stack.sources)
    yield from reaching.books(stack.sources, target)
    yield from reaching.clocks(stack.sources, target, stage.anchor)
    yield reaching.logs(stack)
    yield from reaching.faults(stack)


def act(stage: Stage, tell: Tell) -> None:
    """Order, pay and refund, wait for rest, and read all evidence, as in any run."""
    with written(stage.history, stage.cut):
        with looked_at(stage):
            take_marks(stage)
            stage.say("customers", "one for each method orders and pays; one asks for half of it back", None)
            send_customers(stage, tell)
            drain(stage)
    still = stage.account.drained.still_moving
    if still:
        tell(
            wrong("rest", f"not within {DRAIN_MS / 1_000:g} s: {'; '.join(still)}", "[[source]] control of each ledger")
        )
    else:
        tell(ok("rest", "nothing moves any more"))
    close_account(stage, gather(stage))
