"""How does the page come to hear of the payment API?

It asks each process itself, past the way that customers take, whether anybody
reads the page or not. What does not answer in time, or answers with something
else, was not heard from.
"""

import asyncio

import msgspec

from compose.payment_api.wire import CallFailed, Wire
from compose.status_page.facts import Facts, Heartbeat

EVERY_S = 0.25
ANSWER_LIMIT_S = 1.0
PATH = "/v1/health/methods"


async def listen(api: str, operator_token: str, facts: Facts) -> None:
    """Ask one process again and again, for ever."""
    async with Wire(api, operator_token, asyncio.Semaphore()) as wire:
        while True:
            heartbeat = await ask(wire, ANSWER_LIMIT_S)
            if heartbeat is not None:
                facts.heard(api, heartbeat)
            await asyncio.sleep(EVERY_S)


async def ask(wire: Wire, limit_s: float | None) -> Heartbeat | None:
    """Ask once; None where nothing came that can be believed."""
    try:
        reply = await wire.call("GET", PATH, limit_s=limit_s)
        return msgspec.json.decode(reply.body, type=Heartbeat) if reply.status == 200 else None  # noqa: PLR2004
    except (CallFailed, msgspec.MsgspecError):
        return None
