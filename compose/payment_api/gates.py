"""Which methods work now, and how much of us may one of them take up?

    a payment ──> gate: breaker, free call? ──> lane "charges" ────> provider
    resolver, refunds ────────────────────────> lane "background" ─> provider

Each provider has two lanes, each with connections of its own: a slow provider
holds up its own charges and nobody else's, and what is being resolved leaves
room for what is new. A breaker learns from every call that fails, and only from
charges that a charge is answered again. Nothing here is durable: a process that
starts believes in every provider, and learns.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from compose.payment_api.breaker import Breaker
from compose.payment_api.defects import Defect
from compose.payment_api.errors import ApiError
from compose.payment_api.method_health import MethodHealth
from compose.payment_api.model import Method
from compose.payment_api.wire import Wire

LANE_CALLS = 16
"""Calls at a time in each lane; with a deadline of 1 s as many charges a second by one method, if none is answered."""
SPENT = 2
"""Attempts in vain after which an order is charged only by a method that is well: it is no probe for a breaker."""
RETRY_AFTER_S = 1


@dataclass(kw_only=True, slots=True)
class Gate:
    """What stands before one provider."""

    method: Method
    breaker: Breaker
    charges: Wire
    """The lane of new charges."""
    defects: frozenset[Defect]

    def is_well(self) -> bool:
        """No sign of trouble."""
        if Defect.NO_BREAKER in self.defects:
            return True
        return self.breaker.is_well(time.monotonic()) and not self.charges.is_full

    def admits(self, attempts: int, *, begins: bool) -> bool:
        """May a charge be begun, for an order that had so many attempts before? `begins`: it is, if it may."""
        if Defect.NO_BREAKER in self.defects:
            return True
        if attempts >= SPENT and not self.is_well():
            return False
        if Defect.BREAKER_NEVER_CLOSES in self.defects and self.breaker.has_opened:
            return False
        may = self.breaker.admits if begins else self.breaker.would_admit
        return not self.charges.is_full and may(time.monotonic())

    def ended(self, answered: bool, *, charges: bool) -> None:
        """A call has ended; `charges`: in the lane of new charges."""
        if not answered:
            self.breaker.failed(time.monotonic())
        elif charges:
            self.breaker.succeeded()


@dataclass(frozen=True, kw_only=True, slots=True)
class Gates:
    """All of them."""

    gates: Mapping[Method, Gate]
    seen: MethodHealth
    """By what customers were told."""
    defects: frozenset[Defect]

    def __getitem__(self, method: Method) -> Gate:
        return self.gates[method]

    def is_degraded(self) -> bool:
        """Does any method show signs of trouble?"""
        return not all(gate.is_well() for gate in self.gates.values())

    def besides(self, method: Method) -> list[str] | None:
        """Methods that work now, other than the one that did not just now; None where none is to be named at all."""
        if Defect.NO_BACKUP_NAMED in self.defects:
            return None
        if Defect.DEAD_METHOD_NAMED in self.defects:
            return [each.value for each in Method]
        working = self.seen.working()
        return [each.value for each in Method if each is not method and each in working and self.gates[each].is_well()]

    def refusal(self, method: Method, order_id: str) -> ApiError:
        """This method does not work now: nothing was begun."""
        return ApiError(
            409,
            "method_unavailable",
            "This method does not work at the moment. Nothing was charged. Choose another one, or try again later.",
            order_id=order_id,
            retry_after_s=RETRY_AFTER_S,
            methods=self.besides(method),
        )
