"""What is known about one scenario of a run, as tables that the checks can ask?

`open_evidence` reads a scenario's folder, and `run.json` beside it, into an
in-memory DuckDB. Tables of rows as they lie in files: `schema`. Tables that the
checks share: `shared`, `money`, `releases` and `owed`, each built when a query first
names it. It opens no connection, asks no clock and judges nothing; the same folder
gives the same tables.

    with open_evidence(folder) as evidence:
        rows = evidence.rows("SELECT order_id FROM known_orders ORDER BY order_no")
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import duckdb
import msgspec

from harness.documents import SCHEMA_VERSION, Anchor, ConductRecord, ScenarioRecord
from harness.errors import RunDirectoryError
from harness.evidence import build, money, reading, schema
from harness.evidence.database import Database
from harness.evidence.files import read_files
from harness.recorder.traces import Traces

MEMORY_LIMIT = "2GB"
SMALL_BYTES = 16_000_000
"""Files below this hold less than one of the blocks (122,880 rows) that DuckDB hands to threads: a second thread has
nothing to do, and waking it costs a fifth of the CPU."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One scenario's folder as tables; usable inside `open_evidence` only."""

    database: Database
    anchor: Anchor
    scenario: ScenarioRecord
    traces: Traces
    """Under which the target knows the history's operations."""
    conduct: ConductRecord
    """Empty counts and no instants where `conduct` is missing."""
    missing: frozenset[str]
    """Files that are not there: "history", "faults", "conduct", "reads", "lists", "rereads" (where nobody watched),
    "clocks", "processes", "log_leaks", "status" where the target has a status page, "books.<book>" for each book that
    the target offers, "ledger.<provider>" and "releases.<source>" for each ledger and fulfilment declared. A book whose
    last line is torn, and any file with other rows than the conductor counted, counts as not there, though its whole
    rows stand in its table."""
    file_notes: tuple[str, ...]
    """What is odd about the files and is no damage: a torn tail, no footer."""
    start_ns: int
    """Load's start, from which findings count seconds; where unknown the first scheduled instant, else the anchor."""
    until_ns: int
    """Up to here the evidence is known to reach: the end of reading the books, else quiescence, else the load's end,
    else the last instant in any row."""
    built: set[Callable[["Evidence"], None]] = field(default_factory=set)
    """What `once` has built."""

    def once(self, build_tables: Callable[["Evidence"], None]) -> None:
        """Build tables that several checks share, unless they stand already."""
        if build_tables not in self.built:
            build_tables(self)
            self.built.add(build_tables)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd and is no damage: about the files, and how many orders of ledgers are nobody's."""
        strangers = [(count, order) for count, order in self.rows(money.STRANGERS) if count]
        said = [f"{n} orders in ledgers belong to no journey of the history, such as {order}" for n, order in strangers]
        return (*self.file_notes, *said)

    def execute(self, statement: str, **parameters: object) -> duckdb.DuckDBPyConnection:
        """Run one statement, such as the CREATE of a check's own table; parameters are bound by name, as $name."""
        return self.database.execute(statement, parameters or None)

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Rows of one query; parameters are bound by name, as $name. Every query must say ORDER BY."""
        return self.execute(query, **parameters).fetchall()

    def row(self, query: str, **parameters: object) -> tuple[Any, ...]:
        """The first row of a query that has one."""
        return self.rows(query, **parameters)[0]

    def cases(self, query: str, **parameters: object) -> list[SimpleNamespace]:
        """The same with each row's columns as attributes: for rows that become findings."""
        cursor = self.execute(query, **parameters)
        names = [column[0] for column in cursor.description or ()]
        return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

    def utc_ms(self, at_ns: int) -> float:
        """The UTC instant, in ms since the epoch, of a monotonic one."""
        return self.anchor.utc_ms + (at_ns - self.anchor.monotonic_ns) / build.NS_PER_MS

    def window_ns(self, name: str) -> int:
        """One of the scenario's time windows, by its name in `harness.profile.Windows`, in ns."""
        return self.scenario.windows[name] * build.NS_PER_MS

    def books_error_ns(self) -> int:
        """Most that an instant in the books may be off; 0 where their clock was not sampled."""
        return max(self.books_errors_ns(), default=0)

    def books_errors_ns(self) -> list[int]:
        """How far an instant may be off, of each source of books whose clock was sampled."""
        names = [source.name for source in self.scenario.sources if source.kind == "books"]
        return [error_ns for (error_ns,) in self.rows(BOOKS_ERRORS, names=names)]


BOOKS_ERRORS = """
SELECT error_ns FROM source_clocks WHERE source IN (SELECT unnest($names)) AND error_ns IS NOT NULL ORDER BY source
"""


class _RunHead(msgspec.Struct):
    """What of `run.json` a verdict may depend on: never build, defects or arguments."""

    schema_version: int
    run_id: str
    anchor: Anchor


