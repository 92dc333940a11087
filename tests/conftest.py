"""Scenes play in the background from the session's start; the tests that read their verdicts come last."""

import shutil
from contextlib import ExitStack

import pytest

from harness.stack.postgres import open_postgres
from harness.stack.undo import Warden
from tests.lanes import Lanes, Scene

pytest.register_assert_rewrite("tests.checks.telling")  # its assertions are those of tests

_playing = pytest.StashKey[Lanes]()
_opened = pytest.StashKey[ExitStack]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("scene") is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Set every scene that a selected test asks for on its way, over one PostgreSQL."""
    scenes = [
        item.callspec.params["scene"]
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "scene" in item.callspec.params
    ]
    if not scenes or session.config.option.collectonly:
        return
    folder = session.config.rootpath / "runs" / ".scenes"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    opened = session.config.stash[_opened] = ExitStack()
    warden = opened.enter_context(Warden(run_id="tests"))
    postgres = opened.enter_context(open_postgres(log=folder / "postgresql.log", undo=warden))
    lanes = session.config.stash[_playing] = Lanes(folder, postgres=postgres.url("postgres"))
    opened.callback(lanes.close)
    lanes.start(scene for scene in scenes if isinstance(scene, Scene))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _opened in session.config.stash:
        session.config.stash[_opened].close()


@pytest.fixture(scope="session")
def lanes(request: pytest.FixtureRequest) -> Lanes:
    """The scenes of every selected test."""
    return request.config.stash[_playing]
