"""Hand-written histories for compensated: a tenth of the order within 10 s, for whom the rule calls affected."""

from harness.verdict import Status
from tests.histories.amends import attempt, busy, listed, quick, read_at, sent_back, slow, timed_out, voucher, with_rule
from tests.histories.builder import Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def one_of_each() -> Run:
    """A waited, B was told busy, C's money came back; D was paid at once."""
    run = with_rule()
    slow(run, "A", amount=1235)
    busy(run, "B", at=2.0)
    sent_back(run, "C", at=3.0, amount=40_000)
    quick(run, "D", at=4.0)
    voucher(run, "A", 124)
    voucher(run, "B", 100, at=3.0)
    voucher(run, "C", 2_000, at=14.0)
    return run


def nobody_affected() -> Run:
    run = with_rule()
    quick(run, "A")
    quick(run, "B", at=2.0)
    return run


def never() -> Run:
    run = one_of_each()
    run.vouchers.clear()
    return run


def twice() -> Run:
    run = one_of_each()
    voucher(run, "A", 124, at=7.0)
    return run


def twice_for_one_who_may_be_affected() -> Run:
    run = with_rule()
    timed_out(run, "A")
    voucher(run, "A")
    voucher(run, "A", at=7.0)
    return run


def too_late() -> Run:
    run = with_rule()
    slow(run, "A")
    voucher(run, "A", at=14.5)
    return run


def rounded_down() -> Run:
    run = with_rule()
    slow(run, "A", amount=1235)
    voucher(run, "A", 123)
    return run


def in_another_currency() -> Run:
    run = with_rule()
    slow(run, "A")
    voucher(run, "A", currency="JPY")
    return run


def given_to_the_wrong_one() -> Run:
    run = with_rule()
    slow(run, "A")
    quick(run, "B", at=2.0)
    voucher(run, "B")
    return run


def denied_by_the_log() -> Run:
    """Its customer was shown it as being paid for 5 s; the log says that it took 0.2 s."""
    run = with_rule()
    slow(run, "A", lasted=6.0, logged=0.2)
    return run


def sent_back_and_booked_as_asked_for() -> Run:
    run = with_rule()
    sent_back(run, "A")
    run.refunds.clear()
    run.books_refund("refund-A", "A", "wechat", "A-R", 1000, requested=True)
    return run


def own_time_out() -> Run:
    run = with_rule()
    timed_out(run, "A")
    return run


def compensated_by_refund() -> Run:
    """Goodwill sent down the refund channel is no refund that makes its order affected."""
    run = with_rule()
    quick(run, "A")
    run.ledger("wechat").refunded(5.0, "A-1", "A", 100, "A-G")
    run.books_refund("goodwill-A", "A", "wechat", "A-G", 100, requested=False, compensation=True)
    slow(run, "B", at=2.0)
    voucher(run, "B")
    return run


def half_refunded_as_asked() -> Run:
    run = with_rule()
    journey = quick(run, "A")
    journey.refund(3.0, 3.1, "A", 500, result_id="refund-A")
    run.ledger("wechat").refunded(3.3, "A-1", "A", 500, "A-R")
    run.books_refund("refund-A", "A", "wechat", "A-R", 500)
    slow(run, "B", at=2.0)
    voucher(run, "B")
    return run


def just_short_of_the_limit() -> Run:
    run = with_rule()
    slow(run, "A", lasted=2.6)
    slow(run, "B", at=2.0)
    voucher(run, "B", at=7.0)
    return run


def at_the_limit_to_the_millisecond() -> Run:
    run = with_rule()
    slow(run, "A", lasted=2.7)
    return run


def step_missing_from_the_log() -> Run:
    run = with_rule()
    quick(run, "A")
    run.transitions.clear()
    attempt(run, "A", 1.2, None)
    run.transitions = [row for row in run.transitions if row.kind != "payment"]
    return run


