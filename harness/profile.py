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
    busy_ms: int
    """From a request to the answer that the target is too busy for it."""
    released_ms: int
    """From a payment to the release of what was paid for (ride ended, dispatch, delivery)."""
    announced_ms: int
    """From a method's failure to the status page naming it, and from its end to the page clearing it."""
    discrepancy_ms: int
    """From a discrepancy between books and bill to the target's own reconciliation naming it."""
    voucher_ms: int
    """From an order being affected to its voucher."""
    rolled_back_ms: int
    """From a new build's errors departing from the old one's to its last customer."""
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
    busy_ms=1_000,
    released_ms=60_000,
    announced_ms=60_000,
    discrepancy_ms=86_400_000,
    voucher_ms=86_400_000,
    rolled_back_ms=60_000,
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
    busy_ms=1_000,
    released_ms=6_000,
    announced_ms=4_000,
    discrepancy_ms=10_000,
    voucher_ms=10_000,
    rolled_back_ms=6_000,
    notice_schedule_ms=(500, 500, 1_000, 6_000),
)

PROFILES = {"life": LIFE, "gate": GATE}
