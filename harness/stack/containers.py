"""How do a run's containers come up together, and go away without a trace?

All belong to one compose project, by default that of the compose file itself: a
stack that stands there is put to the run's use, with fresh containers of its
services, and put back at the end as it was. So Prometheus, if it stands, scrapes
what is under test, and one run at a time has the project.

A compose file of the run's own is written for each change: `compose_file`.
"""

import ipaddress
import json
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.stack.compose_file import Document, Part, Project, keeping, rendered
from harness.stack.container import Container
from harness.stack.docker import BUILD_LIMIT_S, UP_LIMIT_S, Docker, Listed, compose_arguments
from harness.stack.hosts import Network
from harness.stack.undo import Warden

RUN_FILE = "compose.json"
WHOLE_FILE = "compose-as-it-was.json"


@dataclass(kw_only=True, slots=True)
class Containers:
    """The compose project of one run."""

    docker: Docker
    project: Project
    run_id: str
    folder: Path
    """Private to the run."""
    published: Mapping[str, Mapping[int, int]]
    """Service -> port on our loopback -> port in its container; none where we are in the network ourselves."""
    stood: frozenset[str]
    """Services that ran before the run."""
    volumes: frozenset[str]
    """Volumes that were there before the run; it leaves them."""

    def start(self, parts: Mapping[str, Part], *, wait: bool = False) -> dict[str, str]:
        """Start new containers of these services; gives service -> container."""
        file = self._write(RUN_FILE, rendered(self.project, parts, run_id=self.run_id))
        waiting = ("--wait", "--wait-timeout", f"{UP_LIMIT_S:g}") if wait else ()
        # Compose would leave the old containers' volumes lying.
        old = [each.id for each in self.docker.listed(self.project.name) if each.service in parts]
        if old:
            self.docker.call("rm", "--force", "--volumes", *old)
        self.docker.compose(
            self.project.name,
            file,
            *("up", "--detach", "--no-build", "--no-deps", *waiting),
            *parts,
            limit_s=UP_LIMIT_S + 10,
        )
        found = {each.service: each.id for each in self.docker.listed(self.project.name)}
        return {name: found[name] for name in parts}

    def up(self, services: Sequence[Container]) -> None:
        """Start services of the target, each in a new container with its environment."""
        parts = {
            service.name: Part(
                published=self.published.get(service.name, {}), environment=service.environment(service.release)
            )
            for service in services
        }
        started = self.start(parts)
        for service in services:
            service.adopt(started[service.name])

    def end(self, services: Collection[Container]) -> None:
        """Remove the services' containers and volumes at once; their logs are kept first."""
        for service in services:
            service.keep_logs()
        gone = [container for service in services if (container := service.ended()) is not None]
        if gone:
            self.docker.call("rm", "--force", "--volumes", *gone)

    def build(self, services: Collection[str]) -> None:
        """Bring the images up to date that the compose file says how to build; about 2 s where nothing has changed."""
        images = self.project.images(services)
        if images:
            whole = self._write(WHOLE_FILE, self.project.document)
            self.docker.compose(self.project.name, whole, "build", "--quiet", *images, limit_s=BUILD_LIMIT_S)

    def will_put_back(self, warden: Warden) -> list[int]:
        """Tell the warden how all of it is put back; gives the numbers for `done`."""
        environ = self.docker.environment()
        return [warden.will_run(("docker", *command), environ) for command in reversed(self._back())]

    def will_drop(self, database: str, warden: Warden) -> int:
        """Tell the warden how a scenario's database is dropped, on a server that may outlive the run."""
        server = next(
            each.id for each in self.docker.listed(self.project.name) if each.service == self.project.postgres
        )
        drop = ("dropdb", "--force", "--if-exists", f"--username={self.project.user}", database)
        return warden.will_run(("docker", "exec", server, *drop), self.docker.environment())

    def put_back(self) -> None:
        """Leave the project as it was before the run."""
        for command in self._back():
            self.docker.call(*command, limit_s=UP_LIMIT_S)

    def take_name(self, name: str) -> None:
        """Let our own container be found by this name: one of `docker compose run` has none that others could know."""
        ours = socket.gethostname()
        self.docker.call("network", "disconnect", self.project.network, ours)
        self.docker.call("network", "connect", f"--alias={name}", self.project.network, ours)

    def networks(self) -> tuple[Network, ...]:
        """Addresses of the network that the containers share."""
        config = json.loads(
            self.docker.call("network", "inspect", "--format={{json .IPAM.Config}}", self.project.network)
        )
        return tuple(ipaddress.ip_network(each["Subnet"]) for each in config or ())

    def versions(self) -> dict[str, str]:
        """Of what runs them."""
        return self.docker.versions()

    def _back(self) -> list[tuple[str, ...]]:
        """What is to be done at the end, in order."""
        whole = self._write(WHOLE_FILE, keeping(self.project.document, () if self.stood else self.volumes))
        compose = compose_arguments(self.project.name, whole)
        if not self.stood:
            return [(*compose, "down", "--timeout=2", "--volumes")]
        ours = sorted({*self.project.ports, *self.published})
        back = [name for name in ours if name in self.stood]
        # What the run has left, with its volumes: Compose would leave these lying where it makes a container anew.
        gone = (*compose, "rm", "--force", "--stop", "--volumes", *ours)
        # With all that they depend on, so that Compose finds them unchanged afterwards; what of it stands is let alone.
        return [gone, (*compose, "up", "--detach", "--no-build", "--no-recreate", *back)] if back else [gone]

    def _write(self, name: str, document: Document) -> Path:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=1))
        return path


def check_alone(standing: Sequence[Listed], project: str) -> None:
    """Raise UsageError where another run has the project."""
    for each in standing:
        if each.run_id:
            raise UsageError(
                f"run {each.run_id} has the compose project {project}; wait for its end, or end what it left by "
                "`harness rescue`, or name another project by COMPOSE_PROJECT_NAME"
            )
