"""Was the load generator on time, so that what it measured is the target's doing?

Asked by the judge of a whole run, and of a run so far by who watches it. No I/O, no clock.
"""

from dataclasses import dataclass

LATENESS_SHARE = 0.25
"""Journeys' p99 lateness may eat at most this share of what an operation's latency is judged by."""
CPU_SHARE_LIMIT = 0.85
"""CPU seconds of the generator's one process per second; above it instants are the generator's, not the target's."""
MISSED_SHARE_LIMIT = 0.01
"""Arrivals that could not be started at all; more of them and the load was not the one that is claimed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Punctuality:
    """How a generator fared."""

    planned: int
    missed: int
    lateness_p99_ms: float
    """From an arrival's instant to its journey's first step."""
    cpu_share: float
    """CPU seconds of its process per second of load; 1.0 is one core full."""


def lateness_limit_ms(latency_limit_ms: float) -> float:
    """Most that the p99 of lateness may be, where an operation is to be answered within `latency_limit_ms`."""
    return LATENESS_SHARE * latency_limit_ms


def lags(told: Punctuality, limit_ms: float) -> list[str]:
    """What was wrong, as sentences; nothing where the generator was healthy. `limit_ms` is `lateness_limit_ms`."""
    wrong = []
    if told.lateness_p99_ms > limit_ms:
        wrong.append(f"1 % of journeys began {told.lateness_p99_ms:.0f} ms late or more, limit {limit_ms:.0f} ms")
    if told.cpu_share > CPU_SHARE_LIMIT:
        wrong.append(f"its process used {told.cpu_share:.0%} of a core, limit {CPU_SHARE_LIMIT:.0%}")
    if told.missed > MISSED_SHARE_LIMIT * told.planned:
        wrong.append(f"{told.missed} of {told.planned} arrivals were missed, limit {MISSED_SHARE_LIMIT:.0%}")
    return wrong
