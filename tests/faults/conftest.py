"""One Toxiproxy for the whole folder, new edges and servers for each test."""

from collections.abc import Iterator

import pytest

from tests.faults import ground


@pytest.fixture(scope="session")
def toxiproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ground.Server]:
    with ground.toxiproxy(tmp_path_factory.mktemp("toxiproxy") / "log") as server:
        yield server


@pytest.fixture
def parts(toxiproxy: ground.Server) -> Iterator[ground.Ground]:
    with ground.ground(toxiproxy) as parts:
        yield parts
