"""What is started of a compose file for one run, and how does it differ from what the file says?

Values only. The file is read as `docker compose config` tells it: whole, in JSON,
with every variable filled in. What comes out is a compose file again (JSON is
YAML): the services that were asked for and nothing else, with the environment of
the run, with ports where the run needs them, and marked as the run's own.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError
from harness.stack.ports import LOOPBACK
from harness.targets.file import TargetFile
from harness.targets.template import nearest

RUN_LABEL = "payment-chaos.run"
"""Label of every container of a run: its id."""
OURS = ("build", "depends_on", "ports", "profiles")
"""What a run decides by itself: images are there, and services come up in its own order, on ports of its own."""

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One service of a run."""

    published: Mapping[int, int]
    """Port on our loopback -> port in the container."""
    environment: Mapping[str, str] | None = None
    """All of it; None: the file's own, and its health check too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A compose file that has all that a target needs."""

    document: Document
    name: str
    ports: Mapping[str, int]
    """Service of the target -> port that it listens on in its container."""
    network: str
    """Name at the engine of the network that they share."""
    postgres: str
    """The service that is the database."""
    user: str
    password: str
    postgres_port: int
    toxiproxy_port: int

    def images(self, services: Iterable[str]) -> tuple[str, ...]:
        """One service for each image that the file says how to build."""
        by_image = {
            self.document["services"][name].get("image", name): name
            for name in services
            if "build" in self.document["services"][name]
        }
        return tuple(sorted(by_image.values()))


def read_project(text: str, target: TargetFile) -> Project:
    """Read what `docker compose config` printed; raises UsageError where it lacks what the target file refers to."""
    entry = target.compose
    if entry is None:
        raise UsageError(
            f"target {target.name} cannot be started as containers: its file {target.path} has no [compose]"
        )
    document: Document = json.loads(text)
    services: Mapping[str, Any] = document.get("services", {})
    where = f"compose file {entry.file} of target {target.name}"
    for name in (*(service.name for service in target.service), entry.postgres, entry.toxiproxy):
        if name not in services:
            raise UsageError(f"{where}: there is no service {name!r}{nearest(name, services)}")
    environment: Mapping[str, str] = services[entry.postgres].get("environment") or {}
    return Project(
        document=document,
        name=document["name"],
        ports={service.name: exposed(services, service.name, where) for service in target.service},
        network=document["networks"]["default"]["name"],
        postgres=entry.postgres,
        user=environment.get("POSTGRES_USER", "postgres"),
        password=environment.get("POSTGRES_PASSWORD", ""),
        postgres_port=exposed(services, entry.postgres, where),
        toxiproxy_port=exposed(services, entry.toxiproxy, where),
    )


def exposed(services: Mapping[str, Any], name: str, where: str) -> int:
    """The one port that a service exposes; raises UsageError where there is none, or more than one."""
    ports = services[name].get("expose") or []
    if len(ports) != 1:
        raise UsageError(f"{where}: service {name} must expose the one port that it listens on, not {len(ports)}")
    return int(ports[0])


def rendered(project: Project, parts: Mapping[str, Part], *, run_id: str) -> Document:
    """The compose file of a run."""
    services = {name: _service(project.document["services"][name], part, run_id) for name, part in parts.items()}
    return {
        "name": project.name,
        "services": services,
        "networks": project.document.get("networks", {}),
        "volumes": project.document.get("volumes", {}),
    }


def keeping(document: Document, volumes: Collection[str]) -> Document:
    """The file with these volumes declared as somebody else's: `down --volumes` leaves them."""
    declared = document.get("volumes") or {}
    foreign = {
        key: {"name": entry["name"], "external": True} for key, entry in declared.items() if entry["name"] in volumes
    }
    return {**document, "volumes": {**declared, **foreign}}


def _service(base: Mapping[str, Any], part: Part, run_id: str) -> Document:
    service = {key: value for key, value in base.items() if key not in OURS}
    service |= {
        "labels": {**base.get("labels", {}), RUN_LABEL: run_id},
        # A container that a fault ended stays ended until the fault's own end.
        "restart": "no",
        # What a service says is looked through for personal data: wherever the engine's own logs go, these are kept.
        "logging": {"driver": "json-file"},
        "ports": [
            {"mode": "host", "host_ip": LOOPBACK, "published": str(ours), "target": theirs, "protocol": "tcp"}
            for ours, theirs in sorted(part.published.items())
        ],
    }
    if part.environment is not None:
        # A dollar sign would begin a variable's name.
        service["environment"] = {key: text.replace("$", "$$") for key, text in part.environment.items()}
        # Whether it answers the run finds out by itself; health checks would take CPU beside the load.
        service["healthcheck"] = {"disable": True}
    return service
