"""What does a scenario's run hold in its hands, and what does it leave on disk?

`Stage` is one scenario on a stack that stands; `Account` is what the conductor
can say of it, filled in as the phases go and written to `conduct.json` at the
end. The phases themselves, in their order, are `harness.conductor`.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import gevent
import msgspec

from harness.assignment import Assignment
from harness.cut import Cut
from harness.documents import SCHEMA_VERSION, Anchor, ConductRecord, RunRecord, ScenarioRecord
from harness.drain import Drained
from harness.errors import UsageError
from harness.evidence.clocks import ClockSample
from harness.evidence.collect import Collection, collect
from harness.faults.surroundings import Surroundings
from harness.faults.timeline import Timeline
from harness.load.client import Client
from harness.load.dispatch import Tally
from harness.load.leaks import Scanner
from harness.load.session import OnRequest
from harness.load.watching import watching
from harness.onlooker import Tell
from harness.operation import Op
from harness.profile import Windows
from harness.progress import Say
from harness.recorder.traces import Traces
from harness.recorder.writer import HistoryWriter
from harness.scenario import Plan, Scenario
from harness.stack.local import Ground, Stack
from harness.targets.protocol import Target

FLUSH_S = 0.1
"""Rows of reads wait in memory at most this long."""
EVIDENCE_LIMIT_S = 120.0
CUT_EVIDENCE_LIMIT_S = 20.0
"""The same after a cut: what is not there by then is missing, and said."""


@dataclass(kw_only=True, slots=True)
class Account:
    """What the conductor can say of one scenario, filled in as it goes."""

    arrival_digest: str = ""
    arrivals: int = 0
    load_start_ns: int | None = None
    load_end_ns: int | None = None
    tally: Tally | None = None
    cpu_share: float = 0.0
    drained: Drained = field(default_factory=lambda: Drained(quiescent_ns=None))
    watermark: dict[str, int] = field(default_factory=dict)
    clocks: tuple[ClockSample, ...] = ()
    problems: list[str] = field(default_factory=list)
    cut_short: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What the scenarios of a run share."""

    assignment: Assignment
    ground: Ground
    anchor: Anchor
    cut: Cut
    say: Say
    tell: Tell
    """Tells whoever watches the run."""
    on_request: OnRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One scenario on a stack that stands: what every phase below needs."""

    scenario: Scenario
    plan: Plan
    windows: Windows
    record: ScenarioRecord
    assignment: Assignment
    stack: Stack
    target: Target
    client: Client
    scanner: Scanner
    """Knows what must not leave the target in this run."""
    timeline: Timeline
    history: HistoryWriter
    traces: Traces
    folder: Path
    anchor: Anchor
    account: Account
    cut: Cut
    say: Callable[[str, str, float | None], None]
    tell: Tell
    """Tells whoever watches the run."""
    on_request: OnRequest


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """Make the run directory; it goes again where it turns out that nothing can be started."""
    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except UsageError:
        if fresh and not (folder / "run.json").exists():
            shutil.rmtree(folder)
        raise


@contextmanager
def closing(record: RunRecord, path: Path, cut: Cut) -> Iterator[None]:
    """Keep `run.json` true: "running" meanwhile, then how it ended."""
    write(path, record)
    try:
        yield
    except BaseException as error:
        write(path, msgspec.structs.replace(record, ended=f"the harness failed: {type(error).__name__}: {error}"))
        raise
    write(path, msgspec.structs.replace(record, ended=cut.reason or "complete"))


@contextmanager
def written(history: HistoryWriter, cut: Cut) -> Iterator[None]:
    """Keep the history flowing to disk, and close it with its footer whatever happens."""

    def flushing() -> None:
        while True:
            gevent.sleep(FLUSH_S)
            history.flush()

    with history:
        greenlet = gevent.spawn(flushing)
        try:
            yield
        finally:
            greenlet.kill()
            history.close(cut_short=cut.reason is not None)


def looked_at(stage: Stage) -> AbstractContextManager[None]:
    """The status page sampled all along, where the target has one."""
    if Op.STATUS not in stage.target.capabilities.operations:
        return nullcontext()
    return watching(stage.target, stage.stack.status_url, stage.folder / "evidence" / "status.jsonl", stage.scanner)


def gather(stage: Stage) -> Collection:
    """Read all evidence; after a second cut none, after a first for a short while only."""
    if stage.cut.hurried:
        (stage.folder / "evidence").mkdir(parents=True, exist_ok=True)
        return Collection(
            ledger_first_seq={}, ledger_last_seq={}, books_read_ns=None, problems=("no evidence was read: cut twice",)
        )
    stage.stack.keep_logs()
    stage.say("evidence", "reading books, ledgers and every order once more", None)
    return collect(
        target=stage.target,
        base_url=stage.stack.base_url,
        sources=stage.stack.sources,
        history=stage.folder / "history",
        into=stage.folder / "evidence",
        logs=stage.folder / "logs",
        scanner=stage.scanner,
        anchor=stage.anchor,
        limit_s=EVIDENCE_LIMIT_S if stage.cut.reason is None else CUT_EVIDENCE_LIMIT_S,
        earlier_clocks=stage.account.clocks,
    )


def close_account(stage: Stage, collected: Collection) -> None:
    """Write `conduct.json`."""
    account = stage.account
    tally = account.tally
    moving = account.drained.still_moving if account.cut_short is None else ()
    write(
        stage.folder / "evidence" / "conduct.json",
        ConductRecord(
            schema_version=SCHEMA_VERSION,
            load_start_ns=account.load_start_ns,
            load_end_ns=account.load_end_ns,
            quiescent_ns=account.drained.quiescent_ns,
            planned=account.arrivals if account.cut_short is None or tally is None else tally.planned,
            started=tally.started if tally else 0,
            missed=tally.missed if tally else 0,
            arrival_digest=account.arrival_digest,
            lateness_p50_ms=tally.lateness_p50_ms if tally else 0.0,
            lateness_p99_ms=tally.lateness_p99_ms if tally else 0.0,
            generator_cpu_share=account.cpu_share,
            cut_short=account.cut_short or stage.cut.reason,
            problems=(*account.problems, *collected.problems, *(f"at the drain's limit: {text}" for text in moving)),
            watermark=account.watermark,
            ledger_first_seq=dict(collected.ledger_first_seq),
            ledger_last_seq=dict(collected.ledger_last_seq),
            books_read_ns=collected.books_read_ns,
            rows=dict(collected.rows),
        ),
    )


def surroundings_of(stack: Stack) -> Surroundings:
    """What the fault drivers need of a stack."""
    return Surroundings(
        run_id=stack.run_id,
        edges=stack.edges,
        services=stack.endpoints,
        providers=stack.providers,
        toxiproxy=stack.toxiproxy,
        control=stack,
        warden=stack.warden,
        rollout=stack.rollout,
    )


def write(path: Path, document: msgspec.Struct) -> None:
    """Write a document whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    draft.replace(path)
