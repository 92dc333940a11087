"""How does work go on behind an answered request, and how is a request told of it?

All of it can be derived anew from the database: a process that was killed loses
the tasks and none of the work. What ends with an exception is logged and taken
up again by the next sweep of whoever started it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import TypeVar

from compose.payment_api.errors import in_short

log = logging.getLogger("payment_api")

T = TypeVar("T")
Step = Callable[[], Coroutine[object, object, None]]


class Background:
    """Tasks that outlive the request which started them, by name; no two of one name at a time."""

    def __init__(self, on_failure: Callable[[str], None] = lambda _: None) -> None:
        """`on_failure` is told the name of each task that ended with an exception."""
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._on_failure = on_failure

    def start(self, name: str, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Start a task. The caller has looked that none of this name runs."""
        assert not self.runs(name)
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)
        return task

    def runs(self, name: str) -> bool:
        """Is a task of this name at work?"""
        return name in self._tasks

    def names(self) -> list[str]:
        """Of all tasks at work."""
        return list(self._tasks)

    async def finish(self, prefix: str, limit_s: float) -> None:
        """Wait until what runs under names that begin so has ended, at most so long."""
        if tasks := [task for name, task in self._tasks.items() if name.startswith(prefix)]:
            await asyncio.wait(tasks, timeout=limit_s)

    async def stop(self) -> None:
        """Cancel what runs, and wait until it has ended."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.pop(task.get_name(), None)
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.warning("%s ended: %s", task.get_name(), in_short(exc))
            self._on_failure(task.get_name())


class Signals:
    """Who waits for news of a payment or refund, by its id. Told after the commit; nothing here is durable."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._on_refund: list[Callable[[str], None]] = []
        self._on_release: list[Callable[[str], None]] = []

    @contextlib.contextmanager
    def watching(self, subject: str) -> Iterator[asyncio.Event]:
        """An event that is set at each news of the subject while the block runs."""
        event = asyncio.Event()
        self._waiting.setdefault(subject, set()).add(event)
        try:
            yield event
        finally:
            events = self._waiting[subject]
            events.discard(event)
            if not events:
                del self._waiting[subject]

    def announce(self, subject: str) -> None:
        """Wake whoever watches the subject."""
        for event in self._waiting.get(subject, ()):
            event.set()

    def on_refund_owed(self, listener: Callable[[str], None]) -> None:
        """Have `listener` called with the id of each refund that is booked to be sent."""
        self._on_refund.append(listener)

    def refund_owed(self, refund_id: str) -> None:
        """Say that a refund was booked to be sent."""
        for listener in self._on_refund:
            listener(refund_id)

    def on_release_due(self, listener: Callable[[str], None]) -> None:
        """Have `listener` called with the id of each order that is booked to be released."""
        self._on_release.append(listener)

    def release_due(self, order_id: str) -> None:
        """Say that an order's release was booked."""
        for listener in self._on_release:
            listener(order_id)


async def wait_s(event: asyncio.Event, limit_s: float) -> None:
    """Wait for an event, at most so long; which of the two it was does not matter to anyone here."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()


async def repeat(name: str, pause_s: float, step: Step, told: Callable[[str, bool], None] = lambda _, __: None) -> None:
    """Do a step again and again with a pause between; one that fails is logged and does not end the loop.

    `told` learns of each step its name and whether it went well.
    """
    while True:
        try:
            await step()
            told(name, True)
        except Exception as exc:  # noqa: BLE001 - whatever it was, the next step tries again
            log.warning("%s failed: %s", name, in_short(exc))
            told(name, False)
        await asyncio.sleep(pause_s)


def led(leads: Callable[[], bool], step: Step) -> Step:
    """The step, taken only while this process leads."""

    async def led_step() -> None:
        if leads():
            await step()

    return led_step
