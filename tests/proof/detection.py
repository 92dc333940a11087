"""Is every defect caught three times of three, and does the fixed build pass whatever the seed?"""

import time
from collections.abc import Callable, Iterator

from harness.cli_options import MAIN
from harness.verdict import Status
from tests.defects import ALONE, DEFECTS, SCENARIOS
from tests.proof.cut_answers import measure
from tests.proof.gates import Gated, gate, wrong
from tests.proof.item import Item, Room, Shown, need

DEFECT_SEEDS = (1, 2, 3)
FIXED_SEEDS = tuple(range(1, 11))
GATE_SEEDS = (1, 2, 3)
CUT = "AnswerLost"
"""Whose customers are counted by what they did after an answer that was cut."""
NIGHT_LIMIT_S = 1_500.0
"""What `make nightly` may take on two cores."""


def items() -> Iterator[Item]:
    """Each defect with three seeds; the fixed build with ten, at gate size with three, and a whole night."""
    for seed in DEFECT_SEEDS:
        for defect, caught in DEFECTS.items():
            name = f"defect-{defect}-{seed}"
            yield Item(group="defects", name=name, prove=catches(defect, seed), alone=caught.alone)
    for seed in FIXED_SEEDS:
        for scenario in SCENARIOS:
            name = f"fixed-{scenario}-{seed}"
            yield Item(group="fixed", name=name, prove=passes(scenario, seed=seed), alone=scenario in ALONE)
    for seed in GATE_SEEDS:
        yield Item(group="gate", name=f"gate-default-{seed}", prove=passes_whole(seed), alone=True)
        yield Item(group="gate", name=f"gate-{CUT}-{seed}", prove=meets_every_customer(seed), alone=True)
    yield Item(group="nightly", name="nightly-1", prove=passes_the_night(seed=1), alone=True)


def catches(defect: str, seed: int) -> Callable[[Room], Shown]:
    """The check written for the defect fails, with findings, and the gate exits with 1."""
    caught = DEFECTS[defect]

    def prove(room: Room) -> Shown:
        gated = gate(room, caught.scene, "--size", "scene", "--seed", str(seed), "--defect", defect)
        judged = gated.check(caught.scene, caught.check)
        seen = f"{caught.check} {judged.status.value}, {len(judged.findings)} findings, exit {gated.exit_code}"
        need(
            judged.status is Status.FAIL and bool(judged.findings) and gated.exit_code == 1,
            f"{seen}; {judged.reason}; {wrong(gated)}",
        )
        others = sorted(
            check.check
            for check in gated.scenario(caught.scene).checks
            if check.status is Status.FAIL and check.check != caught.check
        )
        return Shown(told=f"{seen}; also {', '.join(others) or 'none'}", runs=gated.facts())

    return prove


def passes(scenario: str, *, seed: int) -> Callable[[Room], Shown]:
    """No FAIL, no UNKNOWN, nothing missed, exit 0."""

    def prove(room: Room) -> Shown:
        gated = gate(room, scenario, "--size", "scene", "--seed", str(seed))
        clean(gated)
        return Shown(told=f"exit 0, {gated.conduct(scenario).started} journeys", runs=gated.facts())

    return prove


def passes_whole(seed: int) -> Callable[[Room], Shown]:
    """The default gate: exit 0, none missed."""

    def prove(room: Room) -> Shown:
        gated = gate(room, "--seed", str(seed))
        clean(gated)
        told = ", ".join(f"{name} {gated.conduct(name).started} journeys" for name in MAIN)
        return Shown(told=f"exit 0, {told}", runs=gated.facts())

    return prove


def passes_the_night(seed: int) -> Callable[[Room], Shown]:
    """Every scenario in turn, as `make nightly` runs them: exit 0, none missed, within its time."""

    def prove(room: Room) -> Shown:
        began_s = time.monotonic()
        gated = gate(room, "--all", "--seed", str(seed), limit_s=NIGHT_LIMIT_S)
        took_min = (time.monotonic() - began_s) / 60
        clean(gated)
        played = {scenario.scenario for scenario in gated.verdict.scenarios}
        need(played == set(SCENARIOS), f"played {sorted(played)}")
        return Shown(told=f"exit 0, {len(played)} scenarios in {took_min:.1f} minutes", runs=gated.facts())

    return prove


def meets_every_customer(seed: int) -> Callable[[Room], Shown]:
    """AnswerLost at gate size: exit 0, and every kind of customer was there after a cut answer."""

    def prove(room: Room) -> Shown:
        gated = gate(room, CUT, "--seed", str(seed))
        clean(gated)
        cut = measure(gated, CUT)
        cut.judge()
        return Shown(told=f"exit 0; {cut.told()}", runs=gated.facts())

    return prove


def clean(gated: Gated) -> None:
    """Raise NotProven unless every claimed promise held and every journey was started."""
    need(gated.exit_code == 0, wrong(gated))
    for scenario in gated.verdict.scenarios:
        statuses = {check.status for check in scenario.checks}
        need(not statuses & {Status.FAIL, Status.UNKNOWN}, wrong(gated))
        conduct = gated.conduct(scenario.scenario)
        need(conduct.missed == 0, f"{scenario.scenario}: {conduct.missed} of {conduct.planned} journeys were missed")
