"""Does a PostgreSQL of our own stand, durable, reachable and gone afterwards?"""

import os
from pathlib import Path

import psutil
import pytest

from harness.errors import StackError, UsageError
from harness.stack import postgres as postgresql
from harness.stack.ports import is_free
from harness.stack.postgres import Postgres, find_binaries, open_postgres
from harness.stack.process import unprivileged

pytestmark = pytest.mark.live
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="is about running as root")


def test_durability_is_on_and_the_pid_is_the_postmasters(postgres: Postgres) -> None:
    settings = postgres.settings()
    assert settings.pop("server_version").split(".")[0] in {"16", "18"}
    assert settings == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    assert psutil.Process(postgres.pid).name() == "postgres"


@as_root
def test_as_root_the_server_runs_as_somebody_else(postgres: Postgres) -> None:
    account = unprivileged()
    assert account is not None
    assert psutil.Process(postgres.pid).uids().real == account.uid != 0


@as_root
def test_binaries_below_a_closed_folder_are_copied_to_where_the_server_can_run_them(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pg").symlink_to(find_binaries().parent)
    account = unprivileged()
    with postgresql.temporary_folder("test", account) as folder:
        copy = postgresql.reachable(closed / "pg" / "bin", folder, account)
        assert copy == folder / "install" / "bin"
        assert postgresql.reachable(find_binaries(), folder, account) in {find_binaries(), copy}
    assert not folder.exists()


def test_databases_are_made_copied_and_dropped_under_whoever_uses_them(postgres: Postgres) -> None:
    postgres.create_database("one")
    postgres.query("CREATE TABLE kept (n int)", database="one")
    postgres.query("INSERT INTO kept VALUES (7)", database="one")
    postgres.create_database("two", template="one")
    assert postgres.query("SELECT n, n + 1 FROM kept", database="two") == [["7", "8"]]
    for name in ("one", "two", "two"):
        postgres.drop_database(name)
    with pytest.raises(StackError, match='database "two" does not exist'):
        postgres.query("SELECT 1", database="two")


@pytest.mark.parametrize("name", ["Order", "a-b", 'x"; DROP', "", "1a", "a" * 64])
def test_a_name_that_would_need_quoting_is_refused(postgres: Postgres, name: str) -> None:
    with pytest.raises(StackError, match="cannot be a database's name"):
        postgres.create_database(name)


def test_a_server_named_in_the_environment_is_used_and_left_running(postgres: Postgres, tmp_path: Path) -> None:
    named = {postgresql.VARIABLE: postgres.url("postgres")}
    with open_postgres(log=tmp_path / "log", environ=named) as other:
        assert (other.port, other.pid) == (postgres.port, None)
        assert other.query("SELECT 1") == [["1"]]
    assert postgres.query("SELECT 1") == [["1"]]
    assert not (tmp_path / "log").exists()


def test_a_server_of_our_own_is_gone_afterwards_with_its_folder(tmp_path: Path) -> None:
    with open_postgres(log=tmp_path / "log", environ={}) as own:
        assert own.pid is not None
        folder = Path(own.query("SHOW data_directory")[0][0]).parent
        assert folder.exists()
    assert is_free(own.port)
    assert not psutil.pid_exists(own.pid)
    assert not folder.exists()


@pytest.mark.parametrize("address", ["127.0.0.1:5432", "http://a@127.0.0.1/", "postgresql://127.0.0.1/x"])
def test_an_unreadable_address_says_how_it_must_read(address: str) -> None:
    with pytest.raises(UsageError, match=r"must read postgresql://user@127.0.0.1:port/postgres"):
        postgresql.parse_address(address, psql=Path("psql"))


def test_a_password_travels_in_the_url_and_is_escaped() -> None:
    server = postgresql.parse_address("postgresql://u:p%40ss@127.0.0.1:5433/postgres", psql=Path("psql"))
    assert server.password == "p@ss"
    assert server.url("d", host="127.0.0.2", port=1) == "postgresql://u:p%40ss@127.0.0.2:1/d"
