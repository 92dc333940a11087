"""Alipay: HTTP says always 200, the code in the body says what happened.

10000 done, 10003 the payment is on its way, 20000 the provider does not know
itself, 40004 a refusal whose sub_code says which. Amounts in yuan, as text.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

import msgspec

from compose.payment_api.model import Method, Payment, Refund
from compose.payment_api.providers.link import NOT_SENT, Link, Said
from compose.payment_api.providers.shape import Answer, RefundAnswer, RefundResult, Result

_STATES = {
    "TRADE_SUCCESS": Result.PAID,
    "TRADE_FINISHED": Result.PAID,
    "WAIT_BUYER_PAY": Result.PENDING,
    "TRADE_CLOSED": Result.CLOSED,
}
_SUB_CODES = {
    "ACQ.TRADE_HAS_SUCCESS": Result.PAID,
    "ACQ.TRADE_STATUS_ERROR": Result.PAID,
    "ACQ.REASON_TRADE_STATUS_INVALID": Result.PAID,
    "ACQ.TRADE_HAS_CLOSE": Result.CLOSED,
    "ACQ.TRADE_NOT_EXIST": Result.NOT_KNOWN,
    "ACQ.SYSTEM_ERROR": Result.UNKNOWN,
    # Used with other parameters: only a query can tell for what our number stands there.
    "ACQ.CONTEXT_INCONSISTENT": Result.UNKNOWN,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Alipay:
    """The client; it keeps no state."""

    link: Link
    method: ClassVar[Method] = Method.ALIPAY

    async def prepare(self, payment: Payment) -> Answer:
        return Answer(result=Result.NOT_PAID, provider_number=payment.number)

    async def charge(self, payment: Payment) -> Answer:
        attributed = self.link.attribution(payment.order_id, payment.merchant)
        said = await self.link.ask_for(
            payment,
            "/v3/alipay/trade/pay",
            {
                "out_trade_no": payment.number,
                "total_amount": yuan(payment.amount_minor),
                "subject": "Order",
                "notify_url": self.link.notice_url,
                "passback_params": msgspec.json.encode(attributed).decode(),
                "auth_no": f"agreement-{payment.order_id}",
            },
        )
        if said is not None and said.status == NOT_SENT:
            return Answer(result=Result.UNSENT)
        code = None if said is None or said.status != HTTPStatus.OK else said.text("code")
        if said is not None and code == "10000":
            return Answer(result=_state(said, payment))
        if code == "10003":
            return Answer(result=Result.PENDING)
        if said is not None and code == "40004":
            return Answer(result=_SUB_CODES.get(said.text("sub_code") or "", Result.REFUSED))
        return Answer(result=Result.UNKNOWN)

    async def query(self, payment: Payment) -> Answer:
        said = await self._ask("query", {"out_trade_no": payment.number})
        if said is not None and said.text("code") == "10000":
            return Answer(result=_state(said, payment))
        return Answer(result=_sub_code(said))

    async def close(self, payment: Payment) -> Answer:
        said = await self._ask("close", {"out_trade_no": payment.number})
        if said is not None and said.text("code") == "10000":
            return Answer(result=Result.CLOSED)
        return Answer(result=_sub_code(said))

    async def refund(self, refund: Refund) -> RefundAnswer:
        said = await self._ask(
            "refund",
            {
                "out_trade_no": refund.payment_number,
                "out_request_no": refund.number,
                "refund_amount": yuan(refund.amount_minor),
                "refund_reason": refund.reason.value,
                "notify_url": self.link.notice_url,
            },
        )
        if said is None:
            return RefundAnswer(result=RefundResult.UNKNOWN)
        if said.text("code") == "10000":  # accepted; whether money has moved only the query says
            return RefundAnswer(result=RefundResult.PENDING)
        refused = said.text("code") == "40004" and said.text("sub_code") == "ACQ.REASON_TRADE_REFUND_FEE_ERR"
        return RefundAnswer(result=RefundResult.REFUSED if refused else RefundResult.UNKNOWN)

    async def refund_query(self, refund: Refund) -> RefundAnswer:
        body = {"out_trade_no": refund.payment_number, "out_request_no": refund.number}
        said = await self._ask("fastpay/refund/query", body)
        if said is None:
            return RefundAnswer(result=RefundResult.UNKNOWN)
        if said.text("code") == "10000":  # "the query went well", not "the refund did"
            done = said.text("refund_status") == "REFUND_SUCCESS"
            known = said.text("out_request_no") is not None
            missing = RefundResult.PENDING if known else RefundResult.NOT_KNOWN
            return RefundAnswer(result=RefundResult.DONE if done else missing)
        unknown_there = said.text("sub_code") in {"ACQ.TRADE_NOT_EXIST", "ACQ.REFUND_NOT_EXIST"}
        return RefundAnswer(result=RefundResult.NOT_KNOWN if unknown_there else RefundResult.UNKNOWN)

    async def _ask(self, call: str, body: dict[str, str]) -> Said | None:
        said = await self.link.ask("POST", f"/v3/alipay/trade/{call}", body)
        return said if said is not None and said.status in {HTTPStatus.OK, NOT_SENT} else None


def yuan(amount_minor: int) -> str:
    """12.34 of 1234 fen."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _state(said: Said, payment: Payment) -> Result:
    result = _STATES.get(said.text("trade_status") or "", Result.UNKNOWN)
    if result is Result.CLOSED and said.text("send_pay_date") is not None:
        result = Result.PAID  # TRADE_CLOSED means "closed unpaid" and also "captured, then refunded in full"
    amount = said.text("total_amount")
    if result is Result.PAID and amount is not None and amount != yuan(payment.amount_minor):
        return Result.UNKNOWN
    return result


def _sub_code(said: Said | None) -> Result:
    return Result.UNKNOWN if said is None else _SUB_CODES.get(said.text("sub_code") or "", Result.UNKNOWN)
