"""Does each premise notice when it is sabotaged, and take the PASS of the checks that need it?"""

from pathlib import Path

import msgspec
import pytest

from harness.checks import CHECKS, Premise
from harness.checks.judging import check_run
from harness.checks.premises import Examined, examine
from harness.evidence.tables import open_evidence
from harness.verdict import Status
from tests.checks.sabotage import SABOTAGE, Sabotage, sound, step
from tests.histories.builder import Run

SABOTAGED = [pytest.param(*rest, id=f"{rest[0]}-{rest[1]}".replace(" ", "_")) for rest in SABOTAGE]


def examined(run: Run, folder: Path) -> dict[Premise, Examined]:
    with open_evidence(run.write(folder)) as evidence:
        return {found.premise: found for found in examine(evidence)}


@pytest.mark.parametrize(("premise", "how", "sabotage", "says"), SABOTAGED)
def test_sabotaged_premise_is_noticed(
    premise: Premise, how: str, sabotage: Sabotage, says: str, tmp_path: Path
) -> None:
    run = sound()
    sabotage(run)
    found = examined(run, tmp_path)[premise]
    assert (found.holds, says in found.saw) == (False, True), f"{how}: {found.saw}"


def test_every_premise_holds_for_a_sound_run(tmp_path: Path) -> None:
    assert [found for found in examined(sound(), tmp_path).values() if not found.holds] == []


def test_every_premise_is_sabotaged() -> None:
    assert {premise for premise, *_ in SABOTAGE} == set(Premise)


def test_footer_that_counts_another_number_of_rows_is_noticed(tmp_path: Path) -> None:
    history = sound().write(tmp_path) / "history" / "0.jsonl"
    lines = history.read_text().splitlines()
    history.write_text("\n".join([*lines[:-2], lines[-1]]) + "\n")
    with open_evidence(history.parents[1]) as evidence:
        found = {found.premise: found for found in examine(evidence)}[Premise.ROWS_COUNTED]
    assert (found.holds, "its footer says" in found.saw) == (False, True)


def test_nothing_to_hold_holds(tmp_path: Path) -> None:
    """Without faults, ledgers, books and own processes their premises ask for nothing."""
    run = sound()
    run.processes, run.faults, run.absent = [], [], {"faults"}
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=(), operations=("create", "pay"))
    run.scenario = msgspec.structs.replace(run.scenario, faults=(), sources=(), capabilities=capabilities)
    run.absent |= {"reads", "lists", *(f"books.{book}" for book in ("orders", "payments", "refunds", "transitions"))}
    run.absent |= {f"ledger.{provider}" for provider in run.ledgers}
    assert [found for found in examined(run, tmp_path).values() if not found.holds] == []


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - {"assumptions"}))
def test_check_needs_what_every_check_needs(name: str) -> None:
    assert {Premise.FAULTS_CONFIRMED, Premise.SAME_BUILD} - CHECKS[name].needs == set()


def test_broken_premise_is_undecided_in_assumptions_and_in_what_needs_it(tmp_path: Path) -> None:
    run = sound()
    step("effect_seen", "inconclusive")(run)
    run.write(tmp_path)
    verdict = check_run(tmp_path)
    judged = {check.check: check for check in verdict.scenarios[0].checks}
    assert (judged["assumptions"].status, judged["no_double_charge"].status) == (Status.UNKNOWN, Status.UNKNOWN)
    assert judged["no_double_charge"].reason.startswith("premise faults_confirmed broken: fault 1 (silence at wechat)")
    assert verdict.exit_code == 3


@pytest.mark.parametrize("book", ["orders", "payments"])
def test_torn_book_proves_no_absence(book: str, tmp_path: Path) -> None:
    path = sound().write(tmp_path) / "evidence" / f"books.{book}.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    judged = {each.check: each for each in check_run(tmp_path).scenarios[0].checks}
    assert [each.reason for each in judged.values() if each.status is Status.FAIL] == []
    assert f"books_whole: the book of {book} was not read" in judged["assumptions"].reason
