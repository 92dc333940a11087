"""How does one small HTTP request come in, and an answer go out?

    bytes ──> httptools ──> Request ──> the application ──> Answer ──> bytes        one at a time a connection

HTTP/1.1 with keep-alive over asyncio, because a framework would cost more CPU at
the start than this process needs in its life. Left out: TLS, chunked answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import httptools

BODY_MAX_BYTES = 1 << 16
READ_BYTES = 1 << 16
IDLE_LIMIT_S = 75.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A whole request; names of headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Application = Callable[[Request], Awaitable[Answer]]


async def speak(application: Application, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until the peer leaves, stays silent, or sends what is no HTTP."""
    reading = _Reading()
    parser = httptools.HttpRequestParser(reading)
    reading.parser = parser
    try:
        while True:
            async with asyncio.timeout(IDLE_LIMIT_S):
                piece = await reader.read(READ_BYTES)
            if not piece:
                return
            parser.feed_data(piece)
            while reading.whole:
                request, keeps = reading.whole.pop(0)
                writer.write(_written(await application(request)))
                await writer.drain()
                if not keeps:
                    return
    except (httptools.HttpParserError, OSError, TimeoutError, asyncio.CancelledError):
        return  # cancelled only when the process ends
    finally:
        writer.close()


class _Reading:
    """Callbacks of the parser."""

    def __init__(self) -> None:
        self.parser: httptools.HttpRequestParser | None = None
        self.whole: list[tuple[Request, bool]] = []

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def on_url(self, piece: bytes) -> None:
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        self._body += piece
        if len(self._body) > BODY_MAX_BYTES:
            raise ConnectionError("the request is larger than 64 KiB")

    def on_message_complete(self) -> None:
        assert self.parser is not None
        parts = urlsplit(self._target.decode("latin-1"))
        request = Request(
            method=self.parser.get_method().decode("latin-1"),
            path=parts.path,
            query={name: values[-1] for name, values in parse_qs(parts.query).items()},
            headers=self._headers,
            body=bytes(self._body),
        )
        self.whole.append((request, self.parser.should_keep_alive()))


def _written(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"Content-Type: {answer.media_type}", f"Content-Length: {len(answer.body)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body
