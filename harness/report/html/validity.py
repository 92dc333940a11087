"""Can this run carry its verdict? Generator, faults, clocks and premises, each with what was seen.

Read from the evidence and from the verdict's own notes; judges nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.checks.premises import FAULT_STEPS
from harness.evidence.build import NS_PER_MS
from harness.evidence.tables import Evidence
from harness.punctuality import CPU_SHARE_LIMIT
from harness.verdict import ASSUMPTIONS, JudgedCheck


@dataclass(frozen=True, kw_only=True, slots=True)
class Premise:
    """What must hold for a PASS to mean something."""

    name: str
    holds: bool
    saw: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """One fault and what became of each step of its proof, in the order of `FAULT_STEPS`."""

    describe: str
    planned: str
    seen: str
    steps: tuple[str, ...]
    """"confirmed", "mismatch", "inconclusive", or empty where the step did not take place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockBound:
    """How far another clock is from this host's, and how well that is known."""

    source: str
    offset_ms: float
    error_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Validity:
    """Everything that a verdict stands on."""

    planned: int
    started: int
    missed: int
    lateness_p50_ms: float
    lateness_p99_ms: float
    cpu_share: float
    cpu_limit: float
    arrival_digest: str
    problems: tuple[str, ...]
    premises: tuple[Premise, ...]
    proofs: tuple[Proof, ...]
    clocks: tuple[ClockBound, ...]
    anchor_error_ms: float


STEP_NAMES = tuple(step.replace("_", " ") for step in FAULT_STEPS)


def validity(evidence: Evidence, checks: Iterable[JudgedCheck]) -> Validity:
    """Collect what one scenario's verdict stands on."""
    conduct = evidence.conduct
    notes = [note for check in checks if check.check == ASSUMPTIONS for note in check.notes]
    return Validity(
        planned=conduct.planned,
        started=conduct.started,
        missed=conduct.missed,
        lateness_p50_ms=conduct.lateness_p50_ms,
        lateness_p99_ms=conduct.lateness_p99_ms,
        cpu_share=conduct.generator_cpu_share,
        cpu_limit=CPU_SHARE_LIMIT,
        arrival_digest=conduct.arrival_digest,
        problems=(*conduct.problems, *evidence.notes),
        premises=tuple(_premises(notes)),
        proofs=tuple(_proofs(evidence)),
        clocks=tuple(
            ClockBound(source=source, offset_ms=offset_ns / NS_PER_MS, error_ms=error_ns / NS_PER_MS)
            for source, offset_ns, error_ns in evidence.rows(CLOCKS)
        ),
        anchor_error_ms=evidence.anchor.error_ms,
    )


def _premises(notes: Iterable[str]) -> Iterator[Premise]:
    """The notes of `assumptions` that are about a premise; what else it noted stands among the problems."""
    for note in notes:
        for word, holds in ((" holds: ", True), (" broken: ", False)):
            name, found, saw = note.partition(word)
            if found and " " not in name:
                yield Premise(name=name, holds=holds, saw=saw)


CLOCKS = "SELECT source, offset_ns, error_ns FROM source_clocks ORDER BY source"
STEPS = "SELECT number, event, status FROM fault_events ORDER BY nth"
FAULTS = """
SELECT number, "describe", standing, planned_start_ns, planned_end_ns, start_ns, end_ns FROM faults ORDER BY number
"""


def _proofs(evidence: Evidence) -> Iterator[Proof]:
    """Of each step its confirmation, if there is one; a mismatch is worse than any."""
    seen: dict[tuple[int, str], list[str]] = defaultdict(list)
    for number, event, status in evidence.rows(STEPS):
        seen[number, event].append(status)
    for row in evidence.cases(FAULTS):
        yield Proof(
            describe=row.describe,
            planned="standing" if row.standing else _edges(evidence, row.planned_start_ns, row.planned_end_ns),
            seen=_edges(evidence, row.start_ns, row.end_ns),
            steps=tuple(_step(seen[row.number, step]) for step in FAULT_STEPS),
        )


def _step(statuses: list[str]) -> str:
    for status in ("mismatch", "confirmed", "inconclusive"):
        if status in statuses:
            return status
    return ""


def _edges(evidence: Evidence, start_ns: int | None, end_ns: int | None) -> str:
    told = [
        "?" if at_ns is None else f"{(at_ns - evidence.start_ns) / 1_000_000_000:+.2f} s"
        for at_ns in (start_ns, end_ns)
    ]
    return " to ".join(told)
