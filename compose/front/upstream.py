"""How does a request reach a build, and how does its answer come back?

    Customer ──request, whole──> Build ──> an idle Line, or a new one ──bytes──> the build
    Customer <──bytes as they come────────────────┘  status and end seen by httptools

Nothing is sent twice: a request that met a dying connection has an unknown
result, and only its customer may ask again. A build that is leaving finishes what
it has, and keeps no idle connection.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast
from urllib.parse import urlsplit

import httptools

from compose.front.rule import Tally

CONNECT_LIMIT_S = 1.0
ANSWER_LIMIT_S = 30.0
"""Longest wait for an answer's end; far beyond what a build needs, so that nothing here waits for ever."""
IDLE_LIMIT_S = 10.0
"""Below the builds' own limit, so that no request goes out on a connection that is just being closed."""
SERVER_ERROR = 500


class Asker(Protocol):
    """Who waits for an answer."""

    def pass_on(self, data: bytes) -> None: ...
    def whole(self) -> None:
        """The answer is passed on to its last byte."""

    def nothing_came(self) -> None:
        """Not a byte of an answer, and there will be none; what the build did is not known."""

    def broke_off(self) -> None:
        """The answer ended in its middle."""


class Build:
    """One build behind the front."""

    def __init__(self, release: str, url: str, since_ns: int, on_answer: Callable[["Build"], None]) -> None:
        parts = urlsplit(url)
        self.release = release
        self.url = url
        self.since_ns = since_ns
        self.tally = Tally()
        self.in_flight = 0
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._on_answer = on_answer
        self._leaving = False
        self._idle: list[Line] = []
        self._connecting: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    def send(self, request: bytes, asker: Asker) -> None:
        """Pass a whole request on; the asker is told how it ends."""
        self.in_flight += 1
        line = self._take()
        if line is not None:
            line.begin(request, asker)
            return
        task = self._loop.create_task(self._connect_and_send(request, asker))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def leave(self) -> None:
        """No further request comes: keep no connection longer than its answer takes."""
        self._leaving = True
        for line in self._idle:
            line.close()
        self._idle.clear()

    def ended(self, line: "Line | None", *, failed: bool, keep: bool) -> None:
        """A request is over, this way or that."""
        self.in_flight -= 1
        self.tally.note(self._loop.time(), failed=failed)
        if line is not None and keep and not self._leaving:
            self._idle.append(line)
        elif line is not None:
            line.close()
        self._on_answer(self)

    def lost(self, line: "Line") -> None:
        """An idle connection was closed from the other side."""
        if line in self._idle:
            self._idle.remove(line)

    def _take(self) -> "Line | None":
        now_s = self._loop.time()
        while self._idle:
            line = self._idle.pop()
            if now_s - line.used_s < IDLE_LIMIT_S:
                return line
            line.close()
        return None

    async def _connect_and_send(self, request: bytes, asker: Asker) -> None:
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                _, line = await self._loop.create_connection(lambda: Line(self), self._host, self._port)
        except (OSError, TimeoutError):
            asker.nothing_came()
            self.ended(None, failed=True, keep=False)
        else:
            line.begin(request, asker)


class Line(asyncio.Protocol):
    """One connection to a build; also what httptools calls back."""

    def __init__(self, build: Build) -> None:
        self.used_s = 0.0
        self._build = build
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._asker: Asker | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._parser: httptools.HttpResponseParser
        self._begun = self._complete = self._keeps = False

    def begin(self, request: bytes, asker: Asker) -> None:
        """Send a request; one at a time."""
        self._asker = asker
        self._begun = self._complete = False
        self._parser = httptools.HttpResponseParser(self)
        self._limit = self._loop.call_later(ANSWER_LIMIT_S, self._break)
        if self._transport is None or self._transport.is_closing():
            self._break()
        else:
            self._transport.write(request)

    def close(self) -> None:
        """End the connection; there is nothing under way on it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are that in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        if self._asker is None:
            self._build.lost(self)
        else:
            self._break()

    def data_received(self, data: bytes) -> None:
        asker = self._asker
        if asker is None:
            self.close()  # an answer that nobody asked for
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._break()
            return
        self._begun = True
        asker.pass_on(data)
        if self._complete:
            self._end(failed=self._parser.get_status_code() >= SERVER_ERROR, keep=self._keeps)
            asker.whole()

    def on_message_complete(self) -> None:
        self._keeps = self._parser.should_keep_alive()  # the parser forgets it with the message
        self._complete = True

    def _break(self) -> None:
        """No whole answer comes any more."""
        asker, begun = self._asker, self._begun
        if asker is None:
            return
        transport = self._transport
        self._end(failed=True, keep=False)
        if transport is not None:
            transport.abort()
        if begun:
            asker.broke_off()
        else:
            asker.nothing_came()

    def _end(self, *, failed: bool, keep: bool) -> None:
        self._asker = None
        if self._limit is not None:
            self._limit.cancel()
        self.used_s = self._loop.time()
        self._build.ended(self, failed=failed, keep=keep)
