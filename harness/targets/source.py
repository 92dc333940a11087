"""Where can evidence be read, and what is it worth?

A target file declares its sources as templates; what is here is the same with
every URL and secret filled in. `harness.evidence` reads them, the conductor
copies what the checks need of them into `scenario.json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SourceKind(StrEnum):
    """Whose account it is."""

    BOOKS = "books"
    """The target's own: can prove a breach, never carry a PASS on money."""
    LEDGER = "ledger"
    """A provider's, which the target cannot write to."""
    FULFILMENT = "fulfilment"
    """Where released orders arrive (dispatch, delivery): says what was done for a customer, not what was booked."""


class Attribution(StrEnum):
    """How an entry is related to an order."""

    ORDER = "order"
    """It carries the order's id."""
    AMOUNT_TIME = "amount_time"
    """By amount and instant, so only where those are unique."""
    NONE = "none"


class SourceClock(StrEnum):
    """Which clock its instants are read from."""

    MONOTONIC = "monotonic"
    """CLOCK_MONOTONIC of this host."""
    UTC = "utc"
    """A wall clock elsewhere, related to ours by sampled offsets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One source of evidence, ready to be read."""

    name: str
    """Of a ledger the provider's name; also the file's name in evidence."""
    kind: SourceKind
    url: str
    """Of books the base URL that the adapter's requests are sent to; of a ledger the complete URL of its
    NDJSON, to which `after` and `limit` are added as query."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request to `url` and `control_url`."""
    control_url: str | None = None
    """Prefix of the provider simulator's control API, without a slash at its end: `<control_url>/clock`,
    `/planned`, `/faults`, `/probes/<nonce>`."""
    complete: bool = True
    """Every effect stands in it, with a gap-free `seq`."""
    attribution: Attribution = Attribution.ORDER
    clock: SourceClock = SourceClock.UTC
