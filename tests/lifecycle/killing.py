"""Is anything left of a run whose gate, or Locust, or both were killed at a random instant?

One round: a gate on ports of its own and a shared Toxiproxy is killed; within
five seconds there is no proxy on that Toxiproxy, no process of the run, no port
taken, no temporary folder and no journal of what is still to be undone. Then the
next gate runs on the very same ports.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from harness.stack.ports import LOWEST, is_free
from harness.stack.toxiproxy import VARIABLE, Toxiproxy

ROOT = Path(__file__).parents[2]
CLEAN_WITHIN_S = 5.0
INSTANTS_S = (0.2, 15.0)
"""From the gate's start to its death; what is killed takes about 17 s when it is left alone."""
GATE_LIMIT_S = 120.0
LOOK_EVERY_S = 0.05
PORTS = 14
"""Of a run: PostgreSQL, Toxiproxy, four services and eight edges of the reference."""
BASES = range(5_000, LOWEST - PORTS, 20)
"""Where a run's ports may begin: below those that other runs choose for themselves meanwhile."""
MARK = "HARNESS_MARK"
SCENARIOS = '''"""What is killed, and what is run after it."""

from harness import CLAIMED_ALWAYS, Cue, Customer, CutAnswers, Kill, LoseNotices, Objectives, Pause, Plan, Steady


class ToBeKilled(Customer):
    """One fault of each driver, nearly all the time."""

    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=10),
        warmup_s=0.5,
        faults=(
            *CutAnswers("wechat", "card").between(1, 9),
            *LoseNotices("all", every_nth=2).between(1, 9),
            *Pause("alipay").between(2, 4),
            *Kill("api", cue=Cue.ACKNOWLEDGED_CREATE, restart_after_s=0.5).between(5, 7),
        ),
        claims=CLAIMED_ALWAYS,
    )


class AfterIt(Customer):
    """The next gate, as short as can be."""

    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=3),
        warmup_s=0.5,
        faults=CutAnswers("wechat").between(1, 2),
        objectives=Objectives(success_ratio=0.5, success_ratio_in_fault=0.5),
        claims={"assumptions": 1, "no_vanished_order": 6, "no_double_charge": 6},
    )
'''


class Victim(StrEnum):
    """Who is killed."""

    GATE = "gate"
    LOCUST = "locust"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What is killed, and when."""

    victim: Victim
    after_s: float
    port_base: int

    def told(self) -> str:
        """In a few words."""
        return f"SIGKILL to {self.victim} after {self.after_s:.1f} s"


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """By what a run is known after its end."""

    processes: Sequence[psutil.Process]
    """The gate first."""
    marks: frozenset[str]
    """That its processes carry in their environment."""
    folders: Sequence[Path]
    """Temporary ones, as its journal names them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Aftermath:
    """How a round ended."""

    killed: int
    """Processes that the run had at that instant."""
    clean_after_s: float
    next_exit: int


def round_of(number: int, port_base: int) -> Round:
    """The round of a number, from 1: victims in turn, the instant drawn from the number."""
    victim = tuple(Victim)[(number - 1) % len(Victim)]
    return Round(victim=victim, after_s=random.Random(f"kill/{number}").uniform(*INSTANTS_S), port_base=port_base)


def free_bases(among: Sequence[int] = BASES) -> Iterator[int]:
    """Where as many free ports lie in a row as a run needs, each time elsewhere."""
    starts = random.sample(among, len(among))
    return (base for base in starts if all(is_free(port) for port in range(base, base + PORTS)))


