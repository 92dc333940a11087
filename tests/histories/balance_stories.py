"""Hand-written histories for money_conserved."""

import dataclasses

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run
from tests.histories.charge_stories import captures_without_a_row, gap_in_seq, unattributed_capture
from tests.histories.order_stories import two_good_orders
from tests.histories.orphan_stories import orphan
from tests.histories.refund_runs import booked_and_never_sent, refunded_in_time
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def unknown_booked_as_failed() -> Run:
    """The provider did not answer in time; the books call the attempt dead, the provider has the money."""
    return orphan(state="dead")


def phantom_paid() -> Run:
    """The books call the order paid, no provider took anything."""
    run = two_good_orders()
    run.ledger("card").rows.clear()
    return run


def errors_that_cancel_out() -> Run:
    """One order's money is booked to another: the totals agree."""
    run = two_good_orders()
    run.paid_order("C", at=3.0)
    run.payment("A", "wechat", "A-1", "paid", captured=2000)
    run.payment("C", "wechat", "C-1", "paid", captured=0)
    return run


def order_that_does_not_add_up() -> Run:
    """Payments and providers agree, the order itself says something else."""
    run = two_good_orders()
    run.orders = [dataclasses.replace(row, paid_minor=900) if row.order == "A" else row for row in run.orders]
    return run


def fees() -> Run:
    run = two_good_orders()
    run.ledger("wechat").add(1.5, "fee", "A-1", order="A", amount_minor=6, currency="CNY")
    return run


def in_flight() -> Run:
    """Captured a second before the books were read, and not booked yet."""
    run = orphan(state="unknown")
    run.ledger("wechat").rows[-1]["at_ns"] += 55_000_000_000
    return run


def other_runs() -> Run:
    """Another run's order at the same provider, and one from before this run in the same books."""
    run = two_good_orders()
    run.ledger("wechat").captured(2.0, "theirs-1", "theirs", 700, run="r-other")
    run.books_order("theirs", None, "paid", at=-500.0)
    run.payment("theirs", "wechat", "theirs-1", "paid", captured=0)
    run.books_order("older", None, "paid", at=-500.0)
    run.payment("older", "wechat", "older-1", "paid")
    return run


def no_ledger() -> Run:
    run = two_good_orders()
    run.absent.add("ledger.wechat")
    return run


def books_not_by_order() -> Run:
    run = two_good_orders()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=("orders",))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


def no_ledger_declared() -> Run:
    run = two_good_orders()
    run.scenario = msgspec.structs.replace(run.scenario, sources=run.scenario.sources[:1])
    return run


def restored_by_number() -> Run:
    """The provider stores no order, but the books know the number."""
    run = two_good_orders()
    del run.ledger("wechat").rows[0]["order"]
    return run


BALANCE_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=Status.UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=Status.PASS),
    Story(column=HOLDS, entry="half given back", tell=refunded_in_time, status=Status.PASS),
    Story(column=HOLDS, entry="named by number only", tell=restored_by_number, status=Status.PASS),
    Story(
        column=BROKEN,
        entry="an unknown result booked as failed",
        tell=unknown_booked_as_failed,
        status=Status.FAIL,
        subjects=("C",),
        says=("the books say 0.00 CNY paid", "captured 10.00 CNY", "a difference of -10.00 CNY"),
    ),
    Story(
        column=BROKEN,
        entry="phantom paid",
        tell=phantom_paid,
        status=Status.FAIL,
        subjects=("B",),
        says=("never moved any money",),
    ),
    Story(
        column=BROKEN,
        entry="a refund booked and not sent",
        tell=booked_and_never_sent,
        status=Status.FAIL,
        subjects=("C",),
    ),
    Story(
        column=BROKEN, entry="a capture without a row", tell=captures_without_a_row, status=Status.FAIL, subjects=("C",)
    ),
    Story(
        column=BROKEN,
        entry="entries do not sum to zero",
        tell=order_that_does_not_add_up,
        status=Status.FAIL,
        subjects=("A",),
        says=("do not add up",),
    ),
    Story(column=CRIES_WOLF, entry="fees", tell=fees, status=Status.PASS),
    Story(
        column=CRIES_WOLF, entry="in flight", tell=in_flight, status=Status.UNKNOWN, says=("money moved too lately",)
    ),
    Story(column=CRIES_WOLF, entry="other runs' orders", tell=other_runs, status=Status.PASS),
    Story(
        column=MISSES,
        entry="totals only: errors cancel out",
        tell=errors_that_cancel_out,
        status=Status.FAIL,
        subjects=("A", "C"),
    ),
    Story(column=UNDECIDED, entry="no ledger", tell=no_ledger, status=Status.UNKNOWN, says=("ledger is not whole",)),
    Story(
        column=UNDECIDED,
        entry="no ledger at all",
        tell=no_ledger_declared,
        status=Status.UNKNOWN,
        says=("no provider's ledger is declared",),
    ),
    Story(
        column=UNDECIDED,
        entry="books not by order",
        tell=books_not_by_order,
        status=Status.UNKNOWN,
        says=("do not show payments by order",),
    ),
    Story(column=UNDECIDED, entry="gap in seq", tell=gap_in_seq, status=Status.UNKNOWN),
    Story(column=UNDECIDED, entry="capture without attribution", tell=unattributed_capture, status=Status.UNKNOWN),
)
