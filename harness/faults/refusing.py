"""How does an edge refuse connections, and how is it known that it does? (Toxiproxy)

Its proxy is disabled: nobody listens there, connections are refused, and those
that stood are cut. Of such a call it is certain that it was not made, other
than of one that is accepted and then cut (`Down`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.faults.probe import ANSWER_LIMIT_S, Seen
from harness.faults.proof import Proof, confirmed, inconclusive, mismatch
from harness.faults.surroundings import Edge
from harness.scenario import Driver, Faults, FaultSpec

if TYPE_CHECKING:  # that file imports this one
    from harness.faults.network import Network


def Refuse(*edges: str) -> Faults:  # scenario files read it as a thing
    """Nobody listens on these edges: connections are refused, and those that stood are cut."""
    return Faults(FaultSpec(kind="refuse", driver=Driver.NETWORK, where=edge) for edge in edges)


@dataclass(kw_only=True, slots=True)
class RefuseInjection:
    """One edge that refuses, from its being disabled to its end."""

    network: "Network"
    edge: Edge
    lasts_s: float | None = None
    effect_costs_s: float = ANSWER_LIMIT_S
    _undo: int | None = None

    def prepare(self) -> None:
        """Tell the warden how to enable the proxy, before it is disabled."""
        url = self.network.server.proxy_url(self.edge.proxy)
        headers = {"Content-Type": "application/json"}
        warden = self.network.around.warden
        self._undo = warden.will_request("POST", url, headers=headers, body='{"enabled": true}')

    def forget(self) -> None:
        """It was seen to listen again, or was never disabled; the warden need not know."""
        if self._undo is not None:
            self.network.around.warden.done(self._undo)
            self._undo = None

    def inject(self) -> Proof:
        self.network.refuse(self.edge.proxy)
        return confirmed(f"the proxy of edge {self.edge.name} was disabled")

    def read_back(self) -> Proof:
        proxies, wrong = self.network.survey()
        state = proxies.get(self.edge.proxy)
        if state is not None and state.enabled:
            wrong = (f"the proxy of edge {self.edge.name} is enabled", *wrong)
        return mismatch("; ".join(wrong)) if wrong else confirmed(f"the proxy of edge {self.edge.name} is disabled")

    watch = read_back

    def effect(self) -> Proof:
        """Try to connect; costs a call past the proxy too."""
        look = self.network.prober.look(self.edge, ANSWER_LIMIT_S)
        told = f"a probe through edge {self.edge.name} was {look.seen}"
        if look.seen is not (Seen.CUT if self.edge.relayed else Seen.REFUSED):
            return mismatch(f"{told}; expected: {Seen.CUT if self.edge.relayed else Seen.REFUSED}")
        if not look.alive:
            return inconclusive(f"{told}, and {self.edge.to} does not answer past the proxy either")
        return confirmed(f"{told}, while {self.edge.to} answers past the proxy")

    def lift(self) -> Proof:
        if self.network.accept(self.edge.proxy):
            return confirmed(f"the proxy of edge {self.edge.name} was enabled")
        return mismatch(f"the proxy of edge {self.edge.name} was not disabled any more when it was to be enabled")

    def lift_read_back(self) -> Proof:
        proxies, wrong = self.network.survey()
        state = proxies.get(self.edge.proxy)
        if state is not None and state.enabled:
            self.forget()
        return mismatch("; ".join(wrong)) if wrong else confirmed(f"the proxy of edge {self.edge.name} is enabled")

    def effect_gone(self) -> Proof:
        return self.network.whole_again(self.edge)
