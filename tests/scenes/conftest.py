"""One PostgreSQL and a set of lanes for all scenes that were asked for."""

from collections.abc import Iterator

import pytest

from harness.stack.postgres import open_postgres
from tests.lanes import Lanes, Scene


@pytest.fixture(scope="session")
def lanes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    """Scenes of every selected test, already on their way."""
    wanted = [
        item.callspec.params["scene"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "scene" in item.callspec.params
    ]
    folder = tmp_path_factory.mktemp("scenes")
    with open_postgres(log=folder / "postgresql.log") as postgres:
        playing = Lanes(folder, postgres=postgres.url("postgres"))
        playing.start(scene for scene in wanted if isinstance(scene, Scene))
        yield playing
        playing.close()
