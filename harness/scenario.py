"""What is a scenario, as pure data?

Load, fault timeline, objectives, claims and the incident's facts. Nothing here
runs; `harness.customer.Customer.describe()` gives a `Scenario`, the conductor
runs it, and `harness.documents.ScenarioRecord` is what the checks read of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from harness.arrivals import Load, at_rate
from harness.operation import Size
from harness.profile import Windows

Setting = str | int | float | bool


class Driver(StrEnum):
    """Who makes a fault happen."""

    NETWORK = "network"
    """Toxiproxy, on one edge."""
    PROVIDER = "provider"
    """The provider simulator's control API."""
    PROCESS = "process"
    """A signal to a process of the stack."""


class Cue(StrEnum):
    """What a fault waits for beside its instant."""

    ACKNOWLEDGED_CREATE = "acknowledged_create"
    """The next create that a customer saw acknowledged at or after the instant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultSpec:
    """One fault on the timeline; made by a constructor that stands beside its driver."""

    kind: str
    """Name in the driver's table, as `harness list faults` shows it."""
    driver: Driver
    where: str
    """Edge, provider or service that it strikes."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    start_s: float | None = None
    """Seconds after the load's start; None where the fault is a standing condition of the scenario."""
    end_s: float | None = None
    cue: Cue | None = None


class Faults(tuple[FaultSpec, ...]):
    """What a fault's constructor returns: one fault a place that it strikes."""

    __slots__ = ()

    def between(self, start_s: float, end_s: float) -> Self:
        """The same faults, on from `start_s` to `end_s` after the load's start.

        A fault with a cue waits for it from `start_s` on, and until `end_s` at most.
        """
        return type(self)(replace(fault, start_s=start_s, end_s=end_s) for fault in self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Objectives:
    """What is asked of the target; ratios are shares between 0 and 1."""

    success_ratio: float = 0.99
    """Journeys paid within patience, scheduled outside faults."""
    success_ratio_in_fault: float = 0.99
    """The same, scheduled while a fault was on or in recovery from it."""
    latency_limit_ms: int = 1_000
    """An operation counts as in time when answered within this, from its scheduled instant."""
    latency_share: float = 0.99
    """Share of each kind of operation that must be in time, in the steady phase."""
    charges_an_intent: int = 3
    """Charge calls that may reach the providers for one intent."""
    charges_rise: float = 0.5
    """By so many the mean number of charge calls an intent may rise in the fault phase above the steady one."""
    bulkhead_drop: float = 0.05
    """By so much the success of customers whose first method is healthy may fall while another method is faulty."""
    backup_ratio: float = 0.9
    """Of journeys that a dead method failed: paid by another one within patience."""
    emergency_ratio: float = 0.99
    """Of reads and refunds of paid orders while payment is down or overloaded: answered ok in time."""
    goodput_share: float = 0.8
    """Of the peak rate of paid journeys: what is left of it at twice the knee."""

    def but(self, **changes: float) -> Self:
        """The same objectives with some changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # mypy cannot see through **changes


CLAIMED_ALWAYS = MappingProxyType(
    {
        "assumptions": 1,
        "no_vanished_order": 10,
        "no_double_charge": 10,
        "no_orphan_charge": 10,
        "money_conserved": 10,
    }
)
"""Claims that every scenario makes, whatever else it is about, with floors that the smallest size passes."""


def always_claimed(orders: int) -> dict[str, int]:
    """The same claims with a floor of `orders` cases: at least half of the orders that ten seeds yield."""
    return {name: orders if floor > 1 else floor for name, floor in CLAIMED_ALWAYS.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Returning:
    """Customers who have paid come back: each reads its order and asks for half of it back.

    `count` of those who paid before `start_s` and asked for no refund, evenly from `start_s` to `end_s`.
    """

    count: int
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Everyone who was told busy, or nothing, sends readers to the status page and to the order (F27).

    `reads` for each customer so blocked, the first time that it is, spread over `spread_s`, at most `most_per_s` in
    all; `status_share` of them look at the status page, the others at the order, as its owner.
    """

    reads: int = 77
    spread_s: float = 10.0
    most_per_s: float = 150.0
    status_share: float = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class Strangers:
    """Every `every_nth` customer who is done tries to read, to pay and to refund the order of the one before."""

    every_nth: int = 4


Company = Returning | Audience | Strangers
"""Who is there beside the customers that arrive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A scenario at one size."""

    load: Load
    claims: Mapping[str, int]
    """Check name -> floor of examined cases: at least half of what ten seeds yield."""
    warmup_s: float = 1.0
    faults: Sequence[FaultSpec] = ()
    conditions: Sequence[FaultSpec] = ()
    """What holds from before preflight to after the drain and is no fault: slow providers, say."""
    objectives: Objectives = field(default_factory=Objectives)
    windows: Mapping[str, int] = field(default_factory=dict)
    """Time windows (field of `Windows` -> ms) that differ from the profile's."""
    settings: Mapping[str, str | int] = field(default_factory=dict)
    """What the target is started with (a capacity, say), where it differs from its file's [defaults]."""
    only_create: bool = False
    """Journeys create an order and do nothing else."""
    company: Sequence[Company] = ()
    """Who is there beside them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One scenario, at every size it declares."""

    name: str
    doc: str
    facts: tuple[str, ...]
    """Facts of the incident that it replays, or none."""
    plans: Mapping[Size, Plan]

    def at_rate(self, factor: float) -> "Scenario":
        """The same scenario with `factor` times its arrival rate, at every size; floors of claims stay."""
        plans = {size: replace(plan, load=at_rate(plan.load, factor)) for size, plan in self.plans.items()}
        return replace(self, plans=plans)

    def windows(self, size: Size, profile: Windows) -> Windows:
        """The profile's windows with this plan's own put in."""
        return replace(profile, **self.plans[size].windows)  # type: ignore[arg-type]
