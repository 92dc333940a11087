"""What does a provider put on its bill?

Captures and completed refunds, from the ledger. WeChat Pay and Alipay give a
link to a file of one day in Beijing time, with amounts in yuan, though their
calls speak in fen; the card acquirer pages through balance transactions in
cents. A link names the last `seq` it covers, so the same link gives the same
file. A capture that a fault planted as missing is left out, and what it planted
as extra stands there like a capture. Left out: the wait until the next morning,
compression, WeChat Pay's hash; a balance transaction names its payment intent
without being asked to expand its source.
"""

import csv
import hmac
import io
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from compose.providers.book import Book
from compose.providers.ledger import LAST_SEQ
from compose.providers.wire import Answer, Malformed, Wire, in_yuan, json_answer

BEIJING = timezone(timedelta(hours=8))
BALANCE_LIMIT = 100
ROWS_A_PAGE = 1_000
"""Read and sent at a time."""

BILLED = """
WITH billed AS (                         -- what the bill says, which a fault can make another thing than the truth
    SELECT l.seq, CASE l.kind WHEN 'bill_planted' THEN 'captured' ELSE l.kind END AS kind, l.utc_ms, l.number,
           l.refund_number, l.amount_minor, l.currency
    FROM ledger AS l WHERE l.kind = 'refunded' OR (l.kind = 'bill_planted' AND l.note = 'extra')
        OR (l.kind = 'captured' AND NOT EXISTS (
            SELECT 1 FROM ledger AS p WHERE p.kind = 'bill_planted' AND p.note = 'missing' AND p.number = l.number)))
"""
LINES = f"""{BILLED}
SELECT l.seq, l.kind, l.utc_ms, l.number, l.refund_number, l.amount_minor, l.currency,
       coalesce(t.trade_id, l.number), t.merchant, t.merchant_data, coalesce(t.amount_minor, l.amount_minor),
       r.refund_id
FROM billed l LEFT JOIN trades t ON t.number = l.number
LEFT JOIN refunds r ON r.number = l.number AND r.refund_number = l.refund_number AND l.kind = 'refunded'
WHERE l.seq > ? AND l.seq <= ? AND l.utc_ms >= ? AND l.utc_ms < ?
ORDER BY l.seq LIMIT ?
"""
BALANCE = f"""{BILLED}
SELECT l.seq, l.kind, l.utc_ms, l.number, l.amount_minor, l.currency, coalesce(l.refund_number, t.trade_id, l.number)
FROM billed l LEFT JOIN trades t ON t.number = l.number
WHERE l.seq < ? ORDER BY l.seq DESC LIMIT ?
"""

WECHAT_HEAD = (
    "交易时间",
    "商户号",
    "微信订单号",
    "商户订单号",
    "交易状态",
    "货币种类",
    "应结订单金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "退款状态",
    "商户数据包",
    "订单金额",
)
ALIPAY_HEAD = (
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "完成时间",
    "订单金额",
    "商家实收",
    "退款批次号/请求号",
    "备注",
)

TOKEN = re.compile(r"(\d{4}-\d{2}-\d{2})\.([A-Z]+)\.(\d{1,18})\.([0-9a-f]{64})\Z")
KINDS = {"ALL": ("captured", "refunded"), "SUCCESS": ("captured",), "REFUND": ("refunded",)}


@dataclass(frozen=True, kw_only=True, slots=True)
class BillFile:
    """What a link stands for."""

    day: str
    """Beijing date."""
    kind: str
    """"ALL", "SUCCESS" or "REFUND"."""
    until_seq: int


def answer_wechat_bill(wire: Wire, book: Book, key: str) -> Answer:
    """GET /v3/bill/tradebill?bill_date=&bill_type= -> a link."""
    kind = wire.query.get("bill_type", "ALL")
    if kind not in KINDS:
        raise Malformed("bill_type")
    bill = BillFile(day=_day(wire.query.get("bill_date")), kind=kind, until_seq=_last_seq(book))
    return json_answer(200, {"download_url": _link(wire, bill, key)})


def answer_alipay_bill(wire: Wire, book: Book, key: str) -> Answer:
    """POST .../bill/downloadurl/query {bill_type, bill_date} -> a link."""
    if wire.fields.text("bill_type") not in {"trade", "signcustomer"}:
        raise Malformed("bill_type")
    bill = BillFile(day=_day(wire.fields.text("bill_date")), kind="ALL", until_seq=_last_seq(book))
    return json_answer(200, {"code": "10000", "msg": "Success", "bill_download_url": _link(wire, bill, key)})


