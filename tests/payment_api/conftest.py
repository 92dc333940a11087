"""PostgreSQL and providers once for all tests here; an API for those that need nothing special."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from types import MappingProxyType

import httpx
import pytest

from harness.stack.ports import Ports
from harness.stack.postgres import Postgres, open_postgres
from harness.stack.process import Child
from tests.payment_api import ground

Launch = Callable[..., ground.Api]


@pytest.fixture(scope="session")
def ports() -> Iterator[Ports]:
    with Ports() as ports:
        yield ports


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with open_postgres(log=tmp_path_factory.mktemp("postgres") / "log") as server:
        yield server


@pytest.fixture(scope="session")
def providers(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ground.Provider]]:
    folder = tmp_path_factory.mktemp("providers")
    with ExitStack() as stack:
        started = {}
        for name in ground.METHODS:
            (port,) = ports.take()
            environment = ground.inherited() | {
                "PROVIDER_PORT": str(port),
                "PROVIDER_DATA": str(folder / name),
                "PROVIDER_KEY": f"{name}-key",
                "PROVIDER_CONTROL_KEY": ground.CONTROL_KEY,
                "PROVIDER_SEED": "7",
                "PROVIDER_NOTICE_SCHEDULE_MS": "200,200,400,1000",
            }
            command = [sys.executable, "-m", "compose.providers", name]
            child = Child(name, command, log=folder / f"{name}.log", env=environment, cwd=ground.ROOT)
            stack.callback(child.kill)
            started[name] = ground.Provider(name=name, url=f"http://127.0.0.1:{port}", key=f"{name}-key", child=child)
            stack.callback(started[name].client.close)
        for provider in started.values():
            ground.eventually(partial(_answers, provider))
        yield started


@contextmanager
def _launching(
    ports: Ports, postgres: Postgres, providers: dict[str, ground.Provider], folders: pytest.TempPathFactory
) -> Iterator[Launch]:
    """Starts an API with a database of its own; all are stopped at the end of the block."""
    with ExitStack() as stack:

        def start(
            *,
            defects: str = "",
            build: str = "fixed",
            pay_by_ms: int = 60_000,
            deadline_ms: int = ground.DEADLINE_MS,
            more: Mapping[str, str] = MappingProxyType({}),
        ) -> ground.Api:
            (port,) = ports.take()
            database = f"payments_{port}"
            postgres.create_database(database)
            environment = ground.inherited() | {
                "PAYMENT_API_PORT": str(port),
                "PAYMENT_API_DATABASE_URL": postgres.url(database),
                "PAYMENT_API_TOKEN_SECRET": ground.SECRET,
                "PAYMENT_API_OPERATOR_TOKEN": ground.OPERATOR,
                "PAYMENT_API_RUN_ID": "run-1",
                "PAYMENT_API_BUILD": build,
                "PAYMENT_API_DEFECTS": defects,
                "PAYMENT_API_PROVIDER_DEADLINE_MS": str(deadline_ms),
                "PAYMENT_API_PAY_BY_MS": str(pay_by_ms),
                # Tests share APIs, and one that fails calls on purpose is not to trip the next one's breaker.
                "PAYMENT_API_BREAKER_FAILURES": "1000000",
            }
            for name, provider in providers.items():
                environment |= {
                    f"PAYMENT_API_{name.upper()}_URL": provider.url,
                    f"PAYMENT_API_{name.upper()}_KEY": provider.key,
                    f"PAYMENT_API_{name.upper()}_NOTICE_URL": f"http://127.0.0.1:{port}/v1/notifications/{name}",
                }
            environment |= more
            log = folders.mktemp("api") / "log"
            api = ground.Api(port=port, environment=environment, log=log)
            stack.callback(api.close)
            api.start()
            return api

        yield start


@pytest.fixture(scope="session")
def launching(
    ports: Ports,
    postgres: Postgres,
    providers: dict[str, ground.Provider],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], AbstractContextManager[Launch]]:
    """What starts APIs, for as long as a block."""
    return partial(_launching, ports, postgres, providers, tmp_path_factory)


@pytest.fixture
def launch(launching: Callable[[], AbstractContextManager[Launch]]) -> Iterator[Launch]:
    """Starts APIs that end with the test: each that idles costs its share of a core."""
    with launching() as start:
        yield start


@pytest.fixture(scope="module")
def launch_for_module(launching: Callable[[], AbstractContextManager[Launch]]) -> Iterator[Launch]:
    """Starts APIs that the tests of a module share."""
    with launching() as start:
        yield start


@pytest.fixture(scope="session")
def launch_for_all(launching: Callable[[], AbstractContextManager[Launch]]) -> Iterator[Launch]:
    """Starts APIs that many modules share."""
    with launching() as start:
        yield start


@pytest.fixture(scope="session")
def api(launch_for_all: Launch) -> ground.Api:
    """The fixed build, for whoever needs no other."""
    return launch_for_all()


@pytest.fixture(scope="session")
def impatient(launch_for_all: Launch) -> ground.Api:
    """The fixed build with a short deadline, for whoever makes a provider silent."""
    return launch_for_all(deadline_ms=ground.SHORT_MS)


@pytest.fixture(scope="session")
def brief(launch_for_all: Launch) -> ground.Api:
    """The fixed build with orders that have half a second."""
    return launch_for_all(pay_by_ms=500, deadline_ms=ground.SHORT_MS)


def _answers(provider: ground.Provider) -> bool:
    assert provider.child.alive(), provider.child.tail()
    try:
        return provider.client.get(f"{provider.url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
