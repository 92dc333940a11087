"""How long may each thing take, by name of a time profile?

All are chosen by us, none comes
from the reports save the half hour (F08, F15). GATE is LIFE scaled so that a
run takes a minute.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Time windows of a run; all in milliseconds."""

    answer_ms: int
    """An answer to any request, whatever happens (no_silence)."""
    provider_deadline_ms: int
    """The API's own deadline on one call to a provider."""
    unknown_resolved_ms: int
    """From an unknown result to a known one."""
    pay_by_ms: int
    """From an order's creation to the instant it closes unpaid."""
    refund_ms: int
    """From a refund being owed to its success at the provider."""
    stuck_ms: int
    """T_stuck: longest stay in a non-terminal state after fault and `pay_by`."""
    recovered_ms: int
    """From a fault's end to objectives held again."""
    patience_ms: int
    """The customer's: from the scheduled instant to giving up."""
    client_deadline_ms: int
    """The customer's client: total deadline on one request."""
    drain_ms: int
    """Longest drain; what still moves then is undecided."""
    notice_schedule_ms: tuple[int, ...]
    """Pauses between a provider's attempts to deliver a notice that is not acknowledged."""


LIFE = Windows(
    answer_ms=10_000,
    provider_deadline_ms=5_000,
    unknown_resolved_ms=60_000,
    pay_by_ms=1_800_000,
    refund_ms=1_800_000,
    stuck_ms=60_000,
    recovered_ms=60_000,
    patience_ms=600_000,
    client_deadline_ms=15_000,
    drain_ms=7_200_000,
    notice_schedule_ms=(15_000, 15_000, 30_000, 180_000, 600_000, 1_200_000, 1_800_000),
)

GATE = Windows(
    answer_ms=3_000,
    provider_deadline_ms=1_000,
    unknown_resolved_ms=6_000,
    pay_by_ms=8_000,
    refund_ms=8_000,
    stuck_ms=6_000,
    recovered_ms=8_000,
    patience_ms=10_000,
    client_deadline_ms=5_000,
    drain_ms=20_000,
    notice_schedule_ms=(500, 500, 1_000, 6_000),
)

PROFILES = {"life": LIFE, "gate": GATE}
