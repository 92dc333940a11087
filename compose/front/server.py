"""Who serves a request, and when does the front roll a build back or end itself?

On SIGTERM it stops accepting, answers what is under way and what still comes on
open connections for a moment, closes each after its answer, and ends. A candidate
whose error rate departs (`rule`) loses its users within the same answer.
"""

import asyncio
import os
import re
import signal
import time
from urllib.parse import parse_qs, unquote_to_bytes

from compose.front.control import Control
from compose.front.customer import Customer, Request
from compose.front.replies import json_reply, refusal
from compose.front.routes import Routes
from compose.front.rule import departed
from compose.front.settings import Settings
from compose.front.upstream import Build
from compose.payment_api.defects import Defect

BACKLOG = 1024
GRACE_S = 0.2
"""So long after SIGTERM a request on an open connection is still taken: it may have been on its way."""
DRAIN_LIMIT_S = 10.0
"""Longest wait for answers under way."""
POLL_S = 0.02
WISH = b"build="
"""In a URL's query, of requests without a user (providers' notices): the build that asked for them."""
OWN = b"/front/"
METRICS = b"/metrics"
"""Of a build: for whoever reaches its own port, and for nobody who comes through here."""


class Front:
    """Everything that the front knows; lives as long as its process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.routes = Routes(settings.release, now_ns=time.monotonic_ns, defects=settings.defects)
        self.builds: dict[str, Build] = {}
        """Those that serve, and those that still answer what they had begun."""
        self.customers: set[Customer] = set()
        self.started_utc_ms = time.time_ns() // 1_000_000
        self._control = Control(self)
        self.add(settings.release, settings.url)

    def add(self, release: str, url: str) -> None:
        """Know a build."""
        self.builds[release] = Build(release, url, time.monotonic_ns(), self._answered)

    def serve(self, request: Request, customer: Customer) -> None:
        """Answer a request, or have it answered."""
        if request.url.startswith(OWN):
            customer.answer(self._own(request))
            return
        if _path(request.url).endswith(METRICS):
            customer.answer(refusal(404, "not_found", "No such thing here."))
            return
        wish = _wish(request.url) if request.token is None else None
        self.builds[self.routes.choose(request.token, wish)].send(request.on_the_wire(), customer)

    def _own(self, request: Request) -> bytes:
        if request.url == b"/front/healthz":
            health = {"status": "ok", "build": self.settings.build, "pid": os.getpid()}
            return json_reply(
                200, health | {"started_utc_ms": self.started_utc_ms, "utc_ms": time.time_ns() // 1_000_000}
            )
        return self._control.answer(request)

    def _answered(self, build: Build) -> None:
        """Roll the candidate back where its error rate has departed."""
        routes = self.routes
        if routes.candidate != build.release or Defect.NEVER_ROLLS_BACK in self.settings.defects:
            return
        why = departed(build.tally, self.builds[routes.stable].tally, asyncio.get_running_loop().time())
        if why is not None:
            self.builds[routes.roll_back("front", why)].leave()


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then until nothing is under way."""
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    front = Front(settings)
    server = await loop.create_server(lambda: Customer(front), settings.host, settings.port, backlog=BACKLOG)
    await ending.wait()
    server.close()
    until = loop.time() + DRAIN_LIMIT_S
    await asyncio.sleep(GRACE_S)
    while front.customers and loop.time() < until:
        for customer in tuple(front.customers):
            customer.hang_up()
        await asyncio.sleep(POLL_S)
    for build in front.builds.values():
        build.leave()


def _path(url: bytes) -> bytes:
    """The path as a build will read it."""
    return unquote_to_bytes(re.split(rb"[?#]", url, maxsplit=1)[0]).rstrip(b"/")


def _wish(url: bytes) -> str | None:
    _, _, query = url.partition(b"?")
    if WISH not in query:
        return None
    found = parse_qs(query.decode("latin-1")).get("build")
    return found[0] if found else None
