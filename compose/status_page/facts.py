"""What is known of the payment methods, and what does the page say of it?

    heartbeat of an API ──heard──> its facts, kept in memory ──page──> ok, or degraded and which methods

A heartbeat older than 2 s says nothing any more: where none is younger, no method
works, as far as customers are concerned. Pure: clocks come in.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

HEARTBEAT_S = 2.0
METHODS = ("wechat", "alipay", "card")
OK = "ok"
DEGRADED = "degraded"
LATE_S = 8.0
"""Of the defect status_late."""
NOT_HEARD = "down"
"""State of a method whose API is not heard from."""


class MethodFact(msgspec.Struct, frozen=True):
    """What an API says of one method."""

    state: str
    since_utc_ms: int


class Heartbeat(msgspec.Struct, frozen=True):
    """An API's answer to GET /v1/health/methods."""

    methods: dict[str, MethodFact]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What the page says."""

    status: str
    """ "ok" or "degraded"."""
    since_utc_ms: int
    methods: tuple[tuple[str, MethodFact], ...]

    def body(self) -> bytes:
        """As JSON."""
        methods = [{"method": name, "state": m.state, "since_utc_ms": m.since_utc_ms} for name, m in self.methods]
        return msgspec.json.encode({"status": self.status, "since_utc_ms": self.since_utc_ms, "methods": methods})


class Facts:
    """The last facts of each API."""

    def __init__(self, now_s: Callable[[], float], now_utc_ms: Callable[[], int]) -> None:
        self._now_s = now_s
        self._now_utc_ms = now_utc_ms
        self._heard: dict[str, tuple[float, Heartbeat]] = {}
        self._heard_utc_ms = now_utc_ms()
        """When a heartbeat came last, or this process began to listen."""
        self._status: str | None = None
        self._since_utc_ms = self._heard_utc_ms

    def heard(self, api: str, heartbeat: Heartbeat) -> None:
        """Keep what an API said now."""
        self._heard[api] = (self._now_s(), heartbeat)
        self._heard_utc_ms = self._now_utc_ms()

    def page(self) -> Page:
        """What is to be said now."""
        fresh = [beat for at_s, beat in self._heard.values() if at_s > self._now_s() - HEARTBEAT_S]
        methods = _worst(fresh) if fresh else self._nothing()
        ill = [fact.since_utc_ms for _, fact in methods if fact.state != OK]
        status = DEGRADED if ill else OK
        if status != self._status:
            self._since_utc_ms = min(ill) if ill else self._now_utc_ms()
            self._status = status
        return Page(status=status, since_utc_ms=self._since_utc_ms, methods=methods)

    def _nothing(self) -> tuple[tuple[str, MethodFact], ...]:
        return tuple((name, MethodFact(NOT_HEARD, self._heard_utc_ms)) for name in METHODS)


class Late:
    """What a page said a while ago; only for the defect status_late."""

    def __init__(self, page: Callable[[], Page], now_s: Callable[[], float]) -> None:
        self._page = page
        self._now_s = now_s
        self._said: deque[tuple[float, Page]] = deque()

    def page(self) -> Page:
        """The newest of those that are old enough, else the oldest."""
        now_s = self._now_s()
        self._said.append((now_s, self._page()))
        while len(self._said) > 1 and self._said[1][0] <= now_s - LATE_S:
            self._said.popleft()
        return self._said[0][1]


def everything(state: str, since_utc_ms: int) -> Page:
    """A page that says the same of every method."""
    methods = tuple((name, MethodFact(state, since_utc_ms)) for name in METHODS)
    return Page(status=OK if state == OK else DEGRADED, since_utc_ms=since_utc_ms, methods=methods)


def _worst(beats: Iterable[Heartbeat]) -> tuple[tuple[str, MethodFact], ...]:
    """Of each method what the API says that fares worst with it."""
    worst: dict[str, MethodFact] = {}
    for beat in beats:
        for name, fact in beat.methods.items():
            if name not in worst or (worst[name].state == OK and fact.state != OK):
                worst[name] = fact
    return tuple((name, worst[name]) for name in _ordered(worst))


def _ordered(methods: Mapping[str, MethodFact]) -> list[str]:
    return sorted(methods, key=lambda name: (METHODS.index(name) if name in METHODS else len(METHODS), name))
