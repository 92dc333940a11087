"""Is each table built when it is first asked for, once, and after what it is made from?"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from harness.evidence.database import Database
from harness.evidence.tables import open_evidence
from tests.histories.order_stories import two_good_orders

STANDING = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY table_name"
PAID = "CREATE TABLE paid AS SELECT id FROM charges WHERE id > $above"
CHARGES = "CREATE TABLE charges AS SELECT unnest([1, 2, 3]) AS id"


@pytest.fixture
def database() -> Iterator[Database]:
    with duckdb.connect(":memory:") as con:
        yield Database(con)


def standing(database: Database) -> list[str]:
    return [name for (name,) in database.con.execute(STANDING).fetchall()]


def test_nothing_is_built_until_a_statement_names_it(database: Database) -> None:
    database.define(CHARGES)
    database.define(PAID, above=1)
    assert standing(database) == []
    assert database.execute("SELECT count(*) FROM charges").fetchall() == [(3,)]
    assert standing(database) == ["charges"]


def test_table_is_built_after_those_that_its_definition_names(database: Database) -> None:
    database.define(CHARGES)
    database.define(PAID, above=1)
    assert database.execute("SELECT id FROM paid ORDER BY id").fetchall() == [(2,), (3,)]
    assert standing(database) == ["charges", "paid"]


def test_table_is_built_once_and_keeps_what_is_put_into_it(database: Database) -> None:
    database.define("CREATE TABLE notes (word VARCHAR)")
    database.execute("INSERT INTO notes VALUES (?)", ["a"])
    database.execute("INSERT INTO notes VALUES ($word)", {"word": "b"})
    assert database.execute("SELECT word FROM notes ORDER BY word").fetchall() == [("a",), ("b",)]


def test_view_and_macro_are_built_with_what_they_name(database: Database) -> None:
    database.define(CHARGES, "CREATE VIEW late AS SELECT * FROM charges WHERE id = 3")
    database.define("CREATE MACRO is_late(asked) AS asked IN (SELECT id FROM late)")
    assert database.execute("SELECT is_late(3), is_late(2)").fetchall() == [(True, False)]


def test_name_in_a_comment_or_a_string_asks_for_nothing(database: Database) -> None:
    database.define(CHARGES)
    said = database.execute("SELECT 'no charges, and it''s -- charges' AS said  -- nor charges").fetchall()
    assert said == [("no charges, and it's -- charges",)]
    assert standing(database) == []


def test_table_that_cannot_be_built_tells_everyone_who_asks(database: Database) -> None:
    database.define("CREATE TABLE broken AS SELECT CAST('x' AS BIGINT) AS n")
    for _ in range(2):
        with pytest.raises(duckdb.ConversionException):
            database.execute("SELECT n FROM broken")


def test_rows_are_amended_where_there_are_any(database: Database) -> None:
    database.define("CREATE TABLE stamps (at_ns BIGINT)", CHARGES)
    database.amend("UPDATE stamps SET at_ns = at_ns + $by", by=5)
    assert standing(database) == []
    database.execute("INSERT INTO stamps VALUES (1)")
    database.amend("UPDATE stamps SET at_ns = at_ns + $by", by=5)
    assert database.execute("SELECT at_ns FROM stamps").fetchall() == [(6,)]


def test_every_table_of_a_run_can_be_asked_for_first(tmp_path: Path) -> None:
    folder = two_good_orders().write(tmp_path)
    with open_evidence(folder) as evidence:
        names = tuple(evidence.database.waiting)
    assert {"orders", "known_orders", "captures", "rule_owed", "order_releases", "log_leaks"} <= set(names)
    for name in names:
        with open_evidence(folder) as evidence:
            evidence.database.build(name)
            assert name not in evidence.database.waiting


def test_file_without_rows_makes_no_table(tmp_path: Path) -> None:
    with open_evidence(two_good_orders().write(tmp_path)) as evidence:
        assert "books_vouchers" in evidence.database.waiting
        assert "books_orders" not in evidence.database.waiting
        assert evidence.rows("SELECT voucher_id FROM books_vouchers ORDER BY ALL") == []
