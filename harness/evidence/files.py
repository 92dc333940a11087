"""Which files does a scenario's folder hold, beside the history, and which of them count as not there?

A file that is missing leaves its table empty. One whose last line is torn, and one with other rows than
the conductor counted, has its whole rows read. It does not judge what it reads.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.documents import ConductRecord, ScenarioRecord
from harness.evidence import reading
from harness.evidence.database import Database

PLAIN_FILES: Mapping[str, tuple[str, str]] = {
    "faults": ("faults.jsonl", reading.INSERT_FAULT_EVENTS),
    "reads": ("evidence/reads.jsonl", reading.INSERT_READS),
    "rereads": ("evidence/rereads.jsonl", reading.INSERT_REREADS),
    "lists": ("evidence/lists.jsonl", reading.INSERT_LISTS),
    "clocks": ("evidence/clocks.jsonl", reading.INSERT_CLOCKS),
    "processes": ("evidence/processes.jsonl", reading.INSERT_PROCESSES),
    "log_leaks": ("evidence/log_leaks.jsonl", reading.INSERT_LOG_LEAKS),
}
BOOK_FILES: Mapping[str, str] = {
    "orders": reading.INSERT_BOOKS_ORDERS,
    "payments": reading.INSERT_BOOKS_PAYMENTS,
    "refunds": reading.INSERT_BOOKS_REFUNDS,
    "transitions": reading.INSERT_BOOKS_TRANSITIONS,
    "vouchers": reading.INSERT_BOOKS_VOUCHERS,
    "affected": reading.INSERT_BOOKS_AFFECTED,
    "discrepancies": reading.INSERT_BOOKS_DISCREPANCIES,
}
SOURCE_FILES: Mapping[str, tuple[str, str]] = {
    "ledger": ("ledger", reading.INSERT_LEDGER),
    "fulfilment": ("releases", reading.INSERT_RELEASES),
}


def read_files(
    database: Database,
    folder: Path,
    scratch: Path,
    notes: list[str],
    *,
    scenario: ScenarioRecord,
    conduct: ConductRecord,
) -> set[str]:
    """Read everything but the history and the conduct; returns the names of what counts as missing.

    `scratch` takes the copies of torn files, `notes` the sentences about files. Raises `HistoryError`
    where a line other than the last is damaged.
    """
    missing: set[str] = set()
    for name, file, statement, parameters in _wanted(scenario):
        path = folder / file
        if path.exists():
            whole, torn = reading.without_torn_tail(path, scratch, notes)
            if whole.stat().st_size:
                reading.insert(database, statement, path, [*parameters, str(whole)])
            if torn and name.startswith("books."):
                missing.add(name)  # what a torn book does not hold, the target may have
            missing |= _cut_at_a_line_end(name, file, path, conduct, notes)
        else:
            missing.add(name)
    return missing


def _wanted(scenario: ScenarioRecord) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Name, file, INSERT and its first parameters of everything but the history and the conduct."""
    for name, (file, statement) in PLAIN_FILES.items():
        yield name, file, statement, ()
    for book in scenario.capabilities.books:
        yield f"books.{book}", f"evidence/books.{book}.jsonl", BOOK_FILES[book], ()
    if "status" in scenario.capabilities.operations:
        yield "status", "evidence/status.jsonl", reading.INSERT_STATUS_SAMPLES, ()
    for source in scenario.sources:
        if source.kind in SOURCE_FILES:
            prefix, statement = SOURCE_FILES[source.kind]
            yield f"{prefix}.{source.name}", f"evidence/{prefix}.{source.name}.jsonl", statement, (source.name,)


def _cut_at_a_line_end(name: str, file: str, path: Path, conduct: ConductRecord, notes: list[str]) -> set[str]:
    """The file's name where it has not as many rows as were written: what it lacks may have stood there."""
    written = conduct.rows.get(Path(file).stem)
    with path.open("rb") as lines:
        rows = sum(1 for _ in lines)
    if written is None or rows == written:
        return set()
    notes.append(f"{file} has {rows} rows, {written} were written: it counts as not there")
    return {name}
