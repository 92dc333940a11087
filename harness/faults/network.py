"""How does an edge fail, and how is it known that it does? (Toxiproxy)

Which faults there are, and what each is at Toxiproxy, stands in `toxics`. Each
toxic is named for its run and number and strikes every connection; `reset` and
`populate` are never called, because a Toxiproxy may be shared with other runs.

Read back means: this toxic stands on this proxy with this type, direction and
these attributes; no toxic stands on any edge of the run that this run did not
set; every proxy is enabled and leads from where to where it did.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.errors import FaultError
from harness.faults.probe import ANSWER_LIMIT_S, Look, Prober, Seen
from harness.faults.proof import Proof, confirmed, inconclusive, mismatch
from harness.faults.refusing import RefuseInjection
from harness.faults.surroundings import Edge, ProxyState, Surroundings, Toxic, ToxiproxyServer
from harness.faults.toxics import ToxicPlan, toxic_plan
from harness.scenario import FaultSpec

GONE_LIMIT_S: Final = 3.0
"""Within this an edge must answer again after its toxic was removed."""


@dataclass(kw_only=True, slots=True)
class Network:
    """Which toxics this run has set, shared by all of its network faults."""

    around: Surroundings
    prober: Prober
    expected: dict[str, dict[str, Toxic]] = field(default_factory=dict)
    """Proxy -> toxic's name -> toxic, as they must stand at this instant."""
    refusing: set[str] = field(default_factory=set)
    """Proxies that must be disabled at this instant."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while a toxic is set or removed and while proxies are read, so that no reading falls between."""

    @property
    def server(self) -> ToxiproxyServer:
        """Raises FaultError where the stack was started without one."""
        return _server(self.around)

    def strike(self, number: int, spec: FaultSpec) -> "ToxicInjection | RefuseInjection":
        """The fault `number`, ready to be prepared."""
        if spec.where not in self.around.edges:
            known = ", ".join(sorted(self.around.edges))
            raise FaultError(f"fault {number} strikes the edge {spec.where!r}; the target has: {known}")
        _server(self.around)
        edge = self.around.edges[spec.where]
        if spec.kind == "refuse":
            return RefuseInjection(network=self, edge=edge)
        plan = toxic_plan(spec)
        toxic = Toxic(
            name=f"{self.around.run_id}.{number}.{spec.kind}",
            kind=plan.kind,
            stream=plan.stream,
            attributes=plan.attributes,
        )
        return ToxicInjection(network=self, edge=edge, toxic=toxic, plan=plan)

    def set_toxic(self, proxy: str, toxic: Toxic) -> None:
        """Set it and expect it from now on, also when Toxiproxy's answer is lost."""
        with self.lock:
            self.expected.setdefault(proxy, {})[toxic.name] = toxic
            _server(self.around).add_toxic(proxy, toxic)

    def remove_toxic(self, proxy: str, toxic: Toxic) -> bool:
        """Remove it; False when it was not there."""
        with self.lock:
            was_there = _server(self.around).remove_toxic(proxy, toxic.name)
            self.expected.get(proxy, {}).pop(toxic.name, None)
        return was_there

    def refuse(self, proxy: str) -> None:
        """Disable a proxy and expect that from now on, also when Toxiproxy's answer is lost."""
        with self.lock:
            self.refusing.add(proxy)
            self.server.disable(proxy)

    def accept(self, proxy: str) -> bool:
        """Enable a proxy; False when it was enabled already."""
        with self.lock:
            refused = not self.server.proxies()[proxy].enabled
            self.server.enable(proxy)
            self.refusing.discard(proxy)
        return refused

    def whole_again(self, edge: Edge, least_s: float = 0.0) -> Proof:
        """Ask until the edge answers again, sooner than `least_s` where that is given, for at most `GONE_LIMIT_S`."""
        until = time.monotonic() + GONE_LIMIT_S
        while True:
            look = self.prober.look(edge, ANSWER_LIMIT_S)
            if look.seen is Seen.WHOLE and (least_s == 0 or look.took_s < least_s):
                return confirmed(f"a probe through edge {edge.name} is answered again")
            if edge.proxy in self.refusing:
                return inconclusive(f"another fault stands on edge {edge.name}")
            if look.seen is Seen.REFUSED:
                return mismatch(f"the proxy of edge {edge.name} refuses connections")
            if self.expected.get(edge.proxy):
                return inconclusive(f"another fault stands on edge {edge.name}")
            if time.monotonic() >= until:
                break
            time.sleep(0.1)
        if not look.alive:
            return inconclusive(f"{edge.to} does not answer past the proxy either")
        return mismatch(f"a probe through edge {edge.name} is still {look.seen} after {GONE_LIMIT_S} s")

    def survey(self) -> tuple[Mapping[str, ProxyState], tuple[str, ...]]:
        """All proxies, and every way in which this run's are not as they should be, one sentence each.

        A toxic of ours that is missing is told by the fault that set it, not here.
        """
        if self.around.toxiproxy is None:
            return {}, ()
        with self.lock:
            proxies = self.around.toxiproxy.proxies()
            edges = sorted(self.around.edges.values(), key=lambda edge: edge.name)
            wrong = tuple(sentence for edge in edges for sentence in self._wrong(edge, proxies.get(edge.proxy)))
        return proxies, wrong

    def _wrong(self, edge: Edge, state: ProxyState | None) -> Iterable[str]:
        """What is wrong with one edge's proxy."""
        if state is None:
            yield f"the proxy of edge {edge.name} is gone"
            return
        if not state.enabled and edge.proxy not in self.refusing:
            yield f"the proxy of edge {edge.name} is disabled"
        if (state.listen, state.upstream) != (edge.listen, edge.upstream):
            yield (
                f"the proxy of edge {edge.name} leads from {state.listen} to {state.upstream}, "
                f"not from {edge.listen} to {edge.upstream}"
            )
        ours = self.expected.get(edge.proxy, {})
        for toxic in state.toxics:
            if toxic.name not in ours:
                yield f"a foreign toxic stands on edge {edge.name}: {_tell(toxic)}"


