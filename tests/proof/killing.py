"""Twenty runs killed at random instants: the gate, Locust, or both; nothing is left, and the next gate works."""

from collections.abc import Callable, Iterator

from harness.stack.ports import LOOPBACK
from harness.stack.toxiproxy import open_toxiproxy
from tests.lifecycle.killing import BASES, PORTS, free_bases, kill_and_look, round_of
from tests.proof.item import Item, NotProven, Room, Shown, need

ROUNDS = 20


def items() -> Iterator[Item]:
    """An item a round."""
    for number in range(1, ROUNDS + 1):
        victim = round_of(number, 0).victim
        yield Item(group="killing", name=f"killed-{victim}-{number:02}", prove=killed(number))


def killed(number: int) -> Callable[[Room], Shown]:
    """One round."""

    def prove(room: Room) -> Shown:
        base = next(free_bases(BASES[number - 1 :: ROUNDS]), None)  # rounds side by side choose from bases of their own
        if base is None:
            raise NotProven(f"no {PORTS} free ports in a row on {LOOPBACK}")
        planned = round_of(number, base)
        with open_toxiproxy(log=room.folder / "toxiproxy.log", environ={}) as toxiproxy:
            try:
                after = kill_and_look(planned, room.folder / "round", toxiproxy)
            except AssertionError as exc:
                raise NotProven(str(exc)) from exc
        told = f"{planned.told()}: {after.killed} processes, nothing left {after.clean_after_s:.1f} s later"
        need(after.next_exit == 0, f"{told}; but the next gate's exit is {after.next_exit}")
        return Shown(told=f"{told}; next gate exit 0")

    return prove