def kill_and_look(planned: Round, folder: Path, toxiproxy: Toxiproxy) -> Aftermath:
    """Play one round in `folder`, which must be empty; raises AssertionError, saying what was left."""
    (folder / "scenarios").mkdir(parents=True)
    (folder / "scenarios" / "killed.py").write_text(SCENARIOS)
    environ = {name: value for name, value in os.environ.items() if name != "HARNESS_POSTGRES"}
    environ[VARIABLE] = toxiproxy.url
    began_s = time.monotonic()
    with (folder / "killed.log").open("wb") as log:
        gate = subprocess.Popen(
            command("ToBeKilled", folder, planned.port_base),
            cwd=folder,
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                gate.wait(max(0.0, planned.after_s - (time.monotonic() - began_s)))
            assert gate.poll() is None, f"the gate ended by itself, exit {gate.returncode}, before it was to be killed"
            traces = traces_of(gate.pid, folder)
            strike(planned.victim, gate.pid, traces.processes)
            killed_s = time.monotonic()
            gate.wait(CLEAN_WITHIN_S)
        finally:
            gate.kill()
            gate.wait()
    while (left := leftovers(traces, folder, planned.port_base, toxiproxy)) and (
        time.monotonic() - killed_s < CLEAN_WITHIN_S
    ):
        time.sleep(LOOK_EVERY_S)
    clean_after_s = time.monotonic() - killed_s
    assert not left, f"{planned.told()}: {CLEAN_WITHIN_S:g} s later there is still {'; '.join(left)}"
    next_exit = next_gate(folder, planned.port_base, environ)
    left = leftovers(traces, folder, planned.port_base, toxiproxy)
    assert not left, f"{planned.told()}: after the next gate there is {'; '.join(left)}"
    return Aftermath(killed=len(traces.processes), clean_after_s=clean_after_s, next_exit=next_exit)


def command(scenario: str, folder: Path, port_base: int) -> list[str]:
    """A gate on fixed ports, with the scenario file in `folder`."""
    target = ROOT / "compose" / "reference.toml"
    given = [scenario, "--size", "scene", "--seed", "1", "--port-base", str(port_base)]
    return [
        *(sys.executable, "-m", "harness.cli", "gate", *given),
        *("--target", str(target), "--runs", str(folder / "runs")),
    ]


def next_gate(folder: Path, port_base: int, environ: Mapping[str, str]) -> int:
    """Run another gate on the same ports; gives its exit code, and leaves its output beside."""
    with (folder / "next.log").open("wb") as log:
        done = subprocess.run(
            command("AfterIt", folder, port_base),
            cwd=folder,
            env=environ,
            stdout=log,
            stderr=log,
            timeout=GATE_LIMIT_S,
            check=False,
        )
    return done.returncode


def strike(victim: Victim, gate: int, found: Collection[psutil.Process]) -> None:
    """SIGKILL to whom it is meant for; before Locust is there only the gate can be killed."""
    locust = [process for process in found if is_locust(process)]
    targets = [] if victim is Victim.LOCUST and locust else [psutil.Process(gate)]
    if victim is not Victim.GATE:
        targets += locust[:1]
    for process in targets:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def traces_of(gate: int, folder: Path) -> Traces:
    """What a run that works in `folder` has at this instant."""
    parent = psutil.Process(gate)
    processes = [parent, *parent.children(recursive=True)]
    return Traces(processes=processes, marks=marks_of(processes), folders=folders_of(folder))


def is_locust(process: psutil.Process) -> bool:
    """Whether this is the Locust that conducts the run; it is the gate's own child, so it comes first."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "locust" in process.cmdline()
    return False


def marks_of(found: Collection[psutil.Process]) -> frozenset[str]:
    """The marks that the run's processes carry in their environment."""
    marks = set()
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            marks.add(process.environ().get(MARK, ""))
    return frozenset(marks - {""})


def folders_of(folder: Path) -> list[Path]:
    """Temporary folders that the run's journal names."""
    found = []
    for journal in (folder / ".harness").glob("warden-*.jsonl"):
        for line in journal.read_text().splitlines():
            with contextlib.suppress(ValueError):
                row = json.loads(line)
                found += [Path(row["path"])] if row.get("how") == "rmtree" else []
    return found


def leftovers(traces: Traces, folder: Path, port_base: int, toxiproxy: Toxiproxy) -> list[str]:
    """Whatever is still there of a run, a clause each."""
    left = [f"process {told(process)}" for process in {*living(traces.processes), *marked(traces.marks)}]
    left += [f"port {port}" for port in range(port_base, port_base + PORTS) if not is_free(port)]
    for proxy in toxiproxy.proxies().values():
        toxics = ", ".join(toxic.name for toxic in proxy.toxics) or "no toxic"
        left.append(f"proxy {proxy.name} with {toxics}")
    left += [f"folder {path}" for path in traces.folders if path.exists()]
    return left + [f"journal {path.name}" for path in (folder / ".harness").glob("warden-*.jsonl")]


def living(found: Collection[psutil.Process]) -> Iterator[psutil.Process]:
    """Those that run; a zombie only waits for its parent to look."""
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def marked(marks: Collection[str]) -> Iterator[psutil.Process]:
    """Every process of the machine that carries one of the marks."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if marks and process.environ().get(MARK) in marks and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def told(process: psutil.Process) -> str:
    """Pid and command line."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return f"{process.pid} ({' '.join(process.cmdline())[:80]})"
    return str(process.pid)
