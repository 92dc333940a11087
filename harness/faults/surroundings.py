"""What do the fault drivers need of the stack, and of nobody else?

Edges with their proxies, the Toxiproxy server, processes that can be signalled,
the providers' control APIs, and a warden that is told how to undo a fault before
the fault is set. The stack fills these in; tests fill them with servers of their
own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.stack.parts import Edge, Endpoint, ProviderControl, ProxyState, Rollout, Running, Sight, Toxic

__all__ = [
    "Edge",
    "Endpoint",
    "ProviderControl",
    "ProxyState",
    "Rollout",
    "Running",
    "ServiceControl",
    "Sight",
    "Surroundings",
    "Toxic",
    "ToxiproxyServer",
    "Warden",
]


class ToxiproxyServer(Protocol):
    """The parts of Toxiproxy's API that a fault may use; neither /reset nor /populate is among them."""

    def proxies(self) -> Mapping[str, ProxyState]: ...
    def add_toxic(self, proxy: str, toxic: Toxic) -> None: ...
    def remove_toxic(self, proxy: str, name: str) -> bool:
        """Remove it; False when it was not there."""
        ...

    def enable(self, name: str) -> None: ...
    def disable(self, name: str) -> None: ...
    def toxic_url(self, proxy: str, name: str) -> str: ...
    def proxy_url(self, name: str) -> str: ...


class ServiceControl(Protocol):
    """Processes of the stack, by the name of their service."""

    def running(self, service: str) -> Running | None: ...
    def sight(self, service: str) -> Sight | None:
        """Eyes on the process that runs now; None where there is none."""

    def kill(self, service: str) -> None:
        """SIGKILL to the process and all that it forked; returns at once."""

    def start(self, service: str) -> None:
        """Start it again on the same port with the same settings; returns when it answers."""

    def start_as(self, service: str, release: str) -> None:
        """Start a service that stands by, as this release; returns when it answers."""

    def drain(self, service: str) -> None:
        """SIGTERM: it is to end in good order; returns at once."""

    def pause(self, service: str) -> None:
        """SIGSTOP; returns at once."""

    def resume(self, service: str) -> None:
        """SIGCONT; returns at once."""


class Warden(Protocol):
    """Undoes what the conductor can no longer undo when it dies; it ends every child of the stack by itself."""

    def will_delete(self, url: str, headers: Mapping[str, str] | None = None) -> int:
        """DELETE this URL, unless it was struck off; returns the number to call `done` with."""
        ...

    def will_request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> int:
        """The same by another request."""
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
    toxiproxy: ToxiproxyServer | None
    """None where the stack was started without it: the edges are then direct and cannot be broken."""
    control: ServiceControl
    warden: Warden
    rollout: Rollout | None = None
    """How one of the services is upgraded; None where the target file does not say."""