def still_in_time() -> Run:
    run = with_rule()
    slow(run, "A")
    return read_at(run, 12.0)


def ledger_missing() -> Run:
    run = own_time_out()
    run.absent.add("ledger.wechat")
    return run


def books_missing() -> Run:
    run = never()
    run.absent.add("books.vouchers")
    return run


def no_rule() -> Run:
    run = Run()
    run.paid_order("A")
    listed(run, "A")
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
COMPENSATED_STORIES = (
    Story(column=EMPTY, entry="", tell=with_rule, status=UNKNOWN),
    Story(column=EMPTY, entry="nobody affected", tell=nobody_affected, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=one_of_each, status=PASS),
    Story(
        column=BROKEN,
        entry="never",
        tell=never,
        status=FAIL,
        subjects=("A", "B", "C"),
        says=("an attempt to pay it stayed unresolved too long (+4.200 s", "no voucher 10.0 s later"),
    ),
    Story(column=BROKEN, entry="twice", tell=twice, status=FAIL, subjects=("A",), says=("given 2 vouchers",)),
    Story(column=BROKEN, entry="too late", tell=too_late, status=FAIL, subjects=("A",), says=("came at +14.500 s",)),
    Story(column=BROKEN, entry="another currency", tell=in_another_currency, status=FAIL, subjects=("A",)),
    Story(
        column=CRIES_WOLF,
        entry="the customer saw a timeout that the target could not see",
        tell=own_time_out,
        status=UNKNOWN,
        says=("1 orders may be affected or not",),
    ),
    Story(column=CRIES_WOLF, entry="goodwill taken for a refund unasked", tell=compensated_by_refund, status=PASS),
    Story(column=CRIES_WOLF, entry="a refund that was asked for", tell=half_refunded_as_asked, status=PASS),
    Story(column=CRIES_WOLF, entry="resolved just in time", tell=just_short_of_the_limit, status=PASS),
    Story(
        column=MISSES,
        entry="count equal, orders wrong",
        tell=given_to_the_wrong_one,
        status=FAIL,
        subjects=("A", "B"),
    ),
    Story(
        column=MISSES,
        entry="rounding",
        tell=rounded_down,
        status=FAIL,
        subjects=("A",),
        says=("is worth 1.23 CNY; the rule gives 1.24 CNY",),
    ),
    Story(
        column=MISSES,
        entry="the target's log believed alone",
        tell=denied_by_the_log,
        status=FAIL,
        subjects=("A",),
        says=("which the target's log denies and its customer saw",),
    ),
    Story(
        column=MISSES,
        entry="an unasked refund booked as asked for",
        tell=sent_back_and_booked_as_asked_for,
        status=FAIL,
        subjects=("A",),
        says=("its money came back unasked",),
    ),
    Story(
        column=MISSES,
        entry="twice, and nobody can tell whether at all",
        tell=twice_for_one_who_may_be_affected,
        status=FAIL,
        subjects=("A",),
    ),
    Story(column=UNDECIDED, entry="orders with info only", tell=own_time_out, status=UNKNOWN),
    Story(
        column=UNDECIDED,
        entry="at the limit to the millisecond",
        tell=at_the_limit_to_the_millisecond,
        status=UNKNOWN,
        says=("the log does not decide",),
    ),
    Story(column=UNDECIDED, entry="a step missing from the log", tell=step_missing_from_the_log, status=UNKNOWN),
    Story(
        column=UNDECIDED,
        entry="the window is not over",
        tell=still_in_time,
        status=UNKNOWN,
        says=("their window is not over",),
    ),
    Story(column=UNDECIDED, entry="no ledger to tell", tell=ledger_missing, status=UNKNOWN),
    Story(column=UNDECIDED, entry="book missing", tell=books_missing, status=UNKNOWN, says=("no evidence",)),
    Story(column=UNDECIDED, entry="no rule", tell=no_rule, status=UNKNOWN, says=("claimed, but not offered",)),
)
