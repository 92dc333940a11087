"""Does a failure of the harness itself end in code 4 with its reason, and never in a verdict?"""

from collections.abc import Callable

import pytest

from harness.documents import read_run_record
from harness.errors import ExitCode
from tests.lifecycle.playing import Place

pytestmark = pytest.mark.live

RAISING = """
from locust import events


@events.test_start.add_listener
def listen(**_):
    raise LookupError("the listener's own mistake")
"""

IN_THE_WAY = """
from pathlib import Path

from locust import events


@events.test_start.add_listener
def listen(environment, **_):
    options = environment.parsed_options
    (Path(options.runs) / options.run_id / "verdict.json").mkdir()
"""


def test_a_fault_on_an_edge_that_there_is_not_fails_with_its_name(new_place: Callable[[], Place]) -> None:
    here = new_place()
    done = here.gate("Nowhere")
    assert done.exit_code == ExitCode.HARNESS_FAILED
    assert "bank" in done.err.splitlines()[-1]
    assert "bank" in read_run_record(here.run()).ended
    assert not (here.run() / "verdict.json").exists()
    assert here.proxies() == []


def test_a_listener_that_raises_is_no_passed_run(new_place: Callable[[], Place]) -> None:
    here = new_place()
    (here.folder / "scenarios" / "listener.py").write_text(RAISING)
    done = here.gate("Short")
    assert done.exit_code == ExitCode.HARNESS_FAILED
    assert "LookupError: the listener's own mistake" in done.err.splitlines()[-1]
    assert "the listener's own mistake" in read_run_record(here.run()).ended
    again = here.call("harness", "check", str(here.run()))
    assert again.exit_code == ExitCode.UNDECIDED


def test_a_judge_that_fails_is_heard(new_place: Callable[[], Place]) -> None:
    here = new_place()
    (here.folder / "scenarios" / "listener.py").write_text(IN_THE_WAY)
    done = here.gate("Short")
    assert done.exit_code == ExitCode.HARNESS_FAILED
    assert "harness: no verdict: judging runs/" in done.err
    assert "Traceback (most recent call last)" in done.err
    assert "IsADirectoryError" in done.err
    assert "percentiles" not in done.err  # Locust's statistics say nothing about it
