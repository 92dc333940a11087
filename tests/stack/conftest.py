"""One Toxiproxy and one PostgreSQL for the folder; what each test opens is its own."""

from collections.abc import Iterator

import pytest

from harness.stack.postgres import Postgres, open_postgres
from harness.stack.toxiproxy import Toxiproxy, open_toxiproxy


@pytest.fixture(scope="session")
def toxiproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toxiproxy]:
    with open_toxiproxy(log=tmp_path_factory.mktemp("toxiproxy") / "log", environ={}) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with open_postgres(log=tmp_path_factory.mktemp("postgresql") / "log", environ={}) as server:
        yield server
