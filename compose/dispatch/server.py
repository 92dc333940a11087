"""Who may ask what of dispatch?

    POST /v1/releases {"order", "run", "line"}   the payment API; bearer token, Idempotency-Key
    GET  /control/{ledger,planned,clock}         the harness; X-Control-Key
    GET  /healthz                                everybody

A stop (SIGTERM, SIGINT) ends it at once: what was answered is on disk, and who
was not answered calls again with the same key.
"""

import asyncio
import hmac
import os
import signal
import time
from functools import partial

import msgspec

from compose.dispatch.ledger import Call, KeyReused, Ledger
from compose.dispatch.settings import Settings
from compose.dispatch.wire import Answer, Request, speak

PAGE_LIMIT = 10_000
PAGE_DEFAULT = 1_000
SEQ_DIGITS = 18


class _Body(msgspec.Struct, frozen=True):
    order: str
    run: str | None = None
    line: str | None = None


_BODY = msgspec.json.Decoder(_Body)


def serve(settings: Settings) -> None:
    """Run until told to stop; raises OSError where port or folder are not to be had."""
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    with Ledger(settings.data) as ledger:
        dispatch = Dispatch(ledger, settings)
        server = await asyncio.start_server(partial(speak, dispatch.answer), settings.host, settings.port)
        async with server:
            await told.wait()
            server.close()


class Dispatch:
    """Answers requests."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._started_utc_ms = time.time_ns() // 1_000_000

    async def answer(self, request: Request) -> Answer:
        """Whatever comes is answered."""
        match request.method, request.path:
            case "GET", "/healthz":
                return _json(200, {"pid": os.getpid(), "started_utc_ms": self._started_utc_ms})
            case "POST", "/v1/releases":
                return await self._release(request)
            case "GET", path if path.startswith("/control/"):
                return await self._control(request)
            case _:
                return _problem(404, "no such thing here")

    async def _control(self, request: Request) -> Answer:
        if not _same(request.headers.get("x-control-key", ""), self._settings.control_key):
            return _problem(401, "the control key is wrong")
        match request.path:
            case "/control/ledger":
                return await self._page(request)
            case "/control/planned":
                standing = await self._ledger.standing()
                return _json(200, {"planned": 0, "effects": standing.effects, "digest": standing.digest})
            case "/control/clock":
                return _json(200, {"monotonic_ns": time.monotonic_ns(), "utc_ms": time.time_ns() // 1_000_000})
            case _:
                return _problem(404, "no such thing here")

    async def _release(self, request: Request) -> Answer:
        if not _same(request.headers.get("authorization", ""), f"Bearer {self._settings.key}"):
            return _problem(401, "the key is wrong")
        key = request.headers.get("idempotency-key", "")
        try:
            body = _BODY.decode(request.body)
        except msgspec.MsgspecError:
            return _problem(422, "the body must name an order")
        if not key:
            return _problem(422, "an Idempotency-Key is needed")
        try:
            kind = await self._ledger.release(Call(order=body.order, run=body.run, line=body.line, key=key))
        except KeyReused:
            return _problem(422, "the key was used for another order")
        return _json(200, {"order": body.order, "kind": kind})

    async def _page(self, request: Request) -> Answer:
        after, limit = request.query.get("after", "0"), request.query.get("limit", str(PAGE_DEFAULT))
        numbers = all(text.isascii() and text.isdecimal() and len(text) <= SEQ_DIGITS for text in (after, limit))
        if not numbers or not 0 < int(limit) <= PAGE_LIMIT:
            return _problem(422, f"after must be a seq, limit a number from 1 to {PAGE_LIMIT}")
        page = await self._ledger.page(int(after), int(limit))
        rows = [dict(zip(page.columns, row, strict=True)) for row in page.rows]
        body = msgspec.json.Encoder().encode_lines(rows)
        return Answer(
            status=200, body=body, media_type="application/x-ndjson", headers={"X-Last-Seq": str(page.last_seq)}
        )


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _problem(status: int, message: str) -> Answer:
    return _json(status, {"error": {"message": message}})


def _json(status: int, content: object) -> Answer:
    return Answer(status=status, body=msgspec.json.encode(content))
