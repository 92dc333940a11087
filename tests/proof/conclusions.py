"""What do all runs together show that no single one can? Pure: reads results, says lines."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.checks import CHECKS
from tests.proof.detection import DEFECT_SEEDS, FIXED_SEEDS
from tests.proof.item import RunFacts

NO_CASES = frozenset({"assumptions"})
"""Examines premises, a fixed number, and so has no floor to tune."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor:
    """One claim, and what the fixed build yields of it."""

    scenario: str
    size: str
    check: str
    claimed: int
    least: int
    """Fewest decided cases of all seeds."""
    seeds: int

    @property
    def suggested(self) -> int:
        """Half of the fewest, rounded up."""
        return max(1, math.ceil(self.least / 2))

    @property
    def problem(self) -> str | None:
        """Why the floor is not right, or None."""
        if self.claimed > self.least:
            return "above what there is"
        return "below half" if 2 * self.claimed < self.least else None


def digests(runs: Iterable[RunFacts]) -> tuple[bool, list[str]]:
    """Ten seeds, ten arrival digests; one seed, the same in every run: whether it holds, and lines that say it."""
    found: dict[tuple[str, str], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    repeated: dict[tuple[str, str], int] = defaultdict(int)
    for run in runs:
        repeated[run.scenario, run.size] += bool(found[run.scenario, run.size][run.seed])
        found[run.scenario, run.size][run.seed].add(run.arrival_digest)
    holds, lines = bool(found), []
    for (scenario, size), by_seed in sorted(found.items()):
        one_each = all(len(each) == 1 for each in by_seed.values())
        different = len(set().union(*by_seed.values())) == sum(len(each) for each in by_seed.values())
        holds = holds and one_each and different
        lines.append(
            f"{'yes' if one_each and different else 'NO '} {scenario} ({size}): {len(by_seed)} seeds gave "
            f"{len(set().union(*by_seed.values()))} digests; {repeated[scenario, size]} runs repeated a seed, "
            f"{'each with the same' if one_each else 'NOT all with the same'}"
        )
    complete = any(size == "scene" and len(by_seed) >= len(FIXED_SEEDS) for (_, size), by_seed in found.items())
    again = any(repeated.values())
    if not complete or not again:
        lines.append(f"NO  not shown yet: needs {len(FIXED_SEEDS)} seeds of a scenario, and one of them twice")
    return holds and complete and again, lines


def floors(runs: Iterable[RunFacts]) -> list[Floor]:
    """Every claim of every scenario and size, from runs of the fixed build."""
    decided: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    claimed: dict[tuple[str, str, str], int] = {}
    seeds: dict[tuple[str, str], set[int]] = defaultdict(set)
    for run in runs:
        if run.defect is not None:
            continue
        seeds[run.scenario, run.size].add(run.seed)
        for name, check in run.checks.items():
            if check.claimed is not None and name not in NO_CASES:
                decided[run.scenario, run.size, name].append(check.decided)
                claimed[run.scenario, run.size, name] = check.claimed
    return [
        Floor(
            scenario=scenario,
            size=size,
            check=name,
            claimed=claimed[scenario, size, name],
            least=min(counts),
            seeds=len(seeds[scenario, size]),
        )
        for (scenario, size, name), counts in sorted(decided.items())
    ]


def floor_lines(found: Iterable[Floor]) -> Iterator[str]:
    """One line a claim whose floor is not right, with what it might be."""
    for floor in found:
        if floor.problem is not None:
            yield (
                f"{floor.scenario} ({floor.size}) {floor.check}: floor {floor.claimed} is {floor.problem}; "
                f"{floor.seeds} seeds yield at least {floor.least}, so {floor.suggested}"
            )


def seen_alone(runs: Iterable[RunFacts]) -> tuple[bool, list[str]]:
    """For each check a defect that no other sees: whether there is one, and lines that say it.

    Checks know nothing of each other, so a run judged without one of them has the statuses of all others unchanged;
    where none of these is FAIL, whatever the seed, the defect would have gone unseen.
    """
    lone: dict[str, list[str]] = defaultdict(list)
    for defect, found in by_seed(runs).items():
        fired = [{name for name, judged in run.checks.items() if judged.status == "FAIL"} for run in found]
        if {run.seed for run in found} >= set(DEFECT_SEEDS) and len(set().union(*fired)) == 1 and all(fired):
            lone[fired[0].pop()].append(defect)
    wanted = sorted(set(CHECKS) - NO_CASES)
    lines = [
        f"yes {name}: {', '.join(sorted(lone[name]))}" if name in lone else f"NO  {name}: others see its defects too"
        for name in wanted
    ]
    return all(name in lone for name in wanted), lines


def by_seed(runs: Iterable[RunFacts]) -> Mapping[str, list[RunFacts]]:
    """Defect -> its runs, by seed."""
    found: dict[str, list[RunFacts]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.seed):
        if run.defect is not None:
            found[run.defect].append(run)
    return found
