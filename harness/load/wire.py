"""What does a request look like in bytes, and is what came so far a whole answer?

Answers are read by geventhttpclient's C parser (llhttp): no sockets, no clock.
Interim replies (1xx) are read over; of what follows a whole answer nothing is
read, and the connection is then no longer of use.
"""

import re

from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

from harness.errors import HarnessError
from harness.operation import Ending
from harness.targets.protocol import Request

MAX_HEAD_BYTES = 64 * 1024
"""Longest status line and headers, interim replies included; what is longer is no answer to a customer."""
MAX_BODY_BYTES = 8 * 1024 * 1024
"""Longest body, chunk headers included; what is longer is no answer to a customer."""

_FINAL_STATUS = 200
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATH = re.compile(r"/[\x21-\x7e]*")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_FRAMING = frozenset({"host", "content-length", "transfer-encoding"})


class RequestMalformed(HarnessError):
    """An adapter yielded a request that is no HTTP; its author must quote what it puts in."""


def encode(request: Request, *, host: str, prefix: str) -> bytes:
    """The request in bytes; `host` as the Host header says it, `prefix` is the base URL's path.

    Raises RequestMalformed for what would not be read as this one request.
    """
    path = prefix + request.path
    if not _TOKEN.fullmatch(request.method) or not _PATH.fullmatch(path):
        raise RequestMalformed(f"{request.name}: {request.method!r} {path!r} is no request line")
    lines = [
        f"{request.method} {path} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: payment-chaos-harness",
        "Accept-Encoding: identity",
    ]
    for name, value in request.headers:
        if not _TOKEN.fullmatch(name) or name.lower() in _FRAMING or not _VALUE.fullmatch(value):
            raise RequestMalformed(f"{request.name}: header {name!r} with value {value!r} cannot be sent")
        lines.append(f"{name}: {value}")
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + request.body


class Garbled(Exception):
    """What came is not HTTP, or is beyond every bound; `str` says which."""


class Answer(HTTPResponseParser):
    """One answer as it arrives."""

    def __init__(self, *, bodiless: bool) -> None:
        super().__init__()
        self.status = 0
        self.headers: dict[str, str] = {}
        """Names in lower case; of a repeated header the last value."""
        self.body = bytearray()
        self.begun = False
        """A byte came."""
        self.whole = False
        self.reusable = False
        """Whole, nothing came after it, and the connection may be kept."""
        self._bodiless = bodiless
        self._head_done = False
        self._size = 0
        self._field = ""
        self._value: str | None = None

    def take(self, data: bytes) -> None:
        """Read what came, at least one byte. Raises Garbled."""
        self.begun = True
        self._size += len(data)
        try:
            self.feed(data)
        except HTTPParseError as exc:
            if not self.whole:
                raise Garbled(str(exc)) from exc
            self.reusable = False
        if self.whole:
            return
        if not self._head_done and self._size > MAX_HEAD_BYTES:
            raise Garbled(f"status line and headers are longer than {MAX_HEAD_BYTES} bytes")
        if self._size > MAX_HEAD_BYTES + MAX_BODY_BYTES:
            raise Garbled(f"the body is longer than {MAX_BODY_BYTES} bytes")

    def ends_with_connection(self) -> bool:
        """The connection was closed in good order: was that the end of the body?"""
        if self._head_done:
            try:
                self.feed(b"")
            except HTTPParseError:
                return False
        return self.whole

    def cut(self, unbegun: Ending) -> Ending:
        """How an answer ends whose connection is gone; `unbegun` where no byte of it came."""
        if not self.begun:
            return unbegun
        return Ending.CUT_BODY if self._head_done else Ending.CUT_HEADERS

    def _on_message_begin(self) -> None:
        if self.whole:
            self.reusable = False

    def _on_status(self, text: str) -> None:
        """The reason phrase says nothing."""

    def _on_header_field(self, text: str) -> None:
        if self._head_done:
            return
        if self._value is not None:
            self._keep_header()
        self._field += text

    def _on_header_value(self, text: str) -> None:
        if not self._head_done:
            self._value = (self._value or "") + text

    def _on_headers_complete(self) -> bool:
        if self.whole:
            return False
        self._keep_header()
        if self.get_code() < _FINAL_STATUS:
            self.headers.clear()
            return False
        self._head_done = True
        self.status = self.get_code()
        return self._bodiless

    def _on_body(self, data: bytes | bytearray) -> None:
        if not self.whole:
            self.body += data

    def _on_message_complete(self) -> None:
        if self._head_done and not self.whole:
            self.whole = True
            self.reusable = self.should_keep_alive()

    def _keep_header(self) -> None:
        if self._field:
            self.headers[self._field.lower()] = (self._value or "").strip()
        self._field, self._value = "", None
