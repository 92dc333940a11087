"""What is known of a run while it goes on?

    live process ──State, a JSON line a second──> conductor ──> terminal, Locust's UI
                 └──────────────────────────────> /metrics

The live process says it on its standard output; the conductor keeps the last one. It is no verdict: what it calls
broken is proven and the verdict will say FAIL, what it does not call broken is merely not known to be.
"""

import msgspec


class FaultOn(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that stands now."""

    kind: str
    where: str
    since_s: float
    """Seconds since the load began; negative for what was set before."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """One breach, as soon as it was proven; a row of `<Scenario>/live.jsonl`."""

    check: str
    """Name of the check whose FAIL it foretells."""
    subject: str
    """Order, journey or method that it is about."""
    message: str
    """One sentence for people."""
    provable_ns: int
    """When the evidence was complete that proves it, CLOCK_MONOTONIC."""
    seen_ns: int
    """When it was seen here."""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one promise so far."""

    check: str
    watched: int
    """Cases looked at so far: orders, requests or failures."""
    broken: int
    """Breaches proven so far."""
    at_risk: int
    """Cases that will be breaches unless something happens in time: charged twice and not refunded yet, ..."""
    newest: str = ""
    """Message of the latest breach; empty where there is none."""
    risk: str = ""
    """What is at risk, in one sentence; empty where nothing is."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All that the live process knows at one moment; a line of its standard output, about one a second."""

    scenario: str
    phase: str
    """As `Progress.phase`: stack, preflight, load, drain, evidence; of the load warmup, steady, fault, recovery."""
    since_start_s: float | None
    """Seconds since the load began; None before."""
    faults: tuple[FaultOn, ...] = ()
    promises: tuple[Promise, ...] = ()
    planned: int = 0
    started: int = 0
    missed: int = 0
    in_flight: int = 0
    outcomes: dict[str, int] = {}
    """Operations that ended, by outcome: ok, fail, info."""
    lateness_p99_ms: float | None = None
    generator_cpu_share: float | None = None
    new: tuple[Broken, ...] = ()
    """Breaches that no line before told of."""
