"""Hand-written histories for money_conserved: what an order at rest is called, and the money that it holds."""

import dataclasses
from typing import Any

import msgspec

from harness.operation import State
from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.charge_stories import paid_twice
from tests.histories.order_stories import two_good_orders, unpaid_order
from tests.histories.refund_runs import half_back
from tests.histories.story import BROKEN, CRIES_WOLF, HOLDS, MISSES, UNDECIDED, Story


def booked(run: Run, order: str, **changed: Any) -> Run:
    """The order's row in the books, otherwise than it was told."""
    run.orders = [dataclasses.replace(row, **changed) if row.order == order else row for row in run.orders]
    return run


def read_last(run: Run, order: str, **changed: Any) -> Run:
    """The owner's last read, otherwise than it was told."""
    run.reads = [row | changed if row["order"] == order else row for row in run.reads]
    return run


def half_back_is_refunded() -> Run:
    """Half of it went back, as asked: books and providers agree, and the order is called refunded."""
    return booked(half_back()[0], "C", state=State.REFUNDED, raw_state="refunded")


def all_back_is_paid() -> Run:
    run, owner = half_back()
    owner.refund(8.0, 8.1, "C", 500, result_id="r2", state="paid", http=201)
    run.books_refund("r2", "C", "wechat", "R-2", 500)
    run.ledger("wechat").refunded(8.4, "C-1", "C", 500, "R-2")
    return booked(run, "C", refunded_minor=1000)


def all_back_is_refunded() -> Run:
    run = booked(all_back_is_paid(), "C", state=State.REFUNDED, raw_state="refunded")
    return read_last(run, "C", state="refunded", paid_minor=1000, refunded_minor=1000)


def paid_for_less() -> Run:
    """The provider was asked for 9.00 CNY and took them; the order over 10.00 CNY is called paid."""
    run = booked(two_good_orders(), "A", paid_minor=900)
    run.payment("A", "wechat", "A-1", "paid", captured=900)
    run.ledger("wechat").rows[0]["amount_minor"] = 900
    return run


def nothing_paid_is_refunded() -> Run:
    run = two_good_orders()
    unpaid_order(run, "C", at=3.0)
    return booked(run, "C", state=State.REFUNDED, raw_state="refunded")


def closed_and_holds_money() -> Run:
    """Paid in time, and the order is closed all the same."""
    return booked(two_good_orders(), "A", state=State.CLOSED, raw_state="closed")


def open_and_holds_money() -> Run:
    return booked(two_good_orders(), "A", state=State.OPEN, raw_state="open")


def half_back_read_as_refunded(*, at: float = 60.0, told: int | None = 500) -> Run:
    run, owner = half_back()
    run.final_read("C", owner, at=at, state="refunded", amount_minor=1000, paid_minor=1000, refunded_minor=told)
    return run


def without_books_of_payments() -> Run:
    """The target shows its orders alone: nothing can be held against a provider, but they contradict themselves."""
    run = half_back_is_refunded()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=("orders",))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


def last_read_says_otherwise() -> Run:
    """The books honour what the owner still sees closed; each by itself adds up."""
    run = read_last(two_good_orders(), "A", state="closed", paid_minor=0, refunded_minor=0)
    return read_last(run, "B", paid_minor=1000, refunded_minor=0)


def last_read_lacks_a_refund() -> Run:
    return read_last(half_back()[0], "C", paid_minor=1000, refunded_minor=0)


def half_back_is_paid() -> Run:
    return read_last(half_back()[0], "C", paid_minor=1000, refunded_minor=500)


def refund_on_its_way() -> Run:
    """The order is called refunded as soon as the other half is promised."""
    run = half_back_is_refunded()
    run.books_refund("r2", "C", "wechat", "R-2", 500, state="pending")
    return run


def moved_a_moment_ago() -> Run:
    """The half went back 2 s before the books were read, well inside any window; but all is at rest."""
    run = half_back_is_refunded()
    for row in run.ledger("wechat").rows[-2:]:
        row["at_ns"] = ns(58.0)
    return run


def goodwill() -> Run:
    run = half_back_is_refunded()
    run.books_refund("v", "C", "wechat", "V-1", 100, requested=False, compensation=True)
    run.ledger("wechat").refunded(9.0, "C-1", "C", 100, "V-1")
    return run


def never_at_rest() -> Run:
    run = half_back_is_refunded()
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=None)
    return run


def paid_twice_and_one_of_them_back() -> Run:
    """The order counts one of the two charges, and the refund of the other: that may be its way to count."""
    run, _ = paid_twice()
    run.payment("C", "wechat", "C-w", "paid")
    run.books_refund("r1", "C", "wechat", "R-1", 1000, requested=False)
    run.ledger("wechat").refunded(6.0, "C-w", "C", 1000, "R-1")
    return booked(run, "C", refunded_minor=1000)


def paid_in_cash() -> Run:
    run = two_good_orders()
    run.offers(offline_payment=True)
    unpaid_order(run, "C", at=3.0)
    booked(run, "C", state=State.PAID, raw_state="paid")
    return read_last(run, "C", state="paid", paid_minor=0, refunded_minor=0)


def figures_untold() -> Run:
    """Reads tell a state and no money, and there is no book of orders to hold them against."""
    run = two_good_orders()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=("payments", "refunds"))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    run.absent.add("books.orders")
    return run


def given_away() -> Run:
    """An order over nothing is paid by nothing."""
    run = two_good_orders()
    owner = run.journey(3.0, amount=0)
    owner.create(3.0, 3.1, "C", 0)
    run.books_order("C", owner, "paid", 0, at=3.0)
    run.seen("C", owner, amount=0)
    return read_last(run, "C", paid_minor=0, refunded_minor=0)


