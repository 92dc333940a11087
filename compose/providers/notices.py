"""How does a merchant hear of what happened without asking?

A notice is born with its effect, in the same transaction; there the faults
decide whether it is lost, late or repeated. It is delivered at once and, until
the merchant acknowledges it, again after each pause of the schedule. Its id
stays the same over all deliveries; timestamp, nonce and signature do not.
"""

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from compose.providers.faults import Faults
from compose.providers.ledger import Transaction
from compose.providers.seeded import draw_hex
from compose.providers.trade import Refund, Trade

REPEAT_PAUSE_MS = 100
"""Between the deliveries of a notice that is repeated although acknowledged."""

PARK_MS = 3_000
"""How long the last repeat waits for another notice of its trade to overtake it."""

FORGED_SIGNATURE = "forged signature"
FORGED_AMOUNT = "forged amount"
WRONG_BY_MINOR = 100
"""Added to the amount of a notice that tells of another one."""

INSERT_NOTICE = """
INSERT INTO notices (id, of, number, refund_number, url, body, repeats, reorder, fault)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
INSERT_PLAN = "INSERT INTO plans (due_ns, what, key, op) VALUES (?, 'notice', ?, ?)"
READ_NOTICE = """
SELECT id, of, number, refund_number, url, body, attempts, refusals, repeats, reorder, fault
FROM notices WHERE id = ?
"""
COUNT_ATTEMPT = "UPDATE notices SET attempts = attempts + 1, refusals = ?, repeats = ?, parked = ? WHERE id = ?"
PLAN_AGAIN = "UPDATE plans SET due_ns = ?, running = 0 WHERE what = 'notice' AND key = ?"
DELETE_NOTICE = "DELETE FROM notices WHERE id = ?"
DELETE_PLAN = "DELETE FROM plans WHERE what = 'notice' AND key = ?"
FIND_PARKED = "SELECT id FROM notices WHERE number = ? AND parked = 1 AND id <> ? ORDER BY id"
UNPARK = "UPDATE notices SET parked = 0 WHERE id = ?"
FIND_WHOSE = "SELECT order_id, run FROM trades WHERE number = ?"


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeFacts:
    """What a notice tells."""

    of: str
    """"capture" or "refund"."""
    op: str
    """Of the request that led to the effect."""
    trade: Trade
    refund: Refund | None
    utc_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A notice on its way."""

    id: str
    of: str
    number: str
    refund_number: str | None
    url: str
    body: bytes
    attempts: int
    refusals: int
    """Deliveries so far that were not acknowledged."""
    repeats: int
    """Acknowledged deliveries still to come."""
    reorder: bool
    fault: str | None


def plan_notice(
    transaction: Transaction,
    facts: NoticeFacts,
    url: str,
    *,
    seed: int,
    faults: Faults,
    body: Callable[[str, NoticeFacts], bytes],
) -> None:
    """Have the merchant told, unless a fault loses the notice with all its deliveries."""
    trade, refund = facts.trade, facts.refund
    notice_id = draw_hex(seed, 32, "notice", facts.of, trade.number, "" if refund is None else refund.key)
    refund_number = None if refund is None else refund.refund_number
    lost, late, repeat = (
        faults.on_notice(transaction, kind, facts.of, facts.op, trade.order)
        for kind in ("lose_notices", "late_notices", "repeat_notices")
    )
    if lost is not None:
        transaction.append(
            "notice_lost",
            number=trade.number,
            order=trade.order,
            run=trade.run,
            refund_number=refund_number,
            op=facts.of,
            fault="lost",
            note=notice_id,
        )
        return
    repeats, reorder = (1, False) if repeat is None else (repeat.times, repeat.reorder)
    mark = "repeated" if repeat is not None else "late" if late is not None else None
    what = (notice_id, facts.of, trade.number, refund_number, url, body(notice_id, facts))
    transaction.execute(INSERT_NOTICE, *what, repeats, int(reorder), mark)
    due_ns = transaction.now_ns + (0 if late is None else late.by_ms) * 1_000_000
    transaction.execute(INSERT_PLAN, due_ns, notice_id, facts.op)
    transaction.plan_at(due_ns)


