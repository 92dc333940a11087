"""How can a connection be closed without a byte of answer?

An ASGI application cannot: whatever it fails to answer becomes a 500. So each
connection's protocol object travels in `scope["state"]`, from where its
transport is closed. Answers that are lost on purpose are held here until the
client goes, the fault is lifted, or the server stops.
"""

import asyncio
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CONNECTION = "connection"
"""Key in `scope["state"]`."""


class Stopping(Exception):
    """The server stops; whoever waits is let go without an answer."""


def speak_http(**settings: Any) -> HttpToolsProtocol:
    """Make uvicorn's protocol for one connection, and let its requests know it."""
    state = dict(settings.pop("app_state"))
    protocol = HttpToolsProtocol(app_state=state, **settings)
    state[CONNECTION] = protocol
    return protocol


async def drop(scope: Scope, receive: Receive) -> None:
    """Close the connection of this request, and wait until uvicorn knows."""
    scope["state"][CONNECTION].transport.close()
    await _client_gone(receive)


class Holds:
    """Connections that are kept open without an answer, each by the fault that does it."""

    def __init__(self) -> None:
        self._lifted: dict[str, asyncio.Event] = {}
        self._stopping = asyncio.Event()

    def set(self, fault_id: str) -> None:
        """A fault is in force: what it holds stays held."""
        self._lifted.setdefault(fault_id, asyncio.Event())

    def lift(self, fault_id: str) -> None:
        """Let go what the fault holds."""
        event = self._lifted.pop(fault_id, None)
        if event is not None:
            event.set()

    def stop(self) -> None:
        """Let everything go, for good."""
        self._stopping.set()

    async def hold(self, fault_id: str, receive: Receive) -> None:
        """Wait until the client goes, the fault is lifted or the server stops."""
        lifted = self._lifted.get(fault_id)
        if lifted is None:
            return
        waits = [asyncio.ensure_future(wait) for wait in (_client_gone(receive), lifted.wait(), self._stopping.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def pause(self, delay_ms: int) -> None:
        """Wait `delay_ms`, or raise Stopping."""
        try:
            async with asyncio.timeout(delay_ms / 1000):
                await self._stopping.wait()
        except TimeoutError:
            return
        raise Stopping


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
