"""How does one customer's connection speak to the front?

A request is read to its end before anything of it is passed on, so that a
customer who breaks off in its middle has done nothing. Then it goes to the build
of its user, headers and body as they came; hop-by-hop headers are the front's own.
The answer's bytes go back as they are. Left out: TLS, HTTP/2, upgrades, HEAD.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import httptools

from compose.front.replies import refusal

if TYPE_CHECKING:
    from compose.front.server import Front

BODY_MAX_BYTES = 1 << 20
HEADERS_MAX = 100
PIPELINED_MAX = 16
HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"content-length"}
    | {b"expect"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One whole request."""

    method: bytes
    url: bytes
    token: bytes | None
    """The Authorization header, as it came."""
    head: bytes
    """Header lines that travel on, each with its line end."""
    body: bytes
    keeps: bool
    """The customer wants the connection kept."""

    def on_the_wire(self) -> bytes:
        """As it is sent to a build."""
        length = (
            b"" if not self.body and self.method in {b"GET", b"DELETE"} else b"content-length: %d\r\n" % len(self.body)
        )
        return b"%s %s HTTP/1.1\r\n%s%s\r\n%s" % (self.method, self.url, self.head, length, self.body)


class Customer(asyncio.Protocol):
    """One connection from outside; also what httptools calls back."""

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._busy = False
        self._reading = False
        self._closes = False
        """After the answer under way; what comes in meanwhile is not read."""
        self._url = b""
        self._token: bytes | None = None
        self._lines: list[bytes] = []
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._front.customers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._waiting.clear()
        self._front.customers.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._closes:
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400, "invalid_request", "That is no HTTP request that this front understands.")

    def on_message_begin(self) -> None:
        self._url, self._token = b"", None
        self._lines, self._body = [], bytearray()
        self._reading = True

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"authorization":
            self._token = value
        elif name == b"expect" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if name not in HOP_BY_HOP:
            self._lines.append(b"%s: %s\r\n" % (name, value))

    def on_body(self, data: bytes) -> None:
        if len(self._body) <= BODY_MAX_BYTES:
            self._body += data

    def on_message_complete(self) -> None:
        self._reading = False
        if self._closes:
            return
        if len(self._body) > BODY_MAX_BYTES or len(self._lines) > HEADERS_MAX or len(self._waiting) > PIPELINED_MAX:
            self._refuse(413, "too_large", "A request is smaller than that.")
            return
        request = Request(
            method=self._parser.get_method(),
            url=self._url,
            token=self._token,
            head=b"".join(self._lines),
            body=bytes(self._body),
            keeps=self._parser.should_keep_alive(),
        )
        if self._busy:
            self._waiting.append(request)
        else:
            self._begin(request)

    def hang_up(self) -> None:
        """Close, unless a request or its answer is under way."""
        if not self._busy and not self._reading and self._transport is not None:
            self._transport.close()

    def answer(self, reply: bytes) -> None:
        """The front's own answer."""
        self.pass_on(reply)
        self.whole()

    def pass_on(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def whole(self) -> None:
        self._busy = False
        if self._waiting and not self._closes:
            self._begin(self._waiting.popleft())
        elif self._closes and self._transport is not None:
            self._transport.close()

    def nothing_came(self) -> None:
        self.answer(
            refusal(503, "unavailable", "The result is not known. Try again with the same key.", retry_after_s=1)
        )

    def broke_off(self) -> None:
        self._busy, self._closes = False, True
        self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, request: Request) -> None:
        self._busy = True
        self._closes = self._closes or not request.keeps
        if request.method == b"HEAD":
            self.answer(refusal(405, "method_not_allowed", "No such thing here."))
        else:
            self._front.serve(request, self)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._closes = True
        self._waiting.clear()
        if not self._busy and self._transport is not None:
            self._transport.write(refusal(status, code, message))
            self._transport.close()