def plan_forgeries(
    transaction: Transaction, facts: NoticeFacts, url: str, *, seed: int, body: Callable[[str, NoticeFacts], bytes]
) -> None:
    """Have the merchant told twice, once each, of a capture that there was not.

    Once in another's name (right in all but the signature), once over another amount (signed as it must be).
    """
    trade = facts.trade
    paid = replace(trade, state="captured", captured_utc_ms=facts.utc_ms)
    lies = {FORGED_SIGNATURE: paid, FORGED_AMOUNT: replace(paid, amount_minor=trade.amount_minor + WRONG_BY_MINOR)}
    for lie, told in lies.items():
        notice_id = draw_hex(seed, 32, lie, trade.number)
        content = body(notice_id, replace(facts, trade=told))
        transaction.execute(INSERT_NOTICE, notice_id, facts.of, trade.number, None, url, content, 1, 0, lie)
        transaction.execute(INSERT_PLAN, transaction.now_ns, notice_id, facts.op)
    transaction.plan_at(transaction.now_ns)


def read_notice(transaction: Transaction, notice_id: str) -> Notice:
    """The notice of a plan that is due."""
    row = transaction.execute(READ_NOTICE, notice_id).fetchone()
    id_, of, number, refund_number, url, body, attempts, refusals, repeats, reorder, fault = row
    return Notice(
        id=id_,
        of=of,
        number=number,
        refund_number=refund_number,
        url=url,
        body=body,
        attempts=attempts,
        refusals=refusals,
        repeats=repeats,
        reorder=bool(reorder),
        fault=fault,
    )


def sign_notice(notice: Notice, *, prefix: str, key: str, seed: int) -> Mapping[str, str]:
    """Headers of one delivery: hex HMAC-SHA256 over timestamp, nonce and raw body, each ended by a line feed."""
    timestamp = str(int(time.time()))
    nonce = draw_hex(seed, 32, "nonce", notice.id, notice.attempts)
    signed = b"%s\n%s\n%s\n" % (timestamp.encode(), nonce.encode(), notice.body)
    if notice.fault == FORGED_SIGNATURE:
        key = f"not {key}"
    signature = hmac.new(key.encode(), signed, "sha256").hexdigest()
    return {f"{prefix}-Timestamp": timestamp, f"{prefix}-Nonce": nonce, f"{prefix}-Signature": signature}


def record_delivery(
    transaction: Transaction,
    notice: Notice,
    *,
    http: int | None,
    acknowledged: bool,
    schedule_ms: tuple[int, ...],
) -> None:
    """Write one delivery down (`http` None: no answer came) and plan the next, if there is one."""
    order, run = transaction.execute(FIND_WHOSE, notice.number).fetchone()
    forged = notice.fault in {FORGED_SIGNATURE, FORGED_AMOUNT}
    transaction.append(
        "forged_notice" if forged else "notice",
        number=notice.number,
        order=order,
        run=run,
        refund_number=notice.refund_number,
        op=notice.of,
        http=http,
        fault=notice.fault,
        note=notice.id,
    )
    if forged:
        refusals, repeats, parked, pause_ms = notice.refusals, 0, False, None
    elif acknowledged:
        refusals, repeats = notice.refusals, notice.repeats - 1
        parked = notice.reorder and repeats == 1
        pause_ms = None if repeats == 0 else PARK_MS if parked else REPEAT_PAUSE_MS
    else:
        refusals, repeats, parked = notice.refusals + 1, notice.repeats, False
        pause_ms = schedule_ms[notice.refusals] if notice.refusals < len(schedule_ms) else None
    if pause_ms is None:
        transaction.execute(DELETE_NOTICE, notice.id)
        transaction.execute(DELETE_PLAN, notice.id)
    else:
        transaction.execute(COUNT_ATTEMPT, refusals, repeats, int(parked), notice.id)
        _plan_again(transaction, notice.id, pause_ms)
    _let_overtaken_go(transaction, notice)


def _let_overtaken_go(transaction: Transaction, notice: Notice) -> None:
    """Deliver again, now that a later notice came first, those that waited for one to overtake them."""
    for (parked_id,) in transaction.execute(FIND_PARKED, notice.number, notice.id).fetchall():
        transaction.execute(UNPARK, parked_id)
        _plan_again(transaction, parked_id, 0)


def _plan_again(transaction: Transaction, notice_id: str, pause_ms: int) -> None:
    due_ns = transaction.now_ns + pause_ms * 1_000_000
    transaction.execute(PLAN_AGAIN, due_ns, notice_id)
    transaction.plan_at(due_ns)
