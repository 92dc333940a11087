"""What does a whole run stand on, across its scenarios?

    warden ── knows of everything below, and ends it if we cannot
    ports  ── one for each service and edge, the same for every scenario
    PostgreSQL, Toxiproxy ── one each a run, ours or another's
    a temporary folder ── data of the services, a folder a scenario

All ports are chosen before anything is started, so a port that is taken costs
nothing, and addresses that refer to each other in a circle can be filled in.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.stack import postgres as postgresql
from harness.stack import toxiproxy as toxiproxy_server
from harness.stack.addresses import addresses_of
from harness.stack.containers import Containers
from harness.stack.hosts import Network, check_hosts
from harness.stack.parts import Places
from harness.stack.ports import LOOPBACK, Ports
from harness.stack.postgres import Postgres, open_postgres, temporary_folder
from harness.stack.toxiproxy import Toxiproxy, open_toxiproxy
from harness.stack.undo import STATE_FOLDER, Warden
from harness.targets.file import POSTGRES, TOXIPROXY, ServiceEntry, TargetFile
from harness.targets.template import nearest


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """The run's own parts, and where each service and edge will listen."""

    target: TargetFile
    run_id: str
    only: frozenset[str] | None
    """Groups that are started; None: all."""
    services: Mapping[str, int]
    """Service -> port that it listens on; also of services that somebody else starts."""
    edges: Mapping[str, int]
    """Edge -> port that its proxy listens on."""
    host: str
    """Address that all of them listen on."""
    at: Places
    """Where we reach them."""
    within: Places
    """Where they reach one another."""
    folder: Path
    warden: Warden
    toxiproxy: Toxiproxy | None
    postgres: Postgres | None
    containers: Containers | None = None
    """Starts the services as containers; None: they are processes."""
    relayed: bool = False
    """Our way to the proxies leads through a relay; see `Edge`."""
    networks: tuple[Network, ...] = ()
    """Networks that the run's containers share; beside loopback, what may be spoken to."""

    def started(self) -> tuple[ServiceEntry, ...]:
        """Services that the stack starts itself."""
        return tuple(service for service in self.target.service if wanted(self.only, service.group))

    def versions(self) -> dict[str, str]:
        """What runs, and the durability settings in force, for `run.json`."""
        versions = {} if self.toxiproxy is None else {"toxiproxy": self.toxiproxy.version()}
        if self.postgres is not None:
            settings = self.postgres.settings()
            versions["postgresql"] = settings.pop("server_version")
            versions |= {f"postgresql.{name}": value for name, value in settings.items()}
        if self.containers is not None:
            versions |= self.containers.versions()
        return versions


@contextmanager
def open_ground(
    target: TargetFile,
    *,
    run_id: str,
    logs: Path,
    state: Path = STATE_FOLDER,
    port_base: int = 0,
    only: Collection[str] | None = None,
    allowed_hosts: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Ground]:
    """Everything that a run's scenarios share, until the `with` block ends; about 1 s.

    Reads `$TOXIPROXY_URL` and `$HARNESS_POSTGRES`. Raises UsageError, HostNotAllowed or PortTaken before anything is
    started, StackError or TimeLimit where a part does not stand.
    """
    groups = check_groups(target, only)
    check_hosts(addresses_of(target, environ), file_allows=target.allow_hosts, allowed=allowed_hosts)
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        ports = opened.enter_context(Ports(base=port_base))
        needs_toxiproxy = bool(target.edge) and wanted(groups, TOXIPROXY)
        needs_postgres = target.postgres is not None and wanted(groups, POSTGRES)
        toxiproxy_port = _port(ports, toxiproxy_server.VARIABLE, environ, needed=needs_toxiproxy)
        postgres_port = _port(ports, postgresql.VARIABLE, environ, needed=needs_postgres)
        services = dict(zip([service.name for service in target.service], ports.take(len(target.service)), strict=True))
        edges = dict(zip([edge.name for edge in target.edge], ports.take(len(target.edge)), strict=True))
        warden = opened.enter_context(Warden(state, run_id=run_id))
        folder = opened.enter_context(temporary_folder("run", None, warden))
        toxiproxy = None
        if needs_toxiproxy:
            toxiproxy = opened.enter_context(
                open_toxiproxy(log=logs / "toxiproxy.log", port=toxiproxy_port, undo=warden, environ=environ)
            )
        postgres = None
        if needs_postgres:
            postgres = opened.enter_context(
                open_postgres(log=logs / "postgresql.log", port=postgres_port, undo=warden, environ=environ)
            )
        places = Places(
            services={name: f"{LOOPBACK}:{port}" for name, port in services.items()},
            edges={name: f"{LOOPBACK}:{port}" for name, port in edges.items()},
            postgres=None if postgres is None else f"{postgres.host}:{postgres.port}",
        )
        yield Ground(
            target=target,
            run_id=run_id,
            only=groups,
            services=services,
            edges=edges,
            host=LOOPBACK,
            at=places,
            within=places,
            folder=folder,
            warden=warden,
            toxiproxy=toxiproxy,
            postgres=postgres,
        )


def wanted(only: frozenset[str] | None, group: str) -> bool:
    """Whether a group is started."""
    return only is None or group in only


def check_groups(target: TargetFile, only: Collection[str] | None) -> frozenset[str] | None:
    """The groups to start; raises UsageError for one that the target has not."""
    if only is None:
        return None
    for group in only:
        if group not in target.groups:
            raise UsageError(f"target {target.name} has no group {group!r}{nearest(group, target.groups)}")
    return frozenset(only)


def _port(ports: Ports, variable: str, environ: Mapping[str, str], *, needed: bool) -> int | None:
    """A port for a server of our own; None where there is another's, or no need."""
    return ports.take()[0] if needed and not environ.get(variable) else None
