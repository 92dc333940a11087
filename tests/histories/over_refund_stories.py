"""Hand-written histories for no_over_refund."""

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.charge_stories import reversed_in_its_window
from tests.histories.order_stories import two_good_orders
from tests.histories.refund_runs import half_back, late_capture_given_back, refunded_in_time
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def refunded_per_notice() -> Run:
    """Each repeated refund notice sent the amount again under a new number."""
    run, _ = half_back()
    run.ledger("wechat").refunded(8.0, "C-1", "C", 500, "R-2")
    return run


def one_number_refunded_twice() -> Run:
    """The provider paid one refund out twice under its one number; the books know of one."""
    run, _ = half_back()
    run.ledger("wechat").refunded(8.0, "C-1", "C", 500, "R-1")
    return run


def two_refunds_for_one_request() -> Run:
    """The sum is covered by what is owed by rule, but one request was answered twice."""
    run = reversed_in_its_window()
    journey = run.journey(5.5)
    journey.refund(6.0, 6.1, "C", 300, result_id="r5", http=201)
    run.ledger("wechat").rows = [row for row in run.ledger("wechat").rows if row.get("refund_number") != "R-1"]
    for seq, row in enumerate(run.ledger("wechat").rows, start=1):
        row["seq"] = seq
    for number in ("R-5", "R-6"):
        run.ledger("card").refunded(7.0, "C-1", "C", 300, number)
        run.books_refund(f"r{number[-1]}", "C", "card", number, 300)
    return run


def compensation() -> Run:
    """Goodwill of a tenth came down the refund channel."""
    run, _ = half_back()
    run.ledger("wechat").refunded(9.0, "C-1", "C", 100, "K-1")
    run.books_refund("k1", "C", "wechat", "K-1", 100, requested=False, compensation=True)
    return run


def unanswered_and_refunded() -> Run:
    """A request without an answer permits its refund."""
    run, _ = half_back(acknowledged=False)
    return run


def one_key_twice() -> Run:
    """A request repeated under its own key is one request; two refunds came of it."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.refund(6.0, 9.0, "C", 300, key=50, outcome="info", ending="read_timeout", http=None)
    journey.refund(9.5, 9.6, "C", 300, key=50, attempt=2, result_id="r1", http=201)
    for at, number in ((6.5, "R-1"), (9.8, "R-2")):
        run.ledger("wechat").refunded(at, "C-1", "C", 300, number)
    return run


def history_that_breaks_off(*, cut_at: float) -> Run:
    """Half of C went back; the history ends without a footer, `cut_at` seconds in, and holds no request for it."""
    run, _ = half_back(done_at=7.0)
    run.history = [row for row in run.history if max(getattr(row, "sent_ns", 0), getattr(row, "done_ns", 0)) < ns(3.5)]
    run.footer = False
    run.journey(cut_at)
    return run


def asked_after_the_history() -> Run:
    return history_that_breaks_off(cut_at=5.9)


def sent_before_the_history_ends() -> Run:
    return history_that_breaks_off(cut_at=7.5)


def excess_still_running() -> Run:
    run, _ = half_back()
    run.ledger("wechat").refunded(8.0, "C-1", "C", 500, "R-2", done=False)
    return run


OVER_REFUND_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=Status.UNKNOWN),
    Story(column=HOLDS, entry="", tell=refunded_in_time, status=Status.PASS),
    Story(column=HOLDS, entry="owed by rule", tell=late_capture_given_back, status=Status.PASS),
    Story(column=HOLDS, entry="a double charge given back", tell=reversed_in_its_window, status=Status.PASS),
    Story(
        column=MISSES,
        entry="more than was captured (the provider prevents that): use partial refunds",
        tell=refunded_per_notice,
        status=Status.FAIL,
        subjects=("C",),
        says=("asked 5.00 CNY back in 1 requests", "10.00 CNY went back", "5.00 CNY went back that nobody asked for"),
    ),
    Story(
        column=BROKEN,
        entry="two for one request",
        tell=two_refunds_for_one_request,
        status=Status.FAIL,
        subjects=("C",),
        says=("one request for 3.00 CNY was answered by two refunds",),
    ),
    Story(
        column=MISSES,
        entry="one number that was paid out twice",
        tell=one_number_refunded_twice,
        status=Status.FAIL,
        subjects=("C",),
        says=("10.00 CNY went back",),
    ),
    Story(column=BROKEN, entry="two for one key", tell=one_key_twice, status=Status.FAIL, subjects=("C",)),
    Story(column=CRIES_WOLF, entry="compensation paid out as a refund", tell=compensation, status=Status.PASS),
    Story(
        column=UNDECIDED,
        entry="request info: permitted, not required",
        tell=unanswered_and_refunded,
        status=Status.PASS,
    ),
    Story(
        column=UNDECIDED,
        entry="sent after the history broke off",
        tell=asked_after_the_history,
        status=Status.UNKNOWN,
        says=("after the history breaks off",),
    ),
    Story(
        column=MISSES,
        entry="sent before the history broke off",
        tell=sent_before_the_history_ends,
        status=Status.FAIL,
        subjects=("C",),
    ),
    Story(
        column=UNDECIDED,
        entry="excess still running",
        tell=excess_still_running,
        status=Status.UNKNOWN,
        says=("running and not done",),
    ),
)
