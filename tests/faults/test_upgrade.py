"""Upgrades and canaries against real processes behind a real front: believed only when answers name the build."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from harness.errors import FaultError
from harness.faults import Canary, Upgrade
from harness.faults.proof import Event, FaultRow, Status
from harness.faults.surroundings import Endpoint, Rollout, Running, Sight, Surroundings
from harness.faults.timeline import Timeline
from harness.scenario import Faults
from harness.stack.ports import Ports
from harness.stack.process import Child, wait_for
from harness.stack.sight import ProcessSight
from tests.faults.ground import Warden, rows, steps

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 10.0
TOKEN = "control-token"
PROVEN = ["injected", "read_back", "effect_seen", "watched", "lifted", "lift_read_back", "effect_gone"]

pytestmark = pytest.mark.live


@dataclass(kw_only=True)
class Builds:
    """A front and two builds; a `ServiceControl`."""

    folder: Path
    urls: dict[str, str] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    deaf_to_drain: bool = False

    def running(self, service: str) -> Running | None:
        child = self.children.get(service)
        return Running(pid=child.pid, start_ticks=child.start_ticks) if child is not None and child.alive() else None

    def sight(self, service: str) -> Sight | None:
        running = self.running(service)
        return None if running is None else ProcessSight(running)

    def start_as(self, service: str, release: str) -> None:
        script = str(Path(__file__).with_name("served_build.py"))
        self.run(service, [sys.executable, script, self.urls[service].rpartition(":")[2], release], {}, "/healthz")

    def drain(self, service: str) -> None:
        if not self.deaf_to_drain:
            self.children[service].send(signal.SIGTERM)

    def run(self, name: str, command: list[str], more: dict[str, str], ready: str) -> None:
        log = self.folder / f"{name}.log"
        self.children[name] = Child(name, command, log=log, env=os.environ | more, cwd=ROOT)
        wait_for(lambda: answers(self.urls[name] + ready) is not None, LIMIT_S, name)

    def kill(self, service: str) -> None:
        raise NotImplementedError

    start = pause = resume = kill


def answers(url: str, user: str = "x") -> str | None:
    """The build that answers, "front" where none is named; None where nobody does."""
    try:
        build: str = httpx.get(url, headers={"Authorization": f"Bearer {user}"}).headers.get("x-build", "front")
    except httpx.TransportError:
        return None
    return build


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[Builds]:
    builds = Builds(folder=tmp_path)
    with Ports() as ports:
        api, standing_by, front = ports.take(3)
        named = {"api": api, "api-next": standing_by, "front": front}
        builds.urls = {name: f"http://127.0.0.1:{port}" for name, port in named.items()}
        try:
            builds.start_as("api", "r1")
            own = {"FRONT_PORT": str(front), "FRONT_URL": builds.urls["api"], "FRONT_CONTROL_TOKEN": TOKEN}
            builds.run("front", [sys.executable, "-m", "compose.front"], own, "/front/healthz")
            yield builds
        finally:
            for child in builds.children.values():
                child.stop()


def around(builds: Builds) -> Surroundings:
    front = builds.urls["front"]
    return Surroundings(
        run_id="r1",
        edges={},
        services={name: Endpoint(url=url) for name, url in builds.urls.items()},
        providers={},
        toxiproxy=None,
        control=builds,
        warden=Warden(),
        rollout=Rollout(
            old="api",
            new="api-next",
            control=f"{front}/front/control",
            token=TOKEN,
            url=builds.urls["api-next"],
            probe=f"{front}/v1/orders",
            header="X-Build",
        ),
    )


def run(builds: Builds, faults: Faults) -> Path:
    path = builds.folder / "faults.jsonl"
    with Timeline(around=around(builds), faults=faults, path=path) as timeline:
        timeline.run(time.monotonic_ns())
    return path


def moves(path: Path) -> list[tuple[str | None, float | None]]:
    return [(row.build, row.share) for row in rows(path) if row.event is Event.MOVED]


def the(event: Event, path: Path) -> FaultRow:
    (row,) = [row for row in rows(path) if row.event is event]
    return row


def proven(path: Path) -> list[str]:
    told = [(event, status) for event, status in steps(path) if event != "moved"]
    assert {status for _, status in told} == {"confirmed"}, told
    return [event for place, (event, _) in enumerate(told) if place == 0 or told[place - 1][0] != event]


def test_an_upgrade_takes_the_users_over_in_steps_and_ends_the_old_process(builds: Builds) -> None:
    path = run(builds, Upgrade("r2", steps=(0.5, 1.0)).between(0, 3))
    assert proven(path) == PROVEN
    assert moves(path) == [("r2", 0.5), ("r2", 1.0), ("r2", 1.0)]
    assert builds.running("api") is None
    assert {answers(builds.urls["front"] + "/x", f"user-{number}") for number in range(20)} == {"r2"}


def test_a_canary_has_its_share_and_is_gone_after_its_window(builds: Builds) -> None:
    path = run(builds, Canary("r2", share=0.5).between(0, 3))
    assert proven(path) == PROVEN
    assert moves(path) == [("r2", 0.5), ("r1", 1.0)]
    assert builds.running("api-next") is None
    assert {answers(builds.urls["front"] + "/x", f"user-{number}") for number in range(20)} == {"r1"}


def test_an_old_process_that_does_not_end_makes_an_upgrade_a_mismatch(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.faults.upgrade.END_LIMIT_S", 0.3)
    builds.deaf_to_drain = True
    path = run(builds, Upgrade("r2", steps=(1.0,)).between(0, 3))
    assert the(Event.LIFT_READ_BACK, path).detail.endswith("still lives 0.3 s after it was told to end")


def test_a_release_that_answers_when_its_window_is_over_makes_an_upgrade_a_mismatch(builds: Builds) -> None:
    path = run(builds, Upgrade("r2").between(0, 0.01))
    told = the(Event.INJECTED, path)
    assert told.status is Status.MISMATCH
    assert told.detail.endswith("its window of 0.01 s is over: what it was to meet has gone by")
    assert builds.running("api") is None


def test_an_upgrade_of_what_cannot_be_upgraded_is_refused(builds: Builds, tmp_path: Path) -> None:
    without = Surroundings(
        run_id="r1",
        edges={},
        services={},
        providers={},
        toxiproxy=None,
        control=builds,
        warden=Warden(),
    )
    with pytest.raises(FaultError, match=r"fault 0 upgrades 'api': the target file has no \[rollout\] of it"):
        Timeline(around=without, faults=Upgrade("r2").between(0, 1), path=tmp_path / "faults.jsonl")


@pytest.mark.parametrize("steps_", [(), (0.5, 0.2), (0.0, 1.0), (0.5, 1.5)])
def test_steps_of_an_upgrade_grow_and_are_shares(steps_: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="steps of an upgrade"):
        Upgrade("r2", steps=steps_)