def _server(around: Surroundings) -> ToxiproxyServer:
    if around.toxiproxy is None:
        raise FaultError("a fault of the network needs Toxiproxy, and the stack was started without it")
    return around.toxiproxy


@dataclass(kw_only=True, slots=True)
class ToxicInjection:
    """One toxic on one edge, from its setting to its end."""

    network: Network
    edge: Edge
    toxic: Toxic
    plan: ToxicPlan
    lasts_s: float | None = None
    _undo: int | None = None

    @property
    def effect_costs_s(self) -> float:
        return self.plan.limit_s

    def prepare(self) -> None:
        """Tell the warden how to remove the toxic, before there is one."""
        around = self.network.around
        self._undo = around.warden.will_delete(_server(around).toxic_url(self.edge.proxy, self.toxic.name))

    def forget(self) -> None:
        """It was seen to be gone, or was never set; the warden need not know."""
        if self._undo is not None:
            self.network.around.warden.done(self._undo)
            self._undo = None

    def inject(self) -> Proof:
        self.network.set_toxic(self.edge.proxy, self.toxic)
        return confirmed(f"set on edge {self.edge.name}: {_tell(self.toxic)}")

    def read_back(self) -> Proof:
        proxies, wrong = self.network.survey()
        state = proxies.get(self.edge.proxy)
        found = None if state is None else next((t for t in state.toxics if t.name == self.toxic.name), None)
        if found is None:
            wrong = (f"{self.toxic.name} does not stand on edge {self.edge.name}", *wrong)
        elif found != self.toxic:
            wrong = (f"on edge {self.edge.name} stands {_tell(found)}, not {_tell(self.toxic)}", *wrong)
        return mismatch("; ".join(wrong)) if wrong else confirmed(f"stands on edge {self.edge.name}, alone")

    watch = read_back

    def effect(self) -> Proof:
        """Ask through the proxy; costs at most the probe's limit and a control call."""
        return _judge(self.network.prober.look(self.edge, self.plan.limit_s, self.plan.requests), self.edge, self.plan)

    def lift(self) -> Proof:
        if self.network.remove_toxic(self.edge.proxy, self.toxic):
            return confirmed(f"removed from edge {self.edge.name}: {self.toxic.name}")
        return mismatch(f"{self.toxic.name} did not stand on edge {self.edge.name} any more when it was to be removed")

    def lift_read_back(self) -> Proof:
        proxies, wrong = self.network.survey()
        state = proxies.get(self.edge.proxy)
        if state is not None and any(toxic.name == self.toxic.name for toxic in state.toxics):
            wrong = (f"{self.toxic.name} still stands on edge {self.edge.name}", *wrong)
        else:
            self.forget()
        return mismatch("; ".join(wrong)) if wrong else confirmed(f"gone from edge {self.edge.name}")

    def effect_gone(self) -> Proof:
        return self.network.whole_again(self.edge, self.plan.least_s)


def _tell(toxic: Toxic) -> str:
    """One toxic in a line."""
    attributes = ", ".join(f"{name} {value}" for name, value in sorted(toxic.attributes.items()))
    return f"{toxic.name} ({toxic.kind}, {toxic.stream}, {attributes}, toxicity {toxic.toxicity:g})"


def _judge(look: Look, edge: Edge, plan: ToxicPlan) -> Proof:
    """From how a probe ended to whether the fault is what it should be."""
    told = f"a probe through edge {edge.name} was {look.seen}"
    if plan.seen is Seen.WHOLE:
        return _judge_slow(look, plan, told)
    if look.seen in {Seen.WHOLE, Seen.REFUSED}:
        return mismatch(f"{told}; expected: {plan.seen}")
    if not look.alive:
        return inconclusive(f"{told}, and {edge.to} does not answer past the proxy either")
    if look.arrived is not None:
        told += f" and {'did' if look.arrived else 'did not'} arrive"
        if look.arrived != (plan.stream == "downstream"):
            return mismatch(f"{told}; a fault on the {plan.stream} stream is the other way round")
    if look.seen is not plan.seen:
        said = f"{told}; expected: {plan.seen}"
        # Silent where it should be cut is slow, perhaps: the next look tells.
        return inconclusive(said) if look.seen is Seen.SILENT else mismatch(said)
    return confirmed(told if look.arrived is not None else f"{told}, while {edge.to} answers past the proxy")


def _judge_slow(look: Look, plan: ToxicPlan, told: str) -> Proof:
    if look.seen is not Seen.WHOLE:
        return inconclusive(f"{told}; expected: {plan.seen}")
    told += f" after {look.took_s:.3f} s"
    return confirmed(told) if look.took_s >= plan.least_s else mismatch(f"{told}, not {plan.least_s:g} s or more")
