"""What do `run.json`, `scenario.json` and `evidence/conduct.json` say?

The conductor writes them, the checks read nothing else but history, faults and
evidence: all numbers are resolved here, so a
verdict needs no scenario, no profile and no adapter. Instants ending in `_ns`
are CLOCK_MONOTONIC of the conductor's host; `_utc_ms` are ms since the epoch.
"""

from pathlib import Path

import msgspec

from harness.errors import RunDirectoryError

SCHEMA_VERSION = 1


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """One instant on both clocks, for display and for a target's UTC stamps."""

    monotonic_ns: int
    utc_ms: float
    error_ms: float
    """Half the time it took to read both clocks."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`."""

    schema_version: int
    run_id: str
    seed: int
    target: str
    target_file: str
    build: str = "unnamed"
    defects: tuple[str, ...] = ()
    profile: str
    size: str
    scenarios: tuple[str, ...]
    rate: float = 1.0
    """Times each scenario's own arrival rate; already in its `load`."""
    versions: dict[str, str]
    """What ran: python, locust, toxiproxy, postgresql and its settings, ... -> version."""
    anchor: Anchor
    arguments: tuple[str, ...] = ()
    """What `harness rerun` passes to `harness gate`."""
    ended: str = "running"
    """"running" until the end; then "complete" or why it was cut short."""


class PhaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A phase, relative to the load's start."""

    name: str
    start_ms: int
    end_ms: int


class FaultRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A fault as planned; what happened stands in `faults.jsonl` under the same number."""

    number: int
    kind: str
    driver: str
    where: str
    settings: dict[str, str | int | float | bool]
    start_ms: int | None
    end_ms: int | None
    cue: str | None
    describe: str
    """One line for people."""


class ObjectivesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of `harness.scenario.Objectives`."""

    success_ratio: float
    success_ratio_in_fault: float
    latency_limit_ms: int
    latency_share: float
    charges_an_intent: int = 3
    charges_rise: float = 0.5
    bulkhead_drop: float = 0.05
    backup_ratio: float = 0.9
    emergency_ratio: float = 0.99
    goodput_share: float = 0.8


class SourceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A source of evidence that the target file declares."""

    name: str
    kind: str
    """"books" (the target's own), "ledger" (a provider's) or "fulfilment" (where released orders arrive)."""
    complete: bool
    """Every effect stands in it, with a gap-free `seq`."""
    attribution: str
    """"order", "amount_time" or "none"."""
    clock: str
    """"monotonic" (this host's) or "utc" (related by sampled offsets)."""


class BusyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`harness.targets.protocol.BusyContract` on disk."""

    statuses: tuple[int, ...]
    codes: tuple[str, ...]
    needs_retry_after: bool
    unknown_codes: tuple[str, ...] = ()
    most_retry_after_s: int | None = None


class CompensationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`harness.targets.protocol.Compensation` on disk."""

    unresolved_ms: int
    percent: int
    least_minor: int
    most_minor: int
    unresolved_states: tuple[str, ...]


class CapabilitiesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`harness.targets.protocol.Capabilities` on disk."""

    operations: tuple[str, ...]
    books: tuple[str, ...]
    idempotent: tuple[str, ...]
    pay_by: bool
    busy: BusyRecord | None
    raw_states: dict[str, str]
    legal_edges: tuple[tuple[str, str], ...]
    key_lives_ms: int | None = None
    payment_edges: tuple[tuple[str, str], ...] = ()
    refund_edges: tuple[tuple[str, str], ...] = ()
    offline_payment: bool = False
    names_build: bool = False
    offers_methods: bool = False
    compensation: CompensationRecord | None = None
    reconciliation_grace_ms: int | None = None
    closed_at_any_time: tuple[str, ...] = ()
    merges_creates: bool = False
    extends_pay_by: bool = False


class ScenarioRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`scenario.json`: the description as it was run."""

    schema_version: int
    name: str
    doc: str
    facts: tuple[str, ...]
    size: str
    seed: int
    load: str
    """One line for people: "steady 10/s for 20 s"."""
    only_create: bool
    phases: tuple[PhaseRecord, ...]
    faults: tuple[FaultRecord, ...]
    objectives: ObjectivesRecord
    claims: dict[str, int]
    undecided_shares: dict[str, float]
    """Check -> largest share of undecided cases that a PASS bears; 0 where not named."""
    windows: dict[str, int]
    """Fields of `harness.profile.Windows` that are single numbers, in ms."""
    capabilities: CapabilitiesRecord
    sources: tuple[SourceRecord, ...]
    waivers: dict[str, str]
    """Check -> reason why the target is not held to it."""
    settings: dict[str, str | int] = {}
    """What the target was started with: the scenario's settings over the target file's defaults."""


class ConductRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`evidence/conduct.json`: how the run went, by the conductor's own account."""

    schema_version: int
    load_start_ns: int | None
    """t0 of the arrivals; None where the run ended before."""
    load_end_ns: int | None
    """No journey lived any more."""
    quiescent_ns: int | None
    """Two digests of effects and states agreed; None where the drain ran into its limit."""
    planned: int
    started: int
    missed: int
    arrival_digest: str
    lateness_p50_ms: float
    lateness_p99_ms: float
    generator_cpu_share: float
    """CPU seconds of the generator's process per second of load; 1.0 is one core full."""
    cut_short: str | None
    """Why the run was ended early, or None."""
    problems: tuple[str, ...]
    """What the conductor could not do, as sentences: a source that could not be read, say."""
    watermark: dict[str, int]
    """Ledger -> last `seq` before the load; money counts from the next."""
    ledger_first_seq: dict[str, int]
    """Ledger -> last `seq` of the first reading, before the books were read."""
    ledger_last_seq: dict[str, int]
    """Ledger -> last `seq` of the second reading, after the books."""
    books_read_ns: tuple[int, int] | None
    """When reading the books began and ended."""
    rows: dict[str, int] = {}
    """File of evidence without its ending -> its rows, counted when all was written."""


def read_run_record(folder: Path) -> RunRecord:
    """Read `run.json` of a run directory; raises RunDirectoryError where it is none."""
    path = folder / "run.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except OSError as exc:
        raise RunDirectoryError(f"{folder} is no run directory: run.json cannot be read ({exc.strerror})") from exc
    except msgspec.MsgspecError as exc:
        raise RunDirectoryError(f"{folder} is no run directory: run.json is not what it must be ({exc})") from exc
