"""What does a check say, and what is said of it in the end?

The values that pass from checks to reports; what they come to is worked out in `harness.judgement`.
They are written as they stand here (`harness.verdict_document`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from harness.rating import Clock, Rating

ASSUMPTIONS = "assumptions"
"""The check that is always claimed: whether what was recorded can carry a verdict at all."""

CLAIMED_ALWAYS = 1
"""Its floor: a run of which nothing at all is known cannot be judged."""


class Status(StrEnum):
    """What became of a promise."""

    PASS = "PASS"  # noqa: S105  # a status, no password
    UNKNOWN = "UNKNOWN"
    FAIL = "FAIL"
    KNOWN = "KNOWN"
    """A breach is proven, and known.toml names a ticket for it that has not expired: shown, without effect."""
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
    """Which share: "create answered within 1000 ms", "journeys paid, steady"; the same in every run."""
    evidence: Mapping[str, object] = field(default_factory=dict)
    """The cases that were not good, some of them, if it comes to a breach; JSON values only."""
    parts: tuple["Ratio", ...] = ()
    """Where kinds with few cases are judged together: each of them alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """What a check found; it never says PASS or FAIL itself.

    `examined` are the cases that it could decide or had to; of them `undecided` could not be decided.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Crash:
    """A check that ended in an exception instead of a result."""

    error: str
    """Type and message, in one line."""
    traceback: str
    """Whole, without anything that differs between two runs over the same folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """Under which conditions a check is judged."""

    claimed: int | None = None
    """Floor of decided cases; None where the scenario does not claim this promise."""
    undecided_share: float = 0.0
    """Largest share of undecided cases that a PASS bears."""
    broken_premises: Mapping[str, str] = field(default_factory=dict)
    """Premises that the check needs and that did not hold: name -> why."""
    lag: str | None = None
    """Why the generator's instants cannot be trusted, for a check that times the target; else None."""
    waiver: str | None = None
    """Reason the target file gives for not offering this."""
    facts: tuple[str, ...] = ()
    """Facts of the incident that this promise answers to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownBreach:
    """One entry of known.toml: this check, in this scenario, finds what a ticket is about."""

    check: str
    scenario: str
    ticket: str
    expires: date
    """Last day, UTC, on which the entry holds."""


class Standing(StrEnum):
    """What became of an entry of known.toml in a run."""

    SOFTENED = "softened"
    """The check found a breach; its status is KNOWN."""
    EXPIRED = "expired"
    """The check found a breach, and the entry holds no more: its status is FAIL."""
    HEALED = "healed"
    """The check was claimed and passed: the entry can go."""
    UNSEEN = "unseen"
    """No breach was seen, but the check was not claimed or is undecided, so it may still be there."""
    NOT_RUN = "not run"
    """The scenario was not part of the run, or never begun."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownEntry:
    """An entry of known.toml, and what became of it."""

    breach: KnownBreach
    standing: Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedCheck:
    """One promise after judgement."""

    check: str
    status: Status
    reason: str
    """Why it has that status, in one line."""
    claimed: int | None
    examined: int
    undecided: int
    measured: float | None = None
    objective: float | None = None
    unit: str = ""
    facts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    """The shares that it was judged by, as counts for whoever compares runs; their cases stand in findings only."""
    traceback: str | None = None
    known: KnownBreach | None = None
    """Where the status is KNOWN: the entry that says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioVerdict:
    """All promises of one scenario."""

    scenario: str
    status: Status
    exit_code: int
    reason: str
    cut_short: str | None
    facts: tuple[str, ...]
    checks: tuple[JudgedCheck, ...]
    clocks: tuple[Clock, ...] = ()
    rating: Rating | None = None
    unrated: str | None = None
    """Why there is no rating."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A run: the worst of its scenarios."""

    run_id: str
    seed: int
    status: Status
    exit_code: int
    cut_short: str | None
    scenarios: tuple[ScenarioVerdict, ...]
    clocks: tuple[Clock, ...] = ()
    """Of all scenarios: each at its longest against its window."""
    rating: Rating | None = None
    """None where one of the scenarios was not rated."""
    known: tuple[KnownEntry, ...] = ()
    """Every entry of the run's known.toml, in its order."""
