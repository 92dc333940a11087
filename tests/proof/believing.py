"""Is a fault believed that is not what it should be?

A saboteur watches Toxiproxy's HTTP API and tampers with the toxic as soon as it
stands: removes it in mid-window, moves it to another edge, turns it round. The
target goes on well in each case, so whoever believed would say PASS.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.errors import HarnessError
from harness.stack.parts import Toxic
from harness.stack.toxiproxy import VARIABLE, Toxiproxy, open_toxiproxy
from harness.verdict import Status
from tests.proof.gates import gate, own_scenario, wrong
from tests.proof.item import Item, Room, Shown, need

EDGE = "wechat"
OTHER_EDGE = "alipay"
LOOK_EVERY_S = 0.05
WINDOW_S = 4.0
MID_WINDOW_S = 1.5
SOURCE = f'''"""The providers' answers are cut on one edge."""

from harness import CLAIMED_ALWAYS, Customer, CutAnswers, Objectives, Plan, Steady


class OneEdgeCut(Customer):
    """Charged by one provider, and told "please wait"."""

    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=CutAnswers("{EDGE}").between(1.5, {1.5 + WINDOW_S}),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.8),
        claims=CLAIMED_ALWAYS,
    )
'''
SCENE = "OneEdgeCut"

Tamper = Callable[[Toxiproxy, str, Toxic], None]
"""What is done to a toxic that stands on a proxy, by that proxy's name."""


def items() -> Iterator[Item]:
    """The three ways, and the same run left alone, which shows that the scenario itself passes."""
    yield Item(group="believing", name="fault-left-alone", prove=sabotaged(None))
    yield Item(group="believing", name="fault-removed-in-mid-window", prove=sabotaged(remove, after_s=MID_WINDOW_S))
    yield Item(group="believing", name="fault-on-the-wrong-edge", prove=sabotaged(move))
    yield Item(group="believing", name="fault-in-the-wrong-direction", prove=sabotaged(turn_round))


def sabotaged(tamper: Tamper | None, *, after_s: float = 0.0) -> Callable[[Room], Shown]:
    """Run the scenario on a Toxiproxy of our own while somebody tampers with it; nobody tampering, it passes."""

    def prove(room: Room) -> Shown:
        with open_toxiproxy(log=room.folder / "toxiproxy.log", environ={}) as toxiproxy:
            with sabotage(toxiproxy, tamper, after_s) as saboteur:
                gated = gate(
                    room,
                    *(SCENE, "--size", "scene", "--seed", "1"),
                    scenarios=own_scenario(room, SOURCE),
                    environ={VARIABLE: toxiproxy.url},
                )
            left = sorted(toxiproxy.proxies())
        need(not left, f"proxies left on the shared Toxiproxy: {', '.join(left)}")
        need(not saboteur.failed, f"the saboteur failed: {saboteur.failed}")
        if tamper is None:
            need(gated.exit_code == 0, wrong(gated))
            return Shown(told="left alone: exit 0")
        need(saboteur.done == 1, "the saboteur found no toxic")
        believed = gated.check(SCENE, "assumptions")
        named = "faults_confirmed" in believed.reason
        need(gated.exit_code == 3 and believed.status is Status.UNKNOWN and named, wrong(gated))
        return Shown(told=f"exit 3: {believed.reason}")

    return prove


def remove(toxiproxy: Toxiproxy, proxy: str, toxic: Toxic) -> None:
    """By hand, as one would with curl."""
    toxiproxy.remove_toxic(proxy, toxic.name)


def move(toxiproxy: Toxiproxy, proxy: str, toxic: Toxic) -> None:
    """To the edge of another provider."""
    toxiproxy.remove_toxic(proxy, toxic.name)
    toxiproxy.add_toxic(proxy.removesuffix(EDGE) + OTHER_EDGE, toxic)


def turn_round(toxiproxy: Toxiproxy, proxy: str, toxic: Toxic) -> None:
    """On the requests instead of the answers, under the same name."""
    toxiproxy.remove_toxic(proxy, toxic.name)
    toxiproxy.add_toxic(proxy, Toxic(name=toxic.name, kind=toxic.kind, stream="upstream", attributes=toxic.attributes))


@dataclass(kw_only=True, slots=True)
class Saboteur:
    """Who tampers with the first toxic that stands."""

    done: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def sabotage(toxiproxy: Toxiproxy, tamper: Tamper | None, after_s: float) -> Iterator[Saboteur]:
    """Watch in a thread until the block ends, and tamper once, `after_s` after a toxic was seen."""
    saboteur = Saboteur()
    over = threading.Event()

    def watch() -> None:
        while tamper is not None and saboteur.done == 0 and not over.wait(LOOK_EVERY_S):
            for proxy in toxiproxy.proxies().values():
                if proxy.name.endswith(f".{EDGE}") and proxy.toxics and not over.wait(after_s):
                    tamper(toxiproxy, proxy.name, proxy.toxics[0])
                    saboteur.done += 1

    def guarded() -> None:
        try:
            watch()
        except HarnessError as exc:
            saboteur.failed.append(str(exc))

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    try:
        yield saboteur
    finally:
        over.set()
        thread.join()
