"""How many new payments may begin, and how many more may wait for that?

    a slot is free and nobody waits ────────────────> begin, and hold the slot for `slot_s`
    the queue has room ──> a slot within WAIT_S
                               ├─ still there ──────> begin, and hold the slot for `slot_s`
                               └─ hung up meanwhile ─> dropped, and the slot goes to the next
    neither ────────────────────────────────────────> Full, at once

What a payment costs is known beforehand, so `slots / slot_s` payments a second are
the API's own capacity. No more wait than can be served within WAIT_S: who waits
is served or refused well within a second. Knows nothing of orders or HTTP.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from compose.payment_api.defects import Defect

WAIT_S = 0.3
"""Longest wait for a slot; with all that comes before and after it, who is refused knows within a second."""

Ask = Callable[[], Awaitable[bool]]


class Full(Exception):
    """There is no slot for this one, nor will there be in time."""


class Gone(Exception):
    """Whoever asked has hung up while waiting; nothing was begun."""


class Slot:
    """A slot that was granted: if used, held until `slot_s` after that, else free again when the block ends."""

    def __init__(self, give_back: Callable[[], None], slot_s: float) -> None:
        self._give_back = give_back
        self._loop = asyncio.get_running_loop()
        self._until_s = self._loop.time() + slot_s
        self._is_used = False

    def use(self) -> None:
        """A new payment begins."""
        if not self._is_used:
            self._is_used = True
            self._loop.call_at(self._until_s, self._give_back)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if not self._is_used:
            self._give_back()


class Admission:
    """Slots, and the queue for them."""

    def __init__(self, *, slots: int, slot_s: float, defects: frozenset[Defect]) -> None:
        self.free = slots
        """Slots that nobody holds."""
        self._slot_s = slot_s
        self.room = int(WAIT_S * slots / slot_s) if slot_s > 0 else 0
        self._collapses = Defect.CONGESTION_COLLAPSE in defects
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._behind: deque[asyncio.Future[None]] = deque()
        """Only with the defect refunds_behind_payments: who waits until no new payment does."""

    @property
    def waiting(self) -> int:
        """How many wait for a slot; at most `room`, unless a defect lets more in."""
        return len(self._waiting) + len(self._behind)

    @property
    def is_full(self) -> bool:
        """Whether whoever comes now is refused."""
        return self.free == 0 and len(self._waiting) >= self.room and not self._collapses

    def at_once(self) -> Slot | None:
        """A slot without waiting; None where there is none, or others wait."""
        if self.free == 0 or self._waiting:
            return None
        self.free -= 1
        return self._slot()

    async def wait(self, is_gone: Ask, *, behind: bool = False) -> Slot:
        """Queue for a slot; raises Full, or Gone for one who hung up before the slot came free."""
        if (slot := self.at_once()) is not None:
            return slot
        if self.is_full and not behind:
            raise Full
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._behind if behind else self._waiting
        queue.append(granted)
        try:
            await asyncio.wait({granted}, timeout=WAIT_S)
        except asyncio.CancelledError:
            self._leave(queue, granted)
            raise
        if not granted.done():
            self._give_up(queue, granted)
            raise Full
        slot = self._slot()
        if await is_gone():
            with slot:
                if self._collapses:
                    slot.use()
                raise Gone
        return slot

    def _slot(self) -> Slot:
        return Slot(self._give_back, self._slot_s)

    def _give_up(self, queue: deque[asyncio.Future[None]], granted: asyncio.Future[None]) -> None:
        """Leave the queue; with the defect congestion_collapse stay there, and have a slot spent for nobody."""
        if self._collapses:
            granted.add_done_callback(lambda _: self._slot().use())
        else:
            self._leave(queue, granted)

    def _leave(self, queue: deque[asyncio.Future[None]], granted: asyncio.Future[None]) -> None:
        if granted.done():
            self._give_back()
        else:
            queue.remove(granted)

    def _give_back(self) -> None:
        """Hand the slot to whoever waits longest."""
        if not self._waiting and not self._behind:
            self.free += 1
            return
        (self._waiting or self._behind).popleft().set_result(None)
