"""Hand-written histories for no_orphan_charge."""

from dataclasses import replace

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run
from tests.histories.charge_stories import paid_twice
from tests.histories.order_stories import two_good_orders
from tests.histories.settings import QUIESCENT_S
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def orphan(*, state: str | None = None) -> Run:
    """Captured; the API was killed, its order was closed, and nobody gave the money back."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.1, "C")
    journey.pay(3.2, 3.6, "C", "wechat", outcome="info", ending="reset", http=None)
    journey.ends(13.0, "gave_up")
    run.books_order("C", journey, "closed", at=3.0)
    run.seen("C", journey, state="closed")
    run.ledger("wechat").captured(3.4, "C-1", "C", 1000)
    if state is not None:
        run.payment("C", "wechat", "C-1", state)
    return run


def orphan_unknown_to_the_books() -> Run:
    return orphan()


def orphan_marked_dead() -> Run:
    return orphan(state="dead")


def captured_while_the_books_were_read() -> Run:
    """The capture came after the first reading of the ledger: the books need not have it yet."""
    run = orphan()
    ledger = run.ledger("wechat")
    ledger.rows[-1]["at_ns"] += 57_000_000_000
    run.conduct = msgspec.structs.replace(run.conduct, ledger_first_seq={"wechat": len(ledger.rows) - 1})
    return run


def captured_before_the_watermark() -> Run:
    """Left over from an earlier run on the same provider."""
    run = two_good_orders()
    ledger = run.ledger("alipay")
    ledger.captured(-100.0, "old", "old-order", 1000)
    run.conduct = msgspec.structs.replace(run.conduct, watermark={"wechat": 0, "card": 0, "alipay": 1})
    return run


def another_attempt_was_paid() -> Run:
    run, _ = paid_twice()
    return run


def orphan_refunded() -> Run:
    run = orphan(state="dead")
    run.ledger("wechat").refunded(6.0, "C-1", "C", 1000, "R-1")
    return run


def orphan_with_its_refund_running() -> Run:
    run = orphan(state="dead")
    run.ledger("wechat").refunded(6.0, "C-1", "C", 1000, "R-1", done=False)
    return run


def orphan_still_in_its_window() -> Run:
    run = orphan(state="unknown")
    run.ledger("wechat").rows[-1]["at_ns"] += 50_000_000_000
    return run


def booked_under_another_number() -> Run:
    """Paid, by what the books call another number; its pay_by is not over for as long as a refund may take."""
    run = two_good_orders()
    at = QUIESCENT_S - 12.0
    run.paid_order("L", at=at)
    run.payments[-1] = replace(run.payments[-1], number="garbled")
    return run


def sibling_charged(*, asked_at: float | None = None, captured_at: float = 3.4) -> Run:
    """She has two orders, and pays one; the other is charged as well, and all is booked as it should be."""
    run = two_good_orders()
    journey = run.journey(3.0)
    for name in ("C", "D"):
        journey.create(3.0, 3.1, name)
        run.books_order(name, journey, "paid", at=3.0)
        run.seen(name, journey, state="paid")
        run.payment(name, "wechat", f"{name}-1", "paid")
    run.ledger("wechat").captured(3.4, "C-1", "C", 1000)
    run.ledger("wechat").captured(captured_at, "D-1", "D", 1000)
    journey.pay(3.2, 3.6, "C", "wechat", state="paid")
    if asked_at is not None:
        journey.pay(asked_at, asked_at + 0.2, "D", "wechat", outcome="info", ending="reset", http=None)
    journey.ends(13.0, "paid")
    return run


def charged_before_it_was_asked() -> Run:
    return sibling_charged(asked_at=5.0)


def asked_and_never_answered() -> Run:
    return sibling_charged(asked_at=3.3)


def sibling_given_back() -> Run:
    run = sibling_charged()
    run.ledger("wechat").refunded(6.0, "D-1", "D", 1000, "R-1")
    return run


def charged_after_the_history_ends() -> Run:
    """The conductor was killed: whether she asked after its last row, nobody knows."""
    run = sibling_charged(captured_at=20.0)
    run.footer = False
    return run


ORPHAN_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=Status.UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=Status.PASS),
    Story(column=HOLDS, entry="refunded in full", tell=orphan_refunded, status=Status.PASS),
    Story(
        column=BROKEN,
        entry="the attempt was never written",
        tell=orphan_unknown_to_the_books,
        status=Status.FAIL,
        subjects=("C",),
        says=("wechat captured 10.00 CNY under C-1 for order C at +3.400 s", "do not know that number", "'closed'"),
    ),
    Story(
        column=BROKEN,
        entry="the attempt was called dead",
        tell=orphan_marked_dead,
        status=Status.FAIL,
        subjects=("C",),
        says=("call that attempt 'dead'",),
    ),
    Story(
        column=MISSES,
        entry="its order is paid, and its pay_by not long over",
        tell=booked_under_another_number,
        status=Status.FAIL,
        subjects=("L",),
        says=("do not know that number", "'paid'"),
    ),
    Story(
        column=BROKEN,
        entry="an order that nobody asked to pay",
        tell=sibling_charged,
        status=Status.FAIL,
        subjects=("D",),
        says=("Until then nobody had asked to pay it", "show the order as 'paid'"),
    ),
    Story(
        column=MISSES,
        entry="asked to pay it later",
        tell=charged_before_it_was_asked,
        status=Status.FAIL,
        subjects=("D",),
    ),
    Story(column=CRIES_WOLF, entry="asked, and never answered", tell=asked_and_never_answered, status=Status.PASS),
    Story(column=CRIES_WOLF, entry="unasked, and given back", tell=sibling_given_back, status=Status.PASS),
    Story(
        column=CRIES_WOLF,
        entry="the history ends before it",
        tell=charged_after_the_history_ends,
        status=Status.PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="order of reading",
        tell=captured_while_the_books_were_read,
        status=Status.UNKNOWN,
        says=("1 captures came while the books were being read",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="captures before the watermark",
        tell=captured_before_the_watermark,
        status=Status.PASS,
    ),
    Story(
        column=MISSES,
        entry="joined on order id: another attempt was paid",
        tell=another_attempt_was_paid,
        status=Status.FAIL,
        subjects=("C",),
        says=("under C-w",),
    ),
    Story(
        column=UNDECIDED,
        entry="refund still running",
        tell=orphan_with_its_refund_running,
        status=Status.UNKNOWN,
        says=("refund still running",),
    ),
    Story(
        column=UNDECIDED,
        entry="window not over",
        tell=orphan_still_in_its_window,
        status=Status.UNKNOWN,
        says=("may still be booked or refunded in time",),
    ),
)
