"""How is the page served to everyone who looks at it at once?

    bytes ──httptools──> path ──> a page from memory ──> bytes

One protocol object a connection, one task a request only where an answer has to
be waited for, which is a defect. JSON for programs, a few lines of HTML for browsers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import httptools

from compose.status_page.facts import OK, Page

REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 502: "Bad Gateway"}
HEAD_MAX_BYTES = 16_384

Look = Callable[[], Awaitable[Page | None]]
"""Gives the page; None where there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One reply."""

    status: int
    body: bytes
    kind: str = "application/json"

    def wire(self, *, keeps: bool) -> bytes:
        """As it is sent."""
        head = (
            f"HTTP/1.1 {self.status} {REASONS[self.status]}\r\nContent-Type: {self.kind}\r\n"
            f"Content-Length: {len(self.body)}\r\nCache-Control: no-store\r\n"
            f"Connection: {'keep-alive' if keeps else 'close'}\r\n\r\n"
        )
        return head.encode() + self.body


class Visitor(asyncio.Protocol):
    """One connection; also what httptools calls back."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._parser = httptools.HttpRequestParser(self)
        self._answering: asyncio.Task[None] | None = None
        self._bytes = 0
        """Of the request that is being read."""
        self._begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > HEAD_MAX_BYTES:
            self._refuse()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"accept":
            self._wants_html = b"text/html" in value

    def on_message_complete(self) -> None:
        keeps = self._parser.should_keep_alive()
        method, path, html = self._parser.get_method(), self._url.partition(b"?")[0], self._wants_html
        self._begin()
        if method != b"GET":
            self._send(Answer(status=405, body=b"{}"), keeps=keeps)
        elif path == b"/healthz":
            self._send(Answer(status=200, body=b'{"status":"ok"}'), keeps=keeps)
        elif path != b"/status":
            self._send(Answer(status=404, body=b"{}"), keeps=keeps)
        else:
            self._transport.pause_reading()  # one request at a time
            self._answering = asyncio.ensure_future(self._show(html=html, keeps=keeps))

    async def _show(self, *, html: bool, keeps: bool) -> None:
        page = await self._look()
        if page is None:
            self._send(Answer(status=502, body=b"{}"), keeps=keeps)
        elif html:
            self._send(Answer(status=200, body=as_html(page), kind="text/html; charset=utf-8"), keeps=keeps)
        else:
            self._send(Answer(status=200, body=page.body()), keeps=keeps)
        if keeps and not self._transport.is_closing():
            self._transport.resume_reading()

    def _begin(self) -> None:
        """Ready for the next request."""
        self._url, self._bytes, self._wants_html = b"", 0, False

    def _refuse(self) -> None:
        """What comes is no request that this page could answer."""
        self._send(Answer(status=400, body=b"{}"), keeps=False)

    def _send(self, answer: Answer, *, keeps: bool) -> None:
        self._transport.write(answer.wire(keeps=keeps))
        if not keeps:
            self._transport.close()


def as_html(page: Page) -> bytes:
    """For people; nothing in it comes from outside."""
    rows = "".join(f"<li>{name}: {fact.state}</li>" for name, fact in page.methods)
    said = "All payment methods work." if page.status == OK else "Payments are disturbed."
    head = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Status</title>'
    return f"{head}<h1>{said}</h1><ul>{rows}</ul>".encode()
