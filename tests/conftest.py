"""Scenes play in the background from the session's start; the tests that read their verdicts come last.

one process:  it collects, plays the scenes, runs the tests ──────────> runs/.scenes ──> and reads
make test:    workers collect; the controller plays the scenes ───────> runs/.scenes ──> a worker reads
"""

import shutil
from contextlib import ExitStack

import pytest
from hypothesis import settings
from xdist import is_xdist_controller, is_xdist_worker
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from harness.stack.postgres import open_postgres
from harness.stack.undo import Warden
from tests.distribution import FolderScheduling, place_of
from tests.lanes import Lanes, Outcomes
from tests.programme import scenes_of

# How long an example takes is the machine's business; half as many as usual are tried, so that two slow cores keep up.
settings.register_profile("tests", deadline=None, max_examples=50)
settings.load_profile("tests")
pytest.register_assert_rewrite("tests.checks.telling")  # its assertions are those of tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=place_of)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where one process does everything: begin to play."""
    alone = not is_xdist_worker(session) and not is_xdist_controller(session)
    if alone and not session.config.option.collectonly:
        _play(session.config, [item.nodeid for item in session.items])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FolderScheduling:
    return FolderScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: WorkerController, ids: list[str]) -> None:
    """Where workers run the tests: begin to play when the first of them says what was selected."""
    if not node.config.pluginmanager.has_plugin(Playing.__name__):
        _play(node.config, ids)


@pytest.fixture(scope="session")
def outcomes(pytestconfig: pytest.Config) -> Outcomes:
    """How the scenes of every selected test ended."""
    return _outcomes(pytestconfig)


def _outcomes(config: pytest.Config) -> Outcomes:
    return Outcomes(config.rootpath / "runs" / ".scenes")


def _play(config: pytest.Config, tests: list[str]) -> None:
    """Set every scene that a selected test asks for on its way."""
    if any(scenes_of(tests)):
        config.pluginmanager.register(Playing(config, tests), Playing.__name__)


class Playing:
    """Plays scenes over one PostgreSQL for as long as the session lasts, and tells the reader how far it is."""

    def __init__(self, config: pytest.Config, tests: list[str]) -> None:
        self._config = config
        outcomes = _outcomes(config)
        shutil.rmtree(outcomes.runs, ignore_errors=True)
        outcomes.runs.mkdir(parents=True)
        with ExitStack() as opened:
            warden = opened.enter_context(Warden(run_id="tests"))
            postgres = opened.enter_context(open_postgres(log=outcomes.runs / "postgresql.log", undo=warden))
            self._lanes = Lanes(outcomes, postgres=postgres.url("postgres"))
            opened.callback(self._lanes.close)
            self._opened = opened.pop_all()
        self._lanes.start(scenes_of(tests), [test for test in tests if not scenes_of([test])])

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Between two tests, when nothing captures the output."""
        self._lanes.over(nodeid)
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        news = list(self._lanes.news())
        if news and reporter is not None and reporter.verbosity >= 0:
            reporter.write("".join(f"\n{line}" for line in news) + "\n")

    def pytest_sessionfinish(self) -> None:
        self._opened.close()
