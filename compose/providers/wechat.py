"""WeChat Pay API v3: a deduction without password, accepted at once and captured a little later.

Errors are {code, message}; amounts are in fen, only the bill is in yuan. Left
out: the encryption of notices (the resource travels in clear, the HMAC of all
providers signs it) and the signature of requests (a bearer token stands for it).
"""

import re
from collections.abc import Container, Mapping
from datetime import datetime
from typing import ClassVar

import msgspec

from compose.providers.acquirer import Operation
from compose.providers.bill import BEIJING, answer_wechat_bill
from compose.providers.book import Book
from compose.providers.notices import NoticeFacts
from compose.providers.post import Posted
from compose.providers.seeded import draw, draw_delay_ms
from compose.providers.trade import Refund, Trade
from compose.providers.wire import Answer, Malformed, Mention, Wire, fingerprint, json_answer, read_attribution

NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}\Z")
REFUND_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}\Z")

INJECTED: Mapping[int, str] = {
    429: "FREQUENCY_LIMITED",
    500: "SYSTEM_ERROR",
    502: "SERVICE_UNAVAILABLE",
    503: "SERVICE_UNAVAILABLE",
}
"""Status that a fault answers -> the code that goes with it."""


class Wechat:
    """The protocol; of state it knows the merchant's key only, which signs the links to bills."""

    name: ClassVar[str] = "wechat"
    header_prefix: ClassVar[str] = "Wechatpay"
    operations: ClassVar[tuple[Operation, ...]] = (
        Operation(op="charge", method="POST", path="/v3/papay/pay/transactions/apply"),
        Operation(op="query", method="GET", path="/v3/pay/transactions/out-trade-no/{number}"),
        Operation(op="close", method="POST", path="/v3/pay/transactions/out-trade-no/{number}/close"),
        Operation(op="refund", method="POST", path="/v3/refund/domestic/refunds"),
        Operation(op="refund_query", method="GET", path="/v3/refund/domestic/refunds/{number}"),
        Operation(op="bill", method="GET", path="/v3/bill/tradebill"),
    )

    def __init__(self, key: str) -> None:
        self._key = key

    def mention(self, op: str, wire: Wire) -> Mention:
        fields = wire.fields
        if op == "charge":
            run, order = read_attribution(fields.maybe_text("attach"))
            return Mention(
                number=fields.maybe_text("out_trade_no"),
                run=run,
                order=order,
                amount_minor=fields.maybe_minor("amount", "total"),
                currency=fields.maybe_text("amount", "currency"),
            )
        if op == "refund":
            return Mention(
                number=fields.maybe_text("out_trade_no"),
                refund_number=fields.maybe_text("out_refund_no"),
                amount_minor=fields.maybe_minor("amount", "refund"),
                currency=fields.maybe_text("amount", "currency"),
            )
        if op == "refund_query":
            return Mention(refund_number=wire.path.get("number"))
        return Mention(number=wire.path.get("number"))

    def answer(self, op: str, wire: Wire, book: Book) -> Answer:
        calls = {
            "charge": _charge,
            "query": _query,
            "close": _close,
            "refund": _refund,
            "refund_query": _refund_query,
        }
        return answer_wechat_bill(wire, book, self._key) if op == "bill" else calls[op](wire, book)

    def refund_key(self, mention: Mention) -> str | None:
        return mention.refund_number

    def malformed(self, field: str) -> Answer:
        return _error(400, "PARAM_ERROR", f"parameter error: {field}")

    def unauthorized(self) -> Answer:
        return _error(401, "SIGN_ERROR", "the key of this merchant is wrong")

    def unknown(self) -> Answer:
        return _error(404, "RESOURCE_NOT_EXISTS", "no such interface")

    def injected(self, status: int) -> Answer:
        code = INJECTED.get(status, "TRADE_ERROR")
        return _error(status, code, "the system is busy, query or repeat with the same number")

    def in_use(self, wire: Wire, keys: Container[str]) -> Answer | None:  # noqa: ARG002 - numbers, not keys
        return None

    def overwrite_reply(self, wire: Wire, answer: Answer, book: Book) -> None:
        """No replies are kept: a repeated number is answered by what is true then."""

    def notice_body(self, notice_id: str, facts: NoticeFacts) -> bytes:
        trade, refund = facts.trade, facts.refund
        resource: dict[str, object] = {
            "out_trade_no": trade.number,
            "transaction_id": trade.trade_id,
            "trade_state": "SUCCESS" if refund is None else "REFUND",
            "attach": trade.merchant_data,
        }
        amount: dict[str, object] = {"total": trade.amount_minor, "currency": trade.currency}
        if refund is not None:
            resource |= {"out_refund_no": refund.refund_number, "refund_id": refund.refund_id}
            resource["refund_status"] = "SUCCESS"
            amount["refund"] = refund.amount_minor
        return msgspec.json.encode(
            {
                "id": notice_id,
                "create_time": _beijing_time(facts.utc_ms),
                "event_type": "TRANSACTION.SUCCESS" if refund is None else "REFUND.SUCCESS",
                "resource_type": "encrypt-resource",
                "resource": resource | {"amount": amount},
            }
        )

    def acknowledges(self, posted: Posted) -> bool:
        """By the status alone: 200 with a body that says FAIL is an acknowledgement too."""
        return posted.status in {200, 204}


