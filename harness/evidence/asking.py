"""How patiently, and how long, is a source of evidence asked?

Everything that evidence asks is a read, so it may be repeated. What still has
no answer then is a sentence for people and makes cases undecided; it is never
an exception past the end of its source.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from harness.operation import Ending
from harness.targets.drive import HttpxSender
from harness.targets.protocol import Reply, Request
from harness.targets.source import Source


def _wait(seconds: float) -> None:
    time.sleep(seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Bounds on one question; clock and pause come in here."""

    request_s: float = 5.0
    """Deadline on one request."""
    tries: int = 3
    pause_s: float = 0.2
    """Between two tries."""
    connections: int = 8
    """Requests at a time, where several are asked side by side."""
    now_ns: Callable[[], int] = time.monotonic_ns
    """CLOCK_MONOTONIC."""
    wait: Callable[[float], None] = _wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Until:
    """A time limit with a name, which stands in every sentence about it."""

    name: str
    limit_s: float
    end_ns: int
    now_ns: Callable[[], int]

    @classmethod
    def start(cls, name: str, limit_s: float, now_ns: Callable[[], int]) -> "Until":
        """A limit that begins to run now."""
        return cls(name=name, limit_s=limit_s, end_ns=now_ns() + int(limit_s * 1e9), now_ns=now_ns)

    def passed(self) -> bool:
        """Whether it has run out."""
        return self.now_ns() >= self.end_ns

    def check(self) -> None:
        """Raise `Unread` once it has run out; a request under way may outlast it by its own deadline."""
        if self.passed():
            raise Unread(f"the limit {self.name} ({self.limit_s:g} s) passed")


class Unread(Exception):
    """A source could not be read; the message says why and is caught where the source ends."""


def opened(source: Source, patience: Patience) -> HttpxSender:
    """A sender to the host that serves a source, with its headers; the caller closes it."""
    parts = urlsplit(source.url)
    return HttpxSender(
        f"{parts.scheme}://{parts.netloc}",
        patience.request_s,
        headers=source.headers,
        connections=patience.connections,
    )


def get(send: HttpxSender, url: str, query: str, until: Until, patience: Patience) -> Reply:
    """Read `url`, of the host that `send` was opened for, as often as patience allows.

    Returns a reply with status 200; raises `Unread` with how the last try ended.
    """
    parts = urlsplit(url)
    joined = "&".join(part for part in (parts.query, query) if part)
    path = (parts.path or "/") + (f"?{joined}" if joined else "")
    request = Request(method="GET", path=path, name=f"GET {parts.path}")
    how = ""
    for attempt in range(patience.tries):
        if attempt:
            patience.wait(patience.pause_s)
        until.check()
        reply = send(request)
        if reply.status == 200:  # noqa: PLR2004
            return reply
        how = f"was answered {reply.status}" if reply.ending is Ending.ANSWERED else f"ended {reply.ending.value}"
        if reply.status is not None and reply.status < 500:  # noqa: PLR2004  # asking again changes nothing
            break
    raise Unread(f"GET {parts.path} {how}")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there only if the block ended well: what is half read must not look complete."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
