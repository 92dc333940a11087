"""What does it cost to watch a run? CPU a journey with and without the live judge, turn about. Measured, not asserted.

python -m tests.live.bench                          FestivalEvening of gate size, three times each
python -m tests.live.bench Incident --pairs 2

CPU of everything that a gate started and waited for: generator, target, providers, proxies, judge. Machines are noisy:
the two kinds take turns in one run, and the ratio is what counts.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.documents import ConductRecord
from harness.stack.ports import reserved
from tests.lanes import ROOT

SETTLING_SEED = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """Of one run, a journey."""

    whole_ms: float
    """CPU of everything."""
    generator_ms: float
    """CPU of the generator's process while the load was on."""
    lateness_p99_ms: float


def main(arguments: Sequence[str]) -> None:
    """Play a scenario in turn watched, with metrics, and not."""
    asked = argparse.ArgumentParser(prog="python -m tests.live.bench", description="What it costs to watch a run.")
    asked.add_argument("scenario", nargs="?", default="FestivalEvening")
    asked.add_argument("--pairs", type=int, default=3)
    options = asked.parse_args(arguments)
    costs: dict[str, list[Cost]] = {"watched": [], "not watched": []}
    for seed in range(SETTLING_SEED, SETTLING_SEED + options.pairs):
        for kind, each in costs.items():
            each.append(play(options.scenario, seed, watched=kind == "watched"))
            say(f"{kind:<12} seed {seed}: {told(each[-1])}")
    for kind, each in costs.items():
        middle = (statistics.median(getattr(cost, name) for cost in each) for name in Cost.__slots__)
        say(f"{kind:<12} median: {told(Cost(**dict(zip(Cost.__slots__, middle, strict=True))))}")
    ratios = [one.whole_ms / other.whole_ms for one, other in zip(*costs.values(), strict=True)]
    say(f"watched over not watched: {', '.join(f'{ratio:.3f}' for ratio in ratios)} of the CPU")


def play(scenario: str, seed: int, *, watched: bool) -> Cost:
    """One gate of the fixed build; raises where it does not end in a verdict."""
    with tempfile.TemporaryDirectory(prefix="harness-bench-") as runs, reserved(1) as (port,):
        command = [sys.executable, "-m", "harness.cli", "gate", scenario, "--seed", str(seed), "--runs", runs]
        command += ["--metrics-port", str(port)] if watched else ["--no-live"]
        before_s = children_s()
        quiet = subprocess.DEVNULL
        subprocess.run(command, cwd=ROOT, env=dict(os.environ), stdout=quiet, stderr=quiet, check=False)
        used_s = children_s() - before_s
        (path,) = Path(runs).glob(f"*/{scenario}/evidence/conduct.json")
        conduct = msgspec.json.decode(path.read_bytes(), type=ConductRecord)
    assert conduct.load_start_ns is not None
    assert conduct.load_end_ns is not None
    load_s = (conduct.load_end_ns - conduct.load_start_ns) / 1e9
    return Cost(
        whole_ms=1_000 * used_s / conduct.started,
        generator_ms=1_000 * conduct.generator_cpu_share * load_s / conduct.started,
        lateness_p99_ms=conduct.lateness_p99_ms,
    )


def children_s() -> float:
    """CPU seconds of all children that were waited for, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(cost: Cost) -> str:
    return (
        f"{cost.whole_ms:.1f} ms CPU a journey in all, {cost.generator_ms:.2f} in the generator, "
        f"p99 of lateness {cost.lateness_p99_ms:.1f} ms"
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
