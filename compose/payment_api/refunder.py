"""How does a booked refund get to its provider, and to its end?

    booked ──> send ──> accepted ──> query until done        the notice may end it at any point
                 └──> no answer: the same number again, after 0.1 s, 0.2 s ... at most 1 s, without end

A refund has one number for life, so sending it again cannot pay twice. It ends
only by the provider's word: done, or refused for good.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace

from compose.payment_api.background import Background, Signals, wait_s
from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.lease import Lease
from compose.payment_api.model import Method, Refund, RefundState
from compose.payment_api.providers.shape import Provider, RefundResult
from compose.payment_api.refunds import Refunds

PENDING = "SELECT id FROM refunds WHERE state = 'pending' AND slot = $1 ORDER BY created_at, seq"

FIRST_PAUSE_S = 0.1
ACCEPTED_PAUSE_S = 0.4
"""An accepted refund is done, and its notice here, within this; asking before would be in vain."""
LONGEST_PAUSE_S = 1.0


class Refunder:
    """Sends refunds in the background, one task each."""

    def __init__(
        self,
        *,
        database: Database,
        refunds: Refunds,
        providers: Mapping[Method, Provider],
        background: Background,
        signals: Signals,
        lease: Lease,
        defects: frozenset[Defect],
    ) -> None:
        self._database = database
        self._refunds = refunds
        self._providers = providers
        self._background = background
        self._signals = signals
        self._lease = lease
        self._defects = defects
        signals.on_refund_owed(self.send)

    def send(self, refund_id: str) -> None:
        """See to it that the refund is sent and confirmed."""
        name = f"refund {refund_id}"
        if not self._background.runs(name):
            self._background.start(name, self._send(refund_id))

    async def sweep(self) -> None:
        """Take up refunds that nobody works on: those of a killed process, and those whose task ended in an error."""
        for row in await self._database.rows(PENDING, self._lease.slot):
            self.send(row["id"])

    async def told(self, refund_id: str) -> None:
        """A notice says that the refund is done."""
        is_new = await self._refunds.done(refund_id)
        if not is_new and Defect.REFUND_PER_NOTICE in self._defects:
            refund = await self._refunds.read(refund_id)
            if refund is not None:
                again = replace(refund, number=f"R{secrets.token_hex(14)}", provider_number=None)
                await self._providers[refund.method].refund(again)

    async def _send(self, refund_id: str) -> None:
        if Defect.REFUND_NEVER_SENT in self._defects:
            await self._refunds.done(refund_id)
            return
        accepted, pause_s = False, FIRST_PAUSE_S
        with self._signals.watching(refund_id) as news:
            while True:
                refund = await self._refunds.read(refund_id)
                if refund is None or refund.state is not RefundState.PENDING or refund.slot != self._lease.slot:
                    return
                accepted = await self._step(refund, accepted=accepted)
                await wait_s(news, ACCEPTED_PAUSE_S if accepted and pause_s < ACCEPTED_PAUSE_S else pause_s)
                news.clear()
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _step(self, refund: Refund, *, accepted: bool) -> bool:
        """Send, or ask about what was sent; returns whether the provider has it now."""
        provider = self._providers[refund.method]
        if Defect.REFUND_IN_YUAN_FOR_FEN in self._defects and refund.method is Method.WECHAT:
            refund = replace(refund, amount_minor=max(1, refund.amount_minor // 100))
        answer = await (provider.refund_query(refund) if accepted else provider.refund(refund))
        if answer.provider_number not in (None, refund.provider_number):
            assert answer.provider_number is not None
            await self._refunds.numbered(refund.id, answer.provider_number)
        if answer.result is RefundResult.DONE:
            await self._refunds.done(refund.id)
        elif answer.result is RefundResult.REFUSED:
            await self._refused(refund)
        elif answer.result is RefundResult.NOT_KNOWN:
            return False
        return accepted or answer.result is RefundResult.PENDING

    async def _refused(self, refund: Refund) -> None:
        """A refusal may come from an earlier sending's success: only a refund that the provider lacks has failed."""
        answer = await self._providers[refund.method].refund_query(refund)
        if answer.result is RefundResult.DONE:
            await self._refunds.done(refund.id)
        elif answer.result is RefundResult.NOT_KNOWN:
            await self._refunds.failed(refund.id)
