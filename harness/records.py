"""What of a run's assignment goes to disk, with every number resolved?

A verdict is a function of these records, history, faults and evidence: it needs
neither scenario nor profile nor adapter.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version

import msgspec

from harness.arrivals import Load
from harness.assignment import Assignment
from harness.checks import CHECKS
from harness.documents import (
    SCHEMA_VERSION,
    Anchor,
    CapabilitiesRecord,
    ObjectivesRecord,
    PhaseRecord,
    RunRecord,
    ScenarioRecord,
    SourceRecord,
)
from harness.faults.timeline import fault_records
from harness.operation import Phase
from harness.profile import Windows
from harness.scenario import FaultSpec, Plan, Scenario
from harness.targets.protocol import Capabilities
from harness.targets.source import Source

LIBRARIES = ("locust", "gevent", "httpx", "toxiproxy-python", "duckdb", "msgspec")


def run_record(assignment: Assignment, versions: Mapping[str, str], anchor: Anchor) -> RunRecord:
    """`run.json` at the run's beginning."""
    ours = {"python": platform.python_version(), "harness": version("payment-chaos-harness")}
    libraries = {name: version(name) for name in LIBRARIES}
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        run_id=assignment.run_id,
        seed=assignment.seed,
        target=assignment.target.name,
        target_file=str(assignment.target_file),
        build=assignment.chosen.build,
        defects=assignment.chosen.defects,
        profile=assignment.profile,
        size=assignment.size.value,
        scenarios=tuple(scenario.name for scenario in assignment.scenarios),
        rate=assignment.rate,
        versions={**ours, **libraries, **versions},
        anchor=anchor,
        arguments=assignment.arguments(),
    )


def scenario_record(
    scenario: Scenario, assignment: Assignment, capabilities: Capabilities, sources: Sequence[Source]
) -> ScenarioRecord:
    """`scenario.json`: the description with every number resolved."""
    plan = scenario.plans[assignment.size]
    windows = assignment.windows(scenario)
    return ScenarioRecord(
        schema_version=SCHEMA_VERSION,
        name=scenario.name,
        doc=scenario.doc,
        facts=scenario.facts,
        size=assignment.size.value,
        seed=assignment.seed,
        load=load_told(plan.load, assignment.rate),
        only_create=plan.only_create,
        phases=phases_of(plan),
        faults=fault_records(plan.faults, plan.conditions),
        objectives=ObjectivesRecord(**asdict(plan.objectives)),
        claims=dict(plan.claims),
        undecided_shares={name: check.undecided_share for name, check in CHECKS.items() if check.undecided_share},
        windows={
            name: value for name in Windows.__dataclass_fields__ if isinstance(value := getattr(windows, name), int)
        },
        capabilities=capabilities_record(capabilities),
        sources=tuple(
            SourceRecord(
                name=source.name,
                kind=source.kind.value,
                complete=source.complete,
                attribution=source.attribution.value,
                clock=source.clock.value,
            )
            for source in sources
        ),
        waivers=dict(assignment.target.waivers),
        settings=assignment.settings(scenario),
    )


def load_told(load: Load, rate: float) -> str:
    """The load that is run, and what was made of the scenario's own."""
    return load.describe() if rate == 1 else f"{load.describe()} ({rate:g} times the scenario's own rate)"


def capabilities_record(capabilities: Capabilities) -> CapabilitiesRecord:
    """The adapter's word on its target, for the disk: the same fields, sets in order."""
    return msgspec.convert(msgspec.to_builtins(capabilities, order="deterministic"), CapabilitiesRecord)


def phases_of(plan: Plan) -> tuple[PhaseRecord, ...]:
    """Warm-up, steady, fault, recovery: from the first fault's beginning to the last one's end is one fault phase."""
    end_ms = round(plan.load.duration_s * 1_000)
    warm_ms = min(end_ms, round(plan.warmup_s * 1_000))
    first_ms, last_ms = _fault_span_ms(plan.faults, end_ms)
    bounds = (
        (Phase.WARMUP, 0, min(warm_ms, first_ms)),
        (Phase.STEADY, min(warm_ms, first_ms), first_ms),
        (Phase.FAULT, first_ms, last_ms),
        (Phase.RECOVERY, last_ms, end_ms),
    )
    return tuple(PhaseRecord(name=name, start_ms=start, end_ms=end) for name, start, end in bounds if end > start)


def phase_at(phases: Sequence[PhaseRecord], offset_ms: float) -> Phase:
    """The phase in which an arrival was scheduled."""
    return next((Phase(phase.name) for phase in phases if offset_ms < phase.end_ms), Phase(phases[-1].name))


def _fault_span_ms(faults: Sequence[FaultSpec], end_ms: int) -> tuple[int, int]:
    timed = [(fault.start_s, fault.end_s) for fault in faults if fault.start_s is not None and fault.end_s is not None]
    if not timed:
        return end_ms, end_ms
    first_s, last_s = min(start for start, _ in timed), max(end for _, end in timed)
    return min(end_ms, round(first_s * 1_000)), min(end_ms, round(last_s * 1_000))
