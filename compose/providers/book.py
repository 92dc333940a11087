"""What does a provider do with money, whatever its protocol?

Trades and refunds with their states, and the effects that change them: each
effect is one row of the ledger, one change of state, and what follows from it
(a planned capture, a notice), all in the caller's transaction.

    open ──> pending ──> captured          open     a card's intent, not confirmed
      │         │  └──> closed ··> captured  (only where a fault captures despite the close)
      ├─────────┴──────> closed            refunds: accepted ──> done, 50 to 300 ms later
      └──> failed ──> pending | captured
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from compose.providers.faults import Faults
from compose.providers.ledger import Transaction
from compose.providers.notices import NoticeFacts, plan_forgeries, plan_notice
from compose.providers.seeded import draw_delay_ms, draw_hex
from compose.providers.trade import Refund, Trade

TRADE_COLUMNS = """number, trade_id, state, amount_minor, currency, run, order_id, notify_url, fingerprint,
merchant, merchant_data, created_utc_ms, captured_utc_ms, refund_accepted_minor"""
REFUND_COLUMNS = "key, refund_number, refund_id, number, amount_minor, done, notify_url, fingerprint, created_utc_ms"

FIND_TRADE = f"SELECT {TRADE_COLUMNS} FROM trades WHERE number = ?"
FIND_REFUND = f"SELECT {REFUND_COLUMNS} FROM refunds WHERE key = ?"
INSERT_TRADE = f"INSERT INTO trades ({TRADE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_REFUND = f"INSERT INTO refunds ({REFUND_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
SET_TRADE_STATE = "UPDATE trades SET state = ? WHERE number = ?"
SET_CAPTURED = "UPDATE trades SET state = 'captured', captured_utc_ms = ? WHERE number = ?"
ADD_REFUND = "UPDATE trades SET refund_accepted_minor = refund_accepted_minor + ? WHERE number = ?"
SET_REFUND_DONE = "UPDATE refunds SET done = 1 WHERE key = ?"
INSERT_PLAN = "INSERT INTO plans (due_ns, what, key, op, despite_close, fault) VALUES (?, ?, ?, ?, ?, ?)"
DROP_CAPTURE = "DELETE FROM plans WHERE what = 'capture' AND key = ? AND despite_close = 0"


class Book:
    """Trades and refunds within one transaction."""

    def __init__(
        self, transaction: Transaction, *, seed: int, faults: Faults, notice_body: Callable[[str, NoticeFacts], bytes]
    ) -> None:
        self.transaction = transaction
        self.seed = seed
        self._faults = faults
        self._notice_body = notice_body

    def trade(self, number: str) -> Trade | None:
        row = self.transaction.execute(FIND_TRADE, number).fetchone()
        return None if row is None else _trade(row)

    def refund(self, key: str) -> Refund | None:
        row = self.transaction.execute(FIND_REFUND, key).fetchone()
        return None if row is None else _refund(row)

    def accept(self, trade: Trade, op: str) -> Trade:
        """Take a new trade in; nothing is captured by that."""
        self._keep(trade)
        self._append("accepted", trade, op)
        return trade

    def bar(self, trade: Trade, op: str) -> Trade:
        """Close a number that was never charged, so that a charge still on its way is refused."""
        closed = replace(trade, state="closed")
        self._keep(closed)
        self._append("closed", closed, op)
        return closed

    def charge(self, trade: Trade, op: str, delay_ms: int | None) -> Trade:
        """Capture now (`delay_ms` None) or that much later; a fault may make it later than that."""
        late = self._faults.on_charge(self.transaction, op, trade.order)
        if late is not None and late.kind == "forge_notices":
            return self._pretend(trade, op)
        if late is not None:
            delay_ms = late.by_ms
        if delay_ms is None:
            return self.capture(trade, op)
        due_ns = self.transaction.now_ns + delay_ms * 1_000_000
        despite_close, fault = (late.despite_close, late.id) if late is not None else (False, None)
        self.transaction.execute(INSERT_PLAN, due_ns, "capture", trade.number, op, int(despite_close), fault)
        self.transaction.plan_at(due_ns)
        self.transaction.execute(SET_TRADE_STATE, "pending", trade.number)
        return replace(trade, state="pending")

    def capture(self, trade: Trade, op: str, fault: str | None = None) -> Trade:
        """Take the money, and say so; `fault` is the id of the one that made it late."""
        utc_ms = self.transaction.utc_ms
        self.transaction.execute(SET_CAPTURED, utc_ms, trade.number)
        captured = replace(trade, state="captured", captured_utc_ms=utc_ms)
        self._append("captured", captured, op, fault="late" if fault is not None else None, note=fault)
        if self._faults.on_capture(self.transaction, op, trade.order) is not None:
            self._plant(captured, op)
        self._notify("capture", captured, op)
        return captured

    def close(self, trade: Trade, op: str) -> Trade:
        """End an unpaid trade; a capture that is planned despite the close stays planned."""
        self.transaction.execute(SET_TRADE_STATE, "closed", trade.number)
        self.transaction.execute(DROP_CAPTURE, trade.number)
        closed = replace(trade, state="closed")
        self._append("closed", closed, op)
        return closed

    def fail(self, trade: Trade, op: str, note: str) -> Trade:
        """Decline a charge; the trade can be charged again."""
        self.transaction.execute(SET_TRADE_STATE, "failed", trade.number)
        failed = replace(trade, state="failed")
        self._append("failed", failed, op, note=note)
        return failed

    def accept_refund(self, trade: Trade, refund: Refund, op: str) -> Refund:
        """Promise money back; the caller has looked that it is not above `refundable_minor`."""
        values = (refund.key, refund.refund_number, refund.refund_id, refund.number, refund.amount_minor)
        more = (int(refund.done), refund.notify_url, refund.fingerprint, refund.created_utc_ms)
        self.transaction.execute(INSERT_REFUND, *values, *more)
        self.transaction.execute(ADD_REFUND, refund.amount_minor, trade.number)
        self._append("refund_accepted", trade, op, refund=refund)
        delay_ms = draw_delay_ms(self.seed, "refund", refund.key)
        due_ns = self.transaction.now_ns + delay_ms * 1_000_000
        self.transaction.execute(INSERT_PLAN, due_ns, "refund", refund.key, op, 0, None)
        self.transaction.plan_at(due_ns)
        return refund

    def complete_refund(self, trade: Trade, refund: Refund, op: str) -> Refund:
        """Give the money back, and say so."""
        self.transaction.execute(SET_REFUND_DONE, refund.key)
        done = replace(refund, done=True)
        self._append("refunded", trade, op, refund=done)
        self._notify("refund", trade, op, done)
        return done

    def _pretend(self, trade: Trade, op: str) -> Trade:
        """Take nothing, whatever the delay, and let somebody send notices that say otherwise."""
        self.transaction.execute(SET_TRADE_STATE, "pending", trade.number)
        if trade.notify_url is not None:
            facts = NoticeFacts(of="capture", op=op, trade=trade, refund=None, utc_ms=self.transaction.utc_ms)
            plan_forgeries(self.transaction, facts, trade.notify_url, seed=self.seed, body=self._notice_body)
        return replace(trade, state="pending")

    def _plant(self, trade: Trade, op: str) -> None:
        """Leave a capture out of the bill, and put one there that never was; both are written down as such."""
        self._append("bill_planted", trade, op, fault="planted", note="missing")
        nobody = replace(trade, number=f"X{draw_hex(self.seed, 28, 'extra', trade.number)}", order=None)
        self._append("bill_planted", nobody, op, fault="planted", note="extra")

    def _keep(self, trade: Trade) -> None:
        who = (trade.currency, trade.run, trade.order, trade.notify_url, trade.fingerprint)
        when = (trade.merchant, trade.merchant_data, trade.created_utc_ms, trade.captured_utc_ms)
        what = (trade.number, trade.trade_id, trade.state, trade.amount_minor)
        self.transaction.execute(INSERT_TRADE, *what, *who, *when, trade.refund_accepted_minor)

    def _append(
        self,
        kind: str,
        trade: Trade,
        op: str,
        *,
        refund: Refund | None = None,
        fault: str | None = None,
        note: str | None = None,
    ) -> None:
        self.transaction.append(
            kind,
            number=trade.number,
            order=trade.order,
            run=trade.run,
            refund_number=None if refund is None else refund.refund_number,
            amount_minor=trade.amount_minor if refund is None else refund.amount_minor,
            currency=trade.currency,
            op=op,
            fault=fault,
            note=note,
        )

    def _notify(self, of: str, trade: Trade, op: str, refund: Refund | None = None) -> None:
        url = trade.notify_url if refund is None else refund.notify_url or trade.notify_url
        if url is None:
            return
        facts = NoticeFacts(of=of, op=op, trade=trade, refund=refund, utc_ms=self.transaction.utc_ms)
        plan_notice(self.transaction, facts, url, seed=self.seed, faults=self._faults, body=self._notice_body)


def _trade(row: tuple[Any, ...]) -> Trade:
    number, trade_id, state, amount, currency, run, order, url, mark, merchant, data, created, captured, refunded = row
    return Trade(
        number=number,
        trade_id=trade_id,
        state=state,
        amount_minor=amount,
        currency=currency,
        run=run,
        order=order,
        notify_url=url,
        fingerprint=mark,
        merchant=merchant,
        merchant_data=data,
        created_utc_ms=created,
        captured_utc_ms=captured,
        refund_accepted_minor=refunded,
    )


def _refund(row: tuple[Any, ...]) -> Refund:
    key, refund_number, refund_id, number, amount, done, url, mark, created = row
    return Refund(
        key=key,
        refund_number=refund_number,
        refund_id=refund_id,
        number=number,
        amount_minor=amount,
        done=bool(done),
        notify_url=url,
        fingerprint=mark,
        created_utc_ms=created,
    )
