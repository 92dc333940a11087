"""One Toxiproxy and one PostgreSQL for all short runs of the folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.stack.postgres import open_postgres
from harness.stack.toxiproxy import Toxiproxy, open_toxiproxy
from tests.lifecycle.playing import Place, place


@pytest.fixture(scope="session")
def toxiproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toxiproxy]:
    with open_toxiproxy(log=tmp_path_factory.mktemp("toxiproxy") / "log", environ={}) as server:
        yield server


@pytest.fixture(scope="session")
def new_place(tmp_path_factory: pytest.TempPathFactory, toxiproxy: Toxiproxy) -> Iterator[Callable[[], Place]]:
    with open_postgres(log=tmp_path_factory.mktemp("postgresql") / "log", environ={}) as postgres:
        url = postgres.url("postgres")
        yield lambda: place(tmp_path_factory.mktemp("place") / "folder", toxiproxy, url)


@pytest.fixture(scope="session")
def played(new_place: Callable[[], Place]) -> Path:
    """A run directory that nobody changes: two seconds, complete."""
    here = new_place()
    done = here.gate("Short", "--seed", "7")
    assert done.exit_code == 0, done.out + done.err
    return here.run()
