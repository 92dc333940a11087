"""Is what is known of a run told in the right words, at each moment of it?"""

from dataclasses import replace

import msgspec
import pytest

from harness.progress import Progress
from harness.web_ui.known import Known, unjudged
from harness.web_ui.telling import IDLE_MS, UNDER_WAY_MS, Figure, Now, Promise, tell
from tests.web_ui.told import EVIL, SCENARIO, STATE, UNDER_WAY, assigned, broken, running

PHASES = ["stack", "preflight", "warm-up", "steady", "faults", "recovery", "drain", "evidence", "verdict"]


def now(known: Known) -> Now:
    told = tell(known).now
    assert told is not None
    return told


def phases(known: Known, state: str) -> list[str]:
    steps = now(known).steps
    assert [step.name for step in steps] == PHASES
    return [step.name for step in steps if step.state == state]


def at(phase: str) -> Progress:
    return msgspec.structs.replace(UNDER_WAY, phase=phase)


def test_the_phase_that_a_run_is_in_is_told_by_the_conductor_and_during_the_load_by_the_live_process() -> None:
    assert phases(running(progress=None, live=None), "now") == ["stack"]
    assert phases(running(at("preflight"), None), "now") == ["preflight"]
    assert phases(running(), "now") == ["faults"]
    assert phases(running(), "done") == ["stack", "preflight", "warm-up", "steady"]
    assert phases(running(at("drain")), "now") == ["drain"]
    assert phases(running(Progress(scenario="", phase="verdict", text="judging")), "later") == []


def test_while_nobody_knows_which_phase_of_the_load_it_is_all_of_them_are_now() -> None:
    assert phases(running(live=None), "now") == ["warm-up", "steady", "faults", "recovery"]


def test_a_state_of_the_scenario_before_is_not_told_of_this_one() -> None:
    told = tell(running(live=msgspec.structs.replace(STATE, scenario="Before")))
    assert (told.seen, told.promises, told.figures) == (False, (), ())


def test_faults_that_stand_are_told_by_kind_with_their_places_and_for_how_long() -> None:
    assert now(running()).faults_on == ("cut_answers on wechat, card, for 2 s", "slow_provider on alipay")
    assert now(running()).faults_planned == (
        "cut_answers on wechat, card (after_bytes 0), 2 s to 5 s",
        "lose_notices on wechat, alipay, card (nth 2, of capture), 1 s to 7 s",
    )


def test_a_run_says_what_it_was_started_with_and_which_of_several_scenarios_it_is_at() -> None:
    known = running()
    assert now(known).asked == "steady 4/s for 8 s; size scene, seed 7; build fixed"
    assert (now(known).run, now(known).scenario, now(known).doc) == (
        "Run 20261129-201903-724f",
        "AnswerLost",
        'Charged, and told "please wait".',
    )
    several = assigned(replace(SCENARIO, name="A"), SCENARIO, rate=0.5)
    told = now(replace(known, assignment=several))
    assert (told.scenario, told.run) == ("AnswerLost", "Run 20261129-201903-724f, 2 of 2 scenarios")
    assert told.asked.startswith("steady 2/s for 8 s (0.5 times the scenario's own rate); size scene")


def test_a_promise_that_is_not_broken_is_never_said_to_hold() -> None:
    assert [(promise.check, promise.state) for promise in tell(running()).promises] == [
        ("no_vanished_order", "watched"),
        ("no_double_charge", "broken"),
        ("refund_in_window", "at risk"),
    ]
    assert tell(running()).promises[1] == Promise(
        check="no_double_charge",
        sentence="Nobody pays twice for one thing.",
        state="broken",
        watched=16,
        broken=2,
        at_risk=1,
        newest=f"Order ord_{EVIL} was charged twice.",
        risk="1 order was charged twice and is not refunded yet.",
    )


def test_the_load_is_told_in_figures_and_missed_arrivals_stand_out() -> None:
    assert tell(running()).figures == (
        Figure(name="arrivals planned", value="32"),
        Figure(name="started", value="17"),
        Figure(name="missed", value="1", bad=True),
        Figure(name="under way", value="4"),
        Figure(name="operations", value="57 ok, 9 info"),
        Figure(name="lateness, p99", value="1.2 ms"),
        Figure(name="generator CPU", value="12% of a core"),
    )
    early = msgspec.structs.replace(STATE, missed=0, outcomes={}, lateness_p99_ms=None, generator_cpu_share=None)
    assert [figure.value for figure in tell(running(live=early)).figures[4:]] == ["none yet", "not known", "not known"]


def test_after_a_run_the_verdict_is_told_and_nothing_of_what_was_known_before_it() -> None:
    over = replace(running(UNDER_WAY, STATE, broken()), busy=False)
    told = tell(over)
    assert (told.now, told.promises, told.figures) == (None, (), ())
    assert told.ended[0].sentence.startswith("3 promises broken: 32.50 CNY of 7 orders taken from customers")
    assert [(each.check, each.breaches) for each in told.ended[0].broken] == [
        ("no_double_charge", 7),
        ("refund_in_window", 2),
        ("money_conserved", 1),
    ]


def test_a_run_that_could_not_be_judged_says_why() -> None:
    ended = unjudged(None, "no Toxiproxy answers", 4)
    assert (ended.status, ended.exit_code, ended.sentence) == (None, 4, "no Toxiproxy answers")


@pytest.mark.parametrize(("busy", "again_ms"), [(True, UNDER_WAY_MS), (False, IDLE_MS)])
def test_it_is_asked_for_again_sooner_while_a_run_goes_on(busy: bool, again_ms: int) -> None:
    assert tell(replace(running(), busy=busy)).next_ms == again_ms
