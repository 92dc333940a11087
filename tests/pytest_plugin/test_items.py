"""Does each status of a promise come out of pytest as users of pytest expect it?"""

from pathlib import Path

import pytest
from junitparser import Properties

from tests.histories.charge_stories import charged_twice
from tests.pytest_plugin.child import Played, every_case, message, outcomes, play
from tests.pytest_plugin.saved import KNOWN, ended, held, write

CLAIMS = {
    "no_vanished_order": 1,
    "no_orphan_charge": 1,
    "no_double_charge": 1,
    "no_stuck_order": 50,
    "affected_list": 1,
}
ITEM = "run/run.json::HandWritten"


def every_status(folder: Path) -> Path:
    """Order C was charged twice, which is known; what else it broke is not, and one promise had too few cases."""
    write(charged_twice(), folder, CLAIMS, waivers={"affected_list": "orders are not listed yet"})
    (folder / "known.toml").write_text(KNOWN)
    return folder


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that run."""
    return every_status(tmp_path_factory.mktemp("every") / "run").parent


@pytest.fixture(scope="module")
def judged(here: Path) -> Played:
    return play(here, "--run=run", "--junitxml=j.xml", "-rA")


def test_each_status_is_the_outcome_that_users_of_pytest_expect(here: Path, judged: Played) -> None:
    assert judged.code == pytest.ExitCode.TESTS_FAILED
    assert outcomes(here / "j.xml") == {
        "no_vanished_order": "pass",
        "no_orphan_charge": "failure",
        "no_double_charge": "skipped",
        "no_stuck_order": "error",
        "affected_list": "skipped",
        "assumptions": "pass",
        "unclaimed": "failure",
    }
    assert "2 failed, 2 passed, 1 skipped, 1 xfailed, 1 error" in judged.out


def test_a_breach_is_told_as_the_orders_story_without_a_traceback(here: Path, judged: Played) -> None:
    told, text = message(here / "j.xml", "no_orphan_charge")
    assert told.startswith("wechat captured 10.00 CNY under C-w for order C at +3.000 s")
    assert text.startswith(
        "no_orphan_charge FAIL, 1 breach among 4 examined. No money is taken that the target does not"
    )
    assert "customer  pay by wechat (key 1): read timeout" in text
    assert "wechat    took 10.00 CNY under C-w" in text
    assert "harness explain run C" in text
    assert "run run: seed 1, size scene, target reference, build fixed" in text
    assert text in judged.out
    assert f"FAILED {ITEM}::no_orphan_charge - wechat captured" in judged.out
    assert "Traceback" not in judged.out
    assert ".py:" not in judged.out


def test_a_breach_that_nobody_claimed_fails_as_unclaimed(here: Path, judged: Played) -> None:
    told, text = message(here / "j.xml", "unclaimed")
    assert told.startswith("10.00 CNY of order C was owed back")
    assert "refund_in_window FAIL, 1 breach" in text
    assert "money_conserved FAIL, 1 breach" in text
    assert "no_double_charge" not in text
    assert f"FAILED {ITEM}::unclaimed - 10.00 CNY of order C" in judged.out


def test_what_cannot_be_decided_is_an_error_with_its_reason(here: Path, judged: Played) -> None:
    told, text = message(here / "j.xml", "no_stuck_order")
    assert "UNKNOWN: 3 decided, below the claimed floor of 50" in told
    assert text.startswith("UNKNOWN: 3 decided")
    assert f"ERROR {ITEM}::no_stuck_order - UNKNOWN: 3 decided" in judged.out


def test_what_is_known_fails_as_expected_with_its_ticket(here: Path, judged: Played) -> None:
    assert message(here / "j.xml", "no_double_charge")[0].startswith(
        "KNOWN: 1 breach among 3 examined; known: PAY-123, until 2099-12-31"
    )
    assert f"XFAIL {ITEM}::no_double_charge - KNOWN: 1 breach" in judged.out


def test_what_is_not_offered_is_skipped_with_its_reason(here: Path, judged: Played) -> None:
    told, _ = message(here / "j.xml", "affected_list")
    assert told.startswith("NOT_OFFERED: the target shows no list of affected orders")
    assert told.endswith("waived: orders are not listed yet")
    assert "SKIPPED [1] run/run.json:1: NOT_OFFERED: " in judged.out


def test_figures_and_the_runs_folder_are_said(here: Path, judged: Played) -> None:
    cases = every_case(here / "j.xml")
    (case,) = [case for case in cases if case.name == "no_vanished_order"]
    properties = case.child(Properties)  # type: ignore[no-untyped-call]
    assert {each.name: each.value for each in properties} == {
        "payment_run": "run",
        "status": "PASS",
        "examined": "3",
        "undecided": "0",
        "claimed": "1",
        "measured": "0 orders",
        "objective": "0 orders",
    }
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    assert "payment run: run\n" in judged.out
    assert "= payment runs =" in judged.out
    assert "HandWritten: run  (the whole report: harness check run)\n" in judged.out


def test_what_held_passes_and_what_was_not_claimed_is_skipped(tmp_path: Path) -> None:
    held(tmp_path / "run")
    done = play(tmp_path, "--run=run", "--junitxml=j.xml")
    assert done.code == pytest.ExitCode.OK
    assert outcomes(tmp_path / "j.xml") == {
        "no_vanished_order": "pass",
        "no_orphan_charge": "pass",
        "assumptions": "pass",
        "unclaimed": "skipped",
    }
    assert message(tmp_path / "j.xml", "unclaimed")[0] == (
        "NOT_EXERCISED: 22 promises that the scenario does not claim: no breach seen; 5 more are not offered"
    )


def test_a_run_that_was_cut_short_passes_nothing(tmp_path: Path) -> None:
    ended(held(tmp_path / "run"), "interrupted")
    assert play(tmp_path, "--run=run", "--junitxml=j.xml").code == pytest.ExitCode.TESTS_FAILED
    found = outcomes(tmp_path / "j.xml")
    assert found == dict.fromkeys(("no_vanished_order", "no_orphan_charge", "assumptions"), "error") | {
        "unclaimed": "skipped"
    }
    assert "UNKNOWN: cut short: interrupted" in message(tmp_path / "j.xml", "no_orphan_charge")[0]


def test_a_known_breach_is_a_failure_where_expectations_do_not_count(here: Path) -> None:
    done = play(here, "--run=run", "--runxfail", "-k", "no_double_charge")
    assert done.code == pytest.ExitCode.TESTS_FAILED
    assert "wechat    took 10.00 CNY under C-w" in done.out


def test_the_first_failure_ends_the_session_and_the_last_ones_are_judged_again_alone(tmp_path: Path) -> None:
    every_status(tmp_path / "run")
    first = play(tmp_path, "--run=run", "-x")
    assert first.counts == "1 failed, 1 passed, 1 xfailed"
    again = play(tmp_path, "--run=run", "--lf", "-v")
    assert f"{ITEM}::no_orphan_charge FAILED" in again.out
    assert again.counts == "1 failed, 6 deselected"


def test_one_promise_can_be_named_and_what_is_not_there_is_not_found(here: Path) -> None:
    assert play(here, "--run=run", f"{ITEM}::no_vanished_order").counts == "1 passed"
    assert play(here, "--run=run", "-k", "nothing_of_that_name").code == pytest.ExitCode.NO_TESTS_COLLECTED


def test_workers_tell_the_same(here: Path, judged: Played) -> None:
    alone = {name: message(here / "j.xml", name) for name in ("no_orphan_charge", "no_stuck_order", "affected_list")}
    done = play(here, "-p", "xdist.plugin", "-n", "2", "--run=run", "--junitxml=n.xml")
    assert done.counts == judged.counts
    assert {name: message(here / "n.xml", name) for name in alone} == alone
    assert "HandWritten: run  (the whole report: harness check run)\n" in done.out


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--run=nowhere", "ERROR: --run nowhere: this is no run directory, it has no run.json"),
        ("--run=torn", "torn is no run directory: run.json is not what it must be"),
        ("--payment-seed=-5", "argument --payment-seed: a seed is a whole number, 0 or more, not '-5'"),
        ("--payment-size=huge", "argument --payment-size: invalid choice: 'huge'"),
    ],
)
def test_what_cannot_be_judged_is_told_in_a_line(tmp_path: Path, argument: str, said: str) -> None:
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text("{")
    done = play(tmp_path, argument)
    assert done.code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERRUPTED}
    assert said in done.out
    assert "Traceback" not in done.out
