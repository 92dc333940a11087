"""Hand-written histories for owner_only: A is paid by wechat and belongs to the first customer."""

from functools import partial
from typing import Any

import msgspec

from harness.recorder.rows import Inv
from harness.verdict import Status
from tests.histories.builder import Journey, Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

NO: dict[str, Any] = {"outcome": "fail", "http": 404, "code": "order_not_found"}
SILENT: dict[str, Any] = {"outcome": "info", "ending": "read_timeout"}


def two_good_orders() -> Run:
    run = Run()
    run.paid_order("A", at=1.0)
    run.paid_order("B", at=2.0, method="card")
    return run


def tries(run: Run, tried: str, at: float = 5.0, phase: str = "steady", order: str = "A", **reply: Any) -> Journey:
    """Somebody new tries something with order A."""
    stranger = run.journey(at, phase=phase)
    named: dict[str, dict[str, Any]] = {"read": {}, "pay": {"method": "alipay"}, "refund": {"asked": 1}}
    stranger.does("trespass", at, at + 0.1, order=order, tried=tried, **named[tried], **reply)
    return stranger


def all_refused() -> Run:
    run = two_good_orders()
    for at, tried in enumerate(("read", "pay", "refund"), start=5):
        tries(run, tried, float(at), **NO)
    tries(run, "read", 9.0, outcome="info", http=500)
    return run


def read_by_a_stranger() -> Run:
    run = all_refused()
    tries(run, "read", state="paid", amount_minor=1000)
    return run


def readable_while_degraded() -> Run:
    run = all_refused()
    tries(run, "read", 20.0, "fault", state="paid", amount_minor=1000)
    return run


def being_paid_by_a_stranger() -> Run:
    run = all_refused()
    tries(run, "pay", outcome="info", http=202, code="attempt_sent")
    return run


def told_in_the_refusal() -> Run:
    run = all_refused()
    tries(run, "pay", outcome="fail", http=409, code="order_paid", state="paid")
    return run


def replayed(given: str | None, **reply: Any) -> Run:
    """Somebody sends the create by which A was made again, key and all, and is given this order."""
    run = all_refused()
    stranger = run.journey(5.0)
    made = {"result_id": given, "state": "open", "amount_minor": 1000, "paid_minor": 0, "refunded_minor": 0}
    reply = (made if given else {}) | reply
    stranger.does("trespass", 5.0, 5.1, order="A", named=given, tried="create", asked=1000, key=1, **reply)
    if given not in (None, "A"):
        run.books_order(str(given), stranger, "closed")
        run.seen(str(given), stranger, state="closed")
    return run


def refunded_though_refused() -> Run:
    """The answer is 404, and the money went back all the same."""
    run = all_refused()
    run.books_refund("R", "A", "wechat", "A-R", 1)
    return run


def attempted_though_unanswered() -> Run:
    run = all_refused()
    tries(run, "pay", **SILENT)
    run.payment("A", "alipay", "A-2", "live")
    return run


def the_owners_own_refund() -> Run:
    """The owner asked for just as little, and got it; the stranger got nothing."""
    run = two_good_orders()
    tries(run, "refund", **NO)
    owner = run.paid_order("C", at=7.0)
    owner.refund(8.0, 8.1, "C", 1, result_id="R")
    run.books_refund("R", "C", "wechat", "C-R", 1)
    tries(run, "refund", 9.0, order="C", **NO)
    return run


def household() -> Run:
    """Two customers who share one account: either may look."""
    run = all_refused()
    holder = tries(run, "read", state="paid", amount_minor=1000)
    owner = next(row.user for row in run.history if isinstance(row, Inv) and row.op == "journey")
    run.history = [
        msgspec.structs.replace(row, user=owner) if isinstance(row, Inv) and row.id == holder.number else row
        for row in run.history
    ]
    return run


def never_sent_and_never_answered() -> Run:
    """Nobody was told anything: the one was not sent, the other had no answer to a read."""
    run = all_refused()
    tries(run, "read", **SILENT)
    tries(run, "pay", outcome="fail", ending="refused")
    return run


