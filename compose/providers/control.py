"""What may the harness ask of a provider, and what may it do to it?

The ledger as NDJSON, faults, what is planned, the clock, and whether a probe
arrived. Everything under /control needs the control key, which merchants do not
know; /probe and /healthz are open.
"""

import asyncio
import hmac
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from compose.providers.faults import KINDS, SELECTORS, FaultCount, FaultRefused, parse_fault, read_counts
from compose.providers.merchant import Counter

PAGE_LIMIT = 10_000
PAGE_DEFAULT = 1_000
PROBES_KEPT = 10_000
SEQ_LIMIT = 2**62

Endpoint = Callable[[Request], Awaitable[Response]]


class Control:
    """The harness's side of one provider."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._probes: OrderedDict[str, None] = OrderedDict()
        self._started_utc_ms = time.time_ns() // 1_000_000

    def routes(self) -> list[Route]:
        guarded = (
            ("GET", "/control/ledger", self._ledger),
            ("GET", "/control/faults", self._list_faults),
            ("POST", "/control/faults", self._set_fault),
            ("DELETE", "/control/faults/{id}", self._lift_fault),
            ("GET", "/control/planned", self._planned),
            ("GET", "/control/clock", self._clock),
            ("GET", "/control/probes/{nonce}", self._was_probed),
        )
        return [
            *(Route(path, self._guard(endpoint), methods=[method]) for method, path, endpoint in guarded),
            Route("/probe/{nonce}", self._probe, methods=["GET"]),
            Route("/healthz", self._health, methods=["GET"]),
        ]

    def _guard(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            given = request.headers.get("x-control-key", "").encode()
            if not hmac.compare_digest(given, self._counter.settings.control_key.encode()):
                return _problem(401, "the control key is wrong")
            return await endpoint(request)

        return guarded

    async def _ledger(self, request: Request) -> Response:
        after = _number(request, "after", default=0, limit=SEQ_LIMIT)
        limit = _number(request, "limit", default=PAGE_DEFAULT, limit=PAGE_LIMIT)
        if after is None or limit is None or limit == 0:
            return _problem(422, f"after must be a seq, limit a number from 1 to {PAGE_LIMIT}")
        page = await self._counter.ledger.page(after, limit)
        rows = [dict(zip(page.columns, row, strict=True)) for row in page.rows]
        body = msgspec.json.Encoder().encode_lines(rows)
        return Response(body, headers={"X-Last-Seq": str(page.last_seq)}, media_type="application/x-ndjson")

    async def _list_faults(self, _: Request) -> Response:
        counts = await self._counter.ledger.read(read_counts)
        return _json(200, [_shown(count) for count in counts])

    async def _set_fault(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(10):
                fault = parse_fault(await request.body())
        except (FaultRefused, TimeoutError) as refused:
            return _problem(422, str(refused))
        try:
            await self._counter.ledger.write(lambda transaction: self._counter.faults.set(transaction, fault))
        except FaultRefused as refused:
            return _problem(409, str(refused))
        self._counter.holds.set(fault.id)
        return _json(201, _shown(FaultCount(fault=fault, seen=0, hits=0)))

    async def _lift_fault(self, request: Request) -> Response:
        fault_id: str = request.path_params["id"]
        lifted = await self._counter.ledger.write(lambda transaction: self._counter.faults.lift(transaction, fault_id))
        self._counter.holds.lift(fault_id)
        return Response(status_code=204) if lifted else _problem(404, f"no fault {fault_id} is in force")

    async def _planned(self, _: Request) -> Response:
        standing = await self._counter.ledger.standing()
        waiting = self._counter.executing.count
        return _json(200, asdict(replace(standing, planned=standing.planned + waiting)))

    async def _clock(self, _: Request) -> Response:
        return _json(200, {"monotonic_ns": time.monotonic_ns(), "utc_ms": time.time_ns() // 1_000_000})

    async def _was_probed(self, request: Request) -> Response:
        return _json(200, {"seen": request.path_params["nonce"] in self._probes})

    async def _probe(self, request: Request) -> Response:
        self._probes[request.path_params["nonce"][:128]] = None
        while len(self._probes) > PROBES_KEPT:
            self._probes.popitem(last=False)
        return Response(status_code=204)

    async def _health(self, _: Request) -> Response:
        name = self._counter.acquirer.name
        return _json(200, {"provider": name, "pid": os.getpid(), "started_utc_ms": self._started_utc_ms})


def _shown(count: FaultCount) -> dict[str, object]:
    """The settings that its kind takes, the selectors that it has, and how often it was met."""
    fault = count.fault
    settings: dict[str, object] = {
        name: value for name, value in asdict(fault).items() if name in KINDS[fault.kind] or name in SELECTORS
    }
    selected = {name: value for name, value in settings.items() if value is not None}
    return {**selected, "seen": count.seen, "hits": count.hits}


def _number(request: Request, name: str, *, default: int, limit: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdecimal() and int(text[:20]) <= limit else None


def _problem(status: int, message: str) -> Response:
    return _json(status, {"error": {"message": message}})


def _json(status: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
