"""Hand-written histories for read_your_writes: A and B are paid and seen so at the end."""

import dataclasses
from functools import partial
from typing import Any

from harness.verdict import Status
from tests.histories.builder import Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def two_good_orders() -> Run:
    run = Run()
    run.paid_order("A", at=1.0)
    owner = run.paid_order("B", at=2.0, method="card")
    owner.read(3.0, 3.1, "B", state="paid", amount_minor=1000, paid_minor=1000, refunded_minor=0)
    owner.list(3.2, 3.3, 1)
    return run


def stale_after_a_payment() -> Run:
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)  # acknowledged at 5.4
    owner.read(5.5, 5.6, "C", state="paying", amount_minor=1000, paid_minor=0)
    return run


def closed_then_open() -> Run:
    """A repeated create told that the order is closed; a read sent later shows it open."""
    run = two_good_orders()
    owner = run.journey(5.0)
    owner.create(5.0, 5.1, "C", state="closed")
    owner.read(5.2, 5.3, "C", state="open", amount_minor=1000)
    return run


def less_refunded() -> Run:
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)
    owner.refund(6.0, 6.1, "C", 400, state="paid", paid_minor=1000, refunded_minor=400, result_id="R")
    owner.read(6.2, 6.3, "C", state="paid", amount_minor=1000, paid_minor=1000, refunded_minor=0)
    run.seen("C", owner)
    return run


def another_amount_at_the_end() -> Run:
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)
    run.final_read("C", owner, state="paid", amount_minor=100_000, paid_minor=100_000)
    return run


def of_another_user() -> Run:
    run = two_good_orders()
    run.paid_order("C", at=5.0)
    run.books_order("C", None, "paid")
    return run


def rounded_by_everyone(*, asked: int = 1050, told: int | None = 1000, booked: int = 1000, outcome: str = "ok") -> Run:
    """Asked for over `asked`; the answer and the last read name `told`, the books `booked`, and it is paid so."""
    run = two_good_orders()
    owner = run.journey(5.0, amount=asked)
    more = {"outcome": outcome} if outcome != "ok" else {"amount_minor": told}
    owner.create(5.0, 5.1, "C" if outcome == "ok" else None, asked, **more)
    if outcome != "ok":
        owner.list(5.15, 5.18, 1)
    owner.pay(5.2, 5.4, "C", state="paid", paid_minor=booked, amount_minor=booked)
    owner.ends(5.4)
    run.books_order("C", owner, "paid", booked, at=5.0)
    run.payment("C", "wechat", "C-1", "paid", amount=booked)
    run.ledger("wechat").captured(5.3, "C-1", "C", booked)
    run.final_read("C", owner, state="paid", amount_minor=told, paid_minor=booked)
    return run


def rounded_in_the_answer_alone() -> Run:
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0, amount=1050)
    owner.create(5.5, 5.6, "C", 1050, amount_minor=1000, attempt=2)
    return run


def rounded_in_a_read_that_overlaps_its_create() -> Run:
    """No order has to be kept in to be over what was asked for."""
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0, amount=1050)
    owner.read(5.05, 5.15, "C", state="open", amount_minor=1000, paid_minor=0)
    return run


def rounded_in_the_books_alone() -> Run:
    return rounded_by_everyone(told=1050)


def rounded_where_nobody_tells() -> Run:
    """Neither answers nor reads tell an amount; the books do."""
    return rounded_by_everyone(told=None)


def rounded_after_a_create_without_answer() -> Run:
    """The owner has the order from a list; only one amount was ever asked for."""
    return rounded_by_everyone(outcome="info")


def in_another_currency() -> Run:
    run = two_good_orders()
    run.orders = [dataclasses.replace(row, currency="JPY") if row.order == "B" else row for row in run.orders]
    return run


def nobody_tells_an_amount() -> Run:
    """Neither answers nor reads tell an amount, and there are no books of orders."""
    run = rounded_by_everyone(told=None)
    run.absent.add("books.orders")
    return run


def replayed_create() -> Run:
    """The same key again, after it was paid, is answered by the order as it is now; a create in flight is cut."""
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0, amount=1050)
    owner.create(5.5, 5.6, "C", 1050, state="paid", paid_minor=1050, refunded_minor=0, attempt=2)
    owner.create(5.7, None, None, 1050, attempt=3)
    return run


