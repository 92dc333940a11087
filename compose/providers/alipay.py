"""Alipay's REST interface, v3: paid at once, or "order paying" (10003) and captured a little later.

Every answer is HTTP 200; `code` tells: 10000 done, 10003 pending, 20000 unknown,
40004 refused with a `sub_code` ACQ.*. Amounts are texts in yuan. Two traps of the
real one are kept: TRADE_CLOSED means "closed unpaid" and "refunded in full", and a
refund query that answers 10000 says nothing unless it carries refund_status.
"""

from collections.abc import Container
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

import msgspec

from compose.providers.acquirer import Operation
from compose.providers.bill import BEIJING, answer_alipay_bill
from compose.providers.book import Book
from compose.providers.notices import NoticeFacts
from compose.providers.post import Posted
from compose.providers.seeded import draw, draw_delay_ms
from compose.providers.trade import Refund, Trade
from compose.providers.wire import Answer, Mention, Wire, fingerprint, in_yuan, json_answer, read_attribution

PENDING_ONE_IN = 3
"""One number in so many is pending first."""


class Alipay:
    """The protocol; of state it knows the merchant's key only, which signs the links to bills."""

    name: ClassVar[str] = "alipay"
    header_prefix: ClassVar[str] = "Alipay"
    operations: ClassVar[tuple[Operation, ...]] = (
        Operation(op="charge", method="POST", path="/v3/alipay/trade/pay"),
        Operation(op="query", method="POST", path="/v3/alipay/trade/query"),
        Operation(op="close", method="POST", path="/v3/alipay/trade/close"),
        Operation(op="cancel", method="POST", path="/v3/alipay/trade/cancel"),
        Operation(op="refund", method="POST", path="/v3/alipay/trade/refund"),
        Operation(op="refund_query", method="POST", path="/v3/alipay/trade/fastpay/refund/query"),
        Operation(op="bill", method="POST", path="/v3/alipay/data/dataservice/bill/downloadurl/query"),
    )

    def __init__(self, key: str) -> None:
        self._key = key

    def mention(self, op: str, wire: Wire) -> Mention:
        fields = wire.fields
        run, order = read_attribution(fields.maybe_text("passback_params"))
        amount = {"charge": "total_amount", "refund": "refund_amount"}.get(op)
        return Mention(
            number=fields.maybe_text("out_trade_no"),
            refund_number=fields.maybe_text("out_request_no"),
            run=run,
            order=order,
            amount_minor=None if amount is None else fields.maybe_yuan(amount),
            currency=None if amount is None else "CNY",
        )

    def refund_key(self, mention: Mention) -> str | None:
        """A request number is unique within its trade only."""
        if mention.number is None or mention.refund_number is None:
            return None
        return f"{mention.number}/{mention.refund_number}"

    def answer(self, op: str, wire: Wire, book: Book) -> Answer:
        calls = {
            "charge": _pay,
            "query": _query,
            "close": _close,
            "cancel": _cancel,
            "refund": _refund,
            "refund_query": _refund_query,
        }
        return answer_alipay_bill(wire, book, self._key) if op == "bill" else calls[op](wire, book)

    def malformed(self, field: str) -> Answer:
        return _refused("ACQ.INVALID_PARAMETER", f"parameter error: {field}")

    def unauthorized(self) -> Answer:
        return _error(401, "40002", "Invalid Arguments", "isv.invalid-signature", "the key of this merchant is wrong")

    def unknown(self) -> Answer:
        return _error(404, "40002", "Invalid Arguments", "isv.invalid-method", "no such interface")

    def injected(self, status: int) -> Answer:
        return _error(status, "20000", "Service Currently Unavailable", "ACQ.SYSTEM_ERROR", "system error")

    def in_use(self, wire: Wire, keys: Container[str]) -> Answer | None:  # noqa: ARG002 - numbers, not keys
        return None

    def overwrite_reply(self, wire: Wire, answer: Answer, book: Book) -> None:
        """No replies are kept: a repeated number is answered by what is true then."""

    def notice_body(self, notice_id: str, facts: NoticeFacts) -> bytes:
        trade, refund = facts.trade, facts.refund
        told: dict[str, object] = {
            "notify_id": notice_id,
            "notify_type": "trade_status_sync" if refund is None else "refund",
            "notify_time": _time(facts.utc_ms),
            "out_trade_no": trade.number,
            "trade_no": trade.trade_id,
            "trade_status": _status(trade),
            "total_amount": in_yuan(trade.amount_minor),
            "passback_params": trade.merchant_data,
        }
        if refund is not None:
            told |= {"out_request_no": refund.refund_number, "refund_fee": in_yuan(refund.amount_minor)}
        return msgspec.json.encode(told)

    def acknowledges(self, posted: Posted) -> bool:
        """By the seven characters `success`, whatever the status below 300."""
        return posted.status < HTTPStatus.MULTIPLE_CHOICES and posted.body.strip() == b"success"


