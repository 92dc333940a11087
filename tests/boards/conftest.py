"""Options for what needs a Prometheus that has seen a run: `make test` gives none, and those tests are skipped."""

import shutil
from collections.abc import Iterator

import pytest

from tests.boards.served import Prometheus, rehearsed

WANTED = "needs --prometheus-url URL, or --rehearse to play a scene before a Prometheus of one's own"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("boards", "dashboard and rules, asked of a Prometheus")
    group.addoption("--prometheus-url", default=None, help="a Prometheus that has seen a run in the last half hour")
    group.addoption(
        "--rehearse", action="store_true", default=False, help="play a scene before a Prometheus of our own"
    )


@pytest.fixture(scope="session")
def prometheus(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """The one that is named, or our own after a scene."""
    url = pytestconfig.getoption("--prometheus-url", default=None)
    if url is not None:
        named = Prometheus(url=url.rstrip("/"))
        with named.client:
            assert named.look_back(), f"{url} has seen no run in the last half hour"
            yield named
    elif not pytestconfig.getoption("--rehearse", default=False):
        pytest.skip(WANTED)
    elif shutil.which("prometheus") is None:
        pytest.skip("prometheus is not installed (Debian: prometheus)")
    else:
        with rehearsed(tmp_path_factory.mktemp("prometheus")) as own:
            yield own


@pytest.fixture(scope="session")
def is_wanted(pytestconfig: pytest.Config) -> bool:
    """Whether more may be needed than `make setup` gives."""
    url = pytestconfig.getoption("--prometheus-url", default=None)
    return url is not None or bool(pytestconfig.getoption("--rehearse", default=False))