def replayed_over_another_amount() -> Run:
    """One key, two amounts, one order: whoever acknowledges that breaks another promise."""
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0, amount=1050)
    owner.create(5.5, 5.6, "C", 2000, amount_minor=1050, attempt=2)
    return run


def two_orders_over_two_amounts() -> Run:
    """The first create had no answer and stands all the same; each is over what was asked for it."""
    run = two_good_orders()
    owner = run.journey(5.0)
    owner.create(5.0, 5.1, None, 1050, outcome="info")
    owner.create(5.2, 5.3, "D", 2000)
    owner.read(5.5, 5.6, "D", state="open", amount_minor=2000)
    run.books_order("C", owner, "closed", 1050, at=5.0)
    run.books_order("D", owner, "closed", 2000, at=5.2)
    return run


def empty_list() -> Run:
    run = two_good_orders()
    run.paid_order("C", at=5.0).list(5.6, 5.7, 0)
    return run


def three_orders(*shown: str, **reply: Any) -> Run:
    """C paid for, D and E placed after it; then a list that was read to its end shows these."""
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)
    owner.create(5.5, 5.6, "D")
    owner.create(5.7, 5.8, "E")
    owner.list(6.0, 6.2, len(shown), **{"listed_orders": shown} | reply)
    return run


def shown_twice(done: float | None, outcome: str) -> Run:
    """D stands on both pages; another create was sent before, and ended so."""
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)
    owner.create(5.5, 5.6, "D")
    owner.create(5.7, done, None, outcome=outcome, http=None if outcome == "info" else 503)
    owner.list(6.0, 6.2, 3, listed_orders=("D", "D", "C"))
    return run


def listed_meanwhile() -> Run:
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)
    owner.create(5.5, 6.1, "D")
    owner.list(6.0, 6.2, 1, listed_orders=("C",))
    return run


def overlapping() -> Run:
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)  # the payment is done at 5.4
    owner.read(5.3, 5.6, "C", state="paying", amount_minor=1000, paid_minor=0)
    owner.read(5.05, 5.5, "C", state="open", amount_minor=1000, paid_minor=0)
    return run


def forward() -> Run:
    """Paid, then refunded in full behind the customer's back; another is closed; a refund is promised, not yet sent."""
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)
    owner.refund(5.5, 5.6, "C", 1000, state="paid", paid_minor=1000, refunded_minor=0, result_id="R")
    owner.read(5.7, 5.8, "C", state="paid", amount_minor=1000, paid_minor=1000, refunded_minor=0)
    owner.read(7.0, 7.1, "C", state="refunded", amount_minor=1000, paid_minor=1000, refunded_minor=1000)
    other = run.journey(6.0)
    other.create(6.0, 6.1, "D")
    other.pay(6.2, 6.3, "D", outcome="info", http=202, state="paying")
    other.read(6.4, 6.5, "D", state="open", amount_minor=1000, paid_minor=0)  # the attempt failed
    other.read(15.0, 15.1, "D", state="closed", amount_minor=1000, paid_minor=0)
    return run


def anothers_write() -> Run:
    """Somebody else's read is not this customer's."""
    run = two_good_orders()
    run.journey(5.0).read(5.0, 5.1, "A", state="open", amount_minor=1000, paid_minor=0)
    return run


def nothing_read() -> Run:
    run = Run()
    owner = run.journey(1.0)
    owner.create(1.0, 1.1, "A")
    owner.read(1.05, 1.2, "A", state="open", amount_minor=1000)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
