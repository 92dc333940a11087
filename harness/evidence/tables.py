"""What is known about one scenario of a run, as tables that the checks can ask?

`open_evidence` reads a scenario's folder, and `run.json` beside it, into an
in-memory DuckDB. Tables of rows as they lie in files: `schema`. Tables that the
checks share: `shared` and `money`. It opens no connection, asks no clock and
judges nothing; the same folder gives the same tables.

    with open_evidence(folder) as evidence:
        rows = evidence.rows("SELECT order_id FROM known_orders ORDER BY order_no")
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import msgspec

from harness.documents import SCHEMA_VERSION, Anchor, ConductRecord, ScenarioRecord
from harness.errors import HistoryError, RunDirectoryError
from harness.evidence import money, reading, schema, shared

MEMORY_LIMIT = "2GB"
NS_PER_MS = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One scenario's folder as tables; usable inside `open_evidence` only."""

    con: duckdb.DuckDBPyConnection
    run_id: str
    anchor: Anchor
    scenario: ScenarioRecord
    conduct: ConductRecord
    """Empty counts and no instants where `conduct` is missing."""
    missing: frozenset[str]
    """Files that are not there: "history", "faults", "conduct", "reads", "lists", "clocks", "processes",
    "books.<book>" for each book that the target offers, "ledger.<provider>" for each ledger declared."""
    notes: tuple[str, ...]
    """What is odd about the files and is no damage: a torn tail, no footer."""
    start_ns: int
    """Load's start, from which findings count seconds; where unknown the first scheduled instant, else the anchor."""
    until_ns: int
    """Up to here the evidence is known to reach: the end of reading the books, else quiescence, else the load's end,
    else the last instant in any row."""

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Rows of one query; parameters are bound by name, as $name. Every query must say ORDER BY."""
        return self.con.execute(query, parameters or None).fetchall()

    def row(self, query: str, **parameters: object) -> tuple[Any, ...]:
        """The first row of a query that has one."""
        return self.rows(query, **parameters)[0]

    def utc_ms(self, at_ns: int) -> float:
        """The UTC instant, in ms since the epoch, of a monotonic one."""
        return self.anchor.utc_ms + (at_ns - self.anchor.monotonic_ns) / NS_PER_MS

    def window_ns(self, name: str) -> int:
        """One of the scenario's time windows, by its name in `harness.profile.Windows`, in ns."""
        return self.scenario.windows[name] * NS_PER_MS


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
        with duckdb.connect(":memory:", config=_settings(scratch)) as con:
            yield _read(con, folder, scratch, head, scenario)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _settings(scratch: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": os.cpu_count() or 1,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(scratch / "spill"),
        "preserve_insertion_order": False,
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
    }


