"""How do many scenes run side by side without disturbing each other?

Each scene is a `harness gate` of its own, with its own API, providers,
Toxiproxy and ports; all share one PostgreSQL, in which each has a database of
its own. Scenes that depend on timing come at the end, after the others and after
all tests that read no scene: nothing but a second one of them runs beside them.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from harness.verdict import Finding, JudgedCheck, Verdict
from harness.verdict_document import decode_verdict

LANES = max(2, min(4, os.cpu_count() or 2))
"""Scenes at a time: each takes half a core, and the tests beside them take the rest."""
QUIET_LANES = 2
"""Scenes at a time when nothing else goes on any more."""
SCENE_LIMIT_S = 150
"""A scene takes 20 to 40 s; several side by side somewhat longer."""
WAIT_LIMIT_S = 1800
"""Whoever waits for a scene waits for all that are played before it; each of them has its own, shorter limit."""
POLL_S = 0.05
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One run of one scenario."""

    scenario: str
    defects: tuple[str, ...] = ()
    seed: int = 1
    size: str = "scene"
    alone: bool = False

    def name(self) -> str:
        """A file name for it."""
        return "-".join((self.scenario, self.size, "+".join(self.defects) or "fixed", str(self.seed)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What came of it."""

    scene: Scene
    exit_code: int
    output: str
    folder: Path | None
    verdict: Verdict | None

    def check(self, name: str) -> JudgedCheck:
        """The named promise as judged; fails the test with the whole output where there is none."""
        assert self.verdict is not None, self.output
        return next(check for check in self.verdict.scenarios[0].checks if check.check == name)

    def findings(self, name: str) -> tuple[Finding, ...]:
        """Breaches of the named promise."""
        return self.check(name).findings


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a scene's process ended, as it is handed from the process that plays to the one that reads."""

    exit_code: int | None
    """None: it could not be played; `output` says why."""
    output: str


class Outcomes:
    """How scenes ended, a file each in the folder that they are played in."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs

    def write(self, scene: Scene, ended: Ended) -> None:
        """Keep it, at one stroke."""
        half = self.runs / f"{scene.name()}.half"
        half.write_bytes(msgspec.json.encode(ended))
        half.rename(self._file(scene))

    def result(self, scene: Scene) -> Played:
        """Wait for a scene's end, and read its verdict."""
        until = time.monotonic() + WAIT_LIMIT_S
        while not self._file(scene).exists():
            assert time.monotonic() < until, f"{scene.name()} was not over within {WAIT_LIMIT_S} s"
            time.sleep(POLL_S)
        ended = msgspec.json.decode(self._file(scene).read_bytes(), type=Ended)
        assert ended.exit_code is not None, ended.output
        found = sorted((self.runs / scene.name()).glob("*/verdict.json"))
        return Played(
            scene=scene,
            exit_code=ended.exit_code,
            output=ended.output,
            folder=found[0].parent if found else None,
            verdict=decode_verdict(found[0].read_bytes()) if found else None,
        )

    def _file(self, scene: Scene) -> Path:
        return self.runs / f"{scene.name()}.json"


def play(scene: Scene, runs: Path, postgres: str | None) -> Ended:
    """Run one scene as a user would; whatever keeps it from being played is told, too."""
    folder = runs / scene.name()
    command = [sys.executable, "-m", "harness.cli", "gate", scene.scenario, "--size", scene.size]
    command += ["--seed", str(scene.seed), "--runs", str(folder)]
    command += [word for defect in scene.defects for word in ("--defect", defect)]
    try:
        child = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | ({"HARNESS_POSTGRES": postgres} if postgres else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SCENE_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        return Ended(exit_code=None, output=str(exc))
    return Ended(exit_code=child.returncode, output=child.stdout)


class Lanes:
    """Plays scenes side by side, and keeps how each ended."""

    def __init__(self, outcomes: Outcomes, postgres: str | None, lanes: int = LANES) -> None:
        self._outcomes = outcomes
        self._postgres = postgres
        self._lanes = lanes
        self._pool = ThreadPoolExecutor(lanes)
        self._quiet_pool = ThreadPoolExecutor(QUIET_LANES)
        self._tests: set[str] = set()
        self._quiet = threading.Event()
        self._closed = False
        self._wanted = 0
        self._over = 0
        self._lock = threading.Lock()
        self._news: SimpleQueue[str] = SimpleQueue()

    def start(self, scenes: Iterable[Scene], tests: Iterable[str] = ()) -> None:
        """Play them all: first those that bear company, then, when `tests` are over too, the others."""
        wanted = list(dict.fromkeys(scenes))
        alone = [scene for scene in wanted if scene.alone]
        self._wanted = len(wanted)
        self._tests = set(tests)
        if not self._tests:
            self._quiet.set()
        self._news.put(f"{len(wanted)} scenes, {self._lanes} at a time; {len(alone)} of them at the end")
        others = [self._pool.submit(self._play, scene) for scene in wanted if not scene.alone]
        for scene in alone:
            self._quiet_pool.submit(self._play_alone, scene, others)

    def over(self, test: str) -> None:
        """A test has ended."""
        self._tests.discard(test)
        if not self._tests:
            self._quiet.set()

    def news(self) -> Iterator[str]:
        """What happened since it was last asked, a line each."""
        with suppress(Empty):
            while True:
                yield self._news.get_nowait()

    def close(self) -> None:
        """Play nothing further; what runs is waited for, since each run cleans up behind itself."""
        self._closed = True
        self._quiet.set()
        self._pool.shutdown(cancel_futures=True)
        self._quiet_pool.shutdown(cancel_futures=True)

    def _play_alone(self, scene: Scene, others: list[Future[None]]) -> None:
        for future in others:
            future.exception()
        self._quiet.wait()
        if not self._closed:
            self._play(scene)

    def _play(self, scene: Scene) -> None:
        begun = time.monotonic()
        ended = play(scene, self._outcomes.runs, self._postgres)
        self._outcomes.write(scene, ended)
        with self._lock:
            self._over += 1
            order = f"{self._over} of {self._wanted}"
        took = f"{time.monotonic() - begun:.0f} s"
        self._news.put(f"scene {order}: {scene.name()}, {took}, exit code {ended.exit_code}")
