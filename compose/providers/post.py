"""How does a notice reach its merchant?

One POST over a connection of its own, plain HTTP/1.1, with one deadline over
all of it. A whole client library would cost ten times the CPU of this.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

ANSWER_LIMIT_BYTES = 64 * 1024
"""An answer longer than this counts as none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """The answer to a POST."""

    status: int
    body: bytes


async def post(url: str, body: bytes, headers: Mapping[str, str], *, deadline_s: float) -> Posted | None:
    """Send, and read the answer; None where none came within the deadline, or no whole one."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: application/json", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    try:
        async with asyncio.timeout(deadline_s):
            return await _exchange(parts.hostname or "", parts.port or 80, request)
    except (TimeoutError, OSError, httptools.HttpParserError):
        return None


async def _exchange(host: str, port: int, request: bytes) -> Posted | None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        await writer.drain()
        answer = _Reading()
        parser = httptools.HttpResponseParser(answer)
        while not answer.complete:
            piece = await reader.read(ANSWER_LIMIT_BYTES)
            if not piece or len(answer.body) + len(piece) > ANSWER_LIMIT_BYTES:
                return None
            parser.feed_data(piece)
        return Posted(status=parser.get_status_code(), body=bytes(answer.body))
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class _Reading:
    """Callbacks of the parser."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.complete = False

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.complete = True