def _read(
    con: duckdb.DuckDBPyConnection, folder: Path, scratch: Path, head: _RunHead, scenario: ScenarioRecord
) -> Evidence:
    notes: list[str] = []
    missing: set[str] = set()
    for table in schema.RAW_TABLES:
        con.execute(table)
    if not reading.read_history(con, folder, scratch, notes):
        missing.add("history")
    conduct = EMPTY_CONDUCT
    if (folder / "evidence" / "conduct.json").exists():
        conduct = _document(folder / "evidence" / "conduct.json", ConductRecord)
    else:
        missing.add("conduct")
    for name, file, statement, parameters in _wanted(scenario):
        path = folder / file
        if path.exists():
            whole, _ = reading.without_torn_tail(path, scratch, notes)
            reading.insert(con, statement, path, [*parameters, str(whole)])
        else:
            missing.add(name)
    books_ns = _bring_clocks_together(con, head.anchor, scenario)
    _plan_faults(con, scenario, conduct)
    _declare_ledgers(con, scenario, conduct, missing)
    _build_shared(con, folder, head, conduct, books_ns)
    return Evidence(
        con=con,
        run_id=head.run_id,
        anchor=head.anchor,
        scenario=scenario,
        conduct=conduct,
        missing=frozenset(missing),
        notes=tuple(notes),
        start_ns=_first(conduct.load_start_ns, _instant(con, FIRST_INSTANT), head.anchor.monotonic_ns),
        until_ns=_first(
            conduct.books_read_ns[1] if conduct.books_read_ns else None,
            conduct.quiescent_ns,
            conduct.load_end_ns,
            _instant(con, LAST_INSTANT),
            head.anchor.monotonic_ns,
        ),
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

FIRST_INSTANT = "SELECT min(scheduled_ns) FROM operations"
LAST_INSTANT = """
SELECT max(at_ns) FROM (SELECT max(greatest(sent_ns, coalesce(done_ns, 0))) AS at_ns FROM operations
                        UNION ALL SELECT max(at_ns) FROM ledger)
"""

PLAIN_FILES: Mapping[str, tuple[str, str]] = {
    "faults": ("faults.jsonl", reading.INSERT_FAULT_EVENTS),
    "reads": ("evidence/reads.jsonl", reading.INSERT_READS),
    "lists": ("evidence/lists.jsonl", reading.INSERT_LISTS),
    "clocks": ("evidence/clocks.jsonl", reading.INSERT_CLOCKS),
    "processes": ("evidence/processes.jsonl", reading.INSERT_PROCESSES),
}
BOOK_FILES: Mapping[str, str] = {
    "orders": reading.INSERT_BOOKS_ORDERS,
    "payments": reading.INSERT_BOOKS_PAYMENTS,
    "refunds": reading.INSERT_BOOKS_REFUNDS,
    "transitions": reading.INSERT_BOOKS_TRANSITIONS,
}


def _wanted(scenario: ScenarioRecord) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Name, file, INSERT and its first parameters of everything but the history and the conduct."""
    for name, (file, statement) in PLAIN_FILES.items():
        yield name, file, statement, ()
    for book in scenario.capabilities.books:
        yield f"books.{book}", f"evidence/books.{book}.jsonl", BOOK_FILES[book], ()
    for source in scenario.sources:
        if source.kind == "ledger":
            file = f"evidence/ledger.{source.name}.jsonl"
            yield f"ledger.{source.name}", file, reading.INSERT_LEDGER, (source.name,)


SHIFT_BOOKS_ORDERS = """
UPDATE books_orders SET pay_by_ns = pay_by_utc_ms * 1000000 + $utc_ns, created_ns = created_utc_ms * 1000000 + $utc_ns
"""
SHIFT_BOOKS_TRANSITIONS = "UPDATE books_transitions SET at_ns = at_utc_ms * 1000000 + $utc_ns"
SHIFT_LEDGER = """
UPDATE ledger SET at_ns = CAST(utc_ms * 1000000 AS BIGINT) + $utc_ns WHERE provider = $provider
"""
SOURCE_ERRORS = "SELECT source, error_ns FROM source_clocks ORDER BY source"
SOURCE_OFFSETS = "SELECT source, offset_ns FROM source_clocks ORDER BY source"


def _bring_clocks_together(con: duckdb.DuckDBPyConnection, anchor: Anchor, scenario: ScenarioRecord) -> int:
    """Fill the `_ns` columns of books and of ledgers that have a clock of their own.

    Returns what turns the target's stamps, as ns since the epoch, into monotonic ns when added.
    """
    con.execute(shared.SETTLE_CLOCKS)
    offsets: dict[str, int] = dict(con.execute(SOURCE_OFFSETS).fetchall())
    anchored = anchor.monotonic_ns - round(anchor.utc_ms * NS_PER_MS)
    books_ns = anchored
    for source in scenario.sources:
        shift = anchored - (offsets.get(source.name, 0) if source.clock == "utc" else 0)
        if source.kind == "books":
            books_ns = shift
        elif source.clock == "utc":
            con.execute(SHIFT_LEDGER, {"utc_ns": shift, "provider": source.name})
    con.execute(SHIFT_BOOKS_ORDERS, {"utc_ns": books_ns})
    con.execute(SHIFT_BOOKS_TRANSITIONS, {"utc_ns": books_ns})
    return books_ns


INSERT_PLANNED_FAULT = "INSERT INTO planned_faults VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _plan_faults(con: duckdb.DuckDBPyConnection, scenario: ScenarioRecord, conduct: ConductRecord) -> None:
    for fault in scenario.faults:
        instants = [
            None if at_ms is None or conduct.load_start_ns is None else conduct.load_start_ns + at_ms * NS_PER_MS
            for at_ms in (fault.start_ms, fault.end_ms)
        ]
        settings = msgspec.json.encode(fault.settings, order="sorted").decode()
        row = [fault.number, fault.kind, fault.driver, fault.where, settings, *instants, fault.cue, fault.describe]
        con.execute(INSERT_PLANNED_FAULT, row)


INSERT_DECLARED_LEDGER = "INSERT INTO declared_ledgers VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def _declare_ledgers(
    con: duckdb.DuckDBPyConnection, scenario: ScenarioRecord, conduct: ConductRecord, missing: set[str]
) -> None:
    errors: dict[str, int] = dict(con.execute(SOURCE_ERRORS).fetchall())
    con.execute(schema.DECLARED_LEDGERS)
    for source in scenario.sources:
        if source.kind == "ledger":
            name = source.name
            row = [
                name,
                f"ledger.{name}" not in missing,
                source.complete,
                source.attribution,
                errors.get(name, 0) if source.clock == "utc" else 0,
                conduct.watermark.get(name, 0),
                conduct.ledger_first_seq.get(name),
                conduct.ledger_last_seq.get(name),
            ]
            con.execute(INSERT_DECLARED_LEDGER, row)


def _build_shared(
    con: duckdb.DuckDBPyConnection, folder: Path, head: _RunHead, conduct: ConductRecord, books_ns: int
) -> None:
    """Build the tables that checks share; a history that contradicts itself raises `HistoryError`."""
    con.execute(shared.ORDER_NAMES)
    for question, complaint in (
        (shared.CLASHING_NAMES, "a worker gave one number to two orders"),
        (shared.NAMELESS_NUMBERS, "a worker used a number of an order that no row names"),
        (shared.DONE_WITHOUT_INV, "a completion has no invocation"),
    ):
        row = con.execute(question).fetchone()
        if row is not None:
            raise HistoryError(f"{folder / 'history'}: {complaint}: {row}")
    con.execute(shared.OPERATIONS, {"utc_ns": books_ns})
    for statement in (
        shared.JOURNEYS,
        shared.INTENTS,
        shared.ORDERS,
        shared.KNOWN_ORDERS,
        shared.REQUESTS,
        shared.FAULTS,
        money.LEDGERS,
        money.NUMBERS,
    ):
        con.execute(statement)
    books_begin = {"books_begin_ns": conduct.books_read_ns[0] if conduct.books_read_ns else None}
    con.execute(money.OUR_NUMBERS, {"run_id": head.run_id})
    con.execute(money.CAPTURES, books_begin)
    con.execute(money.PROVIDER_REFUNDS, books_begin)
    con.execute(money.OUTAGES)
    con.execute(money.BLIND_ORDERS)


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


def _instant(con: duckdb.DuckDBPyConnection, question: str) -> int | None:
    row = con.execute(question).fetchone()
    return None if row is None else row[0]


def _first(*instants: int | None) -> int:
    """The first instant that is known."""
    return next(at_ns for at_ns in instants if at_ns is not None)
