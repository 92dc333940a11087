"""How does a request through an edge end right now, and did it arrive?

An edge to a provider is asked for a page that the provider remembers
(`/probe/<nonce>`), so that the two directions of a fault can be told apart: an
answer cut on its way back has arrived, a request that was swallowed has not. An
edge to any other HTTP service is asked for its ready page and compared with the
same page asked directly. PostgreSQL is asked whether it speaks TLS, which needs
no login. Each probe has a connection of its own: a kept one might have died of
an earlier fault.
"""

import itertools
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

import httpx

from harness.faults.surroundings import Edge, ProviderControl, Surroundings

CONTROL_LIMIT_S: Final = 2.0
"""Longest wait for any one phase of a call to a control API."""
ANSWER_LIMIT_S: Final = 1.0
"""A probe that is expected to be answered, or cut, gets this long."""
SILENCE_LIMIT_S: Final = 0.5
"""A probe that is expected to meet silence is given up after this."""

_SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
"""PostgreSQL's question whether the server speaks TLS; it answers with one byte."""


class Seen(StrEnum):
    """How a probe ended."""

    WHOLE = "answered in whole"
    CUT = "cut off"
    SILENT = "not answered"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one probe through an edge showed."""

    seen: Seen
    arrived: bool | None
    """Whether the service saw the request; None where it cannot say."""
    alive: bool
    """The service answered when it was asked past the proxy."""
    took_s: float = 0.0
    """From the question to its end; of several on one connection, all of them."""


class Prober:
    """Asks through edges and past them; safe for several threads or greenlets at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        # Told apart by the instant too: a provider remembers the probes of the scenarios before.
        self._nonces = (f"{around.run_id}.{time.monotonic_ns()}.{number}" for number in itertools.count(1))
        # A bare context: loading the system's certificates would stall the load's event loop for 70 ms.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.client = httpx.Client(
            timeout=CONTROL_LIMIT_S,
            trust_env=False,
            verify=context,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._context = context

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def look(self, edge: Edge, limit_s: float, requests: int = 1) -> Look:
        """Probe through `edge` and time it, sending up to `requests` on one connection until one is not answered.

        Takes at most `requests` * `limit_s`, and a control call more.
        """
        provider = self._around.providers.get(edge.to)
        service = self._around.services.get(edge.to)
        begun = time.monotonic()
        if provider is not None:
            nonce = next(self._nonces)
            seen = self.ask(f"http://{edge.at}/probe/{nonce}", limit_s, requests)
            took_s = time.monotonic() - begun
            arrived = None if seen is Seen.WHOLE else self._arrived(provider, nonce)
            alive = seen is Seen.WHOLE or arrived is not None
            return Look(seen=seen, arrived=arrived, alive=alive, took_s=took_s)
        if service is not None:
            seen = self.ask(f"http://{edge.at}{service.ready}", limit_s, requests)
            took_s = time.monotonic() - begun
            alive = seen is Seen.WHOLE or self.ask(f"{service.url}{service.ready}", ANSWER_LIMIT_S) is Seen.WHOLE
            return Look(seen=seen, arrived=None, alive=alive, took_s=took_s)
        seen = _ask_postgres(edge.at, limit_s)
        took_s = time.monotonic() - begun
        alive = seen is Seen.WHOLE or _ask_postgres(edge.past, ANSWER_LIMIT_S) is Seen.WHOLE
        return Look(seen=seen, arrived=None, alive=alive, took_s=took_s)

    def ask(self, url: str, limit_s: float, requests: int = 1) -> Seen:
        """Ask for `url` and say how that ended; `limit_s` bounds connecting and each read."""
        if requests == 1:
            return _ask(self.client, url, limit_s)
        opened: list[str] = []

        def trace(event: str, _: object) -> None:
            if event == "connection.connect_tcp.started":
                opened.append(event)

        with httpx.Client(trust_env=False, verify=self._context) as kept:
            for _ in range(requests):
                seen = _ask(kept, url, limit_s, trace)
                if seen is not Seen.WHOLE:
                    return seen
                if len(opened) > 1:
                    return Seen.CUT  # between two answers, and httpx opened another without a word
        return Seen.WHOLE

    def _arrived(self, provider: ProviderControl, nonce: str) -> bool | None:
        """Whether the provider remembers the probe; None when it does not answer."""
        try:
            reply = self.client.get(
                f"{provider.url}/control/probes/{nonce}", headers={"X-Control-Key": provider.key}
            ).raise_for_status()
        except httpx.HTTPError:
            return None
        return bool(reply.json()["seen"])


def _ask(client: httpx.Client, url: str, limit_s: float, trace: Callable[[str, object], None] | None = None) -> Seen:
    """One GET."""
    try:
        client.get(url, timeout=limit_s, extensions={} if trace is None else {"trace": trace})
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return Seen.REFUSED
    except httpx.TimeoutException:
        return Seen.SILENT
    except httpx.TransportError:
        return Seen.CUT
    return Seen.WHOLE


def address(host_port: str) -> tuple[str, int]:
    """`127.0.0.1:8080` -> ("127.0.0.1", 8080)."""
    host, _, port = host_port.rpartition(":")
    return host.strip("[]"), int(port)


def _ask_postgres(host_port: str, limit_s: float) -> Seen:
    """Whether a PostgreSQL answers there; any one byte is an answer."""
    try:
        connection = socket.create_connection(address(host_port), timeout=limit_s)
    except OSError:
        return Seen.REFUSED
    with connection:
        try:
            connection.sendall(_SSL_REQUEST)
            return Seen.WHOLE if connection.recv(1) else Seen.CUT
        except TimeoutError:
            return Seen.SILENT
        except OSError:
            return Seen.CUT
