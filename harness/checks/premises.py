"""Can what was recorded carry a verdict at all? One function a premise.

Each reads the evidence and says whether its premise holds, and in a sentence what it saw. A
premise that does not hold never proves a breach; it takes the PASS from the checks that need it.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from harness.checks import wholeness
from harness.checks.check import Premise
from harness.evidence.tables import Evidence
from harness.punctuality import CPU_SHARE_LIMIT, Punctuality, lags, lateness_limit_ms

CLOCK_ERROR_LIMIT_MS = 100
"""Most that a clock's offset may be uncertain by: a fortieth of the shortest window of a gate run."""
START_TIME_SLACK = 1.0
"""A pid's start, asked twice in one unit, differs by less; a reused pid's start by more."""
MAX_NAMED = 5
"""So many details stand in a sentence."""

FAULT_STEPS = ("injected", "read_back", "effect_seen", "lifted", "lift_read_back", "effect_gone")
"""Each must be confirmed: before, during and after."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """What became of one premise."""

    premise: Premise
    holds: bool
    saw: str
    """What was seen, as one sentence; why it does not hold, where it does not."""


Look = Callable[[Evidence], tuple[list[str], str]]
"""Returns what is wrong, nothing where the premise holds, and what to say when nothing is."""


def examine(evidence: Evidence) -> tuple[Examined, ...]:
    """Every premise, in the order of `Premise`."""
    found = []
    for premise in Premise:
        wrong, good = LOOKS[premise](evidence)
        found.append(Examined(premise=premise, holds=not wrong, saw=_sentence(wrong) if wrong else good))
    return tuple(found)


def _sentence(wrong: list[str]) -> str:
    more = f"; and {len(wrong) - MAX_NAMED} more" if len(wrong) > MAX_NAMED else ""
    return "; ".join(wrong[:MAX_NAMED]) + more


FAULT_EVENTS = "SELECT number, event, status, detail FROM fault_events ORDER BY nth"


def _faults_confirmed(evidence: Evidence) -> tuple[list[str], str]:
    planned = evidence.scenario.faults
    events: Mapping[int, list[tuple[str, str, str]]] = defaultdict(list)
    for number, event, status, detail in evidence.rows(FAULT_EVENTS):
        events[number].append((event, status, _told(detail)))
    names = {fault.number: fault.describe for fault in planned}
    wrong = []
    for number in sorted(events.keys() | names.keys()):
        named = f"fault {number} ({names.get(number, 'not planned')})"
        steps = FAULT_STEPS if number in names else ()
        wrong += [f"{named}: {what}" for what in _unproven(events[number], steps)]
    if planned and "faults" in evidence.missing:
        wrong.insert(0, "there is no record of what the faults did")
    return (
        wrong,
        f"{len(planned)} faults, each confirmed before, during and after" if planned else "no fault is planned",
    )


def _unproven(events: list[tuple[str, str, str]], steps: Iterable[str]) -> Iterable[str]:
    """What keeps one fault from being proven: any mismatch, then each step that nothing confirms."""
    for event, status, detail in events:
        if status == "mismatch":
            yield f"{event} is a mismatch{detail}"
    for step in steps:
        seen = [(status, detail) for event, status, detail in events if event == step]
        if not seen:
            yield f"{step} did not take place"
        elif all(status == "inconclusive" for status, _ in seen):
            yield f"{step} is inconclusive{seen[-1][1]}"


def _told(detail: str | None) -> str:
    """The sentence in a row of `faults.jsonl`, as an appendix; its column holds JSON."""
    value = json.loads(detail) if detail else None
    return f": {value}" if value else ""


SAMPLES = """
SELECT source, min(error_ns), arg_min(offset_ns, (error_ns, at_ns)),
       max(offset_ns - error_ns) - min(offset_ns + error_ns) AS drift_ns
