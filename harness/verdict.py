"""How do counts and findings become a status, and statuses a verdict?

To be written. No I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """What became of a promise."""

    PASS = "PASS"  # noqa: S105  # a status, no password
    UNKNOWN = "UNKNOWN"
    FAIL = "FAIL"
    NOT_EXERCISED = "NOT_EXERCISED"
    NOT_OFFERED = "NOT_OFFERED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One proven breach."""

    subject: str
    """What it is about: an order id, a journey, a request."""
    message: str
    """What happened, with instants and amounts, as one or two sentences."""
    evidence: Mapping[str, object] = field(default_factory=dict)
    """The rows and ledger entries that prove it; JSON values only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """A share held against an objective by exact binomial bounds."""

    good: int
    total: int
    objective: float
    what: str
    """Which share: "create answered within 1000 ms", "journeys paid, steady"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """What a check found; it never says PASS or FAIL itself.

    A check counts: `examined` are the cases it could decide or had to, of which
    `undecided` could not be decided, for `reasons`. `findings` are breaches.
    """

    examined: int
    undecided: int = 0
    reasons: tuple[str, ...] = ()
    """Why cases are undecided, as sentences with counts; sorted."""
    findings: tuple[Finding, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    measured: float | None = None
    objective: float | None = None
    unit: str = ""
    not_offered: str | None = None
    """Why the target cannot be held to this promise."""
    notes: tuple[str, ...] = ()
    """What is worth saying and is no breach, such as healed double charges with their exposure."""
