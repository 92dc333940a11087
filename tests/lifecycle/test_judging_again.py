"""Does a verdict follow from the run directory alone, whoever asks, and however often?"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.verdict import JudgedCheck, Standing, Status, Verdict
from harness.verdict_document import decode_verdict
from tests.command_line import harness_here

pytestmark = pytest.mark.live

NEED_THE_LEDGERS = {"no_double_charge", "no_orphan_charge", "money_conserved"}


@pytest.fixture
def copy(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / played.name))


def check(run: Path) -> int:
    return harness_here("check", str(run)).returncode


def check_by_a_program(run: Path) -> int:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", "check", str(run)], stdout=subprocess.DEVNULL, check=False
    ).returncode


def verdict(run: Path) -> Verdict:
    return decode_verdict((run / "verdict.json").read_bytes())


def checks(run: Path) -> dict[str, JudgedCheck]:
    return {each.check: each for each in verdict(run).scenarios[0].checks}


def test_judging_twice_writes_the_same_bytes(copy: Path) -> None:
    first = (copy / "verdict.json").read_bytes()
    assert check_by_a_program(copy) == ExitCode.PASS
    assert (copy / "verdict.json").read_bytes() == first


def test_a_verdict_does_not_know_build_and_defects(copy: Path) -> None:
    before = verdict(copy)
    record = json.loads((copy / "run.json").read_text())
    del record["build"], record["defects"], record["arguments"]
    (copy / "run.json").write_text(json.dumps(record))
    assert check(copy) == ExitCode.PASS
    assert verdict(copy) == before


def test_known_breaches_are_those_that_the_run_took_along(copy: Path) -> None:
    entry = '[[known]]\ncheck = "no_vanished_order"\nscenario = "Short"\nticket = "T-1"\nexpires = 2026-01-01\n'
    (copy / "known.toml").write_text(entry)
    assert check(copy) == ExitCode.PASS
    assert [each.standing for each in verdict(copy).known] == [Standing.HEALED]
    (copy / "known.toml").write_text("[[known]]")
    assert check(copy) == ExitCode.USAGE


def test_a_torn_last_line_of_a_history_is_read_up_to_and_said(copy: Path) -> None:
    history = copy / "Short" / "history" / "0.jsonl"
    history.write_bytes(history.read_bytes()[:-20])
    check(copy)
    notes = [note for each in checks(copy).values() for note in each.notes]
    reasons = [each.reason for each in checks(copy).values()]
    assert any("torn" in text for text in notes + reasons), notes + reasons


def test_without_a_providers_ledger_the_checks_that_need_it_are_undecided_by_name(copy: Path) -> None:
    (copy / "Short" / "evidence" / "ledger.wechat.jsonl").unlink()
    assert check(copy) == ExitCode.UNDECIDED
    undecided = {name for name, each in checks(copy).items() if each.status is Status.UNKNOWN}
    assert undecided >= NEED_THE_LEDGERS
    told = [each.reason for name, each in checks(copy).items() if name in undecided]
    assert any("wechat" in text for text in told), told
