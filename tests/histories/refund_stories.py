"""Hand-written histories for refund_in_window."""

from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns
from tests.histories.charge_stories import captures_without_a_row, paid_twice
from tests.histories.order_stories import two_good_orders
from tests.histories.orphan_stories import orphan
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def half_back(*, done_at: float | None = 7.0, acknowledged: bool = True) -> tuple[Run, Journey]:
    """Order C was paid, and half of it asked back at 6.0 s; it came back at `done_at`, or never."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    if acknowledged:
        journey.refund(6.0, 6.1, "C", 500, result_id="r1", state="paid", http=201)
    else:
        journey.refund(6.0, 9.0, "C", 500, outcome="info", ending="read_timeout", http=None)
    run.books_refund("r1", "C", "wechat", "R-1", 500)
    run.books_order("C", journey, "paid", refunded=500)
    if done_at is not None:
        run.ledger("wechat").refunded(done_at - 0.2, "C-1", "C", 500, "R-1")
    return run, journey


def refunded_in_time() -> Run:
    return half_back()[0]


def booked_and_never_sent() -> Run:
    """The books call the refund done; the provider never heard of it."""
    return half_back(done_at=None)[0]


def refunded_late() -> Run:
    return half_back(done_at=20.0)[0]


def less_than_was_accepted() -> Run:
    """The provider accepted 5.00 CNY to go back, and 0.01 CNY went."""
    run, _ = half_back()
    run.ledger("wechat").rows[-1]["amount_minor"] = 1
    return run


def provider_was_down(done_at: float) -> Run:
    """WeChat Pay was killed at 6.5 s and answered again at 15 s."""
    run, _ = half_back(done_at=done_at)
    run.processes += [
        {"service": "wechat", "event": "killed", "pid": 7, "start_time": 1.0, "at_ns": ns(6.5)},
        {"service": "wechat", "event": "ready", "pid": 8, "start_time": 15.0, "at_ns": ns(15.0)},
    ]
    return run


def back_soon_after_recovery() -> Run:
    return provider_was_down(20.0)


def back_long_after_recovery() -> Run:
    return provider_was_down(30.0)


def two_halves(*, second: float | None) -> Run:
    """Two partial refunds, asked in one order and paid in the other."""
    run, journey = half_back(done_at=None)
    journey.refund(7.0, 7.1, "C", 200, result_id="r2", http=201)
    run.books_refund("r2", "C", "wechat", "R-2", 200)
    run.books_order("C", journey, "paid", refunded=700)
    run.ledger("wechat").refunded(8.0, "C-1", "C", 200, "R-2")
    if second is not None:
        run.ledger("wechat").refunded(second, "C-1", "C", 500, "R-1")
    return run


def partial_refunds_in_another_order() -> Run:
    return two_halves(second=9.0)


def one_of_two_partial_refunds() -> Run:
    return two_halves(second=None)


def owed_and_never_asked() -> Run:
    """Captured after the order was closed; nobody asked, nothing went back."""
    run = orphan(state="paid")
    run.payment("C", "wechat", "C-1", "paid")
    return run


def paid_twice_and_kept() -> Run:
    return captures_without_a_row()


def paid_twice_and_half_asked_back() -> Run:
    """What the customer asked for came; what was taken twice did not."""
    run, journey = paid_twice()
    journey.refund(6.0, 6.1, "C", 500, result_id="r1", http=201)
    run.books_refund("r1", "C", "card", "R-1", 500)
    run.books_order("C", journey, "paid", refunded=500)
    run.ledger("card").refunded(6.8, "C-1", "C", 500, "R-1")
    return run


def part_of_a_double_charge() -> Run:
    """Only a part of what was taken twice came back."""
    run, _ = paid_twice()
    run.ledger("wechat").refunded(4.0, "C-w", "C", 400, "R-1")
    return run


def order_gone_from_the_books() -> Run:
    run = orphan()
    run.orders = [row for row in run.orders if row.order != "C"]
    return run


def late_capture_given_back() -> Run:
    """Captured before `pay_by`, never honoured, given back 6 s after `pay_by`."""
    run = orphan(state="paid")
    run.ledger("wechat").refunded(17.0, "C-1", "C", 1000, "R-1")
    run.books_refund("r1", "C", "wechat", "R-1", 1000, requested=False)
    return run


def window_not_over() -> Run:
    """Asked back five seconds before the books were read."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.refund(55.0, 55.1, "C", 300, result_id="r2", http=201)
    return run


def unanswered_and_running_and_not_booked() -> Run:
    """No answer, nothing in the books, yet a refund of that amount runs at the provider."""
    run, journey = half_back(done_at=None, acknowledged=False)
    run.refunds.clear()
    run.books_order("C", journey, "paid")
    run.ledger("wechat").refunded(6.5, "C-1", "C", 500, "R-1", done=False)
    return run


