"""How is a ledger kept that is never changed and never shortened, and survives a kill?

SQLite: rows are on the disk when a transaction ends, triggers refuse every change of
a row, and `seq` is the rowid, "largest plus one" on a table that nothing is ever
deleted from: gap-free.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TRIGGERS = """
CREATE TRIGGER IF NOT EXISTS ledger_is_never_changed BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_is_never_shortened BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
"""Of a table `ledger`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows of the ledger, ascending."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    last_seq: int
    """Of the whole ledger, not of this page."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection without transactions of its own; each commit is synced."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
