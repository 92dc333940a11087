"""How do the rows of a run's files become the tables that checks share?

Clocks are brought together, the plan and the conductor's account are put beside
what was recorded, then the tables of `shared`, `money`, `releases` and `owed` are
defined: `database` builds them when they are asked for.
"""

from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from harness.documents import Anchor, ConductRecord, ScenarioRecord
from harness.errors import HistoryError
from harness.evidence import money, owed, releases, schema, shared
from harness.evidence.database import Database

NS_PER_MS = 1_000_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of the run that SQL needs; the columns of the table `limits`."""

    run_id: str
    start_ns: int
    """Load's start."""
    until_ns: int
    """Up to here the evidence reaches."""
    refund_ns: int
    """The refund window."""
    books_begin_ns: int | None
    """When reading the books began; None where they were not read."""
    books: bool
    """The book of orders is there."""


SHIFT_BOOKS_ORDERS = """
UPDATE books_orders SET pay_by_ns = pay_by_utc_ms * 1000000 + $utc_ns, created_ns = created_utc_ms * 1000000 + $utc_ns
"""
SHIFT_BOOKS_TRANSITIONS = "UPDATE books_transitions SET at_ns = at_utc_ms * 1000000 + $utc_ns"
SHIFT_BOOKS_VOUCHERS = "UPDATE books_vouchers SET at_ns = at_utc_ms * 1000000 + $utc_ns"
SHIFT_BOOKS_AFFECTED = "UPDATE books_affected SET at_ns = at_utc_ms * 1000000 + $utc_ns"
SHIFT_BOOKS_DISCREPANCIES = "UPDATE books_discrepancies SET at_ns = at_utc_ms * 1000000 + $utc_ns"
SHIFT_BOOKS = (
    SHIFT_BOOKS_ORDERS,
    SHIFT_BOOKS_TRANSITIONS,
    SHIFT_BOOKS_VOUCHERS,
    SHIFT_BOOKS_AFFECTED,
    SHIFT_BOOKS_DISCREPANCIES,
)
SHIFT_LEDGER = """
UPDATE ledger SET at_ns = CAST(utc_ms * 1000000 AS BIGINT) + $utc_ns WHERE provider = $provider
"""
SHIFT_RELEASES = """
UPDATE releases SET at_ns = CAST(utc_ms * 1000000 AS BIGINT) + $utc_ns WHERE source = $provider
"""
SOURCE_ERRORS = "SELECT source, error_ns FROM source_clocks ORDER BY source"
SOURCE_OFFSETS = "SELECT source, offset_ns FROM source_clocks ORDER BY source"


def bring_clocks_together(database: Database, anchor: Anchor, scenario: ScenarioRecord) -> int:
    """Fill the `_ns` columns of books and of ledgers that have a clock of their own.

    Returns what turns the target's stamps, as ns since the epoch, into monotonic ns when added.
    """
    database.define(shared.SETTLE_CLOCKS)
    offsets: dict[str, int] = dict(database.execute(SOURCE_OFFSETS).fetchall())
    anchored = anchor.monotonic_ns - round(anchor.utc_ms * NS_PER_MS)
    books_ns = anchored
    for source in scenario.sources:
        shift = anchored - (offsets.get(source.name, 0) if source.clock == "utc" else 0)
        if source.kind == "books":
            books_ns = shift
        elif source.clock == "utc":
            for statement in (SHIFT_LEDGER, SHIFT_RELEASES):
                database.amend(statement, utc_ns=shift, provider=source.name)
    for statement in SHIFT_BOOKS:
        database.amend(statement, utc_ns=books_ns)
    return books_ns


INSERT_PLANNED_FAULT = "INSERT INTO planned_faults VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def plan_faults(database: Database, scenario: ScenarioRecord, conduct: ConductRecord) -> None:
    """Put the scenario's fault timeline into `planned_faults`, its instants on the run's clock."""
    for fault in scenario.faults:
        instants = [
            None if at_ms is None or conduct.load_start_ns is None else conduct.load_start_ns + at_ms * NS_PER_MS
            for at_ms in (fault.start_ms, fault.end_ms)
        ]
        settings = msgspec.json.encode(fault.settings, order="sorted").decode()
        standing = fault.start_ms is None
        row = [fault.number, fault.kind, fault.driver, fault.where, settings, *instants]
        row += [fault.cue, fault.describe, standing]
        database.execute(INSERT_PLANNED_FAULT, row)


INSERT_DECLARED_LEDGER = "INSERT INTO declared_ledgers VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def declare_ledgers(
    database: Database, scenario: ScenarioRecord, conduct: ConductRecord, missing: AbstractSet[str]
) -> None:
    """Put each declared ledger, of a provider or of releases, into its table, with how far it was read."""
    errors: dict[str, int] = dict(database.execute(SOURCE_ERRORS).fetchall())
    database.define(schema.DECLARED_LEDGERS, releases.DECLARED_FULFILMENT)
    for source in scenario.sources:
        if source.kind == "fulfilment":
            told = [source.name, f"releases.{source.name}" not in missing, source.complete]
            told += [errors.get(source.name, 0) if source.clock == "utc" else 0]
            told += [conduct.watermark.get(source.name), conduct.ledger_last_seq.get(source.name)]
            database.execute(releases.INSERT_DECLARED_FULFILMENT, told)
        if source.kind == "ledger":
            name = source.name
            row = [
                name,
                f"ledger.{name}" not in missing,
                source.complete,
                source.attribution,
                errors.get(name, 0) if source.clock == "utc" else 0,
                conduct.watermark.get(name),
                conduct.ledger_first_seq.get(name),
                conduct.ledger_last_seq.get(name),
            ]
            database.execute(INSERT_DECLARED_LEDGER, row)


def define_shared(database: Database, history: Path, books_ns: int, limits: Limits) -> None:
    """Define the tables that checks share; a history that contradicts itself raises `HistoryError` naming `history`."""
    database.define(shared.ORDER_NAMES)
    for question, complaint in (
        (shared.CLASHING_NAMES, "a worker gave one number to two orders"),
        (shared.NAMELESS_NUMBERS, "a worker used a number of an order that no row names"),
        (shared.DONE_WITHOUT_INV, "a completion has no invocation"),
    ):
        row = database.execute(question).fetchone()
        if row is not None:
            raise HistoryError(f"{history}: {complaint}: {row}")
    database.define(owed.LIMITS, **msgspec.structs.asdict(limits))
    database.define(shared.OPERATIONS, utc_ns=books_ns)
    database.define(*shared.SHARED_TABLES, *money.MONEY_TABLES, *releases.RELEASE_TABLES, *owed.OWED_TABLES)
