"""What does a run stand on, across its scenarios, where the target's parts are containers?

The same as otherwise (`harness.stack.ground`), with other owners:

    warden ── ends the containers if we cannot, and puts back what stood
    PostgreSQL, Toxiproxy ── services of the compose file
    ports ── a service's own is the one that it exposes; on our loopback it is published at a free one

From inside the containers' network (`$HARNESS_IN_NETWORK`, set for the harness's
own container) nothing is published: services are reached by their names,
PostgreSQL and Toxiproxy are those that stand already, and the hosts are allowed
because their addresses lie in the project's own network.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.errors import UsageError
from harness.stack.addresses import addresses_of
from harness.stack.compose_file import Part, Project, read_project
from harness.stack.containers import Containers, check_alone
from harness.stack.docker import Docker, check_compose
from harness.stack.ground import Ground
from harness.stack.hosts import check_hosts
from harness.stack.parts import Places
from harness.stack.ports import LOOPBACK, Ports
from harness.stack.postgres import Postgres, find_binaries, temporary_folder
from harness.stack.process import wait_for
from harness.stack.toxiproxy import READY_LIMIT_S, Toxiproxy
from harness.stack.undo import STATE_FOLDER, Warden
from harness.targets.file import ComposeEntry, TargetFile

IN_NETWORK = "HARNESS_IN_NETWORK"
"""Variable that says that we are a container of the project ourselves: the name that we are to have in its network."""
ANY = "0.0.0.0"  # the network is the containers' own


@contextmanager
def open_container_ground(
    target: TargetFile,
    *,
    run_id: str,
    logs: Path,
    state: Path = STATE_FOLDER,
    port_base: int = 0,
    allowed_hosts: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Ground]:
    """Everything that a run's scenarios share, until the `with` block ends; about 6 s once images are there.

    Raises UsageError, HostNotAllowed or PortTaken before anything is started, StackError or TimeLimit where a part does
    not stand.
    """
    entry = check_compose(target)
    check_hosts(addresses_of(target, environ), file_allows=target.allow_hosts, allowed=allowed_hosts)
    inside = bool(environ.get(IN_NETWORK))
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        ports = opened.enter_context(Ports(base=port_base))
        docker = Docker(environ=environ)
        project = read_project(docker.config(target.folder / entry.file), target)
        containers = take_over(docker, project, run_id, entry, inside=inside)
        edges = dict(zip([edge.name for edge in target.edge], ports.take(len(target.edge)), strict=True))
        if inside:
            containers.take_name(environ[IN_NETWORK])
        else:
            containers.published = publish(project, entry, edges, ports)
        warden = opened.enter_context(Warden(state, run_id=run_id))
        containers.docker = Docker(environ=environ, mark=warden.mark)
        folder = opened.enter_context(temporary_folder("run", None, warden))
        containers.folder = folder / "compose"
        if not inside:
            containers.build(project.ports)
        opened.enter_context(kept_undone(containers, warden))
        if not inside:
            shared = {entry.postgres: "postgresql.log", entry.toxiproxy: "toxiproxy.log"}
            started = containers.start({name: Part(published=containers.published[name]) for name in shared}, wait=True)
            for name, log in shared.items():
                opened.callback(containers.docker.keep_logs, started[name], logs / log)
        ground = ground_of(target, entry, containers, folder=folder, warden=warden, edges=edges, inside=inside)
        if ground.toxiproxy is not None:
            wait_for(ground.toxiproxy.answers, READY_LIMIT_S, "Toxiproxy (limit toxiproxy_ready)")
        yield ground


def take_over(docker: Docker, project: Project, run_id: str, entry: ComposeEntry, *, inside: bool) -> Containers:
    """The project as it is before the run; nothing is touched yet. Raises UsageError where a run has it already."""
    standing = docker.listed(project.name)
    check_alone(standing, project.name)
    stood = frozenset(each.service for each in standing if each.running)
    missing = sorted({entry.postgres, entry.toxiproxy} - stood)
    if inside and missing:
        raise UsageError(f"{', '.join(missing)} of compose project {project.name} must stand before a run from inside")
    label = f"label=com.docker.compose.project={project.name}"
    return Containers(
        docker=docker,
        project=project,
        run_id=run_id,
        folder=Path(),
        published={},
        stood=stood,
        volumes=frozenset(docker.call("volume", "ls", "--quiet", f"--filter={label}").split()),
    )


def publish(
    project: Project, entry: ComposeEntry, edges: Mapping[str, int], ports: Ports
) -> dict[str, Mapping[int, int]]:
    """Service -> port on our loopback -> port in its container, of all that are listened on; a proxy's are the same."""
    taken = iter(ports.take(len(project.ports) + 2))
    published: dict[str, Mapping[int, int]] = {name: {next(taken): port} for name, port in project.ports.items()}
    published[entry.postgres] = {next(taken): project.postgres_port}
    published[entry.toxiproxy] = {next(taken): project.toxiproxy_port, **{port: port for port in edges.values()}}
    return published


@contextmanager
def kept_undone(containers: Containers, warden: Warden) -> Iterator[None]:
    """Put the project back at the end, by the warden where we cannot."""
    numbers = containers.will_put_back(warden)
    try:
        yield
    finally:
        containers.put_back()
        for number in numbers:
            warden.done(number)


def ground_of(
    target: TargetFile,
    entry: ComposeEntry,
    containers: Containers,
    *,
    folder: Path,
    warden: Warden,
    edges: Mapping[str, int],
    inside: bool,
) -> Ground:
    """The ground once PostgreSQL and Toxiproxy stand."""
    project = containers.project
    within = Places(
        services={name: f"{name}:{port}" for name, port in project.ports.items()},
        edges={name: f"{entry.toxiproxy}:{port}" for name, port in edges.items()},
        postgres=f"{entry.postgres}:{project.postgres_port}",
    )
    ours = {name: next(iter(published)) for name, published in containers.published.items()}
    outside = Places(
        services={name: f"{LOOPBACK}:{ours.get(name)}" for name in project.ports},
        edges={name: f"{LOOPBACK}:{port}" for name, port in edges.items()},
        postgres=f"{LOOPBACK}:{ours.get(entry.postgres)}",
    )
    at = within if inside else outside
    control = f"{entry.toxiproxy}:{project.toxiproxy_port}" if inside else f"{LOOPBACK}:{ours[entry.toxiproxy]}"
    host, _, port = str(at.postgres).rpartition(":")
    return Ground(
        target=target,
        run_id=containers.run_id,
        only=None,
        services=project.ports,
        edges=edges,
        host=ANY,
        at=at,
        within=within,
        folder=folder,
        warden=warden,
        toxiproxy=Toxiproxy(f"http://{control}"),
        postgres=Postgres(
            host=host, port=int(port), user=project.user, password=project.password, psql=find_binaries() / "psql"
        ),
        containers=containers,
        relayed=not inside,
        networks=containers.networks(),
    )
