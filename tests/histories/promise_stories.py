"""Hand-written histories for no_over_refund, about promises: what replies to refunds add up to."""

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.order_stories import two_good_orders
from tests.histories.story import BROKEN, CRIES_WOLF, MISSES, Story

ERROR_NS = 5_000_000


def promised(*refunds: tuple[str, int, str], clock: bool = True) -> Run:
    """C was paid 10.00; these refunds of it were acknowledged from 4 s on, and the books have them so at the end."""
    run = two_good_orders()
    if clock:
        run.clocks.append({"source": "books", "at_ns": ns(1.0), "offset_ns": 0, "error_ns": ERROR_NS})
    journey = run.paid_order("C", at=3.0)
    back = 0
    for nth, (refund, amount, state) in enumerate(refunds):
        sent = 4.0 + 2 * nth
        journey.refund(sent, sent + 0.5, "C", amount, result_id=refund, amount_minor=amount, http=201)
        run.books_refund(refund, "C", "wechat", f"N-{refund}", amount, state=state)
        run.transition(sent + 0.2, "refund", refund, "C", old=None, new="pending")
        if state == "done":
            back += amount
            run.ledger("wechat").refunded(sent + 0.7, "C-1", "C", amount, f"N-{refund}")
    run.books_order("C", journey, "paid", refunded=back, at=3.0)
    return run


def one_fen_too_many() -> Run:
    """Half, a quarter, and a fen more than the rest were promised; the provider gives back no more than was paid."""
    run = promised(("r1", 500, "done"), ("r2", 250, "done"), ("r3", 251, "failed"))
    run.transition(9.5, "refund", "r3", "C", old="pending", new="failed")
    return run


def never_sent() -> Run:
    """The books have the promise as pending for good, and no provider ever heard of it."""
    return promised(("r1", 500, "done"), ("r2", 501, "pending"))


def failed_and_asked_for_again() -> Run:
    run = promised(("r1", 500, "done"), ("r2", 400, "failed"), ("r3", 500, "done"))
    run.transition(7.0, "refund", "r2", "C", old="pending", new="failed")  # r3 is acknowledged at 8.5 s
    return run


def failed_within_the_clocks_error() -> Run:
    run = promised(("r1", 500, "done"), ("r2", 400, "failed"), ("r3", 500, "done"))
    run.transition(8.504, "refund", "r2", "C", old="pending", new="failed")
    return run


def failed_by_an_unsampled_clock() -> Run:
    """Nobody knows whether it had failed when the next one was promised."""
    run = promised(("r1", 500, "done"), ("r2", 400, "failed"), ("r3", 500, "done"), clock=False)
    run.transition(30.0, "refund", "r2", "C", old="pending", new="failed")
    return run


def failed_without_a_log() -> Run:
    return promised(("r1", 500, "done"), ("r2", 400, "failed"), ("r3", 500, "done"))


def failed_only_afterwards() -> Run:
    run = promised(("r1", 500, "done"), ("r2", 400, "failed"), ("r3", 500, "done"))
    run.transition(9.0, "refund", "r2", "C", old="pending", new="failed")
    return run


def one_key_acknowledged_twice() -> Run:
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    for attempt in (1, 2):
        sent = 3.0 + attempt
        journey.refund(sent, sent + 0.5, "C", 600, key=50, attempt=attempt, result_id="r1", amount_minor=600)
    run.books_refund("r1", "C", "wechat", "N-r1", 600)
    run.ledger("wechat").refunded(5.0, "C-1", "C", 600, "N-r1")
    return run


def all_of_it() -> Run:
    return promised(("r1", 500, "done"), ("r2", 250, "done"), ("r3", 250, "done"))


def refused() -> Run:
    """What is refused is no promise."""
    run = promised(("r1", 500, "done"), ("r2", 250, "done"))
    journey = run.journey(20.0)
    journey.refund(20.0, 20.1, "C", 251, outcome="fail", http=409, code="nothing_to_refund")
    return run


def no_book_of_refunds() -> Run:
    """Which of them failed cannot be told."""
    run = failed_without_a_log()
    run.absent.add("books.refunds")
    return run


PASS, FAIL = Status.PASS, Status.FAIL
PROMISE_STORIES = (
    Story(
        column=MISSES,
        entry="promised and not paid out: only what went back was added up",
        tell=one_fen_too_many,
        status=FAIL,
        subjects=("C",),
        says=("promised 10.01 CNY of 10.00 CNY back", "acknowledged at +8.500 s", "3 of them together"),
    ),
    Story(
        column=BROKEN,
        entry="promised beyond what was paid, and never sent",
        tell=never_sent,
        status=FAIL,
        subjects=("C",),
        says=("promised 10.01 CNY of 10.00 CNY back",),
    ),
    Story(
        column=MISSES,
        entry="a refund that failed only after the next was promised",
        tell=failed_only_afterwards,
        status=FAIL,
        subjects=("C",),
        says=("promised 14.00 CNY of 10.00 CNY back",),
    ),
    Story(
        column=CRIES_WOLF, entry="a refund that failed, asked for again", tell=failed_and_asked_for_again, status=PASS
    ),
    Story(column=CRIES_WOLF, entry="failed within the clock's error", tell=failed_within_the_clocks_error, status=PASS),
    Story(column=CRIES_WOLF, entry="failed by an unsampled clock", tell=failed_by_an_unsampled_clock, status=PASS),
    Story(column=CRIES_WOLF, entry="failed, and no log says when", tell=failed_without_a_log, status=PASS),
    Story(column=CRIES_WOLF, entry="no book of refunds", tell=no_book_of_refunds, status=PASS),
    Story(column=CRIES_WOLF, entry="one key acknowledged twice", tell=one_key_acknowledged_twice, status=PASS),
    Story(column=CRIES_WOLF, entry="all of it in parts", tell=all_of_it, status=PASS),
    Story(column=CRIES_WOLF, entry="too much, and refused", tell=refused, status=PASS),
)
