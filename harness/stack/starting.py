"""How do a stack's services come up side by side, with the environment that the target file says, and end?

As processes or as containers, by what the ground is. One that stands by is ready to be started, and is not.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from harness.errors import HarnessError, StackError
from harness.stack.builds import Chosen
from harness.stack.container import Container
from harness.stack.containers import Containers
from harness.stack.ground import Ground
from harness.stack.layout import seen_from_within
from harness.stack.process import inherited
from harness.stack.service import ProcessEvent, Service
from harness.targets.file import ServiceEntry
from harness.targets.template import fill


@contextmanager
def started_services(
    ground: Ground,
    values: Mapping[str, str],
    *,
    data: Path,
    logs: Path,
    chosen: Chosen,
    events: list[ProcessEvent],
) -> Iterator[Mapping[str, Service | Container]]:
    """Every service of the target that we start; all but those that stand by answer. They end with the block."""
    inner = seen_from_within(ground, values)
    entries = {entry.name: entry for entry in ground.started()}
    at_once = [name for name, entry in entries.items() if not entry.on_demand]
    services: Mapping[str, Service | Container]
    if ground.containers is None:
        services = processes = {
            name: service_of(ground, entry, inner, data=data, logs=logs, chosen=chosen, events=events)
            for name, entry in entries.items()
        }
        end = partial(stop_all, tuple(processes.values()))
        start = partial(spawn_all, [processes[name] for name in at_once])
    else:
        services = containers = {
            name: container_of(ground, ground.containers, entry, inner, logs=logs, chosen=chosen, events=events)
            for name, entry in entries.items()
        }
        end = partial(ground.containers.end, tuple(containers.values()))
        start = partial(ground.containers.up, [containers[name] for name in at_once])
    try:
        start()
        for name in at_once:
            services[name].wait_ready()
        yield services
    finally:
        end()


def spawn_all(services: Sequence[Service]) -> None:
    """Start processes; they are not waited for."""
    for service in services:
        service.spawn()


def container_of(
    ground: Ground,
    containers: Containers,
    entry: ServiceEntry,
    values: Mapping[str, str],
    *,
    logs: Path,
    chosen: Chosen,
    events: list[ProcessEvent],
) -> Container:
    """The service as its entry says, as a container that is not started yet."""
    folder = ground.target.compose.data if ground.target.compose is not None else ""
    return Container(
        name=entry.name,
        docker=containers.docker,
        up=lambda service: containers.up([service]),
        environment=environment_of(ground, entry, values, data=folder),
        at=ground.at.services[entry.name],
        ready=entry.ready,
        log=logs / f"{entry.name}.log",
        build=chosen.build,
        events=events,
    )


def environment_of(
    ground: Ground, entry: ServiceEntry, values: Mapping[str, str], *, data: str
) -> Callable[[str | None], dict[str, str]]:
    """Release (None: the entry's own) -> the service's environment, without what it inherits."""
    where = f"{ground.target.path}: [[service]] {entry.name}"
    own = {**values, "host": ground.host, "port": str(ground.services[entry.name]), "data": data}

    def environment(release: str | None) -> dict[str, str]:
        filled = {**own, "release": release or entry.release}
        return {key: fill(text, filled, where=f"{where}: environment.{key}") for key, text in entry.environment.items()}

    return environment


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
    words = {**values, "host": ground.host, "port": str(port), "data": str(own), "release": entry.release}
    environment = environment_of(ground, entry, values, data=str(own))
    return Service(
        entry.name,
        argv=[fill(part, words, where=f"{target.path}: [[service]] {entry.name}: command") for part in entry.command],
        env=lambda release: inherited(os.environ) | environment(release),
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
