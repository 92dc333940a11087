"""How does a target come up for one scenario, and go away without a trace?

    Ground (a run's: ports, PostgreSQL, Toxiproxy, warden)
      └── Stack (a scenario's): fresh database · proxies <run_id>.<edge> · services with fresh secrets and data

Services are started side by side and then waited for; their environment is
explicit. Ends in the reverse order, whatever happened: services, proxies,
database, data. The warden knows of each part before it exists.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from harness.errors import FaultError, HarnessError, StackError
from harness.profile import Windows
from harness.stack.builds import Chosen
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
from harness.stack.parts import Edge, Endpoint, ProviderControl, Rollout, Running
from harness.stack.process import inherited
from harness.stack.service import ProcessEvent, Service
from harness.stack.toxiproxy import Toxiproxy
from harness.stack.undo import Warden
from harness.targets.file import CUSTOMER, ServiceEntry, TargetFile
from harness.targets.source import Source
from harness.targets.template import fill

__all__ = ["Ground", "Stack", "open_ground", "open_stack"]

COMMAND_LIMIT_S = 300.0


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
    services: Mapping[str, Service] = field(default_factory=dict)
    events: list[ProcessEvent] = field(default_factory=list)
    """Everything that happened to its processes so far, in order."""

    def running(self, service: str) -> Running | None:
        """The service's process now, or None."""
        return self._service(service).running()

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
        """SIGSTOP to the process and all that it forked; returns at once."""
        self._service(service).send(signal.SIGSTOP, "paused")

    def resume(self, service: str) -> None:
        """SIGCONT; returns at once."""
        self._service(service).send(signal.SIGCONT, "resumed")

    def _service(self, name: str) -> Service:
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
    )
    with ExitStack() as opened:
        data = ground.folder / word(scenario)
        data.mkdir(exist_ok=True)
        opened.callback(shutil.rmtree, data, ignore_errors=True)
        database = values.get("database")
        if ground.postgres is not None and database is not None:
            ground.postgres.create_database(database)
            opened.callback(ground.postgres.drop_database, database)
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
            rollout=rollout_of(target, values),
        )
        stack.services = {
            entry.name: service_of(ground, entry, values, data=data, logs=logs, chosen=chosen, events=stack.events)
            for entry in ground.started()
        }
        opened.callback(stop_all, tuple(stack.services.values()))
        at_once = [stack.services[entry.name] for entry in ground.started() if not entry.on_demand]
        for service in at_once:
            service.spawn()
        for service in at_once:
            service.wait_ready()
        opened.enter_context(commanded(target, values))
        yield stack


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


def service_of(
    ground: Ground,
    entry: ServiceEntry,
    values: Mapping[str, str],
    *,
    data: Path,
    logs: Path,
    chosen: Chosen,
    events: list[ProcessEvent],
) -> Service:
    """The service as its entry says, not started yet."""
    target = ground.target
    own = data / entry.name
    own.mkdir(exist_ok=True)
    port = ground.services[entry.name]
    where = f"{target.path}: [[service]] {entry.name}"

    def words(release: str | None) -> dict[str, str]:
        return {**values, "port": str(port), "data": str(own), "release": release or entry.release}

    def environment(release: str | None) -> dict[str, str]:
        filled = words(release)
        return inherited(os.environ) | {
            key: fill(text, filled, where=f"{where}: environment.{key}") for key, text in entry.environment.items()
        }

    return Service(
        entry.name,
        argv=[fill(part, words(None), where=f"{where}: command") for part in entry.command],
        env=environment,
        cwd=target.folder,
        port=port,
        ready=entry.ready,
        log=logs / f"{entry.name}.log",
        build=chosen.build,
        events=events,
        undo=ground.warden,
    )


def stop_all(services: Sequence[Service]) -> None:
    """End all services, side by side; one that does not end does not keep the others, and is reported last."""
    for service in services:
        with suppress(ProcessLookupError):
            service.terminate()
    failed = []
    for service in services:
        try:
            service.stop()
        except HarnessError as exc:
            failed.append(str(exc))
    if failed:
        raise StackError("; ".join(failed))


@contextmanager
def commanded(target: TargetFile, values: Mapping[str, str]) -> Iterator[None]:
    """The target's own start command before, its stop command after; also after a start that failed half-way."""
    start, stop = target.commands.start, target.commands.stop
    try:
        if start is not None:
            run_command(target, "start", start, values)
        yield
    except BaseException:
        if stop is not None:
            with suppress(StackError):  # what went wrong first is what is told
                run_command(target, "stop", stop, values)
        raise
    if stop is not None:
        run_command(target, "stop", stop, values)


def run_command(target: TargetFile, name: str, command: Sequence[str], values: Mapping[str, str]) -> None:
    """Run one of the target's own commands with our environment; raises StackError with its last words."""
    where = f"{target.path}: [commands] {name}"
    argv = [fill(part, values, where=where) for part in command]
    try:
        done = subprocess.run(
            argv, cwd=target.folder, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise StackError(f"{where}: {exc}") from exc
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise StackError(f"{where} ended with code {done.returncode}: {' '.join(last)}")