def _pay(wire: Wire, book: Book) -> Answer:
    fields = wire.fields
    number, total, url = fields.text("out_trade_no", limit=64), fields.yuan("total_amount"), fields.url("notify_url")
    passback = fields.maybe_text("passback_params")
    mark = fingerprint(total, fields.text("subject"), passback, fields.maybe_text("auth_no"))
    trade = book.trade(number)
    if trade is None:
        run, order = read_attribution(passback)
        trade = book.accept(
            Trade(
                number=number,
                trade_id=f"2026{draw(book.seed, 'trade', number):024d}",
                state="pending",
                amount_minor=total,
                currency="CNY",
                run=run,
                order=order,
                notify_url=url,
                fingerprint=mark,
                merchant_data=passback,
                created_utc_ms=book.transaction.utc_ms,
            ),
            "charge",
        )
        asks_password = draw(book.seed, "pending", number) % PENDING_ONE_IN == 0
        trade = book.charge(trade, "charge", draw_delay_ms(book.seed, "capture", number) if asks_password else None)
    elif trade.captured_utc_ms is None and trade.state == "closed":
        return _refused("ACQ.TRADE_HAS_CLOSE", "the trade is closed")
    elif trade.fingerprint != mark:
        return _refused("ACQ.CONTEXT_INCONSISTENT", "out_trade_no was used with other parameters")
    if trade.state == "pending":
        return _told("10003", "order success pay inprocess", trade, trade_status="WAIT_BUYER_PAY")
    return _told("10000", "Success", trade, trade_status="TRADE_SUCCESS", gmt_payment=_time(trade.captured_utc_ms))


def _query(wire: Wire, book: Book) -> Answer:
    trade = book.trade(wire.fields.text("out_trade_no", limit=64))
    if trade is None:
        return _not_existing()
    paid = _time(trade.captured_utc_ms)
    return _told("10000", "Success", trade, trade_status=_status(trade), send_pay_date=paid)


def _close(wire: Wire, book: Book) -> Answer:
    trade = book.trade(wire.fields.text("out_trade_no", limit=64))
    if trade is None:
        return _not_existing()
    if trade.captured_utc_ms is not None:
        if trade.refundable_minor == 0:
            return _refused("ACQ.REASON_TRADE_STATUS_INVALID", "the trade is refunded in full")
        return _refused("ACQ.TRADE_STATUS_ERROR", "the trade is paid")
    if trade.state != "closed":
        book.close(trade, "close")
    return _told("10000", "Success", trade)


def _cancel(wire: Wire, book: Book) -> Answer:
    number = wire.fields.text("out_trade_no", limit=64)
    trade = book.trade(number)
    if trade is None:
        trade = book.bar(_barred(number, book), "cancel")
    elif trade.captured_utc_ms is not None:
        if trade.refundable_minor:
            request_number = f"cancel-{number}"
            book.accept_refund(trade, _new_refund(trade, request_number, trade.refundable_minor, None, book), "cancel")
        return _told("10000", "Success", trade, retry_flag="N", action="refund")
    elif trade.state != "closed":
        book.close(trade, "cancel")
    return _told("10000", "Success", trade, retry_flag="N", action="close")


