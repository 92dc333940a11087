"""A card acquirer in Stripe's manner: an intent is created, then confirmed, so a lost answer leaves an id to ask for.

POSTs carry an Idempotency-Key: the first reply is stored with its key once
execution began, 500 included, and given again; the same key with other
parameters is an error. Validation failures, 409 and 429 are not stored.
Errors are {"error": {type, code, message}}.
"""

from collections.abc import Callable, Container
from http import HTTPStatus
from typing import ClassVar

import msgspec

from compose.providers.acquirer import Operation
from compose.providers.bill import answer_balance_transactions
from compose.providers.book import Book
from compose.providers.ledger import LAST_SEQ
from compose.providers.notices import NoticeFacts
from compose.providers.post import Posted
from compose.providers.seeded import draw_hex
from compose.providers.trade import Refund, Trade
from compose.providers.wire import Answer, Malformed, Mention, Wire, fingerprint, json_answer, read_attribution

STATUS = {
    "open": "requires_confirmation",
    "pending": "processing",
    "captured": "succeeded",
    "closed": "canceled",
    "failed": "requires_payment_method",
}
DECLINED_METHOD = "pm_card_chargeDeclined"
"""The payment method that the acquirer declines, as in Stripe's own test mode."""

KEY_LIMIT = 255
NOT_STORED = frozenset({401, 404, 409, 429})
"""Statuses that say that execution never began."""

FIND_REPLY = "SELECT fingerprint, status, body FROM replies WHERE key = ?"
STORE_REPLY = "INSERT INTO replies (key, fingerprint, status, body) VALUES (?, ?, ?, ?)"
REPLACE_REPLY = "UPDATE replies SET status = ?, body = ? WHERE key = ?"


class Card:
    """The protocol; it keeps no state."""

    name: ClassVar[str] = "card"
    header_prefix: ClassVar[str] = "Card"
    operations: ClassVar[tuple[Operation, ...]] = (
        Operation(op="create", method="POST", path="/v1/payment_intents"),
        Operation(op="query", method="GET", path="/v1/payment_intents/{id}"),
        Operation(op="confirm", method="POST", path="/v1/payment_intents/{id}/confirm"),
        Operation(op="cancel", method="POST", path="/v1/payment_intents/{id}/cancel"),
        Operation(op="refund", method="POST", path="/v1/refunds"),
        Operation(op="refund_query", method="GET", path="/v1/refunds/{id}"),
        Operation(op="bill", method="GET", path="/v1/balance_transactions"),
    )

    def mention(self, op: str, wire: Wire) -> Mention:
        fields, path_id = wire.fields, wire.path.get("id")
        run, order = fields.maybe_text("metadata", "run"), fields.maybe_text("metadata", "order")
        if op in {"create", "refund"}:
            return Mention(
                number=fields.maybe_text("payment_intent"),
                run=run,
                order=order,
                amount_minor=fields.maybe_minor("amount"),
                currency=_currency(fields.maybe_text("currency")),
            )
        return Mention(refund_number=path_id) if op == "refund_query" else Mention(number=path_id)

    def refund_key(self, mention: Mention) -> str | None:
        return mention.refund_number

    def answer(self, op: str, wire: Wire, book: Book) -> Answer:
        call: Callable[[Wire, Book], Answer] = {
            "create": _create,
            "query": _query,
            "confirm": _confirm,
            "cancel": _cancel,
            "refund": _refund,
            "refund_query": _refund_query,
            "bill": answer_balance_transactions,
        }[op]
        return (
            call(wire, book)
            if wire.key is None or not wire.target.startswith("POST ")
            else _once(call, wire, wire.key, book)
        )

    def malformed(self, field: str) -> Answer:
        return _error(400, "invalid_request_error", "parameter_invalid", f"{field} is missing or malformed")

    def unauthorized(self) -> Answer:
        return _error(401, "invalid_request_error", None, "the API key is wrong")

    def unknown(self) -> Answer:
        return _error(404, "invalid_request_error", None, "unrecognized request URL")

    def in_use(self, wire: Wire, keys: Container[str]) -> Answer | None:
        if wire.key is None or wire.key not in keys:
            return None
        message = "another request with this Idempotency-Key is in progress"
        return _error(409, "invalid_request_error", "idempotency_key_in_use", message)

    def injected(self, status: int) -> Answer:
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return _error(status, "invalid_request_error", "lock_timeout", "the object is locked, try again")
        return _error(status, "api_error", None, "an unknown error occurred")

    def overwrite_reply(self, wire: Wire, answer: Answer, book: Book) -> None:
        """A 500 is stored and given again like any other reply; a 429 never reaches the store."""
        if wire.key is not None and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            book.transaction.execute(REPLACE_REPLY, answer.status, answer.body, wire.key)

    def notice_body(self, notice_id: str, facts: NoticeFacts) -> bytes:
        trade, refund = facts.trade, facts.refund
        shown = _intent(trade) if refund is None else _refund_object(refund, trade)
        return msgspec.json.encode(
            {
                "id": f"evt_{notice_id}",
                "object": "event",
                "type": "payment_intent.succeeded" if refund is None else "refund.succeeded",
                "created": facts.utc_ms // 1000,
                "data": {"object": shown},
            }
        )

    def acknowledges(self, posted: Posted) -> bool:
        return HTTPStatus.OK <= posted.status < HTTPStatus.MULTIPLE_CHOICES


