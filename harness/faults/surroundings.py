"""What do the fault drivers need of the stack, and of nobody else?

Edges with their proxies, the Toxiproxy server, processes that can be signalled,
the providers' control APIs, and a warden that is told how to undo a fault before
the fault is set. The stack fills these in; tests fill them with servers of their
own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """One way between two parts, through one proxy."""

    name: str
    proxy: str
    """The proxy's name at the Toxiproxy server, such as `<run_id>.<edge>`."""
    listen: str
    """host:port on which the proxy accepts."""
    upstream: str
    """host:port to which the proxy connects."""
    to: str
    """Name of the service that it leads to, "postgres", or a host."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A service that answers HTTP."""

    url: str
    """Where it answers directly, past every proxy; no slash at the end."""
    ready: str = "/healthz"
    """Path that answers 2xx when it is up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderControl:
    """A provider simulator and its control API."""

    url: str
    """Where the provider answers directly; the control API is `<url>/control`."""
    key: str = field(repr=False)
    """Value of the header X-Control-Key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Toxic:
    """One toxic as Toxiproxy shows it."""

    name: str
    kind: str
    """Toxiproxy's word for it: limit_data, timeout."""
    stream: str
    """"upstream" (requests) or "downstream" (answers)."""
    attributes: Mapping[str, int]
    toxicity: float = 1.0
    """Share of connections that it strikes; always all of them here, since it is drawn once a connection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxyState:
    """One proxy as Toxiproxy shows it."""

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: tuple[Toxic, ...]


class ToxiproxyServer(Protocol):
    """The parts of Toxiproxy's API that a fault may use; neither /reset nor /populate is among them."""

    def proxies(self) -> Mapping[str, ProxyState]: ...
    def add_toxic(self, proxy: str, toxic: Toxic) -> None: ...
    def remove_toxic(self, proxy: str, name: str) -> bool:
        """Remove it; False when it was not there."""
        ...

    def toxic_url(self, proxy: str, name: str) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A process, told apart from a later one with the same pid by when it started."""

    pid: int
    start_ticks: int
    """Clock ticks from boot to its start, as the kernel counts them in /proc/<pid>/stat."""


class ServiceControl(Protocol):
    """Processes of the stack, by the name of their service."""

    def running(self, service: str) -> Running | None: ...
    def kill(self, service: str) -> None:
        """SIGKILL to the process and all that it forked; returns at once."""

    def start(self, service: str) -> None:
        """Start it again on the same port with the same settings; returns when it answers."""

    def pause(self, service: str) -> None:
        """SIGSTOP; returns at once."""

    def resume(self, service: str) -> None:
        """SIGCONT; returns at once."""


class Warden(Protocol):
    """Undoes what the conductor can no longer undo when it dies; it ends every child of the stack by itself."""

    def will_delete(self, url: str, headers: Mapping[str, str] | None = None) -> int:
        """DELETE this URL, unless it was struck off; returns the number to call `done` with."""
        ...

    def done(self, number: int) -> None:
        """It was undone, and that was seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """All of it, for one run."""

    run_id: str
    edges: Mapping[str, Edge]
    services: Mapping[str, Endpoint]
    """Services that answer HTTP, the providers among them."""
    providers: Mapping[str, ProviderControl]
    toxiproxy: ToxiproxyServer
    control: ServiceControl
    warden: Warden
