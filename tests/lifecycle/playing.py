"""How does a test play a short run in a folder of its own, and interfere with it?"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.stack.toxiproxy import VARIABLE, Toxiproxy
from harness.verdict import Status, Verdict
from harness.verdict_document import decode_verdict

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "compose" / "reference.toml"
LIMIT_S = 120.0
"""Generous: a busy machine takes a multiple of what an idle one does."""
LOOK_EVERY_S = 0.05
LANES = 2
Outcome = TypeVar("Outcome")
SCENARIOS = '''"""Short runs."""

from harness import Customer, CutAnswers, Objectives, Plan, Steady

SHORT = {"pay_by_ms": 3000, "stuck_ms": 1500, "refund_ms": 3000, "patience_ms": 4000, "drain_ms": 8000}
CLAIMS = {
    "assumptions": 1,
    "no_vanished_order": 2,
    "no_double_charge": 2,
    "no_orphan_charge": 2,
    "money_conserved": 2,
}


class Short(Customer):
    """Two seconds of customers, most of them without answers from the providers."""

    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=2),
        warmup_s=0.2,
        faults=CutAnswers("wechat", "alipay", "card").between(0.3, 1.6),
        windows=SHORT,
        claims=CLAIMS,
    )


class Endless(Customer):
    """An outage that lasts until somebody ends it."""

    scene = Plan(
        load=Steady(rate_per_s=3, duration_s=100),
        warmup_s=0.1,
        faults=CutAnswers("wechat", "card").between(0.2, 99),
        windows=SHORT,
        claims=CLAIMS,
    )


class Nowhere(Customer):
    """A fault on an edge that the target does not have."""

    scene = Plan(
        load=Steady(rate_per_s=3, duration_s=2),
        faults=CutAnswers("bank").between(0.5, 1),
        claims=CLAIMS,
    )
'''


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A command that has ended."""

    exit_code: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A folder with scenarios, and the servers that its runs share with others."""

    folder: Path
    toxiproxy: Toxiproxy
    postgres: str | None

    def command(self, program: str, *arguments: str) -> list[str]:
        """`harness`, `pytest` or `locust` with arguments; what Locust needs is added."""
        if program == "harness":
            return [sys.executable, "-m", "harness.cli", *arguments]
        if program == "pytest":
            return [sys.executable, "-m", "pytest", "-p", "harness.pytest_plugin", *arguments]
        needed = ("--size", "scene", "--target", str(TARGET))
        return [sys.executable, "-m", program, "-f", "scenarios", *arguments, *needed]

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it with its output in `out` and `err`."""
        environ = os.environ | {VARIABLE: self.toxiproxy.url}
        environ |= {"HARNESS_POSTGRES": self.postgres} if self.postgres else {}
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            command = self.command(program, *arguments)
            return subprocess.Popen(
                command, cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def end(self, child: subprocess.Popen[bytes]) -> Done:
        """Wait for its end."""
        try:
            code = child.wait(LIMIT_S)
        finally:
            child.kill()
        return Done(
            exit_code=code, out=(self.folder / "out").read_text(), err=(self.folder / "err").read_text(errors="replace")
        )

    def call(self, program: str, *arguments: str) -> Done:
        """Start it and wait for its end."""
        return self.end(self.start(program, *arguments))

    def gate(self, scenario: str, *arguments: str) -> Done:
        """Play a scenario's scene."""
        return self.call("harness", "gate", scenario, "--size", "scene", "--target", str(TARGET), *arguments)

    def runs(self) -> list[Path]:
        """Run directories, in the order of their beginning."""
        return sorted((self.folder / "runs").glob("*"))

    def run(self) -> Path:
        """The only run directory."""
        (run,) = self.runs()
        return run

    def verdict(self) -> Verdict:
        """Of the only run."""
        return decode_verdict((self.run() / "verdict.json").read_bytes())

    def toxics(self) -> list[str]:
        """Every toxic that stands, of this place's runs and of others on the same server."""
        return sorted(
            f"{name}: {toxic.name}"
            for name, proxy in self.toxiproxy.proxies().items()
            for toxic in proxy.toxics
            if any(name.startswith(f"{run.name}.") for run in self.runs())
        )

    def proxies(self) -> list[str]:
        """Every proxy of this place's runs."""
        return [
            name for name in self.toxiproxy.proxies() if any(name.startswith(f"{run.name}.") for run in self.runs())
        ]


def broken(verdict: Verdict) -> str:
    """Each promise that did not hold, in a line, with its findings."""
    return "\n".join(
        f"{scenario.scenario} {check.check} {check.status.value}: {check.reason} "
        + " | ".join(finding.message for finding in check.findings)
        for scenario in verdict.scenarios
        for check in scenario.checks
        if check.status in (Status.FAIL, Status.UNKNOWN) or check.findings
    )


def place(folder: Path, toxiproxy: Toxiproxy, postgres: str | None = None) -> Place:
    """A new place in an empty folder."""
    (folder / "scenarios").mkdir(parents=True)
    (folder / "scenarios" / "short.py").write_text(SCENARIOS)
    return Place(folder=folder, toxiproxy=toxiproxy, postgres=postgres)


def await_(holds: Callable[[], object], what: str) -> None:
    """Wait until it holds; fails the test where it never does."""
    until_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < until_s, f"{what}: not within {LIMIT_S:g} s"
        time.sleep(LOOK_EVERY_S)


def side_by_side(works: Mapping[str, Callable[[], Outcome]]) -> dict[str, Outcome]:
    """Play several runs at a time, since each of them mostly waits; raises what the first of them raised."""
    with ThreadPoolExecutor(LANES) as lanes:
        futures = {name: lanes.submit(work) for name, work in works.items()}
        return {name: future.result() for name, future in futures.items()}