def unanswered_and_nowhere() -> Run:
    """No answer, and it stands neither in the books nor at the provider: no case."""
    run, journey = half_back(done_at=None, acknowledged=False)
    run.refunds.clear()
    run.books_order("C", journey, "paid")
    one = run.paid_order("D", at=4.0)
    one.refund(6.0, 6.1, "D", 500, result_id="r9", http=201)
    run.ledger("wechat").refunded(7.0, "D-1", "D", 500, "R-9")
    run.books_refund("r9", "D", "wechat", "R-9", 500)
    run.books_order("D", one, "paid", refunded=500)
    return run


def unanswered_but_booked() -> Run:
    """No answer, but the books took it on and the provider never heard of it."""
    return half_back(done_at=None, acknowledged=False)[0]


def refused_refund() -> Run:
    """Nothing was left to refund, said the target: no case."""
    run, journey = half_back()
    journey.refund(9.0, 9.1, "C", 900, outcome="fail", http=400, code="nothing_to_refund")
    return run


REFUND_WINDOW_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=Status.UNKNOWN),
    Story(column=EMPTY, entry="nothing owed at all", tell=two_good_orders, status=Status.UNKNOWN),
    Story(column=HOLDS, entry="", tell=refunded_in_time, status=Status.PASS),
    Story(column=HOLDS, entry="a late capture given back", tell=late_capture_given_back, status=Status.PASS),
    Story(
        column=MISSES,
        entry="less went back than was accepted",
        tell=less_than_was_accepted,
        status=Status.FAIL,
        subjects=("C",),
    ),
    Story(
        column=BROKEN,
        entry="too late",
        tell=refunded_late,
        status=Status.FAIL,
        subjects=("C",),
        says=("came only at +20.000 s", "13.9 s after it was owed"),
    ),
    Story(
        column=BROKEN,
        entry="paid twice and kept",
        tell=paid_twice_and_kept,
        status=Status.FAIL,
        subjects=("C",),
        says=("already paid",),
    ),
    Story(
        column=BROKEN,
        entry="paid twice and kept, the customer's own refund done",
        tell=paid_twice_and_half_asked_back,
        status=Status.FAIL,
        subjects=("C",),
        says=("10.00 CNY of order C was owed back",),
    ),
    Story(
        column=BROKEN,
        entry="a part of a double charge came back",
        tell=part_of_a_double_charge,
        status=Status.FAIL,
        subjects=("C",),
        says=("of 10.00 CNY due by then 4.00 CNY came in time",),
    ),
    Story(
        column=BROKEN,
        entry="the order is gone from the books",
        tell=order_gone_from_the_books,
        status=Status.FAIL,
        subjects=("C",),
    ),
    Story(
        column=BROKEN,
        entry="one of two partial refunds never came",
        tell=one_of_two_partial_refunds,
        status=Status.FAIL,
        subjects=("C",),
        says=("5.00 CNY of order C was owed back",),
    ),
    Story(
        column=BROKEN,
        entry="unanswered, but the books took it on",
        tell=unanswered_but_booked,
        status=Status.FAIL,
        subjects=("C",),
        says=("she got no answer",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="the provider itself was down: count from its recovery",
        tell=back_soon_after_recovery,
        status=Status.PASS,
    ),
    Story(
        column=BROKEN,
        entry="the provider itself was down: show both",
        tell=back_long_after_recovery,
        status=Status.FAIL,
        subjects=("C",),
        says=("due by +14.100 s", "or as the provider was down by +23.000 s"),
    ),
    Story(
        column=CRIES_WOLF,
        entry="partial refunds in order",
        tell=partial_refunds_in_another_order,
        status=Status.PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="a refund that got no answer and stands nowhere",
        tell=unanswered_and_nowhere,
        status=Status.PASS,
    ),
    Story(column=CRIES_WOLF, entry="a refused refund", tell=refused_refund, status=Status.PASS),
    Story(
        column=MISSES,
        entry="the books' own word believed",
        tell=booked_and_never_sent,
        status=Status.FAIL,
        subjects=("C",),
        says=("5.00 CNY of order C was owed back from +6.100 s", "had not come at +60.200 s"),
    ),
    Story(
        column=MISSES,
        entry="nothing owed at all: nobody asked",
        tell=owed_and_never_asked,
        status=Status.FAIL,
        subjects=("C",),
        says=("do not honour", "owed back by wechat under C-1 from +11.000 s"),
    ),
    Story(
        column=UNDECIDED,
        entry="window not over",
        tell=window_not_over,
        status=Status.UNKNOWN,
        says=("1 refunds are owed and their window is not over",),
    ),
    Story(
        column=UNDECIDED,
        entry="request info and not in the books",
        tell=unanswered_and_running_and_not_booked,
        status=Status.UNKNOWN,
        says=("1 refunds got no answer",),
    ),
)
