"""What is a stack made of, in words that its drivers share?

Pure values: no process, no socket.
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
    """host:port on which the proxy accepts, as it is told."""
    upstream: str
    """host:port to which the proxy connects, as it is told."""
    at: str
    """host:port where we reach the proxy: `listen`, unless the proxy stands in a network of its own."""
    past: str
    """host:port where we reach what it leads to, past the proxy."""
    to: str
    """Name of the service that it leads to, "postgres", or a host."""
    relayed: bool = False
    """Our way to the proxy leads through a relay that accepts before it connects (Docker's, for a published port):
    what the proxy refuses looks cut off to us, not to the services."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where the parts of a stack are reached from one side, host:port each: from ours, or from one another's."""

    services: Mapping[str, str]
    edges: Mapping[str, str]
    """Edge -> where its proxy accepts."""
    postgres: str | None = None


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
class Rollout:
    """A service that can be upgraded, and the front that moves its users."""

    old: str
    """The service that serves at the start."""
    new: str
    """The service that stands by, to be started as another release."""
    control: str
    """Control API of the front, past every proxy."""
    token: str = field(repr=False)
    """Bearer token of the control API."""
    url: str
    """Where the front reaches the new service."""
    probe: str
    """Where any bearer token is answered by its user's build, past every proxy."""
    header: str
    """Header of every reply that names the build."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A process, told apart from a later one with the same pid by when it started."""

    pid: int
    start_ticks: int
    """Clock ticks from boot to its start, as the kernel counts them in /proc/<pid>/stat."""


class Sight(Protocol):
    """Eyes on one process, past whoever started it."""

    @property
    def running(self) -> Running: ...
    def alive(self) -> tuple[int, ...]:
        """Pids of it and of what it had forked at first sight, as far as they live."""
        ...

    def state(self) -> str | None:
        """One word on it; None where it is gone."""
        ...

    def stands_still(self) -> bool:
        """Whether it was stopped, and will do nothing until it is resumed."""
        ...

    def listens(self, url: str) -> bool | None:
        """Whether it is the one who listens there; None where that is not ours to see."""
        ...