def unanswered_write_without_books() -> Run:
    run = all_refused()
    tries(run, "refund", **SILENT)
    run.absent.add("books.refunds")
    return run


def unanswered_write_with_books() -> Run:
    run = all_refused()
    tries(run, "refund", **SILENT)
    tries(run, "pay", **SILENT)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
OWNER_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=all_refused, status=PASS, says=("4 decided", "asked by phase: steady 4")),
    Story(column=HOLDS, entry="unanswered, and the books are clean", tell=unanswered_write_with_books, status=PASS),
    Story(
        column=BROKEN,
        entry="read",
        tell=read_by_a_stranger,
        status=FAIL,
        subjects=("A",),
        says=("Order A belongs to user-1; user-", "tried to read it at +5.000 s", "answered 200, and read it"),
    ),
    Story(
        column=BROKEN,
        entry="pay",
        tell=being_paid_by_a_stranger,
        status=FAIL,
        subjects=("A",),
        says=("answered 202 attempt_sent, and paid it, or is about to",),
    ),
    Story(
        column=BROKEN,
        entry="told in the refusal",
        tell=told_in_the_refusal,
        status=FAIL,
        subjects=("A",),
        says=("was told of it in the refusal 409 order_paid: paid",),
    ),
    Story(
        column=BROKEN,
        entry="given by its owner's key",
        tell=partial(replayed, "A"),
        status=FAIL,
        subjects=("A",),
        says=("tried to be given, by its owner's key, it at +5.000 s", "answered 200, and was given it"),
    ),
    Story(
        column=BROKEN,
        entry="told of by its owner's key",
        tell=partial(replayed, None, outcome="fail", http=409, code="order_paid", state="paid"),
        status=FAIL,
        subjects=("A",),
        says=("was told of it in the refusal 409 order_paid: paid",),
    ),
    Story(
        column=HOLDS,
        entry="another's key makes an order of one's own",
        tell=partial(replayed, "X", http=201),
        status=PASS,
        says=("5 decided",),
    ),
    Story(
        column=HOLDS,
        entry="another's key is refused",
        tell=partial(replayed, None, outcome="fail", http=422, code="idempotency_key_reused"),
        status=PASS,
        says=("5 decided",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="a replay whose answer cannot be read",
        tell=partial(replayed, None, outcome="info", http=201, code="unreadable_answer"),
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="a replay never answered", tell=partial(replayed, None, **SILENT), status=PASS),
    Story(
        column=MISSES,
        entry="refused, and done all the same",
        tell=refunded_though_refused,
        status=FAIL,
        subjects=("A",),
        says=("tried to have refunded it", "answered 404 order_not_found, and the books hold what it asked for"),
    ),
    Story(
        column=MISSES,
        entry="unanswered, and begun all the same",
        tell=attempted_though_unanswered,
        status=FAIL,
        subjects=("A",),
        says=("answered read_timeout, and the books hold",),
    ),
    Story(
        column=MISSES,
        entry="asked only in the steady phase",
        tell=readable_while_degraded,
        status=FAIL,
        subjects=("A",),
        says=("+20.000 s", "(fault)", "asked by phase: fault 1, steady 4"),
    ),
    Story(column=CRIES_WOLF, entry="shared identifiers of a household account", tell=household, status=PASS),
    Story(column=CRIES_WOLF, entry="the owner's own refund", tell=the_owners_own_refund, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="never sent, or a read never answered",
        tell=never_sent_and_never_answered,
        status=PASS,
        says=("4 decided",),
    ),
    Story(column=UNDECIDED, entry="none asked", tell=two_good_orders, status=UNKNOWN, says=("0 decided",)),
    Story(
        column=UNDECIDED,
        entry="a write never answered, and no book",
        tell=unanswered_write_without_books,
        status=UNKNOWN,
        says=("attempts of strangers to write were never answered",),
    ),
)