def _once(call: Callable[[Wire, Book], Answer], wire: Wire, key: str, book: Book) -> Answer:
    """Carry out at most once for a key; the reply is stored in the same transaction as the effect."""
    if len(key) > KEY_LIMIT:
        raise Malformed("Idempotency-Key")
    mark = fingerprint(wire.target, dict(wire.fields.content))
    stored = book.transaction.execute(FIND_REPLY, key).fetchone()
    if stored is not None:
        known_mark, status, body = stored
        if known_mark != mark:
            message = "this Idempotency-Key was used with other parameters"
            return _error(400, "idempotency_error", "idempotency_error", message)
        return Answer(status=status, body=body)
    answer = call(wire, book)
    if answer.status not in NOT_STORED:
        book.transaction.execute(STORE_REPLY, key, mark, answer.status, answer.body)
    return answer


def _create(wire: Wire, book: Book) -> Answer:
    fields = wire.fields
    amount, currency = fields.minor("amount"), fields.text("currency", limit=3)
    metadata = fields.maybe("metadata")
    kept = None if metadata is None else msgspec.json.encode(metadata).decode()
    run, order = read_attribution(kept)
    number = f"pi_{draw_hex(book.seed, 24, 'intent', _last_seq(book))}"
    trade = book.accept(
        Trade(
            number=number,
            trade_id=f"ch_{draw_hex(book.seed, 24, 'charge', number)}",
            state="open",
            amount_minor=amount,
            currency=currency.upper(),
            run=run,
            order=order,
            notify_url=fields.maybe_url("notify_url"),
            fingerprint="",
            merchant=fields.maybe_text("payment_method"),
            merchant_data=kept,
            created_utc_ms=book.transaction.utc_ms,
        ),
        "create",
    )
    return json_answer(200, _intent(trade), number=number)


def _query(wire: Wire, book: Book) -> Answer:
    trade = book.trade(wire.path["id"])
    return _missing("payment_intent") if trade is None else json_answer(200, _intent(trade))


def _confirm(wire: Wire, book: Book) -> Answer:
    trade = book.trade(wire.path["id"])
    if trade is None:
        return _missing("payment_intent")
    if trade.state not in {"open", "failed"}:
        return _unexpected(trade, "confirm")
    if (wire.fields.maybe_text("payment_method") or trade.merchant) == DECLINED_METHOD:
        failed = book.fail(trade, "confirm", "card_declined")
        return _error(402, "card_error", "card_declined", "the card was declined", failed)
    return json_answer(200, _intent(book.charge(trade, "confirm", None)))


