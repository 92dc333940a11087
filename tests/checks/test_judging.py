"""Is the verdict on a run directory what its files say, and nothing else?"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.checks import CHECKS
from harness.checks.check import Check
from harness.checks.judging import check_run
from harness.errors import HistoryError, RunDirectoryError, UsageError
from harness.verdict import CheckResult, JudgedCheck, Status, Verdict
from tests.histories import latency_stories, silence_stories, success_stories
from tests.histories.builder import Run, ns
from tests.histories.order_stories import acknowledged_before_it_was_committed

PASS, UNKNOWN, FAIL, NOT_EXERCISED = Status.PASS, Status.UNKNOWN, Status.FAIL, Status.NOT_EXERCISED
CLAIMS = {"no_vanished_order": 1, "no_double_charge": 1, "no_orphan_charge": 1, "no_stuck_order": 1, "no_silence": 1}


def complete(run: Run, **claims: int) -> Run:
    """The run with everything that its premises ask for, claiming these."""
    journeys = sum(getattr(row, "op", "") == "journey" for row in run.history)
    run.conduct = msgspec.structs.replace(run.conduct, planned=journeys, started=journeys)
    run.scenario = msgspec.structs.replace(run.scenario, claims=claims or CLAIMS)
    run.clocks = [{"source": "books", "at_ns": ns(59.0), "offset_ns": 0, "error_ns": 600_000}]
    return run


def good(**claims: int) -> Run:
    run = Run()
    for number in range(10):
        run.paid_order(f"A{number}", at=1.0 + number * 0.1)
    return complete(run, **claims)


def checked(run: Run, folder: Path, *names: str) -> Verdict:
    """The verdict on a run, by all checks or by those named."""
    run.write(folder)
    return check_run(folder, {name: check for name, check in CHECKS.items() if not names or name in names})


def of(verdict: Verdict, name: str) -> JudgedCheck:
    return next(judged for judged in verdict.scenarios[0].checks if judged.check == name)


def edit(path: Path, **fields: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_good_run_passes(tmp_path: Path) -> None:
    verdict = checked(good(), tmp_path)
    statuses = {judged.check: judged.status for judged in verdict.scenarios[0].checks}
    assert (verdict.status, verdict.exit_code, verdict.run_id, verdict.seed) == (PASS, 0, "r-hand-written", 1)
    claimed = {*CLAIMS, "assumptions"}
    assert {name: statuses[name] for name in claimed} == dict.fromkeys(claimed, PASS)
    assert {statuses[name] for name in CHECKS.keys() - claimed} == {NOT_EXERCISED, Status.NOT_OFFERED}


def test_broken_promise_fails_the_run_although_not_claimed(tmp_path: Path) -> None:
    verdict = checked(complete(acknowledged_before_it_was_committed(), no_double_charge=1), tmp_path)
    assert (of(verdict, "no_vanished_order").status, verdict.exit_code) == (FAIL, 1)


def test_judging_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    run = complete(acknowledged_before_it_was_committed())
    checked(run, tmp_path)
    files = [tmp_path / "verdict.json", tmp_path / "HandWritten" / "verdict.json"]
    before = [file.read_bytes() for file in files]
    check_run(tmp_path)
    assert [file.read_bytes() for file in files] == before


def test_verdict_is_the_same_wherever_the_folder_lies(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    checked(complete(acknowledged_before_it_was_committed()), here)
    shutil.copytree(here, there)
    check_run(there)
    assert (there / "verdict.json").read_bytes() == (here / "verdict.json").read_bytes()
    assert str(tmp_path) not in (here / "verdict.json").read_text()


def test_verdict_does_not_know_build_and_defects(tmp_path: Path) -> None:
    verdict = checked(complete(acknowledged_before_it_was_committed()), tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    for name in ("build", "defects", "arguments", "target"):
        del record[name]
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert check_run(tmp_path) == verdict


def test_scenario_has_a_verdict_of_its_own_beside_it(tmp_path: Path) -> None:
    checked(good(), tmp_path)
    whole, alone = (
        json.loads((folder / "verdict.json").read_text()) for folder in (tmp_path, tmp_path / "HandWritten")
    )
    assert alone == whole


@pytest.mark.parametrize("ledger", ["wechat", "alipay", "card"])
def test_removed_ledger_leaves_those_undecided_that_need_it(ledger: str, tmp_path: Path) -> None:
    run = good()
    run.absent.add(f"ledger.{ledger}")
    verdict = checked(run, tmp_path)
    statuses = {name: of(verdict, name).status for name in CLAIMS}
    assert statuses == {
        "no_vanished_order": PASS,
        "no_double_charge": UNKNOWN,
        "no_orphan_charge": UNKNOWN,
        "no_stuck_order": UNKNOWN,
        "no_silence": PASS,
    }
    assert (of(verdict, "assumptions").status, verdict.exit_code) == (UNKNOWN, 3)
    assert ledger in of(verdict, "no_double_charge").reason


def test_run_that_was_cut_short_is_undecided(tmp_path: Path) -> None:
    good().write(tmp_path)
    edit(tmp_path / "run.json", ended="stopped before its end")
    verdict = check_run(tmp_path)
    assert (verdict.exit_code, verdict.cut_short) == (3, "stopped before its end")


def test_breach_in_a_run_that_was_cut_short_stands(tmp_path: Path) -> None:
    complete(acknowledged_before_it_was_committed()).write(tmp_path)
    edit(tmp_path / "run.json", ended="terminated")
    assert check_run(tmp_path).exit_code == 1


def test_scenario_that_was_cut_short_is_undecided(tmp_path: Path) -> None:
    run = good()
    run.conduct = msgspec.structs.replace(run.conduct, cut_short="interrupted")
    verdict = checked(run, tmp_path)
    assert (verdict.exit_code, verdict.cut_short) == (3, "HandWritten: interrupted")


def test_run_that_never_ended_is_undecided(tmp_path: Path) -> None:
    good().write(tmp_path)
    edit(tmp_path / "run.json", ended="running")
    assert check_run(tmp_path).cut_short == "the run was never ended"


def test_scenario_that_was_never_begun_is_undecided(tmp_path: Path) -> None:
    good().write(tmp_path)
    edit(tmp_path / "run.json", scenarios=["HandWritten", "Later"])
    verdict = check_run(tmp_path)
    assert [(s.scenario, s.status) for s in verdict.scenarios] == [("HandWritten", PASS), ("Later", UNKNOWN)]
    assert (verdict.exit_code, verdict.cut_short) == (3, "Later: it was never begun")


def test_run_of_which_only_the_history_is_left_is_undecided(tmp_path: Path) -> None:
    good().write(tmp_path)
    shutil.rmtree(tmp_path / "HandWritten" / "evidence")
    (tmp_path / "HandWritten" / "faults.jsonl").unlink()
    verdict = check_run(tmp_path)
    assert {judged.status for judged in verdict.scenarios[0].checks} <= {
        UNKNOWN,
        NOT_EXERCISED,
        Status.NOT_OFFERED,
    }
    assert verdict.exit_code == 3


def test_torn_last_line_is_read_up_to_and_said(tmp_path: Path) -> None:
    run = good()
    run.footer = False
    history = run.write(tmp_path) / "history" / "0.jsonl"
    history.write_bytes(history.read_bytes()[:-10])
    verdict = check_run(tmp_path)
    assert any("torn line" in note for note in of(verdict, "assumptions").notes)
    assert verdict.exit_code == 3


def test_damaged_line_elsewhere_is_an_error(tmp_path: Path) -> None:
    history = good().write(tmp_path) / "history" / "0.jsonl"
    lines = history.read_text().splitlines()
    lines[3] = lines[3][:-9]
    history.write_text("\n".join(lines) + "\n")
    with pytest.raises(HistoryError):
        check_run(tmp_path)


def test_scenario_without_claims_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="HandWritten claims no promise"):
        checked(good(assumptions=1), tmp_path)


def test_claim_that_no_check_knows_is_undecided(tmp_path: Path) -> None:
    verdict = checked(good(no_vanished_order=1, no_gravity=5), tmp_path)
    assert (of(verdict, "no_gravity").status, verdict.exit_code) == (UNKNOWN, 3)


def test_claim_that_is_not_offered_is_undecided_unless_waived(tmp_path: Path) -> None:
    run = good(idempotent_reply=1, no_vanished_order=1)
    capabilities = msgspec.structs.replace(run.scenario.capabilities, idempotent=())
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    assert checked(run, tmp_path).exit_code == 3
    edit(tmp_path / "HandWritten" / "scenario.json", waivers={"idempotent_reply": "no keys by contract"})
    verdict = check_run(tmp_path)
    assert (of(verdict, "idempotent_reply").status, verdict.exit_code) == (Status.NOT_OFFERED, 0)


def divides_by_zero(_: object) -> CheckResult:
    raise ZeroDivisionError("at 0xdeadbeef")


def test_crashed_check_is_undecided_and_keeps_its_traceback(tmp_path: Path) -> None:
    good().write(tmp_path)
    broken = {**CHECKS, "no_silence": replace(CHECKS["no_silence"], function=divides_by_zero)}
    verdict = check_run(tmp_path, broken)
    judged = of(verdict, "no_silence")
    assert (judged.status, judged.reason) == (UNKNOWN, "the check crashed: ZeroDivisionError: at 0x...")
    assert judged.traceback is not None
    assert "in divides_by_zero" in judged.traceback
    assert str(Path(__file__).parents[2]) not in judged.traceback
    assert (of(verdict, "no_stuck_order").status, verdict.exit_code) == (PASS, 3)


def test_crash_of_an_unclaimed_check_does_not_change_the_exit_code(tmp_path: Path) -> None:
    good().write(tmp_path)
    broken = {**CHECKS, "latency": replace(CHECKS["latency"], function=divides_by_zero)}
    verdict = check_run(tmp_path, broken)
    assert (of(verdict, "latency").status, verdict.exit_code) == (NOT_EXERCISED, 0)


def late(run: Run) -> Run:
    run.conduct = msgspec.structs.replace(run.conduct, lateness_p99_ms=900.0)
    return run


STALLED = {
    "no_silence": silence_stories.no_answer_until_the_client_hung_up,
    "success_ratio": success_stories.many_gave_up,
    "latency": latency_stories.slow,
}


@pytest.mark.parametrize(("name", "story"), STALLED.items())
def test_breach_of_time_stands_with_a_punctual_generator(name: str, story: Callable[[], Run], tmp_path: Path) -> None:
    verdict = checked(complete(story(), **{name: 1}), tmp_path)
    assert (of(verdict, name).status, verdict.exit_code) == (FAIL, 1)


@pytest.mark.parametrize(("name", "story"), STALLED.items())
def test_stalled_generator_takes_back_a_breach_of_time(name: str, story: Callable[[], Run], tmp_path: Path) -> None:
    verdict = checked(late(complete(story(), **{name: 1})), tmp_path, name, "assumptions")
    assert (of(verdict, name).status, verdict.exit_code) == (UNKNOWN, 3)
    assert "the load generator lagged: 1 % of journeys began 900 ms late or more" in of(verdict, name).reason


def test_stalled_generator_leaves_a_breach_of_orders_standing(tmp_path: Path) -> None:
    verdict = checked(late(complete(acknowledged_before_it_was_committed())), tmp_path)
    assert (of(verdict, "no_vanished_order").status, verdict.exit_code) == (FAIL, 1)


def test_share_of_undecided_that_the_scenario_allows_is_borne(tmp_path: Path) -> None:
    run = good(no_silence=1)
    journey = run.journey(19.0)
    journey.create(19.0, None, None)
    assert checked(complete(run, no_silence=1), tmp_path).exit_code == 3
    edit(tmp_path / "HandWritten" / "scenario.json", undecided_shares={"no_silence": 0.1})
    assert of(check_run(tmp_path), "no_silence").status is PASS


@pytest.mark.parametrize(
    "content",
    [None, "", "{}", '{"schema_version": 99, "run_id": "r", "seed": 1, "scenarios": []}'],
)
def test_folder_that_is_no_run_directory_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunDirectoryError):
        check_run(tmp_path)
    assert not (tmp_path / "verdict.json").exists()


@pytest.mark.parametrize("name", ["..", "../elsewhere", "", "a/b"])
def test_scenario_outside_the_run_directory_is_refused(name: str, tmp_path: Path) -> None:
    good().write(tmp_path)
    edit(tmp_path / "run.json", scenarios=[name])
    with pytest.raises(RunDirectoryError, match="names a scenario"):
        check_run(tmp_path)


def test_checks_are_listed_under_their_own_names() -> None:
    assert [name for name, check in CHECKS.items() if check.name != name] == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_check_says_what_is_promised_and_why(check: Check) -> None:
    assert check.promise.endswith(".")
    assert check.facts
    assert check.unit
