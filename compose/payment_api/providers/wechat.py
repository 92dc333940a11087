"""WeChat Pay API v3: a deduction without password, accepted at once and captured a little later.

202 only means accepted. SYSTEM_ERROR and every other 5xx leave the result open:
query, or repeat with the same number. Amounts in fen.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

import msgspec

from compose.payment_api.model import Method, Payment, Refund
from compose.payment_api.providers.link import NOT_SENT, Link, Said
from compose.payment_api.providers.shape import Answer, RefundAnswer, RefundResult, Result

MERCHANT = "1900000001"

_STATES = {
    "SUCCESS": Result.PAID,
    "REFUND": Result.PAID,  # captured first, and (partly) sent back since
    "USERPAYING": Result.PENDING,
    "NOTPAY": Result.NOT_PAID,
    "CLOSED": Result.CLOSED,
    "REVOKED": Result.CLOSED,
    "PAYERROR": Result.CLOSED,
}
_CODES = {
    "ORDERPAID": Result.PAID,
    "ORDER_CLOSED": Result.CLOSED,
    "ORDER_NOT_EXIST": Result.NOT_KNOWN,
    # Used with other parameters: our number stands for something else there. Only a query can tell for what.
    "OUT_TRADE_NO_USED": Result.UNKNOWN,
}
_REFUSING = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wechat:
    """The client; it keeps no state."""

    link: Link
    method: ClassVar[Method] = Method.WECHAT

    async def prepare(self, payment: Payment) -> Answer:
        return Answer(result=Result.NOT_PAID, provider_number=payment.number)

    async def charge(self, payment: Payment) -> Answer:
        said = await self.link.ask_for(
            payment,
            "/v3/papay/pay/transactions/apply",
            {
                "mchid": MERCHANT,
                "out_trade_no": payment.number,
                "description": "Order",
                "amount": {"total": payment.amount_minor, "currency": payment.currency},
                "notify_url": self.link.notice_url,
                "attach": msgspec.json.encode(self.link.attribution(payment.order_id, payment.merchant)).decode(),
            },
        )
        if said is not None and said.status == NOT_SENT:
            return Answer(result=Result.UNSENT)
        if said is not None and said.status in {HTTPStatus.ACCEPTED, HTTPStatus.OK}:
            return Answer(result=Result.PENDING)
        if said is not None and said.status in _REFUSING:
            return Answer(result=_CODES.get(said.text("code") or "", Result.REFUSED))
        return Answer(result=Result.UNKNOWN)

    async def query(self, payment: Payment) -> Answer:
        said = await self.link.ask("GET", f"{_path(payment)}?mchid={MERCHANT}")
        if said is None or said.status != HTTPStatus.OK:
            return Answer(result=_code(said))
        result = _STATES.get(said.text("trade_state") or "", Result.UNKNOWN)
        if result is Result.PAID and said.integer("amount", "total") != payment.amount_minor:
            result = Result.UNKNOWN
        return Answer(result=result)

    async def close(self, payment: Payment) -> Answer:
        said = await self.link.ask("POST", f"{_path(payment)}/close", {"mchid": MERCHANT})
        if said is not None and said.status == HTTPStatus.NO_CONTENT:
            return Answer(result=Result.CLOSED)
        return Answer(result=_code(said))

    async def refund(self, refund: Refund) -> RefundAnswer:
        said = await self.link.ask(
            "POST",
            "/v3/refund/domestic/refunds",
            {
                "out_trade_no": refund.payment_number,
                "out_refund_no": refund.number,
                "reason": refund.reason.value,
                "notify_url": self.link.notice_url,
                "amount": {
                    "refund": refund.amount_minor,
                    "total": refund.payment_amount_minor,
                    "currency": refund.currency,
                },
            },
        )
        return _refund_answer(said)

    async def refund_query(self, refund: Refund) -> RefundAnswer:
        return _refund_answer(await self.link.ask("GET", f"/v3/refund/domestic/refunds/{refund.number}"))


def _path(payment: Payment) -> str:
    return f"/v3/pay/transactions/out-trade-no/{payment.number}"


def _code(said: Said | None) -> Result:
    return Result.UNKNOWN if said is None else _CODES.get(said.text("code") or "", Result.UNKNOWN)


def _refund_answer(said: Said | None) -> RefundAnswer:
    if said is None:
        return RefundAnswer(result=RefundResult.UNKNOWN)
    if said.status == HTTPStatus.OK:
        states = {"SUCCESS": RefundResult.DONE, "PROCESSING": RefundResult.PENDING}
        return RefundAnswer(result=states.get(said.text("status") or "", RefundResult.UNKNOWN))
    # A 429 on a refund leaves open whether it was accepted; so does every code that is not named here.
    codes = {"NOT_ENOUGH": RefundResult.REFUSED, "RESOURCE_NOT_EXISTS": RefundResult.NOT_KNOWN}
    return RefundAnswer(result=codes.get(said.text("code") or "", RefundResult.UNKNOWN))
