"""How do many scenes run side by side without disturbing each other?

Each scene is a `harness gate` of its own, with its own API, providers,
Toxiproxy and ports; all share one PostgreSQL, in which each has a database of
its own. Scenes that depend on timing run alone, after the others.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.verdict import Finding, JudgedCheck, Verdict
from harness.verdict_document import decode_verdict

LANES = max(2, min(4, (os.cpu_count() or 2) + 1))
"""Scenes at a time: they wait more than they compute."""
SCENE_LIMIT_S = 150
"""A scene takes 20 to 40 s; several side by side somewhat longer."""
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One run of one scenario."""

    scenario: str
    defect: str | None = None
    seed: int = 1
    size: str = "scene"
    alone: bool = False

    def name(self) -> str:
        """A file name for it."""
        return "-".join((self.scenario, self.size, self.defect or "fixed", str(self.seed)))


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


def play(scene: Scene, runs: Path, postgres: str | None) -> Played:
    """Run one scene as a user would, and read its verdict."""
    folder = runs / scene.name()
    command = [sys.executable, "-m", "harness.cli", "gate", scene.scenario, "--size", scene.size]
    command += ["--seed", str(scene.seed), "--runs", str(folder)]
    command += ["--defect", scene.defect] if scene.defect else []
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
    found = sorted(folder.glob("*/verdict.json"))
    return Played(
        scene=scene,
        exit_code=child.returncode,
        output=child.stdout,
        folder=found[0].parent if found else None,
        verdict=decode_verdict(found[0].read_bytes()) if found else None,
    )


class Lanes:
    """Plays scenes side by side; `result` waits for one of them."""

    def __init__(self, runs: Path, postgres: str | None, lanes: int = LANES) -> None:
        self._runs = runs
        self._postgres = postgres
        self._pool = ThreadPoolExecutor(lanes)
        self._alone = ThreadPoolExecutor(1)
        self._futures: dict[Scene, Future[Played]] = {}

    def start(self, scenes: Iterable[Scene]) -> None:
        """Play them all: first those that bear company, then the others one at a time."""
        wanted = list(dict.fromkeys(scenes))
        together = [scene for scene in wanted if not scene.alone]
        for scene in together:
            self._futures[scene] = self._pool.submit(play, scene, self._runs, self._postgres)
        others = list(self._futures.values())

        def alone(scene: Scene) -> Played:
            for future in others:
                future.exception()
            return play(scene, self._runs, self._postgres)

        for scene in wanted:
            if scene.alone:
                self._futures[scene] = self._alone.submit(alone, scene)

    def result(self, scene: Scene) -> Played:
        """Wait for a scene's end; raises what playing it raised."""
        return self._futures[scene].result()

    def close(self) -> None:
        """Play nothing further; what runs is waited for, since each run cleans up behind itself."""
        self._pool.shutdown(cancel_futures=True)
        self._alone.shutdown(cancel_futures=True)