@contextmanager
def open_evidence(folder: Path) -> Iterator[Evidence]:
    """Read a scenario's folder; `run.json` is read from the folder above it.

    Raises `RunDirectoryError` where `run.json` or `scenario.json` is missing or of another schema,
    `HistoryError` where a file is damaged elsewhere than in its last line. Costs about 0.2 s for
    5,000 operations. The database and its scratch folder are gone when the context ends.
    """
    head = _document(folder.parent / "run.json", _RunHead)
    scenario = _document(folder / "scenario.json", ScenarioRecord)
    scratch = Path(tempfile.mkdtemp(prefix="harness-evidence-"))
    try:
        with duckdb.connect(":memory:", config=_settings(folder, scratch)) as con:
            yield _read(Database(con), folder, scratch, head, scenario)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _settings(folder: Path, scratch: Path) -> dict[str, str | bool | int | float | list[str]]:
    small = sum(path.stat().st_size for path in folder.rglob("*.jsonl")) < SMALL_BYTES
    return {
        "threads": 1 if small else os.cpu_count() or 1,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(scratch / "spill"),
        "preserve_insertion_order": False,
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
    }


def _read(database: Database, folder: Path, scratch: Path, head: _RunHead, scenario: ScenarioRecord) -> Evidence:
    notes: list[str] = []
    missing: set[str] = set()
    database.define(*schema.RAW_TABLES)
    if not reading.read_history(database, folder, scratch, notes):
        missing.add("history")
    conduct = EMPTY_CONDUCT
    if (folder / "evidence" / "conduct.json").exists():
        conduct = _document(folder / "evidence" / "conduct.json", ConductRecord)
    else:
        missing.add("conduct")
    missing |= read_files(database, folder, scratch, notes, scenario=scenario, conduct=conduct)
    books_ns = build.bring_clocks_together(database, head.anchor, scenario)
    build.plan_faults(database, scenario, conduct)
    build.declare_ledgers(database, scenario, conduct, missing)
    limits = build.Limits(
        run_id=head.run_id,
        start_ns=_instant(database, (conduct.load_start_ns,), FIRST_INSTANT, head.anchor),
        until_ns=_instant(
            database,
            (
                conduct.books_read_ns[1] if conduct.books_read_ns else None,
                conduct.quiescent_ns,
                conduct.load_end_ns,
            ),
            LAST_INSTANT,
            head.anchor,
        ),
        refund_ns=scenario.windows["refund_ms"] * build.NS_PER_MS,
        books_begin_ns=conduct.books_read_ns[0] if conduct.books_read_ns else None,
        books="orders" in scenario.capabilities.books and "books.orders" not in missing,
    )
    build.define_shared(database, folder / "history", books_ns, limits)
    return Evidence(
        database=database,
        anchor=head.anchor,
        scenario=scenario,
        traces=Traces(run_id=head.run_id, scenario=scenario.name),
        conduct=conduct,
        missing=frozenset(missing),
        file_notes=tuple(notes),
        start_ns=limits.start_ns,
        until_ns=limits.until_ns,
    )


EMPTY_CONDUCT = ConductRecord(
    schema_version=SCHEMA_VERSION,
    load_start_ns=None,
    load_end_ns=None,
    quiescent_ns=None,
    planned=0,
    started=0,
    missed=0,
    arrival_digest="",
    lateness_p50_ms=0.0,
    lateness_p99_ms=0.0,
    generator_cpu_share=0.0,
    cut_short="no conduct.json was written",
    problems=(),
    watermark={},
    ledger_first_seq={},
    ledger_last_seq={},
    books_read_ns=None,
)

FIRST_INSTANT = "SELECT min(scheduled_ns) FROM history_rows"
LAST_INSTANT = """
SELECT max(at_ns) FROM (SELECT max(coalesce(sent_ns, done_ns)) AS at_ns FROM history_rows
                        UNION ALL SELECT max(at_ns) FROM ledger)
"""

T = TypeVar("T")


def _document(path: Path, kind: type[T]) -> T:
    """One JSON document of the run's folder."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise RunDirectoryError(f"{path} cannot be read, so {path.parent} is no run directory: {exc.strerror}") from exc
    try:
        version = msgspec.json.decode(content, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise RunDirectoryError(f"{path} is of schema {version}, this harness reads schema {SCHEMA_VERSION}")
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as exc:
        raise RunDirectoryError(f"{path} is not what it must be: {exc}") from exc


class _Versioned(msgspec.Struct):
    schema_version: int


def _instant(database: Database, known: Iterable[int | None], question: str, anchor: Anchor) -> int:
    """The first instant that is known, else the one that the rows tell, else the anchor's."""
    for at_ns in known:
        if at_ns is not None:
            return at_ns
    row = database.execute(question).fetchone()
    return anchor.monotonic_ns if row is None or row[0] is None else row[0]
