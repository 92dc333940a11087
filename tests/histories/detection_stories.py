"""Hand-written histories for detection_time: a discrepancy is to be named within 10 s."""

from harness.verdict import Status
from tests.histories.amends import attempt, named, planted, quick, read_at, with_rule
from tests.histories.builder import Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

MIDNIGHT_S = 64_000.0
"""Seconds after the load's start at which a day begins in Beijing."""


def two_planted() -> Run:
    run = with_rule()
    quick(run, "A")
    quick(run, "B", at=2.0)
    planted(run, 1.3, "A-1", "missing", "A")
    planted(run, 1.3, "X-1", "extra")
    return run


def both_named() -> Run:
    run = two_planted()
    named(run, 6.0, "A-1", "missing_in_bill", "A")
    named(run, 6.0, "X-1", "missing_in_books")
    return run


def one_never_named() -> Run:
    run = both_named()
    del run.discrepancies[0]
    return run


def one_named_late() -> Run:
    run = two_planted()
    named(run, 6.0, "A-1", "missing_in_bill", "A")
    named(run, 12.0, "X-1", "missing_in_books")
    return run


def named_as_the_contrary() -> Run:
    run = both_named()
    run.discrepancies.clear()
    named(run, 6.0, "A-1", "missing_in_books", "A")
    named(run, 6.0, "X-1", "missing_in_books")
    return run


def imagined() -> Run:
    run = both_named()
    named(run, 7.0, "B-1", "missing_in_bill", "B")
    return run


def invented() -> Run:
    run = both_named()
    named(run, 7.0, "P-of-nobody", "missing_in_books")
    return run


def money_without_a_row() -> Run:
    run = with_rule()
    quick(run, "A")
    run.ledger("alipay").captured(2.0, "Z-1", "A", 1000)
    return run


def refund_that_was_never_sent() -> Run:
    run = with_rule()
    quick(run, "A")
    run.books_refund("refund-A", "A", "wechat", "A-R", 500)
    run.transition(3.0, "refund", "refund-A", "A", old=None, new="pending")
    run.transition(3.1, "refund", "refund-A", "A", old="pending", new="done")
    return run


def refund_of_another_amount() -> Run:
    run = refund_that_was_never_sent()
    run.ledger("wechat").refunded(2.9, "A-1", "A", 5, "A-R")
    return run


def refund_of_another_amount_named() -> Run:
    run = refund_of_another_amount()
    named(run, 7.0, "A-R", "amount_differs", "A")
    return run


def booked_soon_after(at: float = 1.0, later: float = 6.0) -> Run:
    """A was captured 0.3 s after `at` and booked `later` seconds after `at`."""
    run = both_named()
    run.paid_order("C", at)
    attempt(run, "C", at + 0.2, at + later)
    return run


def over_midnight() -> Run:
    return read_at(booked_soon_after(MIDNIGHT_S - 1, 6.0), MIDNIGHT_S + 60)


def healed_after_the_window() -> Run:
    return booked_soon_after(later=20.0)


def healed_after_the_window_and_named() -> Run:
    run = healed_after_the_window()
    named(run, 8.0, "C-1", "missing_in_books", "C")
    return run


def named_in_flight() -> Run:
    """Named 5 s after the capture, and booked a second later: it was so."""
    run = booked_soon_after()
    named(run, 6.2, "C-1", "missing_in_books", "C")
    return run


def named_long_after_it_healed() -> Run:
    run = booked_soon_after(later=3.0)
    named(run, 9.0, "C-1", "missing_in_books", "C")
    return run


def bill_out_of_reach() -> Run:
    """WeChat Pay was silent until 9 s; the discrepancies are named at 15 s."""
    run = two_planted()
    run.fault("silence", "network", "wechat", 1.0, 9.0)
    named(run, 15.0, "A-1", "missing_in_bill", "A")
    named(run, 15.0, "X-1", "missing_in_books")
    return run