def read_before_it_came_to_rest() -> Run:
    """A refund that is counted a moment after the state moved; the books, read later, are right."""
    run = half_back_read_as_refunded(at=59.0)
    return booked(run, "C", state=State.PAID, raw_state="part_refunded")


def strangers_read() -> Run:
    run = half_back_is_paid()
    row = next(row for row in run.reads if row["order"] == "C")
    run.reads.append(row | {"user": "somebody else", "state": "refunded"})
    return run


def phantom_that_cancels_out() -> Run:
    """Neither the charge nor its refund ever was: the books claim both, and the provider has neither."""
    run = half_back(done_at=None)[0]
    run.books_refund("r2", "C", "wechat", "R-2", 500)
    run.ledger("wechat").rows = [row for row in run.ledger("wechat").rows if row.get("order") != "C"]
    for seq, row in enumerate(run.ledger("wechat").rows, start=1):
        row["seq"] = seq
    return booked(run, "C", state=State.REFUNDED, raw_state="refunded", refunded_minor=1000)


def order_that_lies_both_ways() -> Run:
    """It says 1.00 CNY more paid, and 1.00 CNY more given back, than its payments and refunds come to."""
    return booked(half_back()[0], "C", paid_minor=1100, refunded_minor=600)


FAIL, PASS = Status.FAIL, Status.PASS
REST_STORIES = (
    Story(column=HOLDS, entry="half back is paid", tell=half_back_is_paid, status=PASS),
    Story(column=HOLDS, entry="all back is refunded", tell=all_back_is_refunded, status=PASS),
    Story(
        column=BROKEN,
        entry="half back is refunded",
        tell=half_back_is_refunded,
        status=FAIL,
        subjects=("C",),
        says=(
            "the books call it refunded over 10.00 CNY with 10.00 CNY paid and 5.00 CNY given back, but",
            "is refunded when all that was paid went back",
        ),
    ),
    Story(
        column=BROKEN,
        entry="all back is paid",
        tell=all_back_is_paid,
        status=FAIL,
        subjects=("C",),
        says=("an order of which all went back is refunded",),
    ),
    Story(
        column=BROKEN,
        entry="paid for less",
        tell=paid_for_less,
        status=FAIL,
        subjects=("A",),
        says=("with 9.00 CNY paid", "an order is paid when all of it is"),
    ),
    Story(
        column=BROKEN,
        entry="nothing paid is refunded",
        tell=nothing_paid_is_refunded,
        status=FAIL,
        subjects=("C",),
        says=("has nothing to give back",),
    ),
    Story(
        column=BROKEN,
        entry="closed and holds money",
        tell=closed_and_holds_money,
        status=FAIL,
        subjects=("A",),
        says=("an order that is closed holds no money",),
    ),
    Story(
        column=BROKEN,
        entry="open and holds its whole total",
        tell=open_and_holds_money,
        status=FAIL,
        subjects=("A",),
        says=("an order that holds its whole total is paid",),
    ),
    Story(
        column=MISSES,
        entry="the last read alone contradicts itself",
        tell=half_back_read_as_refunded,
        status=FAIL,
        subjects=("C",),
        says=("its owner's last read, sent at +60.000 s", "showed it refunded"),
    ),
    Story(
        column=MISSES,
        entry="the last read and the books contradict each other",
        tell=last_read_says_otherwise,
        status=FAIL,
        subjects=("A",),
        says=("showed it closed with 0.00 CNY paid", "and the books call it paid with 10.00 CNY paid"),
    ),
    Story(
        column=MISSES,
        entry="the last read lacks a refund that is booked",
        tell=last_read_lacks_a_refund,
        status=FAIL,
        subjects=("C",),
        says=("0.00 CNY given back, and the books call it paid with 10.00 CNY paid and 5.00 CNY given back",),
    ),
    Story(column=MISSES, entry="moved a moment ago", tell=moved_a_moment_ago, status=FAIL, subjects=("C",)),
    Story(column=MISSES, entry="no payments are shown", tell=without_books_of_payments, status=FAIL, subjects=("C",)),
    Story(
        column=MISSES,
        entry="the net only: a charge and its refund that never were",
        tell=phantom_that_cancels_out,
        status=FAIL,
        subjects=("C",),
        says=("10.00 paid and 10.00 given back", "captured 0.00", "a difference of 10.00"),
    ),
    Story(
        column=MISSES,
        entry="the net only: an order that says more paid and more given back",
        tell=order_that_lies_both_ways,
        status=FAIL,
        subjects=("C",),
        says=("do not add up", "11.00 CNY paid and 6.00 CNY given back", "10.00 CNY paid and 5.00 CNY given back"),
    ),
    Story(column=CRIES_WOLF, entry="a refund on its way", tell=refund_on_its_way, status=PASS),
    Story(column=CRIES_WOLF, entry="goodwill down the refund channel", tell=goodwill, status=PASS),
    Story(column=CRIES_WOLF, entry="not at rest", tell=never_at_rest, status=PASS),
    Story(column=CRIES_WOLF, entry="one of two charges back", tell=paid_twice_and_one_of_them_back, status=PASS),
    Story(column=CRIES_WOLF, entry="paid in cash", tell=paid_in_cash, status=PASS),
    Story(column=CRIES_WOLF, entry="an order over nothing", tell=given_away, status=PASS),
    Story(column=CRIES_WOLF, entry="read before it came to rest", tell=read_before_it_came_to_rest, status=PASS),
    Story(column=CRIES_WOLF, entry="a stranger's last read", tell=strangers_read, status=PASS),
    Story(column=UNDECIDED, entry="no book of orders, and no figures told", tell=figures_untold, status=PASS),
)
