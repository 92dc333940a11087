"""How does one HTTP request to a provider go out, and how can it end?

    call ──> idle connection or a new one ──> httptools parses the answer ──> Reply, or CallFailed

Either a whole answer comes, or `CallFailed`, which does not say that nothing
happened: the request may have had its effect; only `NotSent` says so. A call is not repeated here; who
repeats knows the number that makes it safe. Left out: TLS, redirects, proxies.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlsplit

import httptools
import msgspec

IDLE_LIMIT_S = 2.0
"""Below any server's own limit, so that no request goes out on a connection that is just being closed."""
ANSWER_MAX_BYTES = 1 << 20


class CallFailed(Exception):
    """No whole answer came: cut, garbled or too late. What the provider did is not known."""


class NotSent(CallFailed):
    """No connection was to be had in time: not one byte went out, so nothing was done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes


class Wire:
    """Keep-alive connections to one provider; open it with `async with`."""

    def __init__(self, url: str, key: str, pool: asyncio.Semaphore) -> None:
        """`pool` bounds the calls at a time."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._prefix = parts.path.rstrip("/")
        self._fixed = f"Host: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
        self._idle: list[_Connection] = []
        self._pool = pool

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._idle:
            connection.abort()

    @property
    def is_full(self) -> bool:
        """Would a call have to wait for another to end?"""
        return self._pool.locked()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        limit_s: float | None,
    ) -> Reply:
        """One request, from looking for a connection to the answer's last byte within `limit_s` (None: no limit)."""
        content = b"" if body is None else msgspec.json.encode(body)
        head = [f"{method} {self._prefix}{path} HTTP/1.1\r\n", self._fixed]
        head += [f"{name}: {value}\r\n" for name, value in (headers or {}).items()]
        head.append(f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n")
        request = "".join(head).encode("latin-1") + content
        failed: type[CallFailed] = NotSent
        try:
            async with asyncio.timeout(limit_s), self._pool:
                connection = self._take() or await self._connect()
                failed = CallFailed
                return await self._exchange(connection, request)
        except (OSError, TimeoutError, httptools.HttpParserError) as exc:
            raise failed(f"{method} {path}: {type(exc).__name__}") from exc

    async def _exchange(self, connection: "_Connection", request: bytes) -> Reply:
        try:
            reply = await connection.exchange(request)
        except BaseException:  # also cancellation: half an answer must not meet the next request
            connection.abort()
            raise
        if connection.can_be_kept():
            self._idle.append(connection)
        else:
            connection.abort()
        return reply

    def _take(self) -> "_Connection | None":
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.used_at < IDLE_LIMIT_S:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        return connection


class _Connection(asyncio.Protocol):
    """One connection; also what httptools calls back."""

    def __init__(self) -> None:
        self.is_open = False
        self.used_at = 0.0
        self._keeps = False
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._loop = asyncio.get_running_loop()

    async def exchange(self, request: bytes) -> Reply:
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return await self._answer

    def can_be_kept(self) -> bool:
        self.used_at = self._loop.time()
        return self.is_open and self._keeps

    def abort(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are that in all but name
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._fail(exc or ConnectionResetError("closed before the answer was whole"))

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.abort()  # an answer that nobody asked for
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(exc)

    def on_body(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > ANSWER_MAX_BYTES:
            self._fail(ConnectionError("the answer is larger than 1 MiB"))

    def on_message_complete(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._keeps = self._parser.should_keep_alive()  # the parser forgets it with the message
            self._answer.set_result(Reply(status=self._parser.get_status_code(), body=bytes(self._body)))

    def _fail(self, exc: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc)
