"""How do counts and findings become a status, and statuses a verdict?

What a check's counts and breaches mean for its promise is said here and nowhere else, so that all
are judged by one rule. Statuses are Jepsen's three, the worst wins. No I/O, no clock.

    CheckResult or Crash ──judge──> JudgedCheck ──judge_scenario──> ScenarioVerdict ──judge_run──> Verdict
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.binomial import falls_short, meets, upper_bound

ASSUMPTIONS = "assumptions"
"""The check that is always claimed: whether what was recorded can carry a verdict at all."""

CLAIMED_ALWAYS = 1
"""Its floor: a run of which nothing at all is known cannot be judged."""


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
    evidence: Mapping[str, object] = field(default_factory=dict)
    """The cases that were not good, some of them, if it comes to a breach; JSON values only."""


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
    traceback: str | None = None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A run: the worst of its scenarios."""

    run_id: str
    seed: int
    status: Status
    exit_code: int
    cut_short: str | None
    scenarios: tuple[ScenarioVerdict, ...]


def judge(check: str, result: CheckResult | Crash, terms: Terms) -> JudgedCheck:
    """Status and reason of one promise.

    A proven breach is FAIL, claimed or not, unless `Terms.lag` doubts it. Short of one, what was not
    claimed has no effect, and what was claimed passes only if nothing speaks against it.
    """
    if isinstance(result, Crash):
        status = Status.NOT_EXERCISED if terms.claimed is None else Status.UNKNOWN
        return JudgedCheck(
            check=check,
            status=status,
            reason=f"the check crashed: {result.error}",
            claimed=terms.claimed,
            examined=0,
            undecided=0,
            facts=terms.facts,
            traceback=result.traceback,
        )
    findings = result.findings + tuple(
        Finding(subject=ratio.what, message=_measurement(ratio), evidence=ratio.evidence)
        for ratio in result.ratios
        if falls_short(ratio.good, ratio.total, ratio.objective)
    )
    status, reason = _status(result, findings, terms)
    return JudgedCheck(
        check=check,
        status=status,
        reason=reason,
        claimed=terms.claimed,
        examined=result.examined,
        undecided=result.undecided,
        measured=None if result.measured is None else float(result.measured),
        objective=None if result.objective is None else float(result.objective),
        unit=result.unit,
        facts=terms.facts,
        findings=findings,
        notes=result.notes,
    )


def _status(result: CheckResult, findings: tuple[Finding, ...], terms: Terms) -> tuple[Status, str]:
    if findings:
        return _breached(result, len(findings), terms)
    if result.not_offered is not None:
        return _not_offered(result.not_offered, terms)
    if terms.claimed is None:
        return Status.NOT_EXERCISED, "not claimed by the scenario; no breach seen"
    doubts = tuple(_doubts(result, terms, terms.claimed))
    if doubts:
        return Status.UNKNOWN, "; ".join(doubts)
    return Status.PASS, f"{result.examined - result.undecided} decided, {terms.claimed} claimed"


def _breached(result: CheckResult, count: int, terms: Terms) -> tuple[Status, str]:
    breaches = "1 breach" if count == 1 else f"{count} breaches"
    if terms.lag is None:
        return Status.FAIL, f"{breaches} among {result.examined} examined"
    reason = f"{breaches}, but the load generator lagged: {terms.lag}"
    return (Status.NOT_EXERCISED if terms.claimed is None else Status.UNKNOWN), reason


def _not_offered(why: str, terms: Terms) -> tuple[Status, str]:
    if terms.waiver is not None:
        return Status.NOT_OFFERED, f"{why}; waived: {terms.waiver}"
    return (Status.NOT_OFFERED, why) if terms.claimed is None else (Status.UNKNOWN, f"claimed, but not offered: {why}")


def _doubts(result: CheckResult, terms: Terms, floor: int) -> Iterable[str]:
    """What keeps a claimed check without breach from a PASS."""
    for name in sorted(terms.broken_premises):
        yield f"premise {name} broken: {terms.broken_premises[name]}"
    if terms.lag is not None and terms.lag not in terms.broken_premises.values():
        yield f"the load generator lagged: {terms.lag}"
    if result.undecided > terms.undecided_share * result.examined:
        share = f", more than the {terms.undecided_share:.1%} allowed" if terms.undecided_share > 0 else ""
        why = f" ({'; '.join(result.reasons)})" if result.reasons else ""
        yield f"{result.undecided} of {result.examined} undecided{share}{why}"
    decided = result.examined - result.undecided
    if decided < max(floor, 1):
        yield f"{decided} decided, below the claimed floor of {max(floor, 1)}"
    for ratio in result.ratios:
        if not meets(ratio.good, ratio.total, ratio.objective):
            why = "too close to call" if ratio.good < ratio.objective * ratio.total else "too few cases"
            yield f"{why}: {_measurement(ratio)}"


def _measurement(ratio: Ratio) -> str:
    if ratio.total == 0:
        return f"{ratio.what}: no cases, objective {ratio.objective:.2%}"
    return (
        f"{ratio.what}: {ratio.good} of {ratio.total} ({ratio.good / ratio.total:.2%}, "
        f"with 95 % confidence at most {upper_bound(ratio.good, ratio.total):.2%}), objective {ratio.objective:.2%}"
    )


_SEVERITY = {Status.PASS: 0, Status.UNKNOWN: 1, Status.FAIL: 2}
_EXIT_CODES = {Status.PASS: 0, Status.UNKNOWN: 3, Status.FAIL: 1}


def worst(statuses: Iterable[Status]) -> Status:
    """PASS < UNKNOWN < FAIL; what was not exercised or not offered does not count, and nothing is UNKNOWN."""
    return max((s for s in statuses if s in _SEVERITY), key=_SEVERITY.__getitem__, default=Status.UNKNOWN)


def judge_scenario(
    scenario: str, checks: tuple[JudgedCheck, ...], *, cut_short: str | None = None, facts: tuple[str, ...] = ()
) -> ScenarioVerdict:
    """The worst of its checks; cut short or without any promise held it is UNKNOWN at best."""
    status = worst(judged.status for judged in checks)
    if status is Status.PASS and not any(c.status is Status.PASS and c.check != ASSUMPTIONS for c in checks):
        status, reasons = Status.UNKNOWN, ["no promise was held to: none is claimed and offered"]
    else:
        reasons = [f"{c.check}: {c.reason}" for c in checks if c.status is status is not Status.PASS]
    if cut_short is not None:
        status = worst((status, Status.UNKNOWN))
        reasons.append(f"cut short: {cut_short}")
    return ScenarioVerdict(
        scenario=scenario,
        status=status,
        exit_code=_EXIT_CODES[status],
        reason="; ".join(reasons),
        cut_short=cut_short,
        facts=facts,
        checks=checks,
    )


def judge_run(
    run_id: str, seed: int, scenarios: tuple[ScenarioVerdict, ...], *, cut_short: str | None = None
) -> Verdict:
    """The worst of its scenarios; a run that was cut short is UNKNOWN at best."""
    status = worst(scenario.status for scenario in scenarios)
    reasons = [cut_short, *(f"{s.scenario}: {s.cut_short}" for s in scenarios if s.cut_short is not None)]
    whole = "; ".join(reason for reason in reasons if reason is not None) or None
    if whole is not None and status is Status.PASS:
        status = Status.UNKNOWN
    return Verdict(
        run_id=run_id,
        seed=seed,
        status=status,
        exit_code=_EXIT_CODES[status],
        cut_short=whole,
        scenarios=scenarios,
    )
