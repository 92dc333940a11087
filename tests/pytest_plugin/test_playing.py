"""Does pytest play scenarios as it plays tests: once each, side by side, and with nothing left after Ctrl-C?"""

import re
import shutil
import signal
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial

import pytest

from harness.documents import read_run_record
from tests.lifecycle.killing import living, marked, traces_of
from tests.lifecycle.playing import ROOT, TARGET, Done, Place, await_, side_by_side
from tests.pytest_plugin.child import message, outcomes

pytestmark = pytest.mark.live

AIMED = ("--payment-size=scene", f"--payment-target={TARGET}", "--payment-seed=1", "--junitxml=j.xml")
DEFECT = "other_order_readable_while_degraded"
"""Seen by `owner_only` alone."""
SUITE = """
import pytest
from harness.promises import assert_holds

@pytest.mark.payment_scenario("Short")
@pytest.mark.parametrize("promise", ["no_vanished_order", "no_double_charge"])
def test_it(payment_run, promise):
    assert_holds(payment_run, promise)
"""
TWO = """
from short import Short

class Second(Short):
    '''The same once more, in a file of its own.'''
"""
ITEMS = ("assumptions", "money_conserved", "no_double_charge", "no_orphan_charge", "no_vanished_order")


def answer_lost(here: Place, *more: str) -> Done:
    """The project's own scenario, asked for as a nightly pipeline does."""
    (here.folder / "nightly").mkdir()
    shutil.copy(ROOT / "scenarios" / "answer_lost.py", here.folder / "nightly")
    return here.call("pytest", "nightly/", "-k", "AnswerLost", *AIMED, *more)


def beside_each_other(here: Place) -> Done:
    (here.folder / "scenarios" / "second.py").write_text(TWO)
    (here.folder / "test_suite.py").write_text(SUITE)
    chosen = ("-k", "(Short or Second) and not Endless and not Nowhere and not unclaimed")
    return here.call("pytest", "scenarios", ".", *AIMED, "-v", "-n", "2", *chosen)


@pytest.fixture(scope="module")
def played(new_place: Callable[[], Place]) -> Mapping[str, tuple[Place, Done]]:
    places = {name: new_place() for name in ("defect", "beside", "nowhere")}
    works: dict[str, Callable[[], Done]] = {
        "defect": partial(answer_lost, places["defect"], f"--payment-defect={DEFECT}"),
        "beside": partial(beside_each_other, places["beside"]),
        "nowhere": partial(places["nowhere"].call, "pytest", "scenarios", "-k", "Nowhere and not unclaimed", *AIMED),
    }
    return {name: (places[name], done) for name, done in side_by_side(works).items()}


@pytest.mark.proof  # beside the defect it shows nothing that the short runs do not
def test_the_fixed_build_passes(new_place: Callable[[], Place]) -> None:
    here = new_place()
    done = answer_lost(here)
    assert done.exit_code == 0, done.out + done.err
    found = outcomes(here.folder / "j.xml")
    assert {name: kind for name, kind in found.items() if kind != "pass"} == {"unclaimed": "skipped"}
    assert len(found) == 12
    assert re.search(r"^  AnswerLost load: \d+ of \d+ journeys started", done.out, flags=re.MULTILINE)
    assert f"AnswerLost: runs/{here.run().name}  (the whole report: harness check runs/{here.run().name})" in done.out
    record = read_run_record(here.run())
    assert record.seed == 1
    assert record.arguments[-2:] == ("--scenarios", "nightly")  # for `harness rerun`


def test_a_defect_fails_its_promise_and_no_other_and_the_orders_story_is_told(
    played: Mapping[str, tuple[Place, Done]],
) -> None:
    here, done = played["defect"]
    assert done.exit_code == 1, done.out + done.err
    kinds = outcomes(here.folder / "j.xml")
    assert [name for name, kind in kinds.items() if kind not in {"pass", "skipped"}] == ["owner_only"]
    told, text = message(here.folder / "j.xml", "owner_only")
    order = re.match(r"Order (ord_\w+) belongs to", told)
    assert order, told
    assert "customer  create (key 1): 201, the order is open" in text
    assert "customer  trespass: 200" in text
    assert f"harness explain runs/{here.run().name} {order[1]}" in text
    assert f"defects {DEFECT}" in text
    assert "Traceback" not in done.out
    assert re.search(r"^  AnswerLost load: \d+ of \d+ journeys started", done.out, flags=re.MULTILINE)
    assert read_run_record(here.run()).arguments[-2:] == ("--scenarios", "nightly")  # for `harness rerun`


def test_each_scenario_is_played_once_by_one_worker_whoever_asks_for_it(
    played: Mapping[str, tuple[Place, Done]],
) -> None:
    here, done = played["beside"]
    assert done.exit_code == 0, done.out + done.err
    workers = defaultdict(set)
    for worker, scenario in re.findall(r"^\[(gw\d)\].* scenarios/\w+\.py::(\w+)::", done.out, flags=re.MULTILINE):
        workers[scenario].add(worker)
    assert {scenario: len(names) for scenario, names in workers.items()} == {"Short": 1, "Second": 1}
    assert sorted(read_run_record(run).scenarios for run in here.runs()) == [("Second",), ("Short",)]
    assert {read_run_record(run).seed for run in here.runs()} == {1}
    assert done.out.count("PASSED test_suite.py") == 2
    assert re.search(r"^\[gw\d\] Second load: \d+ of \d+ journeys started", done.err, flags=re.MULTILINE)


def test_a_run_without_a_verdict_is_an_error_of_each_item_told_in_a_line(
    played: Mapping[str, tuple[Place, Done]],
) -> None:
    here, done = played["nowhere"]
    assert done.exit_code == 1, done.out + done.err
    assert outcomes(here.folder / "j.xml") == dict.fromkeys(ITEMS, "error")
    assert "bank" in message(here.folder / "j.xml", "no_double_charge")[0]
    assert "Traceback" not in done.out
    assert len(here.runs()) <= 1


def test_ctrl_c_ends_the_run_in_good_order_and_leaves_nothing(new_place: Callable[[], Place]) -> None:
    here = new_place()
    child = here.start("pytest", "scenarios", "-k", "Endless", *AIMED)
    try:
        await_(lambda: here.toxics() or child.poll() is not None, "the toxics")
        traces = traces_of(child.pid, here.folder)
        child.send_signal(signal.SIGINT)
        done = here.end(child)
    finally:
        child.kill()
    assert done.exit_code == pytest.ExitCode.INTERRUPTED, done.out + done.err
    assert "(interrupted; Ctrl-C again hurries)" in done.out
    assert f"Endless: runs/{here.run().name}  (the whole report: harness check" in done.out
    assert here.verdict().cut_short == "interrupted; Endless: interrupted"
    assert here.toxics() == []
    assert [*living(traces.processes), *marked(traces.marks)] == []


def test_a_run_dies_with_the_session_that_plays_it(new_place: Callable[[], Place]) -> None:
    here = new_place()
    child = here.start("pytest", "scenarios", "-k", "Endless", *AIMED)
    try:
        await_(lambda: here.toxics() or child.poll() is not None, "the toxics")
        traces = traces_of(child.pid, here.folder)
    finally:
        child.kill()
        child.wait()
    await_(lambda: not here.toxics(), "their end")
    await_(lambda: not [*living(traces.processes), *marked(traces.marks)], "the end of its processes")
