"""Hand-written histories for read_your_writes: A and B are paid and seen so at the end."""

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
        says=("its owner's last read", "over 1000.00 CNY instead of 10.00 CNY"),
    ),
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