def _refund(wire: Wire, book: Book) -> Answer:
    fields = wire.fields
    number, amount = fields.text("out_trade_no", limit=64), fields.yuan("refund_amount")
    url, request_number = fields.maybe_url("notify_url"), fields.maybe_text("out_request_no")
    trade = book.trade(number)
    if trade is None:
        return _not_existing()
    if request_number is None and amount != trade.amount_minor:
        return _refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "a partial refund needs out_request_no")
    request_number = request_number or number
    known = book.refund(f"{number}/{request_number}")
    if known is not None:
        if known.amount_minor != amount:
            return _refused("ACQ.DISCORDANT_REPEAT_REQUEST", "out_request_no was used with another amount")
        return _refund_told(trade, known, fund_change="N")
    if (refusal := _refuse_refund(trade, amount)) is not None:
        return refusal
    refund = book.accept_refund(trade, _new_refund(trade, request_number, amount, url, book), "refund")
    return _refund_told(trade, refund, fund_change="Y")


def _refuse_refund(trade: Trade, amount_minor: int) -> Answer | None:
    if trade.captured_utc_ms is None:
        return _refused("ACQ.TRADE_STATUS_ERROR", "the trade is not paid")
    if amount_minor > trade.refundable_minor:
        return _refused("ACQ.REASON_TRADE_REFUND_FEE_ERR", "the refund is above what is left of the trade")
    return None


def _refund_query(wire: Wire, book: Book) -> Answer:
    number, request_number = wire.fields.text("out_trade_no", limit=64), wire.fields.text("out_request_no")
    trade, refund = book.trade(number), book.refund(f"{number}/{request_number}")
    if trade is None:
        return _not_existing()
    if refund is None:
        return json_answer(200, {"code": "10000", "msg": "Success"})
    return _told(
        "10000",
        "Success",
        trade,
        out_request_no=request_number,
        refund_amount=in_yuan(refund.amount_minor),
        refund_status="REFUND_SUCCESS" if refund.done else "REFUND_PROCESSING",
    )


def _new_refund(trade: Trade, request_number: str, amount_minor: int, url: str | None, book: Book) -> Refund:
    return Refund(
        key=f"{trade.number}/{request_number}",
        refund_number=request_number,
        refund_id=request_number,
        number=trade.number,
        amount_minor=amount_minor,
        notify_url=url,
        fingerprint=fingerprint(amount_minor),
        created_utc_ms=book.transaction.utc_ms,
    )


def _barred(number: str, book: Book) -> Trade:
    """What stands for a number that was cancelled before its charge arrived; no charge has its fingerprint."""
    return Trade(
        number=number,
        trade_id=f"2026{draw(book.seed, 'trade', number):024d}",
        state="closed",
        amount_minor=0,
        currency="CNY",
        run=None,
        order=None,
        notify_url=None,
        fingerprint="",
        created_utc_ms=book.transaction.utc_ms,
    )


def _status(trade: Trade) -> str:
    if trade.captured_utc_ms is None:
        return "TRADE_CLOSED" if trade.state == "closed" else "WAIT_BUYER_PAY"
    return "TRADE_SUCCESS" if trade.refundable_minor else "TRADE_CLOSED"


def _refund_told(trade: Trade, refund: Refund, *, fund_change: str) -> Answer:
    return _told(
        "10000",
        "Success",
        trade,
        out_request_no=refund.refund_number,
        refund_fee=in_yuan(refund.amount_minor),
        fund_change=fund_change,
    )


def _told(code: str, msg: str, trade: Trade, **more: str | None) -> Answer:
    what = {"code": code, "msg": msg, "out_trade_no": trade.number, "trade_no": trade.trade_id}
    amount = in_yuan(trade.amount_minor) if trade.amount_minor else None
    return json_answer(200, {**what, "total_amount": amount, **more})


def _not_existing() -> Answer:
    return _refused("ACQ.TRADE_NOT_EXIST", "no such trade")


def _refused(sub_code: str, sub_msg: str) -> Answer:
    return _error(200, "40004", "Business Failed", sub_code, sub_msg)


def _error(status: int, code: str, msg: str, sub_code: str, sub_msg: str) -> Answer:
    return json_answer(status, {"code": code, "msg": msg, "sub_code": sub_code, "sub_msg": sub_msg})


def _time(utc_ms: int | None) -> str | None:
    return None if utc_ms is None else f"{datetime.fromtimestamp(utc_ms / 1000, BEIJING):%Y-%m-%d %H:%M:%S}"