def answer_balance_transactions(wire: Wire, book: Book) -> Answer:
    """GET /v1/balance_transactions?limit=&starting_after= -> newest first."""
    limit_text, after = wire.query.get("limit", "10"), wire.query.get("starting_after")
    if not limit_text.isdecimal() or not 1 <= int(limit_text) <= BALANCE_LIMIT:
        raise Malformed("limit")
    if after is not None and not re.fullmatch(r"txn_\d{24}", after):
        raise Malformed("starting_after")
    limit, before = int(limit_text), 2**62 if after is None else int(after.removeprefix("txn_"))
    rows = book.transaction.execute(BALANCE, before, limit + 1).fetchall()
    data = [
        {
            "id": f"txn_{seq:024d}",
            "object": "balance_transaction",
            "amount": amount if kind == "captured" else -amount,
            "currency": currency.lower(),
            "type": "charge" if kind == "captured" else "refund",
            "source": source,
            "payment_intent": number,
            "created": utc_ms // 1000,
        }
        for seq, kind, utc_ms, number, amount, currency, source in rows[:limit]
    ]
    return json_answer(200, {"object": "list", "data": data, "has_more": len(rows) > limit})


def read_link(token: str, key: str) -> BillFile | None:
    """What the token of a link stands for; None where this provider did not sign it."""
    found = TOKEN.match(token)
    if found is None or found[2] not in KINDS:
        return None
    bill = BillFile(day=found[1], kind=found[2], until_seq=int(found[3]))
    return bill if hmac.compare_digest(found[4], _signature(bill, key)) else None


def bill_head(provider: str) -> bytes:
    """The first line of the file."""
    return _csv([WECHAT_HEAD if provider == "wechat" else ALIPAY_HEAD])


def bill_page(
    connection: sqlite3.Connection, provider: str, bill: BillFile, after_seq: int
) -> tuple[bytes, int | None]:
    """Lines behind `after_seq`, and where to go on; None at the end."""
    start_ms = round(datetime.fromisoformat(bill.day).replace(tzinfo=BEIJING).timestamp() * 1000)
    values = (after_seq, bill.until_seq, start_ms, start_ms + 86_400_000, ROWS_A_PAGE)
    rows = connection.execute(LINES, values).fetchall()
    line: Callable[[tuple[Any, ...]], Sequence[str]] = _wechat_line if provider == "wechat" else _alipay_line
    text = _csv([line(row) for row in rows if row[1] in KINDS[bill.kind]])
    return text, rows[-1][0] if len(rows) == ROWS_A_PAGE else None


def _wechat_line(row: tuple[Any, ...]) -> Sequence[str]:
    _, kind, utc_ms, number, refund_number, amount, currency, trade_id, merchant, data, total, refund_id = row
    paid = kind == "captured"
    state, due = ("SUCCESS", in_yuan(total)) if paid else ("REFUND", "0.00")
    refund = ("0", "0", "0.00", "") if paid else (refund_id, refund_number, in_yuan(amount), "SUCCESS")
    what = (_time(utc_ms), merchant or "", trade_id, number, state, currency, due)
    return [f"`{cell}" for cell in (*what, *refund, data or "", in_yuan(total))]


def _alipay_line(row: tuple[Any, ...]) -> Sequence[str]:
    _, kind, utc_ms, number, refund_number, amount, _, trade_id, _, data, total, _ = row
    what, received = ("交易", in_yuan(amount)) if kind == "captured" else ("退款", f"-{in_yuan(amount)}")
    return [trade_id, number, what, _time(utc_ms), in_yuan(total), received, refund_number or "", data or ""]


def _csv(lines: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue().encode()


def _link(wire: Wire, bill: BillFile, key: str) -> str:
    return f"{wire.base_url}/bill/{bill.day}.{bill.kind}.{bill.until_seq}.{_signature(bill, key)}"


def _signature(bill: BillFile, key: str) -> str:
    return hmac.new(key.encode(), f"{bill.day}\n{bill.kind}\n{bill.until_seq}\n".encode(), "sha256").hexdigest()


def _day(text: str | None) -> str:
    try:
        return datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=BEIJING).date().isoformat()
    except ValueError as exc:
        raise Malformed("bill_date") from exc


def _last_seq(book: Book) -> int:
    seq: int = book.transaction.execute(LAST_SEQ).fetchone()[0]
    return seq


def _time(utc_ms: int) -> str:
    return f"{datetime.fromtimestamp(utc_ms / 1000, BEIJING):%Y-%m-%d %H:%M:%S}"
