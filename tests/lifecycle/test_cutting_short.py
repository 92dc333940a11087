"""Is a run that is ended early judged all the same, after its faults were lifted, and is nothing left of it?"""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from harness.documents import read_run_record
from harness.errors import ExitCode
from harness.verdict import Verdict
from tests.lifecycle.killing import living, marked, traces_of
from tests.lifecycle.playing import TARGET, Done, Place, await_, side_by_side

pytestmark = pytest.mark.live

GATE = ("harness", "gate", "Endless", "--size", "scene", "--target", str(TARGET))
LOCUST = ("locust", "Endless", "--headless")
WAYS = {
    "gate, Ctrl-C": (GATE, (signal.SIGINT,)),
    "gate, Ctrl-C twice": (GATE, (signal.SIGINT, signal.SIGINT)),
    "gate, SIGTERM": (GATE, (signal.SIGTERM,)),
    "Locust, SIGTERM": (LOCUST, (signal.SIGTERM,)),
    "Locust, -t": ((*LOCUST, "-t", "15s"), ()),  # longer than a stack takes to start on a busy machine
}
LONG = frozenset({"gate, Ctrl-C twice", "gate, SIGTERM"})
"""Show little that the others do not."""
EACH_WAY = [pytest.param(way, marks=[pytest.mark.proof] if way in LONG else []) for way in WAYS]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A run that was ended while its toxics stood."""

    done: Done
    judged_before_lifted: bool
    verdict: Verdict
    ended: str
    left: list[str]


@pytest.fixture(scope="module")
def cuts(new_place: Callable[[], Place], request: pytest.FixtureRequest) -> Mapping[str, Cut]:
    """Of the ways that somebody asks for."""
    asked = [way for way in WAYS if any(item.nodeid.endswith(f"[{way}]") for item in request.session.items)]
    return side_by_side({way: partial(cut, new_place(), *WAYS[way]) for way in asked})


def cut(here: Place, command: tuple[str, ...], signals: tuple[int, ...]) -> Cut:
    child = here.start(*command)
    try:
        await_(lambda: here.toxics() or child.poll() is not None, "the toxics")
        traces = traces_of(child.pid, here.folder)
        for number in signals:  # the second when the first was heard, else the kernel may make one of both
            child.send_signal(number)
            await_(lambda: not here.toxics(), "their end")
        await_(lambda: not here.toxics(), "their end")
        judged = any(here.run().glob("verdict.json"))
        done = here.end(child)
    finally:
        child.kill()
    left = [f"process {process}" for process in {*living(traces.processes), *marked(traces.marks)}]
    left += [f"folder {path}" for path in traces.folders if path.exists()]
    left += [f"journal {path}" for path in (here.folder / ".harness").glob("warden-*")]
    return Cut(
        done=done,
        judged_before_lifted=judged,
        verdict=here.verdict(),
        ended=read_run_record(here.run()).ended,
        left=left + here.proxies(),
    )


@pytest.mark.parametrize("way", EACH_WAY)
def test_what_was_recorded_is_judged_and_labelled_as_cut_short(cuts: Mapping[str, Cut], way: str) -> None:
    it = cuts[way]
    assert it.done.exit_code in {ExitCode.UNDECIDED, ExitCode.BROKEN}, it.done
    assert it.done.exit_code == it.verdict.exit_code
    assert it.verdict.cut_short
    assert it.ended not in {"running", "complete"}
    assert "cut short" in it.done.out


@pytest.mark.parametrize("way", EACH_WAY)
def test_faults_are_lifted_before_anything_is_judged(cuts: Mapping[str, Cut], way: str) -> None:
    assert not cuts[way].judged_before_lifted


@pytest.mark.parametrize("way", EACH_WAY)
def test_nothing_is_left_of_a_run_that_was_cut_short(cuts: Mapping[str, Cut], way: str) -> None:
    assert cuts[way].left == []
