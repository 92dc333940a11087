"""Which tests go to which worker where `make test` distributes them over several?

A folder stays together, so that its PostgreSQL, providers and Toxiproxy are
started once. Folders that start the most processes go first, scenes last: by then
they have been played.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

WAITING_MOST = ("tests/payment_api", "tests/lifecycle", "tests/pytest_plugin", "tests/cli", "tests/faults")
"""Longest first: whoever comes last is not waited for."""
IN_PARTS = ("tests/checks", "tests/pytest_plugin")
"""Their files share nothing, so they fill whatever gaps there are."""


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Hands out whole folders in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = folder_of(nodeid)
        return file if folder in IN_PARTS else folder


def folder_of(nodeid: str) -> str:
    """A test's folder below `tests`; of a test that lies in `tests` itself its file."""
    return "/".join(nodeid.partition("::")[0].split("/")[:2])


def place_of(item: pytest.Item) -> tuple[bool, int]:
    """By this tests are sorted."""
    folder = folder_of(item.nodeid)
    long = WAITING_MOST.index(folder) if folder in WAITING_MOST else len(WAITING_MOST)
    return item.get_closest_marker("scene") is not None, long
