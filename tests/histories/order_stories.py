"""Hand-written histories for no_vanished_order."""

from collections.abc import Mapping
from typing import Any

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

NOT_FOUND: Mapping[str, Any] = {"outcome": "fail", "http": 404, "code": "order_not_found"}


def two_good_orders() -> Run:
    run = Run()
    run.paid_order("A", at=1.0)
    run.paid_order("B", at=2.0, method="card")
    return run


def unpaid_order(run: Run, order: str, at: float = 1.0) -> Journey:
    """Acknowledged, never paid, closed by the target, seen so by its owner."""
    journey = run.journey(at)
    journey.create(at, at + 0.1, order)
    journey.ends(at + 10.0, "gave_up")
    run.books_order(order, journey, "closed")
    run.seen(order, journey, state="closed")
    return journey


def gone(run: Run, order: str, journey: Journey) -> None:
    """Neither books nor owner find the order at the end."""
    run.orders = [row for row in run.orders if row.order != order]
    run.payments = [row for row in run.payments if row.order != order]
    run.final_read(order, journey, **NOT_FOUND)
    run.final_list(journey, [])


def acknowledged_before_it_was_committed() -> Run:
    """SIGKILL between the answer to a create and its commit."""
    run = two_good_orders()
    gone(run, "C", unpaid_order(run, "C", at=3.0))
    return run


def deleted_because_a_provider_failed() -> Run:
    """The order is deleted when the call to the provider raises; the money was taken."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.1, "C")
    journey.pay(3.2, 6.2, "C", "wechat", outcome="info", ending="read_timeout", http=None)
    journey.read(7.0, 7.1, "C", **NOT_FOUND)
    journey.ends(13.0, "gave_up")
    run.ledger("wechat").captured(3.4, "C-1", "C", 1000)
    gone(run, "C", journey)
    return run


def restarted_with_an_empty_database() -> Run:
    """Every acknowledged order is gone, and the API answers politely."""
    run = two_good_orders()
    for row in list(run.lists):
        row["orders"] = []
    run.reads = [row | {"http": 404, "state": None} | dict(NOT_FOUND) for row in run.reads]
    run.orders, run.payments = [], []
    return run


def short_list() -> Run:
    """The owner's list stopped at its page limit before it came to the order."""
    run = two_good_orders()
    for row in run.lists:
        row |= {"orders": [], "complete": False}
    return run


def overlapping_read() -> Run:
    """A read on another connection left before the create was acknowledged, and came too early."""
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    journey.read(3.05, 3.2, "C", **NOT_FOUND)
    return run


def bare_404() -> Run:
    """A proxy before the API had no route for a moment."""
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    journey.read(4.0, 4.1, "C", outcome="info", http=404)
    journey.read(4.2, 4.3, "C", outcome="fail", http=404)
    return run


def strangers_are_not_told() -> Run:
    """Another customer asks for the order and is told that there is none: as it should be."""
    run = two_good_orders()
    unpaid_order(run, "C", at=3.0)
    run.journey(4.0).read(4.0, 4.1, "C", **NOT_FOUND)
    return run


def unanswered_create() -> Run:
    """A create that got no answer and took no effect acknowledged nothing."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 6.0, None, outcome="info", ending="read_timeout", http=None)
    run.final_list(journey, [])
    return run


def deleted_and_recreated() -> Run:
    """In the books at the end, but its owner was told in between that there is no such order."""
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    journey.read(4.0, 4.1, "C", **NOT_FOUND)
    return run


def gone_when_nobody_asked_but_the_live_judge() -> Run:
    """In the books and shown to its owner at the end; in between a read on her behalf was told that there is none."""
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    run.reread("C", journey, at=5.0, **NOT_FOUND)
    return run


def reread_before_it_was_known() -> Run:
    """Read on behalf of its owner before the create was answered: nobody had been promised anything."""
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    run.reread("C", journey, at=3.05, **NOT_FOUND)
    run.reread("C", journey, at=5.0)
    return run


def hidden_from_its_owner() -> Run:
    """In the books, but neither read nor list show it."""
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    run.final_read("C", journey, **NOT_FOUND)
    run.final_list(journey, [])
    return run


def known_from_a_payment_only() -> Run:
    """The create got no answer; the payment named the order, and then it was gone."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 6.0, None, outcome="info", ending="read_timeout", http=None)
    journey.pay(6.5, 6.7, "C", "card", state="paying")
    gone(run, "C", journey)
    return run


