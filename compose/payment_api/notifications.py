"""What does a provider's notice say, and is it the provider who says it?

The signature covers timestamp, nonce and the raw body; one that is older than
five minutes is refused whatever its signature. Only a notice about a capture of
the right amount, or about a refund of ours, is booked; 404 and 409 leave it
unacknowledged, so that the provider comes again (our own commit may be on its way).
Notices come in any order and any number: what is booked is booked.
"""

import asyncio
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from compose.payment_api.background import Background
from compose.payment_api.books import Books
from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.errors import ApiError
from compose.payment_api.model import Method, PaymentState
from compose.payment_api.providers.alipay import yuan
from compose.payment_api.providers.link import Said
from compose.payment_api.refunder import Refunder
from compose.payment_api.releaser import Releaser

FIND_PAYMENT = "SELECT id, order_id, state, amount_minor FROM payments WHERE method = $1 AND provider_number = $2"
FIND_REFUND = """
SELECT id, amount_minor FROM refunds WHERE method = $1 AND (number = $2 OR provider_number = $3)
"""

UNWATCH = "UPDATE payments SET watched = false WHERE id = $1"

BOOK_BEHIND_S = 1.0
"""Only with the defect notification_acked_before_commit."""
PREFIXES: Mapping[Method, str] = {Method.WECHAT: "wechatpay", Method.ALIPAY: "alipay", Method.CARD: "card"}
TOLERANCE_S = 300
BODY_MAX_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What a notice is about, whichever provider sent it. Amounts as the provider writes them."""

    is_refund: bool
    number: str | None
    """Of the payment."""
    refund_number: str | None = None
    """Ours, where the provider gives it back."""
    refund_id: str | None = None
    """The provider's, where it is what the refund is known by."""
    amount: str | None


class Notifications:
    """Receives notices."""

    def __init__(
        self,
        *,
        database: Database,
        books: Books,
        refunder: Refunder,
        releaser: Releaser | None,
        background: Background,
        keys: Mapping[Method, str],
        defects: frozenset[Defect],
    ) -> None:
        self._database = database
        self._books = books
        self._refunder = refunder
        self._releaser = releaser
        self._background = background
        self._keys = keys
        self._defects = defects

    async def receive(self, method: Method, headers: Mapping[str, str], body: bytes) -> None:
        """Book a notice; returns where the provider may forget it, raises ApiError where it is to come again."""
        if Defect.FORGED_NOTIFICATION_ACCEPTED not in self._defects:
            check_signature(PREFIXES[method], self._keys[method], headers, body, time.time())
        notice = _READERS[method](_parse(body))
        if notice is None:
            return  # of a kind that we do not act on
        if notice.is_refund:
            await self._refunded(method, notice)
        else:
            await self._captured(method, notice)

    async def _captured(self, method: Method, notice: Notice) -> None:
        row = await self._database.row(FIND_PAYMENT, method.value, notice.number)
        if row is None:
            raise ApiError(404, "payment_unknown", "No attempt has this number.")
        if notice.amount != _written(method, row["amount_minor"]):
            raise ApiError(409, "amount_mismatch", "The attempt has another amount.")
        if Defect.RELEASED_TWICE in self._defects and row["state"] == PaymentState.PAID and self._releaser is not None:
            self._releaser.release_again(row["order_id"])
        name = f"book {row['id']}"
        if Defect.NOTIFICATION_ACKED_BEFORE_COMMIT not in self._defects:
            await self._books.captured(row["id"])
        elif not self._background.runs(name):
            await self._database.execute(UNWATCH, row["id"])
            self._background.start(name, self._book_later(row["id"]))

    async def _book_later(self, payment_id: str) -> None:
        await asyncio.sleep(BOOK_BEHIND_S)
        await self._books.captured(payment_id)

    async def _refunded(self, method: Method, notice: Notice) -> None:
        row = await self._database.row(FIND_REFUND, method.value, notice.refund_number, notice.refund_id)
        if row is None:
            raise ApiError(404, "refund_unknown", "No refund has this number.")
        if notice.amount != _written(method, row["amount_minor"]):
            raise ApiError(409, "amount_mismatch", "The refund has another amount.")
        await self._refunder.told(row["id"])


def check_signature(prefix: str, key: str, headers: Mapping[str, str], body: bytes, now_s: float) -> None:
    """Raise a 401 unless the three headers sign this body, not more than five minutes from now."""
    timestamp, nonce, signature = (headers.get(f"{prefix}-{name}", "") for name in ("timestamp", "nonce", "signature"))
    signed = b"%s\n%s\n%s\n" % (timestamp.encode(), nonce.encode(), body)
    wanted = hmac.new(key.encode(), signed, "sha256").hexdigest()
    fresh = timestamp.isascii() and timestamp.isdecimal() and abs(now_s - int(timestamp)) <= TOLERANCE_S
    if not fresh or not hmac.compare_digest(signature.encode(), wanted.encode()):
        raise ApiError(401, "bad_signature", "The notice is not signed by the provider, or is too old.")


def _parse(body: bytes) -> Said:
    try:
        return Said(status=200, body=msgspec.json.decode(body, type=dict[str, object]))
    except msgspec.MsgspecError as exc:
        raise ApiError(409, "notice_unreadable", "The notice cannot be read.") from exc


def _written(method: Method, amount_minor: int) -> str:
    return yuan(amount_minor) if method is Method.ALIPAY else str(amount_minor)


def _wechat(said: Said) -> Notice | None:
    kind = said.text("event_type")
    if kind not in {"TRANSACTION.SUCCESS", "REFUND.SUCCESS"}:
        return None
    is_refund = kind == "REFUND.SUCCESS"
    amount = said.integer("resource", "amount", "refund" if is_refund else "total")
    return Notice(
        is_refund=is_refund,
        number=said.text("resource", "out_trade_no"),
        refund_number=said.text("resource", "out_refund_no"),
        amount=None if amount is None else str(amount),
    )


def _alipay(said: Said) -> Notice | None:
    is_refund = said.text("notify_type") == "refund"
    if not is_refund and said.text("trade_status") not in {"TRADE_SUCCESS", "TRADE_FINISHED"}:
        return None
    return Notice(
        is_refund=is_refund,
        number=said.text("out_trade_no"),
        refund_number=said.text("out_request_no"),
        amount=said.text("refund_fee" if is_refund else "total_amount"),
    )


def _card(said: Said) -> Notice | None:
    kind = said.text("type")
    if kind not in {"payment_intent.succeeded", "refund.succeeded"}:
        return None
    is_refund = kind == "refund.succeeded"
    amount = said.integer("data", "object", "amount")
    return Notice(
        is_refund=is_refund,
        number=said.text("data", "object", "payment_intent" if is_refund else "id"),
        refund_number=said.text("data", "object", "metadata", "refund"),
        refund_id=said.text("data", "object", "id") if is_refund else None,
        amount=None if amount is None else str(amount),
    )


_READERS = {Method.WECHAT: _wechat, Method.ALIPAY: _alipay, Method.CARD: _card}
