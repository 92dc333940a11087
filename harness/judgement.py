"""How do counts and findings become a status, and statuses a verdict?

What a check's counts and breaches mean for its promise is said here and nowhere else, so that all
are judged by one rule. Statuses are Jepsen's three, the worst wins. No I/O, no clock.

    CheckResult or Crash ──judge──> JudgedCheck ──judge_scenario──> ScenarioVerdict ──judge_run──> Verdict
"""

from collections.abc import Iterable
from dataclasses import replace

from harness.binomial import falls_short, meets, upper_bound
from harness.rating import Clock, Rating, longest, rate, rate_run
from harness.verdict import (
    ASSUMPTIONS,
    CheckResult,
    Crash,
    Finding,
    JudgedCheck,
    KnownEntry,
    Ratio,
    ScenarioVerdict,
    Status,
    Terms,
    Verdict,
)


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
        ratios=tuple(_counted(ratio) for ratio in result.ratios),
    )


def _counted(ratio: Ratio) -> Ratio:
    """The share without its cases."""
    return replace(ratio, evidence={}, parts=tuple(_counted(part) for part in ratio.parts))


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
    """PASS < UNKNOWN < FAIL; what is known, not exercised or not offered does not count, and nothing is UNKNOWN."""
    return max((s for s in statuses if s in _SEVERITY), key=_SEVERITY.__getitem__, default=Status.UNKNOWN)


def judge_scenario(
    scenario: str,
    checks: tuple[JudgedCheck, ...],
    *,
    cut_short: str | None = None,
    facts: tuple[str, ...] = (),
    clocks: tuple[Clock, ...] = (),
    unread_clocks: str | None = None,
) -> ScenarioVerdict:
    """The worst of its checks; cut short or without any promise held it is UNKNOWN at best.

    `unread_clocks` says why the clocks could not be read, which leaves it without a rating.
    """
    status = worst(judged.status for judged in checks)
    if status is Status.PASS and not any(c.status is Status.PASS and c.check != ASSUMPTIONS for c in checks):
        status, reasons = Status.UNKNOWN, ["no promise was held to: none is claimed and offered"]
    else:
        reasons = [f"{c.check}: {c.reason}" for c in checks if c.status is status is not Status.PASS]
    if cut_short is not None:
        status = worst((status, Status.UNKNOWN))
        reasons.append(f"cut short: {cut_short}")
    rating = _rate(checks, clocks)
    unrated = None if cut_short is None else "it was cut short"
    unrated = unrated or unread_clocks or ("it claims nothing that is offered" if rating is None else None)
    return ScenarioVerdict(
        scenario=scenario,
        status=status,
        exit_code=_EXIT_CODES[status],
        reason="; ".join(reasons),
        cut_short=cut_short,
        facts=facts,
        checks=checks,
        clocks=clocks,
        rating=rating if unrated is None else None,
        unrated=unrated,
    )


_COUNTED = {Status.PASS, Status.UNKNOWN, Status.FAIL, Status.KNOWN}


def _rate(checks: tuple[JudgedCheck, ...], clocks: tuple[Clock, ...]) -> Rating | None:
    """What was claimed and offered counts, `assumptions` apart: they are the harness's, no promise of the target."""
    claimed = [c for c in checks if c.claimed is not None and c.status in _COUNTED and c.check != ASSUMPTIONS]
    if not claimed:
        return None
    return rate(
        held=sum(judged.status is Status.PASS for judged in claimed),
        claimed=len(claimed),
        broken=(judged.check for judged in checks if judged.status in {Status.FAIL, Status.KNOWN}),
        clocks=clocks,
    )


def judge_run(
    run_id: str,
    seed: int,
    scenarios: tuple[ScenarioVerdict, ...],
    *,
    cut_short: str | None = None,
    known: tuple[KnownEntry, ...] = (),
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
        clocks=longest(scenario.clocks for scenario in scenarios),
        rating=None if whole is not None else rate_run([(s.scenario, s.rating) for s in scenarios]),
        known=known,
    )
