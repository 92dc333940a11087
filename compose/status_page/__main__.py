"""`python -m compose.status_page`: the status page, until it is told to stop.

A process of its own: no database, no way that customers pay by, and nothing to
ask when somebody looks. Exit codes: 0 told to stop, 2 wrong arguments or environment.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

import uvloop

from compose.environment import SettingMissing
from compose.payment_api.defects import Defect
from compose.payment_api.wire import Wire
from compose.status_page.facts import NOT_HEARD, OK, Facts, Late, Page, everything
from compose.status_page.probe import ask, listen
from compose.status_page.serving import Look, Visitor
from compose.status_page.settings import Settings, read_settings

BACKLOG = 512
CALLS_MAX = 64
"""At a time; only for the defect status_shares_fate."""


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    if arguments:
        sys.stderr.write("usage: python -m compose.status_page\n")
        return 2
    try:
        settings = read_settings(os.environ)
    except SettingMissing as exc:
        sys.stderr.write(f"status page: {exc}\n")
        return 2
    try:
        uvloop.run(serve(settings))
    except OSError as exc:
        sys.stderr.write(f"status page: port {settings.port} cannot be listened on: {exc.strerror}\n")
        return 2
    return 0


async def serve(settings: Settings) -> None:
    """Listen to the APIs and to visitors until told to stop; raises OSError where the port is taken."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    facts = Facts(time.monotonic, _utc_ms)
    async with AsyncExitStack() as stack:
        look = await _look(settings, facts, stack)
        server = await loop.create_server(partial(Visitor, look), settings.host, settings.port, backlog=BACKLOG)
        stack.callback(server.close)
        listening = [asyncio.create_task(listen(api, settings.operator_token, facts)) for api in settings.apis]
        stopping = asyncio.create_task(_told_to_stop(stopped))
        ended, _ = await asyncio.wait((stopping, *listening), return_when=asyncio.FIRST_COMPLETED)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        for task in ended:
            task.result()


async def _told_to_stop(stopped: asyncio.Event) -> None:
    await stopped.wait()


async def _look(settings: Settings, facts: Facts, stack: AsyncExitStack) -> Look:
    """What a visitor is shown; a defect looks elsewhere than in memory, or nowhere."""
    if Defect.STATUS_SHARES_FATE in settings.defects:
        wire = await stack.enter_async_context(
            Wire(settings.apis[0], settings.operator_token, asyncio.Semaphore(CALLS_MAX))
        )
        return partial(_asked_now, wire)
    always = {Defect.STATUS_ALWAYS_OK: OK, Defect.STATUS_ALWAYS_DEGRADED: NOT_HEARD}
    for defect, state in always.items():
        if defect in settings.defects:
            return partial(_known, partial(everything, state, _utc_ms()))
    if Defect.STATUS_LATE in settings.defects:
        return partial(_known, Late(facts.page, time.monotonic).page)
    return partial(_known, facts.page)


async def _known(page: Callable[[], Page]) -> Page:
    return page()


async def _asked_now(wire: Wire) -> Page | None:
    """Ask the API while the visitor waits, as long as that takes, and remember nothing."""
    heartbeat = await ask(wire, None)
    if heartbeat is None:
        return None
    facts = Facts(time.monotonic, _utc_ms)
    facts.heard("", heartbeat)
    return facts.page()


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
