"""What stands on the providers' bills, in one form?

WeChat Pay and Alipay give a link to a day's CSV file, in Beijing time and in yuan; the card acquirer
pages through balance transactions in cents, newest first. Everything here is in minor units and UTC.
Bills are read over connections of their own and with a limit of their own, so that reconciliation
neither waits for charges nor holds them up.
"""

import csv
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from compose.payment_api.model import Method
from compose.payment_api.wire import CallFailed, Wire

BEIJING = timezone(timedelta(hours=8))
CALL_LIMIT_S = 2.0
PAGES_MAX = 200
"""Of balance transactions, a hundred each."""
_PAID_WORDS = frozenset({"SUCCESS", "交易"})


class BillUnread(Exception):
    """A bill could not be had, or is not what it must be; what it says is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One movement of money as a provider bills it."""

    number: str
    """Of a capture the number of the charge, of a refund the refund's own."""
    is_refund: bool
    amount_minor: int
    at: datetime
    """To the second, rounded down."""


class _Transaction(msgspec.Struct, frozen=True):
    id: str
    amount: int
    type: str
    source: str
    payment_intent: str
    created: int


class _Transactions(msgspec.Struct, frozen=True):
    data: list[_Transaction]
    has_more: bool


class _Link(msgspec.Struct, frozen=True):
    download_url: str | None = None
    bill_download_url: str | None = None


class Bills:
    """The bills of all providers."""

    def __init__(self, wires: Mapping[Method, Wire]) -> None:
        self._wires = wires

    async def read(self, method: Method, since: datetime, until: datetime) -> list[Line]:
        """Every line from `since` until now (`until`), as billed by now; raises BillUnread."""
        try:
            if method is Method.CARD:
                lines = [line async for line in self._transactions(since)]
            else:
                lines = [line for day in _days(since, until) for line in await self._file(method, day)]
        except (CallFailed, ValueError, IndexError, msgspec.MsgspecError) as exc:
            raise BillUnread(f"bill of {method}: {type(exc).__name__}: {exc}") from exc
        return [line for line in lines if line.at >= since.replace(microsecond=0)]

    async def _file(self, method: Method, day: date) -> Sequence[Line]:
        if method is Method.WECHAT:
            said = await self._call(method, "GET", f"/v3/bill/tradebill?bill_date={day}&bill_type=ALL")
        else:
            asked = {"bill_type": "trade", "bill_date": str(day)}
            path = "/v3/alipay/data/dataservice/bill/downloadurl/query"
            said = await self._call(method, "POST", path, asked)
        link = msgspec.json.decode(said, type=_Link)
        url = link.download_url or link.bill_download_url
        if url is None:
            raise BillUnread(f"bill of {method}: no link to it")
        text = await self._call(method, "GET", urlsplit(url).path)
        rows = csv.reader(text.decode().splitlines())
        next(rows)  # the heading
        return [(_of_wechat if method is Method.WECHAT else _of_alipay)(row) for row in rows]

    async def _transactions(self, since: datetime) -> AsyncIterator[Line]:
        after = ""
        for _ in range(PAGES_MAX):
            said = await self._call(Method.CARD, "GET", f"/v1/balance_transactions?limit=100{after}")
            page = msgspec.json.decode(said, type=_Transactions)
            for entry in page.data:
                yield _of_card(entry)
            if not page.has_more or datetime.fromtimestamp(page.data[-1].created, UTC) < since:
                return
            after = f"&starting_after={page.data[-1].id}"
        raise BillUnread(f"bill of {Method.CARD}: more than {PAGES_MAX} pages")

    async def _call(self, method: Method, verb: str, path: str, body: object = None) -> bytes:
        reply = await self._wires[method].call(verb, path, body=body, limit_s=CALL_LIMIT_S)
        if reply.status != HTTPStatus.OK:
            raise BillUnread(f"bill of {method}: answered {reply.status}")
        return reply.body


def _of_wechat(row: Sequence[str]) -> Line:
    cells = [cell.removeprefix("`") for cell in row]
    at, number, state, due, refund_number, refunded = cells[0], cells[3], cells[4], cells[6], cells[8], cells[9]
    paid = state in _PAID_WORDS
    return Line(
        number=number if paid else refund_number,
        is_refund=not paid,
        amount_minor=_minor(due if paid else refunded),
        at=_instant(at),
    )


def _of_alipay(row: Sequence[str]) -> Line:
    number, what, at, received, refund_number = row[1], row[2], row[3], row[5], row[6]
    paid = what in _PAID_WORDS
    return Line(
        number=number if paid else refund_number,
        is_refund=not paid,
        amount_minor=_minor(received.removeprefix("-")),
        at=_instant(at),
    )


def _of_card(entry: _Transaction) -> Line:
    paid = entry.type == "charge"
    return Line(
        number=entry.payment_intent if paid else entry.source,
        is_refund=not paid,
        amount_minor=abs(entry.amount),
        at=datetime.fromtimestamp(entry.created, UTC),
    )


def _minor(yuan: str) -> int:
    """Fen, or cents, of a decimal text such as 12.30; never by way of a float."""
    whole, _, part = yuan.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)


def _days(since: datetime, until: datetime) -> Iterator[date]:
    """Days of Beijing from one instant to another: what a night divides is on two bills."""
    day, last = since.astimezone(BEIJING).date(), until.astimezone(BEIJING).date()
    while day <= last:
        yield day
        day += timedelta(days=1)
