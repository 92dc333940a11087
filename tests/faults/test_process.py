"""Process faults against a real process: killed and restarted, stopped and resumed, and believed only when seen."""

import threading
import time
from pathlib import Path

import pytest

from harness.errors import FaultError
from harness.faults import Kill, Pause
from harness.faults.proof import Event, FaultRow, Status
from harness.faults.timeline import Timeline
from harness.scenario import Cue, Faults
from tests.faults.ground import Ground, rows, steps

PROVEN = [
    ("injected", "confirmed"),
    ("read_back", "confirmed"),
    ("effect_seen", "confirmed"),
    ("watched", "confirmed"),
    ("lifted", "confirmed"),
    ("lift_read_back", "confirmed"),
    ("effect_gone", "confirmed"),
]


def run(parts: Ground, faults: Faults, path: Path) -> None:
    with Timeline(around=parts.around, faults=faults, path=path) as timeline:
        timeline.run(time.monotonic_ns())


def the(event: Event, path: Path) -> FaultRow:
    (row,) = [row for row in rows(path) if row.event is event]
    return row


def test_a_killed_service_is_gone_and_comes_back_as_another_process(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    before = parts.api.running("api")
    run(parts, Kill("api", restart_after_s=0.2).between(0.1, 2), tmp_path / "faults.jsonl")
    after = parts.api.running("api")
    assert steps(tmp_path / "faults.jsonl") == PROVEN
    assert before is not None
    assert after is not None
    assert before.pid != after.pid
    assert the(Event.LIFT_READ_BACK, tmp_path / "faults.jsonl").detail == (
        f"api has pid {after.pid} after pid {before.pid}, started later, and listens"
    )


def test_a_child_that_keeps_the_port_makes_a_kill_a_mismatch(parts: Ground, tmp_path: Path) -> None:
    parts.api.argument = "fork"
    parts.api.start("api")
    run(parts, Kill("api", restart_after_s=0.1).between(0, 1), tmp_path / "faults.jsonl")
    told = dict(steps(tmp_path / "faults.jsonl"))
    assert (told["read_back"], told["effect_seen"], told["lift_read_back"]) == ("mismatch", "mismatch", "mismatch")


def test_a_kill_that_kills_nobody_is_a_mismatch(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    parts.api.immortal = True
    run(parts, Kill("api", restart_after_s=0.1).between(0, 1), tmp_path / "faults.jsonl")
    told = dict(steps(tmp_path / "faults.jsonl"))
    assert (told["read_back"], told["effect_seen"], told["lift_read_back"]) == ("mismatch", "mismatch", "mismatch")


def test_a_paused_service_stands_still_and_goes_on_as_the_same_process(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    before = parts.api.running("api")
    run(parts, Pause("api").between(0, 0.2), tmp_path / "faults.jsonl")
    assert steps(tmp_path / "faults.jsonl") == PROVEN
    assert parts.api.running("api") == before


def test_a_service_resumed_by_somebody_else_is_seen(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    with Timeline(around=parts.around, faults=Pause("api").between(0, 1.2), path=tmp_path / "faults.jsonl") as timeline:
        running = threading.Thread(target=timeline.run, args=(time.monotonic_ns(),))
        running.start()
        (course,) = timeline._courses
        assert course.placed.wait(5)
        parts.api.resume("api")
        running.join()
    assert [row.status for row in rows(tmp_path / "faults.jsonl") if row.event is Event.WATCHED][-1] is Status.MISMATCH


def test_a_kill_follows_the_first_acknowledged_create_after_its_instant(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    faults = Kill("api", cue=Cue.ACKNOWLEDGED_CREATE, restart_after_s=0.1).between(0.3, 3)
    with Timeline(around=parts.around, faults=faults, path=tmp_path / "faults.jsonl") as timeline:
        bell = timeline.bells[Cue.ACKNOWLEDGED_CREATE]
        t0_ns = time.monotonic_ns()
        running = threading.Thread(target=timeline.run, args=(t0_ns,))
        running.start()
        while running.is_alive() and not any(row.event is Event.CUE for row in rows(tmp_path / "faults.jsonl")):
            bell.ring(time.monotonic_ns())
            running.join(0.02)
        running.join()
    told = steps(tmp_path / "faults.jsonl")
    assert sorted(told) == sorted([*PROVEN, ("cue", "confirmed")])
    cue, injected = the(Event.CUE, tmp_path / "faults.jsonl"), the(Event.INJECTED, tmp_path / "faults.jsonl")
    assert t0_ns + 300_000_000 <= cue.at_ns <= injected.at_ns <= cue.at_ns + 50_000_000


def test_a_cue_that_was_heard_too_late_is_not_followed(parts: Ground, tmp_path: Path) -> None:
    parts.api.start("api")
    faults = Kill("api", cue=Cue.ACKNOWLEDGED_CREATE, restart_after_s=0.1).between(0, 0.3)
    with Timeline(around=parts.around, faults=faults, path=tmp_path / "faults.jsonl") as timeline:
        t0_ns = time.monotonic_ns() - 200_000_000
        timeline.bells[Cue.ACKNOWLEDGED_CREATE].ring(t0_ns + 1)
        timeline.run(t0_ns)
    (row,) = rows(tmp_path / "faults.jsonl")
    assert (row.event, row.status) == (Event.CUE, Status.INCONCLUSIVE)
    assert parts.api.running("api") is not None


def test_a_service_without_a_process_cannot_be_killed(parts: Ground, tmp_path: Path) -> None:
    run(parts, Kill("api", restart_after_s=0.1).between(0, 0.3), tmp_path / "faults.jsonl")
    (row,) = rows(tmp_path / "faults.jsonl")
    assert (row.event, row.status) == (Event.INJECTED, Status.INCONCLUSIVE)
    assert row.detail == "could not be prepared: api has no process to send a signal to"


def test_a_fault_on_a_service_that_there_is_not_is_refused(parts: Ground, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="strikes the service 'apii'; there are: api, wechat"):
        Timeline(around=parts.around, faults=Pause("apii").between(0, 1), path=tmp_path / "faults.jsonl")
