"""The timeline of one scenario: numbers, conditions, a stop at any instant, and greenlets in the place of threads."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import FaultError, StackError
from harness.faults import FAULTS, CutAnswers, Kill, LoseNotices, Pause, Silence, SlowAnswers
from harness.faults.cue import Bell
from harness.faults.proof import Event, FaultLog, Status, confirmed
from harness.faults.timeline import Timeline, describe, fault_records
from harness.scenario import Cue, FaultSpec, Setting
from tests.faults.ground import Ground, Server, rows, steps


def test_faults_are_numbered_before_conditions_as_in_the_scenarios_record() -> None:
    records = fault_records(
        (
            *CutAnswers("wechat", "card").between(5, 8),
            *Kill("api", cue=Cue.ACKNOWLEDGED_CREATE, restart_after_s=0.5).between(8, 9.5),
        ),
        SlowAnswers("wechat", by_ms=400),
    )
    assert [(record.number, record.start_ms, record.end_ms, record.describe) for record in records] == [
        (0, 5_000, 8_000, "cut_answers on wechat (after_bytes 0), 5 s to 8 s"),
        (1, 5_000, 8_000, "cut_answers on card (after_bytes 0), 5 s to 8 s"),
        (2, 8_000, 9_500, "kill on api (restart_after_s 0.5), 8 s to 9.5 s, at the next acknowledged_create"),
        (3, None, None, "slow_answers on wechat (when after, by_ms 400), all the time"),
    ]


def test_every_kind_is_listed_with_its_driver() -> None:
    settings: dict[str, dict[str, Setting]] = {
        "cut_answers": {},
        "silence": {"answers": True},
        "slow_edge": {"by_ms": 1},
        "down": {},
        "refuse": {},
        "slow_answers": {"by_ms": 1},
        "lose_answers": {},
        "error_answers": {},
        "refuse_schema": {"version": 2, "merchants": "ride-1,food-2"},
        "late_capture": {"by_ms": 1},
        "lose_notices": {},
        "late_notices": {"by_ms": 1},
        "forge_notices": {},
        "repeat_notices": {"times": 2},
        "plant_in_bill": {},
        "kill": {"restart_after_s": 1.0},
        "pause": {},
        "upgrade": {},
        "canary": {},
    }
    made = [FAULTS[kind].make("wechat", **settings[kind]) for kind in FAULTS]
    assert [(fault.kind, fault.driver) for (fault,) in made] == [(kind, FAULTS[kind].driver) for kind in FAULTS]


def test_listing_the_faults_imports_neither_locust_nor_gevent() -> None:
    script = "import sys, harness.faults; print(sorted({'locust', 'gevent'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"[]\n"


def test_a_condition_stands_before_the_faults_and_ends_after_them(parts: Ground, tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    conditions = SlowAnswers("wechat", by_ms=400)
    with Timeline(
        around=parts.around, faults=CutAnswers("wechat").between(0, 0.2), conditions=conditions, path=path
    ) as timeline:
        timeline.place_conditions()
        assert list(parts.wechat.faults) == ["r1.1"]
        parts.wechat.faults["r1.1"]["hits"] = 7
        timeline.run(time.monotonic_ns())
        assert list(parts.wechat.faults) == ["r1.1"]
        timeline.end_conditions()
        assert parts.wechat.faults == {}
    assert {status for number in (0, 1) for _, status in steps(path, number)} == {"confirmed"}
    assert dict(steps(path, 1)).keys() == dict(steps(path, 0)).keys()


def test_windows_overlap_without_delaying_one_another(parts: Ground, tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    parts.api.start("api")
    faults = (*Silence("wechat", answers=True).between(0.1, 0.4), *CutAnswers("customer").between(0.2, 0.3))
    with Timeline(around=parts.around, faults=faults, path=path) as timeline:
        assert timeline.last_lifted_ns is None
        timeline.run(time.monotonic_ns())
        assert timeline.last_lifted_ns == max(row.at_ns for row in rows(path) if row.event is Event.LIFTED)
    assert {status for number in (0, 1) for _, status in steps(path, number)} == {"confirmed"}


def test_a_stop_lifts_everything_before_it_returns(parts: Ground, tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    parts.api.start("api")
    faults = (
        *Silence("wechat", answers=True).between(0, 60),
        *LoseNotices("wechat").between(0, 60),
        *Pause("api").between(0, 60),
        *CutAnswers("customer").between(50, 60),
    )
    with Timeline(around=parts.around, faults=faults, path=path) as timeline:
        running = threading.Thread(target=timeline.run, args=(time.monotonic_ns(),))
        running.start()
        for course in timeline._courses[:3]:
            assert course.placed.wait(5)
        timeline.lift_all()
        timeline.lift_all()
        assert [toxic for proxy in parts.toxiproxy.proxies().values() for toxic in proxy.toxics] == []
        assert parts.wechat.faults == {}
        running.join()
    told = rows(path)
    assert sorted(row.number for row in told if row.event is Event.LIFTED) == [0, 1, 2]
    assert [row.number for row in told if row.event is Event.EFFECT_GONE and row.status is Status.CONFIRMED] != []
    assert {row.status for row in told} == {Status.CONFIRMED}
    assert parts.warden.undo == {}


def test_a_stop_restarts_what_was_killed(parts: Ground, tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    parts.api.start("api")
    with Timeline(around=parts.around, faults=Kill("api", restart_after_s=60).between(0, 90), path=path) as timeline:
        running = threading.Thread(target=timeline.run, args=(time.monotonic_ns(),))
        running.start()
        assert timeline._courses[0].placed.wait(5)
        assert parts.api.running("api") is None
        timeline.lift_all()
        assert parts.api.running("api") is not None
        running.join()
    assert steps(path)[-3:] == [("lifted", "confirmed"), ("lift_read_back", "confirmed"), ("effect_gone", "confirmed")]


def test_leaving_the_block_by_an_exception_lifts_everything(parts: Ground, tmp_path: Path) -> None:
    def fall() -> None:
        path = tmp_path / "faults.jsonl"
        with Timeline(around=parts.around, faults=(), conditions=CutAnswers("wechat"), path=path) as timeline:
            timeline.place_conditions()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fall()
    assert [toxic for proxy in parts.toxiproxy.proxies().values() for toxic in proxy.toxics] == []


def test_after_a_stop_nothing_begins(parts: Ground, tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    with Timeline(around=parts.around, faults=CutAnswers("wechat").between(0, 1), path=path) as timeline:
        timeline.lift_all()
        timeline.run(time.monotonic_ns())
    assert rows(path) == []
    assert parts.warden.ever == []


def test_a_warden_that_is_gone_lets_nothing_be_broken(parts: Ground, tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    parts.warden.gone = StackError("the warden is gone")
    with Timeline(around=parts.around, faults=CutAnswers("wechat").between(0, 1), path=path) as timeline:
        timeline.run(time.monotonic_ns())
    assert steps(path) == [("injected", "inconclusive")]


def test_a_driver_that_crashes_is_lifted_and_told(parts: Ground, tmp_path: Path) -> None:
    parts.warden.gone = ZeroDivisionError("a bug")
    with Timeline(
        around=parts.around, faults=CutAnswers("wechat").between(0, 1), path=tmp_path / "faults.jsonl"
    ) as timeline:
        with pytest.raises(FaultError, match="a fault's driver crashed: ZeroDivisionError") as failed:
            timeline.run(time.monotonic_ns())
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_a_bell_tells_only_of_rings_after_the_instant() -> None:
    bell = Bell()
    bell.ring(5)
    bell.ring(3)
    assert (bell.wait(4, 0), bell.wait(5, 0)) == (5, None)


def test_rows_are_on_disk_at_once_and_none_comes_after_the_close(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    with FaultLog(path, lambda: 7) as log:
        log.write(3, Event.INJECTED, confirmed("so"))
        written = json.loads(path.read_text())
    log.write(3, Event.LIFTED, confirmed("so"))
    assert written == {"number": 3, "event": "injected", "status": "confirmed", "at_ns": 7, "detail": "so"}
    assert len(rows(path)) == 1


def test_a_fault_without_settings_tells_its_window() -> None:
    (fault,) = Pause("api").between(1, 2)
    assert isinstance(fault, FaultSpec)
    assert describe(fault) == "pause on api, 1 s to 2 s"


GREENLETS = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent, sys, time
from pathlib import Path
from harness.faults import CutAnswers, Silence
from harness.faults.timeline import Timeline
from tests.faults.ground import Server, ground
with ground(Server(sys.argv[1]), run="g1") as parts:
    faults = (*Silence("wechat", answers=True).between(0.1, 0.3), *CutAnswers("wechat").between(1.2, 1.3))
    with Timeline(around=parts.around, faults=faults, path=Path(sys.argv[2])) as timeline:
        running = gevent.spawn(timeline.run, time.monotonic_ns())
        ticks = 0
        while not running.dead:
            gevent.sleep(0.01)
            ticks += 1
        running.get()
print(ticks)
"""


def test_the_same_runs_in_greenlets_and_leaves_the_loop_to_others(toxiproxy: Server, tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", GREENLETS, toxiproxy.url, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {status for number in (0, 1) for _, status in steps(path, number)} == {"confirmed"}
    assert dict(steps(path, 1))["effect_gone"] == "confirmed"
    assert int(done.stdout) > 50
