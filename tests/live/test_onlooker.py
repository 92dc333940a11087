"""Does a run go on, whatever becomes of the process that watches it?"""

import os
import signal
from pathlib import Path

import gevent
import psutil

from harness.live.news import Loading, PhaseBegins
from harness.onlooker import watched
from harness.progress import Progress

LOADING = Loading(load_start_ns=1, planned=1, started=1, missed=0, in_flight=0, lateness_p99_ms=1.0, cpu_share=0.1)


def child_of_ours() -> psutil.Process:
    return next(each for each in psutil.Process().children() if "harness.live" in each.cmdline())


def test_it_is_gone_when_the_block_ends(tmp_path: Path) -> None:
    said: list[Progress] = []
    with watched(log=tmp_path / "live.log", metrics=None, on_state=lambda _: None, say=said.append) as tell:
        tell(PhaseBegins(phase="load"))
        child = child_of_ours()
    assert not child.is_running()
    assert (said, (tmp_path / "live.log").read_text()) == ([], "")


def test_a_watcher_that_is_killed_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    said: list[Progress] = []
    with watched(log=tmp_path / "live.log", metrics=None, on_state=lambda _: None, say=said.append) as tell:
        child = child_of_ours()
        child.kill()
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            gevent.sleep(0.01)
        for _ in range(100):
            tell(LOADING)
    assert [(each.phase, "ended with -9" in each.text) for each in said] == [("live", True)]


def test_a_watcher_that_hangs_holds_nothing_up(tmp_path: Path) -> None:
    said: list[Progress] = []
    watching = watched(
        log=tmp_path / "live.log", metrics=None, on_state=lambda _: None, say=said.append, end_limit_s=1.0
    )
    with watching as tell:
        os.kill(child_of_ours().pid, signal.SIGSTOP)
        for _ in range(5_000):  # far more than a pipe holds
            tell(LOADING)
        gevent.sleep(0)
    assert [each.phase for each in said] == ["live"]
