"""How does a target come up for one scenario, and go away without a trace?

    Ground (a run's: ports, PostgreSQL, Toxiproxy, warden)
      └── Stack (a scenario's): fresh database · proxies <run_id>.<edge> · services with fresh secrets and data

Services are started side by side and then waited for; their environment is
explicit. Ends in the reverse order, whatever happened: services, proxies,
database, data. The warden knows of each part before it exists.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from harness.errors import FaultError, StackError
from harness.profile import Windows
from harness.stack.builds import Chosen
from harness.stack.commands import commanded
from harness.stack.container import Container
from harness.stack.ground import Ground, open_ground
from harness.stack.hosts import check_hosts
from harness.stack.layout import (
    controls,
    edge_of,
    expected_of,
    filled_sources,
    leads_somewhere,
    rollout_of,
    values_of,
    word,
)
from harness.stack.parts import Edge, Endpoint, ProviderControl, Rollout, Running, Sight
from harness.stack.postgres import Postgres
from harness.stack.service import ProcessEvent, Service
from harness.stack.starting import started_services
from harness.stack.toxiproxy import Toxiproxy
from harness.stack.undo import Warden
from harness.targets.file import CUSTOMER, TargetFile
from harness.targets.source import Source
from harness.targets.template import fill

__all__ = ["Ground", "Stack", "open_ground", "open_stack"]


@dataclass(kw_only=True, slots=True)
class Stack:
    """A target that stands, and the hands that can strike its processes (a `ServiceControl`)."""

    target: TargetFile
    run_id: str
    base_url: str
    """Where customers' requests go."""
    status_url: str
    """Where the status page is, if the target has one."""
    edges: Mapping[str, Edge]
    endpoints: Mapping[str, Endpoint]
    """Services that the stack has started."""
    providers: Mapping[str, ProviderControl]
    sources: tuple[Source, ...]
    settings: Mapping[str, str]
    """Of the adapter, filled in."""
    secrets: Mapping[str, str]
    database: str | None
    expected: Mapping[str, Mapping[str, str]]
    """Services that somebody else starts -> the environment that they need."""
    toxiproxy: Toxiproxy | None
    warden: Warden
    rollout: Rollout | None = None
    services: Mapping[str, Service | Container] = field(default_factory=dict)
    events: list[ProcessEvent] = field(default_factory=list)
    """Everything that happened to its processes so far, in order."""

    def running(self, service: str) -> Running | None:
        """The service's process now, or None."""
        return self._service(service).running()

    def sight(self, service: str) -> Sight | None:
        """Eyes on the process that runs now; None where there is none."""
        return self._service(service).sight()

    def kill(self, service: str) -> None:
        """SIGKILL to the process and all that it forked; returns when they are gone and the port is free."""
        self._service(service).kill()

    def start(self, service: str) -> None:
        """Start it again on the same port with the same environment; returns when it answers."""
        self._service(service).spawn()
        self._service(service).wait_ready()

    def start_as(self, service: str, release: str) -> None:
        """Start a service that stands by, as this release; returns when it answers."""
        self._service(service).spawn(release)
        self._service(service).wait_ready()

    def drain(self, service: str) -> None:
        """SIGTERM: it is to end in good order; returns at once."""
        self._service(service).terminate()

    def pause(self, service: str) -> None:
        """SIGSTOP to the process and all that it forked; a container is frozen. Returns at once."""
        self._service(service).pause()

    def resume(self, service: str) -> None:
        """SIGCONT; returns at once."""
        self._service(service).resume()

    def keep_logs(self) -> None:
        """See that all that was said so far is in the folder of the logs; processes write there by themselves."""
        for service in self.services.values():
            if isinstance(service, Container):
                service.keep_logs()

    def _service(self, name: str) -> Service | Container:
        if name not in self.services:
            known = ", ".join(sorted(self.services)) or "none"
            raise StackError(f"the stack has no service {name!r} of its own; there are: {known}")
        return self.services[name]


