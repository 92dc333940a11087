"""How is a provider asked for the money, once the intent is on disk?

    intent on disk ──> prepare (a card's intent: its id on disk too) ──> charge ──> what came of it is booked

A charge runs as a task of its own: the customer waits for it one deadline long and
is then answered, while the call runs on to its own deadline. As long as it runs,
nobody queries or closes the attempt: a charge still on its way would make every
answer to that worthless.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace

from compose.payment_api.background import Background
from compose.payment_api.books import Books
from compose.payment_api.defects import Defect
from compose.payment_api.model import Method, Payment, PaymentState
from compose.payment_api.providers.shape import Answer, Provider, Result

REPEATS = 4
"""Only of the defect retry_amplified."""


class Charger:
    """Sends charges and books what came of them."""

    def __init__(
        self,
        books: Books,
        providers: Mapping[Method, Provider],
        background: Background,
        defects: frozenset[Defect],
    ) -> None:
        self._books = books
        self._providers = providers
        self._background = background
        self._defects = defects
        self._lock = asyncio.Lock()
        """Only for the defect global_lock."""
        self._running: dict[str, asyncio.Task[Result]] = {}

    def start(self, payment: Payment) -> asyncio.Task[Result]:
        """Charge in the background."""
        task = self._background.start(f"charge {payment.id}", self.charge(payment))
        self._running[payment.id] = task
        task.add_done_callback(lambda _: self._running.pop(payment.id, None))
        return task

    async def finished(self, payment_id: str) -> Result | None:
        """Wait for the charge that runs, and say what it came to; None where none runs."""
        task = self._running.get(payment_id)
        if task is None:
            return None
        await asyncio.wait({task})
        return Result.UNKNOWN if task.cancelled() or task.exception() is not None else task.result()

    async def charge(self, payment: Payment) -> Result:
        """Charge and book. With a payment that was sent before, the provider takes it for the same one."""
        payment, answer = await self.call(payment)
        if answer.result is Result.UNKNOWN and Defect.NEW_NUMBER_ON_RETRY in self._defects:
            payment = replace(payment, number=new_number(), provider_number=None)
            first = (await self._providers[payment.method].prepare(payment)).provider_number
            await self._books.renumbered(payment.id, payment.number, first)
            payment, answer = await self.call(replace(payment, provider_number=first))
        for _ in range(REPEATS if Defect.RETRY_AMPLIFIED in self._defects else 0):
            if answer.result is Result.UNKNOWN:
                payment, answer = await self.call(payment)
        await self.book(payment, answer)
        return answer.result

    async def call(self, payment: Payment, *, on_disk: bool = True) -> tuple[Payment, Answer]:
        """Ask the provider; returns the payment with the number that the provider knows it by."""
        if Defect.GLOBAL_LOCK in self._defects:
            async with self._lock:
                return await self._call(payment, on_disk=on_disk)
        return await self._call(payment, on_disk=on_disk)

    async def _call(self, payment: Payment, *, on_disk: bool) -> tuple[Payment, Answer]:
        provider = self._providers[payment.method]
        prepared = await provider.prepare(payment)
        if prepared.result is not Result.NOT_PAID:
            return payment, prepared
        if prepared.provider_number != payment.provider_number:
            assert prepared.provider_number is not None
            if on_disk:
                await self._books.numbered(payment.id, prepared.provider_number)
            payment = replace(payment, provider_number=prepared.provider_number)
        return payment, await provider.charge(payment)

    async def book(self, payment: Payment, answer: Answer) -> None:
        """Book the answer to a charge.

        Only the first sending can be refused for good: a later one may be refused
        because an earlier one took effect.
        """
        if answer.result is Result.PAID:
            await self._books.captured(payment.id)
        elif answer.result is Result.PENDING:
            await self._books.sent(payment.id)
        elif answer.result in (Result.REFUSED, Result.UNSENT) and payment.state is PaymentState.CREATED:
            await self._books.failed(payment.id)
        else:
            await self._books.unknown(payment.id)


def new_number() -> str:
    """A number for an attempt: 29 characters that every provider accepts."""
    return f"P{secrets.token_hex(14)}"
