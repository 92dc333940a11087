"""How do the parts of one provider hang together, and how does the process begin and end?

A stop (SIGTERM, SIGINT) lets held connections go without an answer, finishes
what is being answered, and is done in a fraction of a second; what is planned
lies in the ledger and goes on with the next start. A kill costs nothing either.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from compose.providers.acquirer import Acquirer
from compose.providers.bill import BillFile, bill_head, bill_page, read_link
from compose.providers.book import Book
from compose.providers.connection import Holds, speak_http
from compose.providers.control import Control
from compose.providers.faults import Faults, read_counts
from compose.providers.ledger import Ledger, Transaction
from compose.providers.merchant import Counter, Executing, MerchantCall
from compose.providers.scheduler import Scheduler, resume_plans
from compose.providers.settings import Settings

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BACKLOG = 512
CONNECTIONS_LIMIT = 2_000
"""Beyond this a request is answered 503 before it reaches the ledger."""


class CannotStart(Exception):
    """Port or data folder are not to be had; the message says which and why."""


def serve(acquirer: Acquirer, settings: Settings) -> None:
    """Run until told to stop; raises CannotStart."""
    with _own(settings.data), _listen(settings) as listener:
        Process(acquirer, settings).run(listener)


class Process:
    """One provider."""

    def __init__(self, acquirer: Acquirer, settings: Settings) -> None:
        self._acquirer = acquirer
        self._settings = settings
        self._faults = Faults(settings.seed)
        self._holds = Holds()
        self._ledger = Ledger(settings.data / "ledger.sqlite", self._planned)
        self._scheduler = Scheduler(
            self._ledger,
            settings,
            prefix=acquirer.header_prefix,
            open_book=self._open_book,
            acknowledges=acquirer.acknowledges,
        )
        self._counter = Counter(
            acquirer=acquirer,
            settings=settings,
            ledger=self._ledger,
            faults=self._faults,
            holds=self._holds,
            open_book=self._open_book,
            executing=Executing(),
        )
        config = uvicorn.Config(
            Starlette(routes=self._routes(), lifespan=self._lifespan),
            http=cast("type[asyncio.Protocol]", speak_http),
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
            limit_concurrency=CONNECTIONS_LIMIT,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)

    def run(self, listener: socket.socket) -> None:
        """Serve until a signal, or until the scheduler fails, whose exception then escapes."""
        self._server.run(sockets=[listener])

    def _routes(self) -> list[Route]:
        calls = [
            Route(operation.path, MerchantCall(operation.op, self._counter), methods=[operation.method])
            for operation in self._acquirer.operations
        ]
        bill = Route("/bill/{token}", self._bill, methods=["GET"])
        rest = Route("/{path:path}", MerchantCall("unknown", self._counter), methods=list(METHODS))
        return [*calls, *Control(self._counter).routes(), bill, rest]

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        async with self._ledger:
            for count in await self._ledger.read(read_counts):
                self._holds.set(count.fault.id)
            await self._ledger.write(self._start)
            working = asyncio.create_task(self._scheduler.run())
            working.add_done_callback(lambda _: self._stop())
            yield
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    def _start(self, transaction: Transaction) -> None:
        self._faults.load(transaction)
        resume_plans(transaction)
        transaction.append("started", note=f"pid {os.getpid()}")

    def _stop(self) -> None:
        self._holds.stop()
        self._server.should_exit = True

    def _planned(self, due_ns: int) -> None:
        self._scheduler.wake(due_ns)

    def _open_book(self, transaction: Transaction) -> Book:
        return Book(transaction, seed=self._settings.seed, faults=self._faults, notice_body=self._acquirer.notice_body)

    async def _bill(self, request: Request) -> Response:
        """The file behind a bill's link; the link itself is the authorisation."""
        bill = read_link(request.path_params["token"], self._settings.key)
        status = 404 if bill is None else 200
        await self._ledger.write(partial(_record_download, status=status))
        if bill is None:
            return Response(status_code=404)
        return StreamingResponse(self._bill_lines(bill), media_type="text/csv; charset=utf-8")

    async def _bill_lines(self, bill: BillFile) -> AsyncIterator[bytes]:
        yield bill_head(self._acquirer.name)
        after_seq: int | None = 0
        while after_seq is not None:
            read = partial(bill_page, provider=self._acquirer.name, bill=bill, after_seq=after_seq)
            lines, after_seq = await self._ledger.read(read)
            if lines:
                yield lines


def _record_download(transaction: Transaction, status: int) -> None:
    transaction.append("request", op="bill")
    transaction.append("answered", op="bill", http=status)


@contextlib.contextmanager
def _own(data: Path) -> Iterator[None]:
    """Hold the data folder alone: two processes on one ledger would both carry out what is planned."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as exc:
        raise CannotStart(f"PROVIDER_DATA {data} cannot be used: {exc.strerror}") from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise CannotStart(f"another provider runs on {data}: stop it or set PROVIDER_DATA") from exc
        yield


@contextlib.contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as exc:
            raise CannotStart(f"port {settings.port} is taken: set PROVIDER_PORT to a free one") from exc
        yield listener
