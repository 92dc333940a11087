"""Provider faults against a control API: set, read back, believed when they struck, and gone at the end."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import FaultError
from harness.faults import LateCapture, LateNotices, LoseAnswers, LoseNotices, RepeatNotices, SlowAnswers
from harness.faults.proof import Event, Status
from harness.faults.timeline import Timeline
from harness.scenario import Faults, FaultSpec
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


def run(parts: Ground, faults: Faults, path: Path, meanwhile: Callable[[], None]) -> None:
    with Timeline(around=parts.around, faults=faults, path=path) as timeline:
        running = threading.Thread(target=timeline.run, args=(time.monotonic_ns(),))
        running.start()
        for course in timeline._courses:
            assert course.placed.wait(5)
        meanwhile()
        running.join()


def strike(parts: Ground) -> None:
    for fault in parts.wechat.faults.values():
        fault["hits"] += 1


SETTINGS: list[tuple[Faults, dict[str, object]]] = [
    (SlowAnswers("wechat", by_ms=600), {"kind": "slow_answer", "by_ms": 600, "when": "after"}),
    (
        SlowAnswers("wechat", by_ms=5, after_effect=False, ops="charge,close", every_nth=3),
        {"kind": "slow_answer", "by_ms": 5, "when": "before", "op": ["charge", "close"], "nth": 3},
    ),
    (LoseAnswers("wechat", ops="charge"), {"kind": "lost_answer", "when": "after", "op": ["charge"]}),
    (
        LateCapture("wechat", by_ms=5_000, despite_close=True),
        {"kind": "late_capture", "by_ms": 5_000, "despite_close": True},
    ),
    (LoseNotices("wechat", every_nth=2), {"kind": "lose_notices", "nth": 2, "of": "capture"}),
    (LateNotices("wechat", by_ms=3_000), {"kind": "late_notices", "by_ms": 3_000, "of": "both"}),
    (
        RepeatNotices("wechat", times=3, reorder=True),
        {"kind": "repeat_notices", "times": 3, "reorder": True, "of": "both"},
    ),
]


@pytest.mark.parametrize(("faults", "asked"), SETTINGS, ids=[str(asked["kind"]) for _, asked in SETTINGS])
def test_a_provider_fault_is_asked_for_in_the_control_apis_words_and_proven(
    parts: Ground, tmp_path: Path, faults: Faults, asked: dict[str, object]
) -> None:
    seen: list[dict[str, object]] = []

    def meanwhile() -> None:
        seen.extend(dict(fault) for fault in parts.wechat.faults.values())
        strike(parts)

    run(parts, faults.between(0, 0.2), tmp_path / "faults.jsonl", meanwhile)
    assert seen == [asked | {"id": "r1.0", "hits": 0}]
    assert steps(tmp_path / "faults.jsonl") == PROVEN
    assert parts.wechat.faults == {}
    assert parts.warden.ever == [f"{parts.wechat.url}/control/faults/r1.0"]
    assert parts.warden.undo == {}


def test_a_fault_that_nothing_matched_has_shown_nothing(parts: Ground, tmp_path: Path) -> None:
    run(parts, LoseNotices("wechat").between(0, 0.2), tmp_path / "faults.jsonl", lambda: None)
    assert dict(steps(tmp_path / "faults.jsonl"))["effect_seen"] == "inconclusive"


@pytest.mark.parametrize(
    ("sabotage", "told"),
    [
        (lambda faults: faults.clear(), "r1.0 is not listed at wechat"),
        (lambda faults: faults["r1.0"].update(of="refund"), "of is 'refund', not 'capture'"),
        (lambda faults: faults.update(x={"id": "x"}), "a foreign fault stands at wechat: {'id': 'x'}"),
    ],
    ids=["removed", "changed", "foreign"],
)
def test_sabotage_of_a_provider_fault_is_seen(
    parts: Ground, tmp_path: Path, sabotage: Callable[[dict[str, dict[str, object]]], None], told: str
) -> None:
    run(parts, LoseNotices("wechat").between(0, 0.2), tmp_path / "faults.jsonl", lambda: sabotage(parts.wechat.faults))
    watched = [row for row in rows(tmp_path / "faults.jsonl") if row.event is Event.WATCHED]
    assert [(row.status, row.detail) for row in watched] == [(Status.MISMATCH, told)]


def test_a_provider_that_does_not_answer_proves_nothing_and_is_no_crash(parts: Ground, tmp_path: Path) -> None:
    parts.wechat.refuses = True
    run(parts, LoseNotices("wechat").between(0, 0.2), tmp_path / "faults.jsonl", lambda: None)
    told = dict(steps(tmp_path / "faults.jsonl"))
    assert (told["injected"], told["read_back"], told["lifted"]) == ("inconclusive", "inconclusive", "mismatch")
    assert list(parts.warden.undo.values()) == [f"{parts.wechat.url}/control/faults/r1.0"]


def test_all_means_every_method_of_payment() -> None:
    assert [fault.where for fault in LoseNotices("all")] == ["wechat", "alipay", "card"]
    assert all(type(fault) is FaultSpec and fault.start_s == 1 for fault in LoseNotices("all").between(1, 2))


def test_a_provider_without_a_control_api_is_refused(parts: Ground, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="strikes the provider 'card'; with a control API there are: wechat"):
        Timeline(around=parts.around, faults=LoseNotices("card").between(0, 1), path=tmp_path / "faults.jsonl")