@contextmanager
def open_stack(
    ground: Ground,
    *,
    scenario: str,
    seed: int,
    chosen: Chosen,
    windows: Windows,
    logs: Path,
    allowed_hosts: Sequence[str] = (),
    settings: Mapping[str, str | int] = MappingProxyType({}),
) -> Iterator[Stack]:
    """The target on clean ground until the `with` block ends; the reference takes about 2 s.

    Raises HostNotAllowed before anything is started, StackError or TimeLimit, with the last words of its log, where a
    part does not stand.
    """
    target = ground.target
    logs.mkdir(parents=True, exist_ok=True)
    values = values_of(ground, scenario=scenario, seed=seed, chosen=chosen, windows=windows, settings=settings)
    sources = tuple(filled_sources(target, values))
    base_url = target.base_url or values[f"edge.{CUSTOMER}"]
    status_url = fill(target.status_url or base_url, values, where=f"{target.path}: status_url")
    check_hosts(
        [
            base_url,
            status_url,
            *(source.url for source in sources),
            *(source.control_url or source.url for source in sources),
        ],
        file_allows=target.allow_hosts,
        allowed=allowed_hosts,
        networks=ground.networks,
    )
    with ExitStack() as opened:
        data = ground.folder / word(scenario)
        data.mkdir(exist_ok=True)
        opened.callback(shutil.rmtree, data, ignore_errors=True)
        database = values.get("database")
        if ground.postgres is not None and database is not None:
            open_database(ground, ground.postgres, database, opened)
        edges = {entry.name: edge_of(ground, entry) for entry in target.edge if leads_somewhere(ground, entry)}
        for edge in edges.values():
            open_proxy(ground, edge, opened)
        stack = Stack(
            target=target,
            run_id=ground.run_id,
            base_url=base_url.rstrip("/"),
            status_url=status_url.rstrip("/"),
            edges=edges,
            endpoints={
                entry.name: Endpoint(url=values[f"service.{entry.name}"], ready=entry.ready)
                for entry in ground.started()
            },
            providers=dict(controls(sources)),
            sources=sources,
            settings={
                key: fill(text, values, where=f"{target.path}: [settings] {key}")
                for key, text in target.settings.items()
            },
            secrets={name: values[f"secret.{name}"] for name in sorted(target.secrets())},
            database=database if ground.postgres is not None else None,
            expected=dict(expected_of(ground, values)),
            toxiproxy=ground.toxiproxy,
            warden=ground.warden,
            rollout=rollout_of(ground, values),
        )
        stack.services = opened.enter_context(
            started_services(ground, values, data=data, logs=logs, chosen=chosen, events=stack.events)
        )
        opened.enter_context(commanded(target, values))
        yield stack


def open_database(ground: Ground, postgres: Postgres, name: str, opened: ExitStack) -> None:
    """Create a database; it is dropped when `opened` ends. A server of our own ends with the run, and it with that."""
    if ground.containers is not None:
        opened.callback(ground.warden.done, ground.containers.will_drop(name, ground.warden))
    postgres.create_database(name)
    opened.callback(postgres.drop_database, name)


def open_proxy(ground: Ground, edge: Edge, opened: ExitStack) -> None:
    """Open the edge's proxy, told to the warden before; it is deleted when `opened` ends."""
    toxiproxy = ground.toxiproxy
    if toxiproxy is None:
        return
    number = ground.warden.will_delete(toxiproxy.proxy_url(edge.proxy))

    def close() -> None:
        toxiproxy.delete_proxy(edge.proxy)
        ground.warden.done(number)

    try:
        toxiproxy.create_proxy(edge.proxy, listen=edge.listen, upstream=edge.upstream)
    except FaultError as exc:
        ground.warden.done(number)
        raise StackError(f"edge {edge.name} cannot be opened at {edge.listen}: {exc}") from exc
    opened.callback(close)