FROM clocks GROUP BY source ORDER BY source
"""


def _clocks_bounded(evidence: Evidence) -> tuple[list[str], str]:
    samples = {source: rest for source, *rest in evidence.rows(SAMPLES)}
    limit_ns = CLOCK_ERROR_LIMIT_MS * 1_000_000
    wrong = []
    if "clocks" in evidence.missing:
        wrong.append("no clock was sampled")
    if evidence.anchor.error_ms > CLOCK_ERROR_LIMIT_MS:
        wrong.append(f"the run's anchor is uncertain by {evidence.anchor.error_ms:.1f} ms")
    for source in sorted(evidence.scenario.sources, key=lambda source: source.name):
        if source.name not in samples:
            if source.clock == "utc" and "clocks" not in evidence.missing:
                wrong.append(f"the clock of {source.name} was not sampled")
            continue
        error_ns, offset_ns, drift_ns = samples[source.name]
        if error_ns > limit_ns:
            wrong.append(f"the offset of {source.name} is uncertain by {error_ns / 1e6:.1f} ms")
        if drift_ns > limit_ns:
            wrong.append(f"the clock of {source.name} moved by {drift_ns / 1e6:.1f} ms between samples")
        if source.clock == "monotonic" and abs(offset_ns) - error_ns > limit_ns:
            wrong.append(f"{source.name} stamps by another clock than this host's: {offset_ns / 1e6:+.1f} ms")
    return wrong, f"the offset of {len(samples)} clocks known within {CLOCK_ERROR_LIMIT_MS} ms"


STARTED = "SELECT service, pid FROM processes WHERE event = 'started' ORDER BY at_ns, service"
ANSWERED = """
SELECT a.service, a.pid, a.start_time, a.build, s.pid, s.start_time, s.build
FROM (SELECT * FROM processes WHERE event IN ('ready', 'answered')) AS a
ASOF LEFT JOIN (SELECT * FROM processes WHERE event = 'started') AS s ON a.service = s.service AND a.at_ns >= s.at_ns
WHERE a.service IN (SELECT service FROM processes WHERE event = 'started') ORDER BY a.at_ns, a.service
"""
UNASKED_SINCE = """
SELECT service FROM processes GROUP BY service
HAVING max(at_ns) FILTER (event = 'started')
       > coalesce(max(at_ns) FILTER (event IN ('ready', 'answered')), 0) ORDER BY service
"""


def _same_build(evidence: Evidence) -> tuple[list[str], str]:
    if "processes" in evidence.missing:
        return ["it was not recorded which processes were started and answered"], ""
    if not evidence.rows(STARTED):
        return [], "the target was not started by the harness"
    answers = evidence.rows(ANSWERED)
    wrong = []
    for service, pid, start_time, build, started_pid, started_time, started_build in answers:
        if started_pid is None or pid != started_pid:
            wrong.append(f"{service} was answered by pid {pid}, not by pid {started_pid} that was started")
        elif None not in (start_time, started_time) and abs(start_time - started_time) > START_TIME_SLACK:
            wrong.append(f"{service} was answered by pid {pid}, but not by the process that was started under it")
        elif None not in (build, started_build) and build != started_build:
            wrong.append(f"{service} answered as build {build}, {started_build} was started")
    wrong += [f"{service} was started and never answered since" for (service,) in evidence.rows(UNASKED_SINCE)]
    return wrong, f"{len({row[0] for row in answers})} services answered as the processes that were started"


def _quiescent(evidence: Evidence) -> tuple[list[str], str]:
    if evidence.conduct.quiescent_ns is None:
        return ["things still moved when the drain reached its limit, or there was no drain"], ""
    seconds = (evidence.conduct.quiescent_ns - evidence.start_ns) / 1e9
    return [], f"nothing moved any more {seconds:.1f} s after the load's start"


def _conduct_told(evidence: Evidence) -> tuple[list[str], str]:
    if "conduct" in evidence.missing:
        return ["the conductor did not write how the run went"], ""
    return list(evidence.conduct.problems), "the conductor met no problem"


def _generator_healthy(evidence: Evidence) -> tuple[list[str], str]:
    conduct = evidence.conduct
    if "conduct" in evidence.missing:
        return ["how punctual the load generator was is not known"], ""
    told = Punctuality(
        planned=conduct.planned,
        missed=conduct.missed,
        lateness_p99_ms=conduct.lateness_p99_ms,
        cpu_share=conduct.generator_cpu_share,
    )
    limit_ms = lateness_limit_ms(evidence.scenario.objectives.latency_limit_ms)
    lateness = f"p99 of lateness {told.lateness_p99_ms:.1f} ms (limit {limit_ms:.0f})"
    return lags(told, limit_ms), f"{lateness}, {told.cpu_share:.0%} of a core (limit {CPU_SHARE_LIMIT:.0%})"


LOOKS: Mapping[Premise, Look] = {
    Premise.IDS_UNIQUE: wholeness.ids_unique,
    Premise.ROWS_COUNTED: wholeness.rows_counted,
    Premise.ARRIVALS_COUNTED: wholeness.arrivals_counted,
    Premise.LEDGERS_WHOLE: wholeness.ledgers_whole,
    Premise.RELEASES_WHOLE: wholeness.releases_whole,
    Premise.BOOKS_WHOLE: wholeness.books_whole,
    Premise.FAULTS_CONFIRMED: _faults_confirmed,
    Premise.CLOCKS_BOUNDED: _clocks_bounded,
    Premise.SAME_BUILD: _same_build,
    Premise.QUIESCENT: _quiescent,
    Premise.OWNERS_ASKED: wholeness.owners_asked,
    Premise.CONDUCT_TOLD: _conduct_told,
    Premise.GENERATOR_HEALTHY: _generator_healthy,
}