def _cancel(wire: Wire, book: Book) -> Answer:
    trade = book.trade(wire.path["id"])
    if trade is None:
        return _missing("payment_intent")
    if trade.state in {"captured", "closed"}:
        return _unexpected(trade, "cancel")
    return json_answer(200, _intent(book.close(trade, "cancel")))


def _refund(wire: Wire, book: Book) -> Answer:
    fields = wire.fields
    trade = book.trade(fields.text("payment_intent"))
    if trade is None:
        return _missing("payment_intent")
    url = fields.maybe_url("notify_url")
    if trade.captured_utc_ms is None:
        return _unexpected(trade, "refund")
    left = trade.refundable_minor
    if left == 0:
        return _refused("charge_already_refunded", "the charge has been refunded already")
    amount = left if fields.maybe("amount") is None else fields.minor("amount")
    if amount > left:
        return _refused("amount_too_large", f"the refund is above what is left of the charge, {left}")
    refund_id = f"re_{draw_hex(book.seed, 24, 'refund', _last_seq(book))}"
    refund = Refund(
        key=refund_id,
        refund_number=refund_id,
        refund_id=refund_id,
        number=trade.number,
        amount_minor=amount,
        notify_url=url,
        fingerprint="",
        created_utc_ms=book.transaction.utc_ms,
    )
    shown = _refund_object(book.accept_refund(trade, refund, "refund"), trade)
    return json_answer(200, shown, refund_number=refund_id)


def _refund_query(wire: Wire, book: Book) -> Answer:
    refund = book.refund(wire.path["id"])
    if refund is None:
        return _missing("refund")
    trade = book.trade(refund.number)
    assert trade is not None
    return json_answer(200, _refund_object(refund, trade))


def _intent(trade: Trade) -> dict[str, object]:
    paid = trade.captured_utc_ms is not None
    return {
        "id": trade.number,
        "object": "payment_intent",
        "amount": trade.amount_minor,
        "amount_received": trade.amount_minor if paid else 0,
        "currency": trade.currency.lower(),
        "status": STATUS[trade.state],
        "latest_charge": trade.trade_id if paid else None,
        "metadata": _metadata(trade),
        "created": trade.created_utc_ms // 1000,
    }


def _refund_object(refund: Refund, trade: Trade) -> dict[str, object]:
    return {
        "id": refund.refund_id,
        "object": "refund",
        "amount": refund.amount_minor,
        "currency": trade.currency.lower(),
        "payment_intent": trade.number,
        "charge": trade.trade_id,
        "status": "succeeded" if refund.done else "pending",
        "metadata": _metadata(trade),
        "created": refund.created_utc_ms // 1000,
    }


def _metadata(trade: Trade) -> object:
    return {} if trade.merchant_data is None else msgspec.json.decode(trade.merchant_data)


def _currency(code: str | None) -> str | None:
    return None if code is None else code.upper()


def _last_seq(book: Book) -> int:
    """Of this request's own row: every request has another, so ids made from it are new."""
    seq: int = book.transaction.execute(LAST_SEQ).fetchone()[0]
    return seq


def _unexpected(trade: Trade, verb: str) -> Answer:
    message = f"a payment intent that is {STATUS[trade.state]} does not {verb}"
    return _error(400, "invalid_request_error", "payment_intent_unexpected_state", message, trade)


def _refused(code: str, message: str) -> Answer:
    return _error(400, "invalid_request_error", code, message)


def _missing(what: str) -> Answer:
    return _error(404, "invalid_request_error", "resource_missing", f"no such {what}")


def _error(status: int, kind: str, code: str | None, message: str, trade: Trade | None = None) -> Answer:
    error: dict[str, object] = {"type": kind, "code": code, "message": message}
    return json_answer(status, {"error": error if trade is None else error | {"payment_intent": _intent(trade)}})
