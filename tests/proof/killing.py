"""Twenty runs killed at random instants: the gate, Locust, or both; nothing is left, and the next gate works."""

import random
from collections.abc import Callable, Iterator

from harness.stack.ports import LOOPBACK, is_free
from harness.stack.toxiproxy import open_toxiproxy
from tests.lifecycle.killing import PORTS, kill_and_look, round_of
from tests.proof.item import Item, NotProven, Room, Shown, need

ROUNDS = 20
BASES = range(12_000, 28_000, 20)
"""Where a run's ports may begin, below the range of outgoing connections."""
TRIES = 50


def items() -> Iterator[Item]:
    """An item a round."""
    for number in range(1, ROUNDS + 1):
        victim = round_of(number, 0).victim
        yield Item(group="killing", name=f"killed-{victim}-{number:02}", prove=killed(number))


def killed(number: int) -> Callable[[Room], Shown]:
    """One round."""

    def prove(room: Room) -> Shown:
        planned = round_of(number, free_base())
        with open_toxiproxy(log=room.folder / "toxiproxy.log", environ={}) as toxiproxy:
            try:
                after = kill_and_look(planned, room.folder / "round", toxiproxy)
            except AssertionError as exc:
                raise NotProven(str(exc)) from exc
        told = f"{planned.told()}: {after.killed} processes, nothing left {after.clean_after_s:.1f} s later"
        need(after.next_exit == 0, f"{told}; but the next gate's exit is {after.next_exit}")
        return Shown(told=f"{told}; next gate exit 0")

    return prove


def free_base() -> int:
    """The first of as many free ports in a row as a run needs."""
    for _ in range(TRIES):
        base = random.choice(BASES)
        if all(is_free(port) for port in range(base, base + PORTS)):
            return base
    raise NotProven(f"no {PORTS} free ports in a row on {LOOPBACK} in {TRIES} tries")
