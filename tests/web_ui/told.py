"""What could be known of a run at some moment, for tests: a scenario with faults, a live state, verdicts."""

from pathlib import Path

from harness.arrivals import Steady
from harness.assignment import Assignment, assign
from harness.faults import CutAnswers, LoseNotices
from harness.live.state import FaultOn, Promise, State
from harness.operation import Size
from harness.progress import Progress
from harness.scenario import CLAIMED_ALWAYS, Plan, Scenario
from harness.web_ui.known import Ended, Known, judged
from tests.report.examples import BROKEN

BASE_PATH = "/load"
"""Of the UI that is served for tests, as by --web-base-path."""
TARGET = Path(__file__).parents[2] / "compose" / "reference.toml"
EVIL = '<img src=x onerror="window.struck=1">\''
"""What an order's id, a message or a name could hold, if it could hold anything."""
SCENARIO = Scenario(
    name="AnswerLost",
    doc='Charged, and told "please wait".\n\nMore words.',
    facts=(),
    plans={
        Size.SCENE: Plan(
            load=Steady(rate_per_s=4, duration_s=8),
            warmup_s=0.5,
            faults=(
                *CutAnswers("wechat", "card").between(2, 5),
                *LoseNotices("all", every_nth=2).between(1, 7),
            ),
            claims=CLAIMED_ALWAYS,
        )
    },
)
STATE = State(
    scenario="AnswerLost",
    phase="fault",
    since_start_s=4.2,
    faults=(
        FaultOn(kind="cut_answers", where="wechat", since_s=2.2),
        FaultOn(kind="cut_answers", where="card", since_s=2.3),
        FaultOn(kind="slow_provider", where="alipay", since_s=-3.0),
    ),
    promises=(
        Promise(check="no_vanished_order", watched=17, broken=0, at_risk=0),
        Promise(
            check="no_double_charge",
            watched=16,
            broken=2,
            at_risk=1,
            newest=f"Order ord_{EVIL} was charged twice.",
            risk="1 order was charged twice and is not refunded yet.",
        ),
        Promise(check="refund_in_window", watched=3, broken=0, at_risk=1, risk="1 refund is owed and has 3 s left."),
    ),
    planned=32,
    started=17,
    missed=1,
    in_flight=4,
    outcomes={"ok": 57, "info": 9},
    lateness_p99_ms=1.25,
    generator_cpu_share=0.12,
)
UNDER_WAY = Progress(scenario="AnswerLost", phase="load", text="17 of 32 journeys started", share=0.5)


def assigned(*scenarios: Scenario, runs: Path = Path("runs"), rate: float = 1.0) -> Assignment:
    """A run of the scenario above, or of others."""
    return assign(
        run_id="20261129-201903-724f",
        scenarios=scenarios or (SCENARIO,),
        size="scene",
        seed=7,
        rate=rate,
        target_file=TARGET,
        build="fixed",
        defects=(),
        profile="gate",
        runs=runs,
        port_base=0,
        allow_hosts=(),
        host="",
        most_journeys=50,
    )


def broken(runs: Path = Path("runs")) -> Ended:
    """A run with three broken promises."""
    return judged(assigned(runs=runs), BROKEN.verdict)


def running(
    progress: Progress | None = UNDER_WAY, live: State | None = STATE, *ended: Ended, cut: str | None = None
) -> Known:
    """What is known in the middle of a run."""
    return Known(assignment=assigned(), busy=True, cut=cut, progress=progress, live=live, ended=ended)
