"""A card acquirer: an intent is created, unconfirmed, and then confirmed; only the confirmation takes money.

So a lost answer to the confirmation leaves an id to query, and a lost answer to
the creation leaves nothing that could be captured. Each POST carries an
idempotency key; the acquirer stores its answer with it, a 500 too, so a 500 is
not repeated in the hope of another answer: the intent itself is read.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from compose.payment_api.model import Method, Payment, Refund
from compose.payment_api.providers.link import NOT_SENT, Link, Said
from compose.payment_api.providers.shape import Answer, RefundAnswer, RefundResult, Result

_STATES = {
    "succeeded": Result.PAID,
    "processing": Result.PENDING,
    "canceled": Result.CLOSED,
    "requires_confirmation": Result.NOT_PAID,
    "requires_payment_method": Result.NOT_PAID,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """The client; it keeps no state."""

    link: Link
    method: ClassVar[Method] = Method.CARD

    async def prepare(self, payment: Payment) -> Answer:
        if payment.provider_number is not None:
            return Answer(result=Result.NOT_PAID, provider_number=payment.provider_number)
        said = await self.link.ask_for(
            payment,
            "/v1/payment_intents",
            {
                "amount": payment.amount_minor,
                "currency": payment.currency,
                "metadata": self.link.attribution(payment.order_id, payment.merchant),
                "notify_url": self.link.notice_url,
            }
            | ({} if payment.instrument is None else {"payment_method": payment.instrument}),
            {"Idempotency-Key": payment.number},
        )
        intent = None if said is None or said.status != HTTPStatus.OK else said.text("id")
        if intent is not None:
            return Answer(result=Result.NOT_PAID, provider_number=intent)
        return Answer(result=_no(said))

    async def charge(self, payment: Payment) -> Answer:
        said = await self.link.ask(
            "POST",
            f"/v1/payment_intents/{payment.provider_number}/confirm",
            {},
            {"Idempotency-Key": f"{payment.number}-confirm"},
        )
        if said is not None and said.status == HTTPStatus.OK:
            return Answer(result=_state(said, payment))
        if said is not None and said.text("error", "code") == "payment_intent_unexpected_state":
            return Answer(result=Result.UNKNOWN)
        return Answer(result=_no(said))

    async def query(self, payment: Payment) -> Answer:
        if payment.provider_number is None:  # never confirmed, so nothing was taken, and nothing to ask for
            return Answer(result=Result.NOT_KNOWN)
        said = await self.link.ask("GET", f"/v1/payment_intents/{payment.provider_number}")
        if said is None or said.status != HTTPStatus.OK:
            missing = said is not None and said.status == HTTPStatus.NOT_FOUND
            return Answer(result=Result.NOT_KNOWN if missing else Result.UNKNOWN)
        return Answer(result=_state(said, payment))

    async def close(self, payment: Payment) -> Answer:
        if payment.provider_number is None:
            return Answer(result=Result.CLOSED)
        said = await self.link.ask(
            "POST",
            f"/v1/payment_intents/{payment.provider_number}/cancel",
            {},
            {"Idempotency-Key": f"{payment.number}-cancel"},
        )
        closed = said is not None and said.status == HTTPStatus.OK and said.text("status") == "canceled"
        return Answer(result=Result.CLOSED if closed else Result.UNKNOWN)

    async def refund(self, refund: Refund) -> RefundAnswer:
        said = await self.link.ask(
            "POST",
            "/v1/refunds",
            {
                "payment_intent": refund.payment_provider_number,
                "amount": refund.amount_minor,
                "metadata": self.link.attribution(refund.order_id) | {"refund": refund.number},
                "notify_url": self.link.notice_url,
            },
            {"Idempotency-Key": refund.number},
        )
        return _refund_answer(said)

    async def refund_query(self, refund: Refund) -> RefundAnswer:
        if refund.provider_number is None:
            return RefundAnswer(result=RefundResult.NOT_KNOWN)
        return _refund_answer(await self.link.ask("GET", f"/v1/refunds/{refund.provider_number}"))


def _state(said: Said, payment: Payment) -> Result:
    result = _STATES.get(said.text("status") or "", Result.UNKNOWN)
    if result is Result.PAID and said.integer("amount") != payment.amount_minor:
        return Result.UNKNOWN
    return result


def _no(said: Said | None) -> Result:
    """Whether it is a definite no. 409 and 429 are none: they come before the request is looked at, or beside it."""
    if said is not None and said.status == NOT_SENT:
        return Result.UNSENT
    refusing = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN}
    return Result.REFUSED if said is not None and said.status in refusing else Result.UNKNOWN


def _refund_answer(said: Said | None) -> RefundAnswer:
    if said is None:
        return RefundAnswer(result=RefundResult.UNKNOWN)
    if said.status == HTTPStatus.OK:
        states = {"succeeded": RefundResult.DONE, "pending": RefundResult.PENDING, "failed": RefundResult.REFUSED}
        return RefundAnswer(
            result=states.get(said.text("status") or "", RefundResult.UNKNOWN), provider_number=said.text("id")
        )
    if said.status == HTTPStatus.NOT_FOUND:
        return RefundAnswer(result=RefundResult.NOT_KNOWN)
    above = said.text("error", "code") in {"charge_already_refunded", "amount_too_large"}
    return RefundAnswer(result=RefundResult.REFUSED if above else RefundResult.UNKNOWN)
