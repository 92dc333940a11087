"""Is one promise told as its check found it, and does nothing pass in a run that was cut short?"""

from dataclasses import replace

import msgspec
import pytest

from harness.money import Bearer
from harness.report.promise import MOST_STORIES, UNCLAIMED, claimed_names, settle
from harness.report.saved import SavedRun
from harness.verdict import ASSUMPTIONS, Status
from tests.report.run import COURSE, finding, judged, saved

HELD = judged("no_vanished_order", Status.PASS, reason="30 decided, 10 claimed")
SOUND = judged(ASSUMPTIONS, Status.PASS)


def ended(run: SavedRun, how: str) -> SavedRun:
    return replace(run, run=msgspec.structs.replace(run.run, ended=how), verdict=replace(run.verdict, cut_short=how))


def test_what_held_says_how_many_cases_it_had() -> None:
    settled = settle(saved(HELD, SOUND), "AnswerLost", "no_vanished_order")
    assert (settled.status, settled.headline) == (Status.PASS, "30 decided, 10 claimed")
    assert settled.figures == (("status", "PASS"), ("examined", "30"), ("undecided", "0"), ("claimed", "10"))


def test_a_breach_is_told_as_the_worst_orders_stories() -> None:
    findings = tuple(finding(f"ord_{n}", Bearer.CUSTOMER, 100 + n, **COURSE) for n in range(MOST_STORIES + 2))
    broken = judged("no_double_charge", Status.FAIL, reason="5 breaches among 30 examined", findings=findings)
    settled = settle(saved(broken, SOUND), "AnswerLost", "no_double_charge")
    assert settled.headline == "Order ord_4 is short of 104 at [wechat]."
    lines = settled.text.splitlines()
    assert lines[0] == "no_double_charge FAIL, 5 breaches among 30 examined. Nobody pays twice for one thing."
    assert [line.split()[0] for line in lines if line.startswith("  ord_")] == ["ord_4", "ord_3", "ord_2"]
    assert "  2 more in runs/20261124-201500-1f3a/AnswerLost/verdict.json" in lines
    assert "the whole story: harness explain runs/20261124-201500-1f3a ord_4" in lines
    assert lines[-1].endswith("seed 7, size scene, target reference, build fixed, defects new_number_on_retry")
    assert "meanwhile: cut_answers on wechat, card, 2 s to 5 s" in settled.text


def test_what_is_undecided_says_why_and_a_crash_keeps_its_traceback() -> None:
    crashed = judged("latency", Status.UNKNOWN, reason="the check crashed: ValueError: no", traceback="Traceback: no")
    settled = settle(saved(crashed, HELD, SOUND), "AnswerLost", "latency")
    assert settled.headline == "UNKNOWN: the check crashed: ValueError: no"
    assert settled.text.splitlines()[:2] == ["UNKNOWN: the check crashed: ValueError: no", "Traceback: no"]


@pytest.mark.parametrize(
    ("status", "unclaimed"),
    [
        (Status.FAIL, Status.FAIL),
        (Status.KNOWN, Status.KNOWN),
        (Status.UNKNOWN, Status.UNKNOWN),
        (Status.PASS, Status.NOT_EXERCISED),
        (Status.NOT_OFFERED, Status.NOT_EXERCISED),
        (Status.NOT_EXERCISED, Status.NOT_EXERCISED),
    ],
)
def test_of_what_has_no_test_of_its_own_the_gravest_counts(status: Status, unclaimed: Status) -> None:
    found = (finding("ord_a", Bearer.CUSTOMER, 5),) if status in {Status.FAIL, Status.KNOWN} else ()
    run = saved(HELD, SOUND, judged("no_silence", status, claimed=None, findings=found))
    assert settle(run, "AnswerLost", UNCLAIMED, {HELD.check, ASSUMPTIONS}).status is unclaimed
    assert claimed_names(run.verdict.scenarios[0]) == (HELD.check, ASSUMPTIONS)


def test_nothing_passes_in_a_scenario_that_was_cut_short() -> None:
    settled = settle(saved(HELD, SOUND, cut_short="interrupted"), "AnswerLost", HELD.check)
    assert settled.headline == "UNKNOWN: cut short: interrupted; until then 30 decided, 10 claimed"


@pytest.mark.parametrize("how", ["interrupted", "running", "the harness failed: a listener raised"])
def test_nothing_passes_in_a_run_that_was_cut_short_as_a_whole(how: str) -> None:
    assert settle(ended(saved(HELD, SOUND), how), "AnswerLost", HELD.check).status is Status.UNKNOWN


@pytest.mark.parametrize(("how", "status"), [("interrupted", Status.PASS), ("the harness failed: a", Status.UNKNOWN)])
def test_a_scenario_that_was_complete_when_another_was_cut_short_stands(how: str, status: Status) -> None:
    run = saved(HELD, SOUND, scenarios=2)
    first, second = run.verdict.scenarios
    run = replace(run, verdict=replace(run.verdict, scenarios=(first, replace(second, cut_short="interrupted"))))
    assert settle(ended(run, how), first.scenario, HELD.check).status is status
    assert settle(ended(run, how), second.scenario, HELD.check).status is Status.UNKNOWN


def test_a_run_in_which_nothing_was_held_to_is_undecided() -> None:
    run = saved(judged("no_silence", Status.NOT_OFFERED, claimed=None), SOUND)
    settled = settle(run, "AnswerLost", ASSUMPTIONS)
    assert settled.headline == "UNKNOWN: no promise was held to: none is claimed and offered"


def test_a_scenario_that_was_never_begun_and_one_that_is_not_there_are_undecided() -> None:
    run = saved(cut_short="it was never begun")
    assert settle(run, "AnswerLost", ASSUMPTIONS).status is Status.UNKNOWN
    assert "never begun" in settle(run, "AnswerLost", ASSUMPTIONS).headline
    assert settle(run, "Nobody", HELD.check).headline.endswith("holds no run of Nobody")
