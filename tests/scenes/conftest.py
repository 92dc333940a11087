"""One PostgreSQL and a set of lanes for all scenes that were asked for."""

from collections.abc import Iterator

import pytest

from tests.lanes import Lanes, Scene


@pytest.fixture(scope="session")
def lanes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    """Scenes of every selected test, already on their way."""
    wanted = [
        item.callspec.params["scene"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "scene" in item.callspec.params
    ]
    playing = Lanes(tmp_path_factory.mktemp("scenes"), postgres=None)
    playing.start(scene for scene in wanted if isinstance(scene, Scene))
    yield playing
    playing.close()