def another_provider_silent() -> Run:
    run = bill_out_of_reach()
    run.scenario = with_rule().scenario
    run.faults.clear()
    run.fault("silence", "network", "card", 1.0, 9.0)
    return run


def planting_is_no_excuse() -> Run:
    run = two_planted()
    run.fault("plant_in_bill", "provider", "wechat", 1.0, 59.0)
    return run


def soon_over() -> Run:
    return read_at(two_planted(), 9.0)


def not_offered() -> Run:
    run = Run()
    run.paid_order("A")
    return run


def ledger_torn() -> Run:
    run = money_without_a_row()
    del run.ledger("alipay").rows[0]
    run.ledger("alipay").rows.append({**run.ledger("wechat").rows[0], "seq": 7, "number": "Y", "order": None})
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
DETECTION_STORIES = (
    Story(column=EMPTY, entry="", tell=with_rule, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=both_named, status=PASS),
    Story(column=HOLDS, entry="another amount, named", tell=refund_of_another_amount_named, status=PASS),
    Story(column=HOLDS, entry="healed late, and named", tell=healed_after_the_window_and_named, status=PASS),
    Story(
        column=BROKEN,
        entry="never named",
        tell=one_never_named,
        status=FAIL,
        subjects=("A",),
        says=("wechat A-1 stood in the books and not on the bill", "named it never", "due was 10.0 s later"),
    ),
    Story(
        column=BROKEN,
        entry="named late",
        tell=one_named_late,
        status=FAIL,
        subjects=("wechat X-1",),
        says=("only at +12.000 s",),
    ),
    Story(
        column=BROKEN, entry="none, and named", tell=imagined, status=FAIL, subjects=("B",), says=("there was none",)
    ),
    Story(column=BROKEN, entry="invented", tell=invented, status=FAIL, subjects=("wechat P-of-nobody",)),
    Story(column=BROKEN, entry="named as the contrary", tell=named_as_the_contrary, status=FAIL, subjects=("A", "A")),
    Story(
        column=BROKEN, entry="named long after it healed", tell=named_long_after_it_healed, status=FAIL, subjects=("C",)
    ),
    Story(
        column=BROKEN,
        entry="while another provider was silent",
        tell=another_provider_silent,
        status=FAIL,
        subjects=("A", "wechat X-1"),
    ),
    Story(column=CRIES_WOLF, entry="in flight", tell=booked_soon_after, status=PASS),
    Story(column=CRIES_WOLF, entry="in flight, and named", tell=named_in_flight, status=PASS),
    Story(column=CRIES_WOLF, entry="cut between days", tell=over_midnight, status=PASS),
    Story(column=CRIES_WOLF, entry="a bill that could not be had", tell=bill_out_of_reach, status=PASS),
    Story(
        column=MISSES,
        entry="healed before it was looked for",
        tell=healed_after_the_window,
        status=FAIL,
        subjects=("C",),
    ),
    Story(column=MISSES, entry="only what was planted", tell=money_without_a_row, status=FAIL, subjects=("A",)),
    Story(
        column=MISSES,
        entry="refunds that were never sent",
        tell=refund_that_was_never_sent,
        status=FAIL,
        subjects=("A",),
    ),
    Story(column=MISSES, entry="yuan for fen", tell=refund_of_another_amount, status=FAIL, subjects=("A",)),
    Story(
        column=MISSES,
        entry="the planting taken for an excuse",
        tell=planting_is_no_excuse,
        status=FAIL,
        subjects=("A", "wechat X-1"),
    ),
    Story(
        column=UNDECIDED,
        entry="the window is not over",
        tell=soon_over,
        status=UNKNOWN,
        says=("2 discrepancies are not named yet",),
    ),
    Story(column=UNDECIDED, entry="not offered", tell=not_offered, status=UNKNOWN, says=("claimed, but not offered",)),
    Story(column=UNDECIDED, entry="a ledger with a gap", tell=ledger_torn, status=UNKNOWN),
)
