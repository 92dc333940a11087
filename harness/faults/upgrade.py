"""How is a service upgraded under load, in steps or as a canary, and how is it known that it was? (processes)

    start the new release beside the old one ──> the front gives it a share of the users ──> more, step by step
        Upgrade: at the window's end all users, the old process is told to end and has to, in good order
        Canary:  at the window's end, or when the front rolls it back by itself, none; the new one has to end

The front's own word is read back, and not enough: requests with tokens that nobody
has are sent past every proxy, and their answers must name the build that serves.
Every move of users is a row of `faults.jsonl` with its instant, so that a change of
build can be told from one that nobody ordered.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec

from harness.errors import FaultError
from harness.faults.probe import ANSWER_LIMIT_S, Prober
from harness.faults.process import GONE_LIMIT_S, accepts, holds
from harness.faults.proof import Event, FaultLog, Proof, confirmed, inconclusive, mismatch
from harness.faults.surroundings import Rollout, Sight, Surroundings
from harness.scenario import Driver, Faults, FaultSpec

UPGRADE: Final = "upgrade"
CANARY: Final = "canary"
KINDS: Final = frozenset({UPGRADE, CANARY})
END_LIMIT_S: Final = 8.0
"""Within this a process that was told to end has answered what it had, handed over, and gone."""
PROBES_A_LOOK: Final = 40
"""Tokens tried until one names the new build; at a share of a fifth one in ten thousand looks sees none."""
PROBES_AT_THE_END: Final = 12


def Upgrade(release: str, *, steps: Sequence[float] = (0.25, 1.0)) -> Faults:  # scenario files read it as a thing
    """A new release takes the users over in steps, evenly spread over the window; at its end the old one is drained."""
    if not steps or list(steps) != sorted(steps) or not 0 < steps[0] <= steps[-1] <= 1:
        raise ValueError(f"steps of an upgrade are growing shares of the users, not {steps!r}")
    settings = {"release": release, "steps": " ".join(f"{share:g}" for share in steps)}
    return Faults((FaultSpec(kind=UPGRADE, driver=Driver.PROCESS, where="api", settings=settings),))


def Canary(release: str, *, share: float = 0.2) -> Faults:  # scenario files read it as a thing
    """A new release serves a share of the users for the window, or until the front rolls it back by itself."""
    if not 0 < share < 1:
        raise ValueError(f"a canary's share lies between 0 and 1, not at {share}")
    settings: dict[str, str | float] = {"release": release, "share": share}
    return Faults((FaultSpec(kind=CANARY, driver=Driver.PROCESS, where="api", settings=settings),))


class Move(msgspec.Struct, frozen=True):
    """One change of who serves whom, as the front tells it."""

    at_ns: int
    stable: str
    candidate: str | None
    share: float
    by: str
    why: str


class State(msgspec.Struct, frozen=True):
    """What the front says of itself."""

    stable: str
    candidate: str | None
    share: float
    moves: tuple[Move, ...]


@dataclass(kw_only=True, slots=True)
class Upgrades:
    """Makes upgrades for one run."""

    around: Surroundings
    prober: Prober
    log: Callable[[], FaultLog]
    """Opened once every fault of the run is known to strike something."""
    tokens: Iterator[int] = field(default_factory=itertools.count)

    def strike(self, number: int, spec: FaultSpec) -> "UpgradeInjection":
        """The fault `number`, ready to be prepared."""
        rollout = self.around.rollout
        if rollout is None or rollout.old != spec.where:
            raise FaultError(f"fault {number} upgrades {spec.where!r}: the target file has no [rollout] of it")
        canary = spec.kind == CANARY
        steps = (float(spec.settings["share"]),) if canary else tuple(map(float, str(spec.settings["steps"]).split()))
        return UpgradeInjection(
            upgrades=self,
            rollout=rollout,
            number=number,
            release=str(spec.settings["release"]),
            steps=steps,
            window_s=0.0 if spec.end_s is None or spec.start_s is None else spec.end_s - spec.start_s,
            is_canary=canary,
        )

    def front(self, rollout: Rollout, method: str, path: str, body: object = None) -> State:
        """Ask or tell the front; raises FaultError where it does not do it."""
        try:
            reply = self.prober.client.request(
                method,
                f"{rollout.control}/{path}",
                headers={"authorization": f"Bearer {rollout.token}"},
                content=None if body is None else msgspec.json.encode(body),
            )
        except httpx.HTTPError as exc:
            raise FaultError(f"the front does not answer {method} {path}: {exc!r}") from exc
        if reply.is_error:
            raise FaultError(f"the front answers {method} {path} with {reply.status_code} {reply.text[:200]}")
        try:
            return msgspec.json.decode(reply.content, type=State)
        except msgspec.MsgspecError as exc:
            raise FaultError(f"the front's state is not understood: {exc}") from exc

    def named(self, rollout: Rollout) -> str | None:
        """The build that an answer to a token that nobody has names; None where none came, or it names none."""
        headers = {"authorization": f"Bearer probe-{next(self.tokens)}-{time.monotonic_ns()}.x"}
        try:
            reply = self.prober.client.get(rollout.probe, headers=headers, timeout=ANSWER_LIMIT_S)
        except httpx.HTTPError:
            return None
        build: str | None = reply.headers.get(rollout.header)
        return build


@dataclass(kw_only=True, slots=True)
class UpgradeInjection:
    """One upgrade, or one canary."""

    upgrades: Upgrades
    rollout: Rollout
    number: int
    release: str
    steps: tuple[float, ...]
    window_s: float
    """0 where it has no end."""
    is_canary: bool
    lasts_s: float | None = None
    effect_costs_s: float = 0.5
    _old: Sight | None = None
    _new: Sight | None = None
    _first: str = ""
    """Build that served before."""
    _begun_s: float = 0.0
    _step: int = 0
    _told: int = 0
    """Moves of the front that are written down, or were made before."""
    _rolled_back: bool = False
    _leaving: Sight | None = None

    def prepare(self) -> None:
        """Look who serves; the new process is a child, and the warden ends it as it ends every child."""
        control = self.upgrades.around.control
        self._old = control.sight(self.rollout.old)
        if self._old is None:
            raise FaultError(f"{self.rollout.old} has no process that could be upgraded")
        state = self._ask()
        if state.candidate is not None:
            raise FaultError(f"the front has a candidate already: {state.candidate}")
        self._first, self._told = state.stable, len(state.moves)

    def forget(self) -> None:
        """Nothing was remembered."""

    def inject(self) -> Proof:
        control = self.upgrades.around.control
        begun_s = time.monotonic()
        control.start_as(self.rollout.new, self.release)
        self._new = control.sight(self.rollout.new)
        self._begun_s = time.monotonic()
        self._move(self.steps[0])
        took_s = self._begun_s - begun_s
        told = f"{self.release} answers after {took_s:.1f} s as pid {_pid(self._new)}, {self._serves()}"
        if self.window_s and took_s >= self.window_s:
            return mismatch(f"{told}; its window of {self.window_s:g} s is over: what it was to meet has gone by")
        return confirmed(told)

    def read_back(self) -> Proof:
        return self.watch()

    def watch(self) -> Proof:
        """Take the next step when it is due, and see that the front says what was ordered, or rolled back."""
        step_s = self.window_s / len(self.steps)
        due = int((time.monotonic() - self._begun_s) / step_s) if step_s else 0
        if not self._rolled_back and self._step < min(due, len(self.steps) - 1):
            self._step += 1
            self._move(self.steps[self._step])
        state = self._ask()
        if self._rolled_back:
            told = f"the front rolled {self.release} back by itself: {state.moves[-1].why}"
            return confirmed(told) if self.is_canary else mismatch(told)
        if (state.candidate, state.share) != (self.release, self.steps[self._step]):
            return mismatch(f"the front says {state.candidate} serves {state.share:g}, ordered was {self._serves()}")
        if not _alive(self._new):
            return mismatch(f"pid {_pid(self._new)} of {self.release} is gone")
        return confirmed(self._serves())

    def effect(self) -> Proof:
        for _ in range(PROBES_A_LOOK):
            if self.upgrades.named(self.rollout) == self.release:
                return confirmed(f"answers name {self.release}")
        return inconclusive(f"no answer to {PROBES_A_LOOK} users named {self.release}")

    def lift(self) -> Proof:
        """Upgrade: all users to the new build, the old one ends. Canary: none, and it ends itself."""
        control = self.upgrades.around.control
        state = self._ask()
        if self.is_canary or self._rolled_back:
            if state.candidate is not None:
                self._note(self.upgrades.front(self.rollout, "DELETE", "candidate"))
            self._leaving = self._new
            control.drain(self.rollout.new)
            return confirmed(f"{self._first} serves all, {self.release} was told to end")
        if state.candidate is not None:
            if state.share < 1:
                self._move(1.0)
            self._note(self.upgrades.front(self.rollout, "POST", "promote"))
        self._leaving = self._old
        control.drain(self.rollout.old)
        return confirmed(f"{self.release} serves all, {self._first} was told to end")

    def lift_read_back(self) -> Proof:
        service, serves = self._ends()
        pid = _pid(self._leaving)
        url = self.upgrades.around.services[service].url
        begun_s = time.monotonic()
        if not holds(lambda: not _alive(self._leaving) and not accepts(url), END_LIMIT_S):
            return mismatch(f"pid {pid} of {service} still lives {END_LIMIT_S:g} s after it was told to end")
        state = self._ask()
        told = f"pid {pid} of {service} is gone after {time.monotonic() - begun_s:.1f} s, {serves} serves all"
        if (state.stable, state.candidate) != (serves, None):
            return mismatch(f"{told}; but the front says {state.stable}, and {state.candidate}")
        return confirmed(told)

    def effect_gone(self) -> Proof:
        _, serves = self._ends()
        named: list[str | None] = []

        def settled() -> bool:
            named[:] = [self.upgrades.named(self.rollout) for _ in range(PROBES_AT_THE_END)]
            return set(named) == {serves}

        if holds(settled, GONE_LIMIT_S):
            return confirmed(f"{PROBES_AT_THE_END} answers name {serves}")
        return mismatch(f"answers name {', '.join(sorted({str(name) for name in named}))}, not {serves}")

    def _ends(self) -> tuple[str, str]:
        """The service that ends, and the build that serves after it."""
        back = self.is_canary or self._rolled_back
        return (self.rollout.new, self._first) if back else (self.rollout.old, self.release)

    def _serves(self) -> str:
        return f"{self.release} serves {self.steps[self._step]:g} of the users"

    def _move(self, share: float) -> None:
        wanted = {"release": self.release, "url": self.rollout.url, "share": share}
        self._note(self.upgrades.front(self.rollout, "PUT", "candidate", wanted))

    def _ask(self) -> State:
        state = self.upgrades.front(self.rollout, "GET", "state")
        if self._first:
            self._note(state)
        return state

    def _note(self, state: State) -> None:
        """Write down what moved since the last look."""
        for move in state.moves[self._told :]:
            served = self.release if move.candidate is not None or move.stable == self.release else move.stable
            share = 1.0 if move.candidate is None else move.share
            self._rolled_back = self._rolled_back or move.by == "front"
            told = confirmed(f"{served} serves {share:g} of the users, by {move.by}: {move.why}")
            self.upgrades.log().write(self.number, Event.MOVED, told, move.at_ns, build=served, share=share)
        self._told = len(state.moves)


def _alive(sight: Sight | None) -> bool:
    return sight is not None and bool(sight.alive())


def _pid(sight: Sight | None) -> int:
    return 0 if sight is None else sight.running.pid
