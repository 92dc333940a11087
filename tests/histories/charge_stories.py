"""Hand-written histories for no_double_charge."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run
from tests.histories.order_stories import two_good_orders
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def paid_twice(order: str = "C") -> tuple[Run, Journey]:
    """Paid at WeChat Pay, whose answer was lost, then at the card: both captured, only the second in the books."""
    run = two_good_orders()
    journey = run.paid_order(order, at=3.0, method="card")
    journey.pay(2.9, 2.95, order, "wechat", outcome="info", ending="read_timeout", http=None)
    run.ledger("wechat").captured(3.0, f"{order}-w", order, 1000)
    return run, journey


def charged_twice() -> Run:
    run, _ = paid_twice()
    run.payment("C", "wechat", "C-w", "dead")
    return run


def captures_without_a_row() -> Run:
    """The first attempt's number was overwritten by a retry: the books know of one capture only."""
    run, _ = paid_twice()
    return run


def one_intent_as_two_orders() -> Run:
    """A repeated create made a second order; both were paid."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.create(4.0, 4.1, "D", key=99)
    journey.pay(4.2, 4.4, "D", "card", state="paid")
    run.books_order("D", journey, "paid")
    run.payment("D", "card", "D-1", "paid")
    run.ledger("card").captured(4.3, "D-1", "D", 1000)
    run.seen("D", journey)
    return run


def order_that_no_reply_named() -> Run:
    """The first create got no answer, the second made another order; the first was paid all the same."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.5, None, outcome="info", ending="reset", http=None)
    journey.create(3.6, 3.7, "D")
    for order, at in (("C", 3.4), ("D", 4.0)):
        run.books_order(order, journey, "paid")
        run.payment(order, "card", f"{order}-1", "paid")
        run.ledger("card").captured(at, f"{order}-1", order, 1000)
        run.seen(order, journey)
    return run


def two_intents() -> Run:
    """One customer takes two rides, and pays for each."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.create(6.0, 6.1, "D", intent=77)
    journey.pay(6.2, 6.4, "D", "card", state="paid", intent=77)
    run.books_order("D", journey, "paid")
    run.payment("D", "card", "D-1", "paid")
    run.ledger("card").captured(6.3, "D-1", "D", 1000)
    run.seen("D", journey)
    return run


def reversed_in_its_window() -> Run:
    run, _ = paid_twice()
    run.payment("C", "wechat", "C-w", "paid")
    run.ledger("wechat").refunded(5.0, "C-w", "C", 1000, "R-1")
    run.books_refund("r1", "C", "wechat", "R-1", 1000, requested=False)
    return run


def charged_ten_times_the_price() -> Run:
    """One capture, in the wrong unit."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    row = run.ledger("wechat").rows[-1]
    row["amount_minor"] = 100_000
    run.payment("C", "wechat", "C-1", "paid", captured=100_000)
    assert journey.user
    return run


def found_by_list_at_another_price() -> Run:
    """A create over 10.00 CNY had no answer; its order was found by list, and target and provider made it 20.00."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.5, None, outcome="info", ending="reset", http=None)
    journey.list(3.6, 3.7, 1)
    journey.pay(4.0, 4.2, "C", "card", state="paid", amount_minor=2000, paid_minor=2000)
    run.books_order("C", journey, "paid", 2000)
    run.payment("C", "card", "C-1", "paid", amount=2000)
    run.ledger("card").captured(4.1, "C-1", "C", 2000)
    run.seen("C", journey, amount=2000)
    return run


def gap_in_seq() -> Run:
    run = two_good_orders()
    run.ledger("wechat").add(5.0, "request", op="query")
    run.ledger("wechat").add(5.1, "request", op="query")
    run.conduct = msgspec.structs.replace(run.conduct, ledger_last_seq={"wechat": 3}, ledger_first_seq={"wechat": 3})
    del run.ledger("wechat").rows[1]
    return run


def unattributed_capture() -> Run:
    run = two_good_orders()
    run.ledger("wechat").captured(3.0, "stray", None, 1000)
    return run


def double_charge_still_in_its_window() -> Run:
    run = charged_twice()
    run.ledger("card").rows[-1]["at_ns"] += 52_000_000_000
    return run


def double_charge_with_its_refund_running() -> Run:
    run = charged_twice()
    run.ledger("wechat").refunded(4.0, "C-w", "C", 1000, "R-1", done=False)
    return run


DOUBLE_CHARGE_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=Status.UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=Status.PASS),
    Story(
        column=BROKEN,
        entry="went to another channel without closing the first",
        tell=charged_twice,
        status=Status.FAIL,
        subjects=("C",),
        says=("costs 10.00 CNY and was charged 20.00 CNY", "wechat under C-w at +3.000 s", "10.00 CNY too much"),
    ),
    Story(
        column=BROKEN,
        entry="charged in the wrong unit",
        tell=charged_ten_times_the_price,
        status=Status.FAIL,
        subjects=("C",),
    ),
    Story(
        column=MISSES,
        entry="the price as the target tells it, of an order whose create had no answer",
        tell=found_by_list_at_another_price,
        status=Status.FAIL,
        subjects=("C",),
        says=("costs 10.00 CNY and was charged 20.00 CNY",),
    ),
    Story(
        column=BROKEN,
        entry="one intent over several orders",
        tell=one_intent_as_two_orders,
        status=Status.FAIL,
        subjects=("C",),
        says=("made as 2 orders",),
    ),
    Story(
        column=MISSES,
        entry="one intent over orders that no reply named",
        tell=order_that_no_reply_named,
        status=Status.FAIL,
        subjects=("C",),
    ),
    Story(column=CRIES_WOLF, entry="two intents", tell=two_intents, status=Status.PASS),
    Story(
        column=CRIES_WOLF,
        entry="reversed inside its window",
        tell=reversed_in_its_window,
        status=Status.PASS,
        says=("healed: order C was charged twice from +3.300 s (22:13:23.300 UTC) for 1.9 s",),
    ),
    Story(
        column=MISSES,
        entry="joined through the books' payments: captures without a row are lost",
        tell=captures_without_a_row,
        status=Status.FAIL,
        subjects=("C",),
    ),
    Story(column=UNDECIDED, entry="gap in seq", tell=gap_in_seq, status=Status.UNKNOWN, says=("ledger is not whole",)),
    Story(
        column=UNDECIDED,
        entry="capture without attribution",
        tell=unattributed_capture,
        status=Status.UNKNOWN,
        says=("1 captures name no order",),
    ),
    Story(
        column=UNDECIDED,
        entry="window not over",
        tell=double_charge_still_in_its_window,
        status=Status.UNKNOWN,
        says=("may still be refunded in time",),
    ),
    Story(
        column=UNDECIDED,
        entry="refund still running",
        tell=double_charge_with_its_refund_running,
        status=Status.UNKNOWN,
        says=("refund is still running",),
    ),
)
