"""What is a run asked to do, and is that possible?

`assign` turns what was asked for on a command line or in a start form into an
`Assignment`, or raises UsageError: nothing is started before it is known to be
possible. The records that go to disk are made from it here, with every number
resolved, so that a verdict needs neither scenario nor profile nor adapter.
"""

import os
import platform
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from harness.checks import CHECKS
from harness.documents import (
    SCHEMA_VERSION,
    Anchor,
    BusyRecord,
    CapabilitiesRecord,
    ObjectivesRecord,
    PhaseRecord,
    RunRecord,
    ScenarioRecord,
    SourceRecord,
)
from harness.errors import UsageError
from harness.faults.timeline import fault_records
from harness.operation import Phase
from harness.profile import PROFILES, Windows
from harness.scenario import FaultSpec, Plan, Scenario, Size
from harness.stack.builds import Chosen, resolve_defects
from harness.stack.ground import addresses_of
from harness.stack.hosts import check_hosts
from harness.stack.ports import reserved
from harness.targets.file import TargetFile, load_target
from harness.targets.protocol import Capabilities
from harness.targets.source import Source
from harness.targets.template import nearest

SERVERS = 2
"""PostgreSQL and Toxiproxy."""
LIBRARIES = ("locust", "gevent", "httpx", "toxiproxy-python", "duckdb", "msgspec")


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """One run, known to be possible."""

    run_id: str
    scenarios: tuple[Scenario, ...]
    size: Size
    seed: int
    target: TargetFile
    target_file: Path
    """As it was given, for `harness rerun`."""
    chosen: Chosen
    profile: str
    runs: Path
    port_base: int
    allow_hosts: tuple[str, ...]
    most_journeys: int

    @property
    def folder(self) -> Path:
        """The run directory."""
        return self.runs / self.run_id

    def windows(self, scenario: Scenario) -> Windows:
        """Time windows of one scenario."""
        return scenario.windows(self.size, PROFILES[self.profile])

    def arguments(self) -> tuple[str, ...]:
        """What `harness gate` is given to run the same again."""
        given = [scenario.name for scenario in self.scenarios]
        given += ["--size", self.size.value, "--build", self.chosen.build]
        given += ["--target", str(self.target_file), "--seed", str(self.seed), "--profile", self.profile]
        for name in self.chosen.defects:
            given += ["--defect", name]
        for host in self.allow_hosts:
            given += ["--allow-host", host]
        return tuple(given)


def assign(
    *,
    run_id: str,
    scenarios: Sequence[Scenario],
    size: str,
    seed: int,
    target_file: Path,
    build: str,
    defects: Sequence[str],
    profile: str,
    runs: Path,
    port_base: int,
    allow_hosts: tuple[str, ...],
    host: str,
    most_journeys: int,
) -> Assignment:
    """Check what is asked for; raises UsageError, in one line, where it cannot be done.

    `host` is what Locust's `--host` or its start form names: empty for the target file's own.
    """
    if not scenarios:
        raise UsageError("no scenario to run; name one, or run this where the folder scenarios/ lies")
    if size not in set(Size):
        raise UsageError(f"unknown size {size!r}{nearest(size, tuple(Size))}")
    wanted = Size(size)
    check_sizes({scenario.name: {each.value for each in scenario.plans} for scenario in scenarios}, wanted.value)
    target = load_target(target_file)
    if host:
        target = with_host(target, host, allow_hosts)
    check_hosts(addresses_of(target, os.environ), file_allows=target.allow_hosts, allowed=allow_hosts)
    check_ports(target, port_base)
    if (runs / run_id / "run.json").exists():
        raise UsageError(f"run directory {runs / run_id} holds a run already; leave out --run-id, or name another")
    return Assignment(
        run_id=run_id,
        scenarios=tuple(scenarios),
        size=wanted,
        seed=seed,
        target=target,
        target_file=target_file,
        chosen=resolve_defects(target, build, defects),
        profile=profile,
        runs=runs,
        port_base=port_base,
        allow_hosts=allow_hosts,
        most_journeys=most_journeys,
    )


def with_host(target: TargetFile, host: str, allow_hosts: Sequence[str]) -> TargetFile:
    """The target at another base URL, as Locust's host field may name one; refused before a byte is sent.

    Raises HostNotAllowed, or UsageError for a target that the stack starts on ports of its own.
    """
    url = host if "://" in host else f"http://{host}"
    check_hosts([url], file_allows=target.allow_hosts, allowed=allow_hosts)
    if target.base_url is None:
        raise UsageError(
            f"host {host}: target {target.name} is started on ports of its own; leave the host empty, "
            "or name a target file with a base_url by --target"
        )
    return target.model_copy(update={"base_url": url})


def check_ports(target: TargetFile, base: int) -> None:
    """Raise PortTaken where a port is in use that a base fixes for services, edges, PostgreSQL and Toxiproxy."""
    if base:
        with reserved(len(target.service) + len(target.edge) + SERVERS, base=base):
            pass


def check_sizes(scenarios: Mapping[str, Collection[str]], size: str) -> None:
    """Raise UsageError where a scenario does not declare the size."""
    for name, sizes in scenarios.items():
        if size not in sizes:
            raise UsageError(f"scenario {name} declares no size {size!r}; it has {', '.join(sorted(sizes))}")


def check_names(asked: Sequence[str], known: Mapping[str, Collection[str]], size: str) -> None:
    """Raise UsageError where a scenario is unknown, with what was probably meant, or lacks the size."""
    for name in asked:
        if name not in known:
            raise UsageError(f"unknown scenario {name!r}{nearest(name, known)}")
    check_sizes({name: known[name] for name in asked}, size)


def read_anchor() -> Anchor:
    """Read both clocks; the best of ten tries, since another process may come in between."""
    tries = []
    for _ in range(10):
        before_ns = time.monotonic_ns()
        utc_ms = time.time_ns() / 1e6
        after_ns = time.monotonic_ns()
        tries.append((after_ns - before_ns, before_ns, utc_ms))
    took_ns, before_ns, utc_ms = min(tries)
    return Anchor(monotonic_ns=before_ns + took_ns // 2, utc_ms=utc_ms, error_ms=took_ns / 2e6)


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
        load=plan.load.describe(),
        only_create=plan.only_create,
        phases=phases_of(plan),
        faults=fault_records(plan.faults, plan.conditions),
        objectives=ObjectivesRecord(
            success_ratio=plan.objectives.success_ratio,
            success_ratio_in_fault=plan.objectives.success_ratio_in_fault,
            latency_limit_ms=plan.objectives.latency_limit_ms,
            latency_share=plan.objectives.latency_share,
        ),
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
    )


def capabilities_record(capabilities: Capabilities) -> CapabilitiesRecord:
    """The adapter's word on its target, for the disk."""
    busy = capabilities.busy
    return CapabilitiesRecord(
        operations=tuple(sorted(op.value for op in capabilities.operations)),
        books=tuple(sorted(book.value for book in capabilities.books)),
        idempotent=tuple(sorted(op.value for op in capabilities.idempotent)),
        pay_by=capabilities.pay_by,
        busy=None
        if busy is None
        else BusyRecord(
            statuses=tuple(sorted(busy.statuses)),
            codes=tuple(sorted(busy.codes)),
            needs_retry_after=busy.needs_retry_after,
        ),
        raw_states={raw: state.value for raw, state in capabilities.raw_states.items()},
        legal_edges=tuple(sorted(capabilities.legal_edges)),
    )


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


def new_run_id() -> str:
    """Name a run by the instant at which it was asked for, UTC, and four digits against twins."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
