"""Can any suite hold a run to a promise, by the fixture and one function?"""

from pathlib import Path

import pytest

from tests.histories.charge_stories import charged_twice
from tests.pytest_plugin.child import play
from tests.pytest_plugin.saved import KNOWN, broken, held, write

SUITE = """
import pytest
from harness.promises import PaymentRun, assert_holds

def test_orders(payment_run: PaymentRun):
    assert_holds(payment_run, "no_vanished_order")

def test_charges(payment_run):
    assert_holds(payment_run, "no_double_charge")
"""
NAMED = """
import pytest
from harness.promises import assert_holds

@pytest.mark.payment_scenario("HandWritten")
def test_by_marker(payment_run):
    assert_holds(payment_run, "no_vanished_order")

@pytest.mark.parametrize("payment_run", ["HandWritten"], indirect=True)
def test_by_parameter(payment_run):
    assert payment_run.scenario == "HandWritten"
    assert_holds(payment_run, "no_vanished_order")

@pytest.mark.payment_scenario("Nobody")
def test_of_another(payment_run):
    assert_holds(payment_run, "no_vanished_order")
"""


def suite(folder: Path, text: str = SUITE) -> Path:
    (folder / "test_it.py").write_text(text)
    return folder


def test_what_held_passes_and_what_broke_fails_with_the_orders_story(tmp_path: Path) -> None:
    broken(tmp_path / "run", no_vanished_order=1)
    done = play(suite(tmp_path), ".", "--run=run")
    assert done.counts == "1 failed, 1 passed"
    assert "no_double_charge FAIL, 1 breach among 3 examined. Nobody pays twice for one thing." in done.out
    assert "wechat    took 10.00 CNY under C-w" in done.out
    assert '>       assert_holds(payment_run, "no_double_charge")' in done.lines
    assert "promises.py" not in done.out  # the test's own lines are shown, and no others


def test_what_is_not_claimed_skips_and_what_is_undecided_does_not_pass(tmp_path: Path) -> None:
    held(tmp_path / "run", no_vanished_order=50)
    done = play(suite(tmp_path), ".", "--run=run", "-rs")
    assert done.counts == "1 failed, 1 skipped"
    assert "Undecided: UNKNOWN: 2 decided, below the claimed floor of 50" in done.out
    assert "NOT_EXERCISED: not claimed by the scenario; no breach seen" in done.out


@pytest.mark.parametrize(
    ("arguments", "counts"), [((), "1 deselected, 1 xfailed"), (("--runxfail",), "1 failed, 1 deselected")]
)
def test_what_is_known_fails_as_expected(tmp_path: Path, arguments: tuple[str, ...], counts: str) -> None:
    write(charged_twice(), tmp_path / "run", {"no_double_charge": 1})
    (tmp_path / "run" / "known.toml").write_text(KNOWN)
    assert play(suite(tmp_path), ".", "--run=run", "-k", "charges", *arguments).counts == counts


def test_a_scenario_is_named_by_marker_or_parameter(tmp_path: Path) -> None:
    held(tmp_path / "run")
    done = play(suite(tmp_path, NAMED), ".", "--run=run", "-v", "--strict-markers")
    assert done.counts == "2 passed, 1 error"
    assert "test_it.py::test_by_marker[HandWritten] PASSED" in done.out
    assert "test_it.py::test_by_parameter[HandWritten] PASSED" in done.out
    assert "payment_run: run holds no scenario Nobody" in done.lines


def test_without_a_run_and_a_scenario_the_way_out_is_told(tmp_path: Path) -> None:
    done = play(suite(tmp_path), "-k", "orders")
    assert done.counts == "1 deselected, 1 error"
    assert "payment_run: name a saved run by --run RUN_DIR, or a scenario by @pytest.mark.payment_scenario" in done.out


def test_a_promise_that_there_is_not_is_told_with_what_was_probably_meant(tmp_path: Path) -> None:
    held(tmp_path / "run")
    done = play(suite(tmp_path, SUITE.replace("vanished_order", "vanished_oder")), ".", "--run=run", "-k", "orders")
    assert "no promise is called 'no_vanished_oder'; did you mean no_vanished_order" in done.out
    assert done.counts == "1 failed, 1 deselected"