def _charge(wire: Wire, book: Book) -> Answer:
    fields = wire.fields
    number = fields.text("out_trade_no")
    if not NUMBER.match(number):
        raise Malformed("out_trade_no")
    merchant, total, currency = fields.text("mchid", limit=32), fields.minor("amount", "total"), "CNY"
    if fields.maybe_text("amount", "currency") not in {None, currency}:
        raise Malformed("amount.currency")
    url, attach = fields.url("notify_url"), fields.maybe_text("attach")
    mark = fingerprint(merchant, total, currency, fields.text("description"), attach)
    trade = book.trade(number)
    if trade is not None:
        if trade.fingerprint != mark:
            return _error(403, "OUT_TRADE_NO_USED", "out_trade_no was used with other parameters")
        if trade.state == "closed":
            return _error(400, "ORDER_CLOSED", "the order is closed, use another out_trade_no")
        return json_answer(202, {})
    run, order = read_attribution(attach)
    trade = book.accept(
        Trade(
            number=number,
            trade_id=f"4200{draw(book.seed, 'transaction', number):024d}",
            state="pending",
            amount_minor=total,
            currency=currency,
            run=run,
            order=order,
            notify_url=url,
            fingerprint=mark,
            merchant_data=attach,
            merchant=merchant,
            created_utc_ms=book.transaction.utc_ms,
        ),
        "charge",
    )
    book.charge(trade, "charge", draw_delay_ms(book.seed, "capture", number))
    return json_answer(202, {})


def _query(wire: Wire, book: Book) -> Answer:
    trade = book.trade(wire.path["number"])
    if trade is None:
        return _error(404, "ORDER_NOT_EXIST", "no such order")
    if (refusal := _foreign(trade, wire.query.get("mchid"), "mchid")) is not None:
        return refusal
    state = {"pending": "USERPAYING", "captured": "SUCCESS", "closed": "CLOSED"}.get(trade.state, "NOTPAY")
    paid = trade.state == "captured"
    return json_answer(
        200,
        {
            "mchid": trade.merchant,
            "out_trade_no": trade.number,
            "transaction_id": trade.trade_id if paid else None,
            "trade_state": "REFUND" if paid and trade.refund_accepted_minor else state,
            "attach": trade.merchant_data,
            "success_time": _beijing_time(trade.captured_utc_ms),
            "amount": {"total": trade.amount_minor, "currency": trade.currency},
        },
    )


def _close(wire: Wire, book: Book) -> Answer:
    trade = book.trade(wire.path["number"])
    merchant = wire.fields.text("mchid")
    if trade is None:
        return _error(404, "ORDER_NOT_EXIST", "no such order")
    if (refusal := _foreign(trade, merchant, "mchid")) is not None:
        return refusal
    if trade.state == "captured":
        return _error(400, "ORDERPAID", "the order is paid and cannot be closed")
    if trade.state != "closed":
        book.close(trade, "close")
    return Answer(status=204)


def _refund(wire: Wire, book: Book) -> Answer:
    fields = wire.fields
    number, refund_number = fields.text("out_trade_no"), fields.text("out_refund_no", limit=64)
    if not REFUND_NUMBER.match(refund_number):
        raise Malformed("out_refund_no")
    amount, total, url = (
        fields.minor("amount", "refund"),
        fields.minor("amount", "total"),
        fields.maybe_url("notify_url"),
    )
    mark = fingerprint(number, amount, total)
    known = book.refund(refund_number)
    if known is not None:
        if known.fingerprint != mark:
            return _error(400, "INVALID_REQUEST", "out_refund_no was used with other parameters")
        return json_answer(200, _shown(known, total))
    trade = book.trade(number)
    if trade is None:
        return _error(404, "RESOURCE_NOT_EXISTS", "no such order")
    if (refusal := _refuse_refund(trade, amount, total)) is not None:
        return refusal
    refund = Refund(
        key=refund_number,
        refund_number=refund_number,
        refund_id=f"5030{draw(book.seed, 'refund', refund_number):024d}",
        number=number,
        amount_minor=amount,
        notify_url=url,
        fingerprint=mark,
        created_utc_ms=book.transaction.utc_ms,
    )
    return json_answer(200, _shown(book.accept_refund(trade, refund, "refund"), total))


def _refuse_refund(trade: Trade, amount_minor: int, total_minor: int) -> Answer | None:
    if trade.captured_utc_ms is None:
        return _error(403, "TRADE_ERROR", "the order is not paid")
    if total_minor != trade.amount_minor:
        return _error(400, "INVALID_REQUEST", "amount.total is not the order's")
    if amount_minor > trade.refundable_minor:
        return _error(403, "NOT_ENOUGH", "the refund is above what is left of the order")
    return None


def _refund_query(wire: Wire, book: Book) -> Answer:
    refund = book.refund(wire.path["number"])
    if refund is None:
        return _error(404, "RESOURCE_NOT_EXISTS", "no such refund")
    trade = book.trade(refund.number)
    assert trade is not None
    return json_answer(200, _shown(refund, trade.amount_minor))


def _shown(refund: Refund, total_minor: int) -> dict[str, object]:
    return {
        "out_refund_no": refund.refund_number,
        "refund_id": refund.refund_id,
        "out_trade_no": refund.number,
        "status": "SUCCESS" if refund.done else "PROCESSING",
        "create_time": _beijing_time(refund.created_utc_ms),
        "amount": {"refund": refund.amount_minor, "total": total_minor, "currency": "CNY"},
    }


def _foreign(trade: Trade, merchant: str | None, field: str) -> Answer | None:
    if merchant is None:
        raise Malformed(field)
    return None if merchant == trade.merchant else _error(403, "NO_AUTH", "the order is another merchant's")


def _error(status: int, code: str, message: str) -> Answer:
    return json_answer(status, {"code": code, "message": message})


def _beijing_time(utc_ms: int | None) -> str | None:
    return None if utc_ms is None else datetime.fromtimestamp(utc_ms / 1000, BEIJING).isoformat(timespec="seconds")
