"""Which trace does a log line belong to, where the request that it is about carries one?

W3C Trace Context, https://www.w3.org/TR/trace-context-2/: the header `traceparent`, of which nothing but the trace id
gets into a log. One that is not well formed, or comes twice, is as if there were none. What a request began behind its
answer stands under its trace too. No spans are made, and nothing is passed on to the providers.
"""

import logging
import re
from collections.abc import Iterable
from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

LINES = "%(asctime)s %(levelname)s %(message)s%(trace)s"
"""How a log line reads, with what `name_trace` adds."""

_PARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?"
)
_trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)


class Traced:
    """Notes each request's trace for whatever is logged about it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _trace_id.set(trace_of(scope["headers"]))  # each request is a task, with a context of its own
        await self._app(scope, receive, send)


def trace_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The trace id in a request's headers, whose names are in lower case; None where there is none."""
    found = [value for name, value in headers if name == b"traceparent"]
    parent = _PARENT.fullmatch(found[0]) if len(found) == 1 else None
    if parent is None or (parent["version"] == b"00" and parent["more"]):
        return None
    return parent["trace"].decode()


def name_trace(record: logging.LogRecord) -> bool:
    """A filter of a log's handler that lets every record through, with its trace."""
    trace_id = _trace_id.get()
    record.trace = "" if trace_id is None else f", trace:{trace_id}"
    return True
