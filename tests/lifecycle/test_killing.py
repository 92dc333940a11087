"""Is anything left when the gate, Locust, or both are killed, and does the next gate work?"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.stack.toxiproxy import open_toxiproxy
from tests.lifecycle.killing import CLEAN_WITHIN_S, Aftermath, Round, Victim, free_bases, kill_and_look
from tests.lifecycle.playing import side_by_side

pytestmark = [pytest.mark.live, pytest.mark.proof]

AFTER_S = {Victim.GATE: 5.0, Victim.LOCUST: 7.0, Victim.BOTH: 9.0}
"""While the stack comes up, and with faults on; other instants are drawn by `make proof`."""


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Aftermath]:
    bases = free_bases()
    return side_by_side(
        {victim.value: partial(play, victim, next(bases), tmp_path_factory.mktemp(victim.value)) for victim in AFTER_S}
    )


def play(victim: Victim, base: int, folder: Path) -> Aftermath:
    planned = Round(victim=victim, after_s=AFTER_S[victim], port_base=base)
    with open_toxiproxy(log=folder / "toxiproxy.log", environ={}) as toxiproxy:
        return kill_and_look(planned, folder / "round", toxiproxy)


@pytest.mark.parametrize("victim", AFTER_S)
def test_nothing_is_left_of_a_killed_run_and_the_next_gate_works(
    rounds: Mapping[str, Aftermath], victim: Victim
) -> None:
    it = rounds[victim.value]
    assert it.killed > 1
    assert it.clean_after_s <= CLEAN_WITHIN_S
    assert it.next_exit == ExitCode.PASS
