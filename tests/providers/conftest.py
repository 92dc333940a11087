"""One process a provider for all tests of this folder that do not kill it."""

from collections.abc import Iterator

import pytest

from tests.providers.simulator import Simulator, Sink


@pytest.fixture(scope="session")
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="session")
def wechat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator("wechat", tmp_path_factory.mktemp("wechat")) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def alipay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator("alipay", tmp_path_factory.mktemp("alipay")) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator("card", tmp_path_factory.mktemp("card")) as simulator:
        yield simulator