def known_from_a_list_only() -> Run:
    """The create got no answer, a list named the order, paying for it got none either; and then it was gone."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 6.0, None, outcome="info", ending="read_timeout", http=None)
    journey.list(6.1, 6.2, 1)
    journey.pay(6.5, 9.5, "C", "card", outcome="info", ending="read_timeout", http=None)
    gone(run, "C", journey)
    return run


def unreadable_at_the_end() -> Run:
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    run.final_read("C", journey, outcome="info", http=500, tries=3)
    return run


def not_at_rest() -> Run:
    """Absent from the books, which still moved, and its owner was not asked."""
    run = two_good_orders()
    gone(run, "C", unpaid_order(run, "C", at=3.0))
    run.reads = [row for row in run.reads if row["order"] != "C"]
    run.lists = [row for row in run.lists if row["orders"]]
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=None)
    return run


def acknowledged_after_the_list() -> Run:
    """The owner's list was read before the order was acknowledged."""
    run = two_good_orders()
    journey = unpaid_order(run, "C", at=3.0)
    run.final_list(journey, [])
    run.lists[-1] |= {"sent_ns": ns(2.9)}
    return run


ORDER_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=Status.UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=Status.PASS),
    Story(
        column=BROKEN,
        entry="acknowledged before it was committed",
        tell=acknowledged_before_it_was_committed,
        status=Status.FAIL,
        subjects=("C",),
        says=("acknowledged by a create at +3.100 s (22:13:23.100 UTC)", "no money had been taken"),
    ),
    Story(
        column=BROKEN,
        entry="deleted because a provider failed",
        tell=deleted_because_a_provider_failed,
        status=Status.FAIL,
        subjects=("C",),
        says=("a read sent at +7.000 s", "10.00 CNY had been taken at wechat", "books do not hold it"),
    ),
    Story(
        column=BROKEN,
        entry="restarted with an empty database",
        tell=restarted_with_an_empty_database,
        status=Status.FAIL,
        subjects=("A", "B"),
    ),
    Story(column=CRIES_WOLF, entry="a list's page limit", tell=short_list, status=Status.PASS),
    Story(column=CRIES_WOLF, entry="a list before the ack", tell=acknowledged_after_the_list, status=Status.PASS),
    Story(column=CRIES_WOLF, entry="a read that overlaps the ack", tell=overlapping_read, status=Status.PASS),
    Story(column=CRIES_WOLF, entry="a 404 from a proxy", tell=bare_404, status=Status.PASS),
    Story(column=CRIES_WOLF, entry="a stranger's 404", tell=strangers_are_not_told, status=Status.PASS),
    Story(column=CRIES_WOLF, entry="a create that was never acknowledged", tell=unanswered_create, status=Status.PASS),
    Story(
        column=MISSES,
        entry="gone when only the live judge asked",
        tell=gone_when_nobody_asked_but_the_live_judge,
        status=Status.FAIL,
        subjects=("C",),
        says=("a read for its owner", "answered 404 order_not_found"),
    ),
    Story(column=CRIES_WOLF, entry="reread before it was known", tell=reread_before_it_was_known, status=Status.PASS),
    Story(
        column=MISSES,
        entry="only the books compared: deleted and recreated",
        tell=deleted_and_recreated,
        status=Status.FAIL,
        subjects=("C",),
        says=("answered 404 order_not_found",),
    ),
    Story(
        column=MISSES,
        entry="only the books compared: hidden from the API",
        tell=hidden_from_its_owner,
        status=Status.FAIL,
        subjects=("C",),
        says=("its owner's last read", "its owner's own list of 0"),
    ),
    Story(
        column=MISSES,
        entry="an ack seen only on pay",
        tell=known_from_a_payment_only,
        status=Status.FAIL,
        subjects=("C",),
        says=("by a pay that named it",),
    ),
    Story(
        column=MISSES,
        entry="an ack seen only in a list",
        tell=known_from_a_list_only,
        status=Status.FAIL,
        subjects=("C",),
        says=("by the list in which its owner found it",),
    ),
    Story(
        column=UNDECIDED,
        entry="the last read is 5xx after 3 tries",
        tell=unreadable_at_the_end,
        status=Status.UNKNOWN,
        says=("1 orders have no last read by their owner that was answered",),
    ),
    Story(
        column=UNDECIDED,
        entry="absent from books that still move",
        tell=not_at_rest,
        status=Status.UNKNOWN,
        says=("1 orders are not in the books",),
    ),
)