WRITE_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=PASS, says=("3 reads and 1 lists",)),
    Story(
        column=BROKEN,
        entry="an older state",
        tell=stale_after_a_payment,
        status=FAIL,
        subjects=("C",),
        says=("a pay was acknowledged at +5.400 s", "a read sent at +5.500 s", "showed it paying with 0.00"),
    ),
    Story(column=BROKEN, entry="open again", tell=closed_then_open, status=FAIL, subjects=("C",), says=("it open",)),
    Story(column=BROKEN, entry="an empty list", tell=empty_list, status=FAIL, subjects=("C",), says=("was empty",)),
    Story(
        column=BROKEN,
        entry="a last read names another amount",
        tell=another_amount_at_the_end,
        status=FAIL,
        subjects=("C",),
        says=("asked for over 10.00 CNY", "its owner's last read, done at", "showed it over 1000.00 CNY"),
    ),
    Story(
        column=BROKEN,
        entry="an order over less than was asked for",
        tell=rounded_by_everyone,
        status=FAIL,
        subjects=("C",),
        says=(
            "it was asked for over 10.50 CNY, and the answer to its create, done at +5.100 s",
            "showed it over 10.00 CNY",
            "its owner's last read",
            "the books have it over 10.00 CNY",
        ),
    ),
    Story(
        column=BROKEN,
        entry="the answer alone names less",
        tell=rounded_in_the_answer_alone,
        status=FAIL,
        subjects=("C",),
        says=("the answer to its create",),
    ),
    Story(
        column=BROKEN,
        entry="the books alone hold less",
        tell=rounded_in_the_books_alone,
        status=FAIL,
        subjects=("C",),
        says=("and the books have it over 10.00 CNY",),
    ),
    Story(
        column=MISSES,
        entry="nobody tells the customer an amount",
        tell=rounded_where_nobody_tells,
        status=FAIL,
        subjects=("C",),
        says=("and the books have it over 10.00 CNY",),
    ),
    Story(
        column=MISSES,
        entry="less, in a read that overlaps the create",
        tell=rounded_in_a_read_that_overlaps_its_create,
        status=FAIL,
        subjects=("C",),
        says=("a read, done at +5.150 s",),
    ),
    Story(
        column=MISSES,
        entry="less, of an order that is known from a list",
        tell=rounded_after_a_create_without_answer,
        status=FAIL,
        subjects=("C",),
        says=("it was asked for over 10.50 CNY",),
    ),
    Story(
        column=BROKEN,
        entry="another currency",
        tell=in_another_currency,
        status=FAIL,
        subjects=("B",),
        says=("it was asked for over 10.00 CNY, and the books have it over 1000 JPY",),
    ),
    Story(column=CRIES_WOLF, entry="a target that tells no amount", tell=nobody_tells_an_amount, status=PASS),
    Story(column=CRIES_WOLF, entry="a create asked for again", tell=replayed_create, status=PASS),
    Story(column=CRIES_WOLF, entry="one key over two amounts", tell=replayed_over_another_amount, status=PASS),
    Story(column=CRIES_WOLF, entry="two orders of one customer", tell=two_orders_over_two_amounts, status=PASS),
    Story(
        column=BROKEN,
        entry="the books give the order to another user",
        tell=of_another_user,
        status=FAIL,
        subjects=("C",),
        says=("created it, and the books give it to user-of-nobody",),
    ),
    Story(
        column=MISSES,
        entry="only the state compared",
        tell=less_refunded,
        status=FAIL,
        subjects=("C",),
        says=("with 0.00 CNY refunded instead of 4.00 CNY",),
    ),
    Story(column=HOLDS, entry="all orders over two pages", tell=partial(three_orders, "E", "D", "C"), status=PASS),
    Story(
        column=MISSES,
        entry="only an empty list looked for",
        tell=partial(three_orders, "E", "C"),
        status=FAIL,
        subjects=("D",),
        says=("acknowledged at +5.600 s", "and read to its end named 2 others"),
    ),
    Story(
        column=BROKEN,
        entry="an order on two pages",
        tell=partial(shown_twice, 5.9, "fail"),
        status=FAIL,
        subjects=("D",),
        says=("named it 2 times",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="a list that was not read to its last page",
        tell=partial(three_orders, "E", "D", listed_orders=()),
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="a list whose last page did not come",
        tell=partial(three_orders, "E", "D", outcome="info", ending="reset", http=None, listed_orders=()),
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF, entry="an unanswered create moved it", tell=partial(shown_twice, 5.9, "info"), status=PASS
    ),
    Story(
        column=CRIES_WOLF,
        entry="a create beside the list moved it",
        tell=partial(shown_twice, 6.1, "fail"),
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="a list that overlaps the create", tell=listed_meanwhile, status=PASS),
    Story(column=CRIES_WOLF, entry="overlapping", tell=overlapping, status=PASS),
    Story(column=CRIES_WOLF, entry="background transitions forward", tell=forward, status=PASS),
    Story(column=CRIES_WOLF, entry="a stranger's read", tell=anothers_write, status=PASS),
    Story(column=UNDECIDED, entry="no ordered pair", tell=nothing_read, status=UNKNOWN, says=("0 decided",)),
)
