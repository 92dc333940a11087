"""Which promises could a run on this target be held to?

    the doctor's own little run ─> premises, CHECKS ─> one standing a promise

The checks are asked, not a table: each looks at what the little run left, and says itself what is not offered and
what it could not decide. That three customers met no case of a promise says nothing about the target. Starts without
Locust and gevent.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.checks import CHECKS
from harness.checks.assumptions import broken_premises
from harness.checks.check import Check, Premise
from harness.evidence.tables import Evidence, open_evidence
from harness.judgement import judge
from harness.verdict import ASSUMPTIONS, Status, Terms


class Prospect(StrEnum):
    """What a run on this target would make of a promise."""

    JUDGED = "will be judged"
    WAIVED = "waived"
    """Not offered, and the target file says why."""
    NOT_OFFERED = "not offered"
    """UNKNOWN wherever a scenario claims it, until the target file waives it."""
    UNKNOWN = "UNKNOWN"
    """Evidence is missing, so that nothing could be said."""
    BROKEN = "broken already"


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """One promise, and what would become of it."""

    check: str
    prospect: Prospect
    said: str
    way_out: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A premise that does not hold on this target, whatever the load."""

    premise: Premise
    why: str
    way_out: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Prognosis:
    """What a run on this target could come to."""

    missing: tuple[Missing, ...]
    promises: tuple[Promise, ...]


OF_THE_LOAD = frozenset({Premise.GENERATOR_HEALTHY})
"""Premises about the load generator under load, of which three customers tell nothing."""
GIVEN_BY: Mapping[Premise, str] = {
    Premise.LEDGERS_WHOLE: '[[source]] kind = "ledger": url, headers, complete',
    Premise.RELEASES_WHOLE: '[[source]] kind = "fulfilment": url, headers',
    Premise.BOOKS_WHOLE: '[[source]] kind = "books": url; or fewer books in the adapter',
    Premise.CLOCKS_BOUNDED: "[[source]] clock and control; of the books the adapter's health()",
    Premise.SAME_BUILD: "[[service]] ready",
    Premise.QUIESCENT: "[[source]] control of every ledger",
    Premise.CONDUCT_TOLD: "whatever is told as wrong above",
    Premise.OWNERS_ASKED: "the adapter's read() and list_orders()",
}
"""What in target file or adapter would give what a premise lacks."""
WAIVE = "offer it, or say why not: [waivers] {check}"


def prognosis(scenario_folder: Path) -> Prognosis:
    """Ask every check what it could make of the doctor's run; raises HistoryError where its history is damaged."""
    with open_evidence(scenario_folder) as evidence:
        broken = {premise: why for premise, why in broken_premises(evidence).items() if premise not in OF_THE_LOAD}
        return Prognosis(
            missing=tuple(
                Missing(premise=premise, why=why, way_out=GIVEN_BY.get(premise, "")) for premise, why in broken.items()
            ),
            promises=tuple(_promise(check, evidence, broken) for check in CHECKS.values()),
        )


def _promise(check: Check, evidence: Evidence, broken: Collection[Premise]) -> Promise:
    lacking = sorted(broken if check.name == ASSUMPTIONS else check.needs & set(broken))
    try:
        result = check.function(evidence)
    except Exception as exc:  # noqa: BLE001  # a stage ends here: another check may still have something to say
        return Promise(check=check.name, prospect=Prospect.UNKNOWN, said=f"the check crashed: {exc}")
    judged = judge(check.name, result, Terms())
    if judged.status is Status.FAIL:
        return Promise(check=check.name, prospect=Prospect.BROKEN, said=judged.findings[0].message)
    if result.not_offered is not None:
        return _not_offered(check, result.not_offered, evidence)
    undecided = 0 if check.name == ASSUMPTIONS else result.undecided
    doubts = [f"{', '.join(lacking)} {'does' if len(lacking) == 1 else 'do'} not hold"] if lacking else []
    doubts += [f"{undecided} of {result.examined} undecided ({'; '.join(result.reasons)})"] if undecided else []
    if doubts:
        return Promise(check=check.name, prospect=Prospect.UNKNOWN, said="; ".join(doubts))
    return Promise(check=check.name, prospect=Prospect.JUDGED, said=_seen(result.examined))


def _not_offered(check: Check, why: str, evidence: Evidence) -> Promise:
    waiver = evidence.scenario.waivers.get(check.name)
    if waiver is not None:
        return Promise(check=check.name, prospect=Prospect.WAIVED, said=f"{why}; waived: {waiver}")
    way_out = WAIVE.format(check=check.name)
    return Promise(check=check.name, prospect=Prospect.NOT_OFFERED, said=why, way_out=way_out)


def _seen(cases: int) -> str:
    if not cases:
        return "where a case arises; three customers met none"
    return "1 case seen" if cases == 1 else f"{cases} cases seen"
