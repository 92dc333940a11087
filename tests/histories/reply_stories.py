"""Hand-written histories for read_your_writes, about what replies deny: a `pay_by` that was told, a payment made."""

import dataclasses
from functools import partial
from typing import Any

from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns, utc_ms
from tests.histories.story import BROKEN, CRIES_WOLF, MISSES, Story
from tests.histories.write_stories import two_good_orders

HOURS_S = 8 * 3600
DENIAL: dict[str, Any] = {"outcome": "fail", "http": 200, "code": "attempt_failed", "result_id": "payment-C-C-1"}
ERROR_NS = 5_000_000


def told_again(by_s: float = HOURS_S, *, op: str = "read", extends: bool = False) -> Run:
    """C was created at 5 s, to be paid by 13 s; another reply of this kind, or the books, tell it moved by so much."""
    run = two_good_orders()
    run.offers(extends_pay_by=extends)
    owner = run.paid_order("C", at=5.0)
    moved = utc_ms(13.0) + round(by_s * 1000)
    match op:
        case "read":
            owner.read(6.0, 6.1, "C", state="paid", amount_minor=1000, paid_minor=1000, pay_by_utc_ms=moved)
        case "create":
            owner.create(6.0, 6.1, "C", state="paid", paid_minor=1000, pay_by_utc_ms=moved, attempt=2)
        case "pay":
            refused = {"outcome": "fail", "http": 200, "code": "attempt_failed"}
            owner.pay(6.0, 6.1, "C", "card", state="paid", pay_by_utc_ms=moved, **refused)
        case "last read":
            run.final_read("C", owner, state="paid", amount_minor=1000, paid_minor=1000, pay_by_utc_ms=moved)
        case _:
            run.orders = [
                dataclasses.replace(row, pay_by_utc_ms=moved) if row.order == "C" else row for row in run.orders
            ]
    return run


def where_orders_wait_for_no_instant() -> Run:
    run = told_again()
    run.offers(pay_by=False)
    return run


def told_to_a_stranger() -> Run:
    run = two_good_orders()
    run.paid_order("C", at=5.0)
    run.journey(6.0).read(6.0, 6.1, "C", state="paid", amount_minor=1000, pay_by_utc_ms=utc_ms(13.0 + HOURS_S))
    return run


def never_acknowledged() -> Run:
    """Its owner has the order from a list: no answer to its create named an instant."""
    run = two_good_orders()
    owner = run.journey(5.0)
    owner.create(5.0, 5.1, None, outcome="info")
    owner.read(6.0, 6.1, "C", state="open", amount_minor=1000, pay_by_utc_ms=utc_ms(13.0 + HOURS_S))
    run.books_order("C", owner, "closed", at=5.0)
    return run


def paying(*, clock: bool = True) -> tuple[Run, Journey]:
    """An order C, created at 5 s, of which nothing is told yet."""
    run = two_good_orders()
    if clock:
        run.clocks.append({"source": "books", "at_ns": ns(1.0), "offset_ns": 0, "error_ns": ERROR_NS})
    owner = run.journey(5.0)
    owner.create(5.0, 5.1, "C")
    return run, owner


def taken(run: Run, owner: Journey, at: float, *, old: str = "sent", log: bool = True) -> Run:
    """WeChat Pay took the money of attempt C-1, and the books have it as paid from then on."""
    owner.ends(9.0)
    run.books_order("C", owner, "paid", at=5.0)
    run.payment("C", "wechat", "C-1", "paid")
    run.ledger("wechat").captured(at - 0.05, "C-1", "C", 1000)
    if log:
        run.transition(at, "payment", "payment-C-C-1", "C", old=old, new="paid")
    return run


def denied_in_its_own_answer(*, log: bool = True, clock: bool = True) -> Run:
    run, owner = paying(clock=clock)
    owner.pay(5.2, 5.6, "C", state="paid", paid_minor=1000, **DENIAL)
    return taken(run, owner, 5.4, log=log)


def denied_under_a_new_key() -> Run:
    """The answer calls the order open: only the books know that the attempt was paid before it was asked about."""
    run, owner = paying()
    owner.pay(5.2, 5.6, "C", outcome="info", http=202, code="attempt_sent", result_id="payment-C-C-1", state="paying")
    owner.pay(7.0, 7.1, "C", state="open", **DENIAL)
    return taken(run, owner, 5.8)


def denied_when_its_key_came_again() -> Run:
    run, owner = paying()
    sent: dict[str, Any] = {"outcome": "info", "http": 202, "code": "attempt_sent", "result_id": "payment-C-C-1"}
    owner.pay(5.2, 5.6, "C", key=70, state="paying", **sent)
    owner.pay(7.0, 7.1, "C", key=70, attempt=2, state="open", **DENIAL)
    return taken(run, owner, 5.8)


def paid_by_another_attempt() -> Run:
    """The first attempt failed, the second paid; asked again, the first one's key is answered as before."""
    run, owner = paying()
    failed = DENIAL | {"result_id": "payment-C-C-0"}
    owner.pay(5.2, 5.3, "C", "card", key=70, state="open", **failed)
    owner.pay(5.5, 5.9, "C", state="paid", paid_minor=1000, result_id="payment-C-C-1")
    owner.pay(7.0, 7.1, "C", "card", key=70, attempt=2, state="paid", paid_minor=1000, **failed)
    run.payment("C", "card", "C-0", "dead")
    return taken(run, owner, 5.8)


def captured_after_it_was_told() -> Run:
    """Refused at first; the money came all the same, and the order was honoured, as the machine allows."""
    run, owner = paying()
    owner.pay(5.2, 5.6, "C", state="open", **DENIAL)
    return taken(run, owner, 7.0, old="failed")


def told_again_as_it_was() -> Run:
    """A key is answered with what it was answered first, though the capture came between."""
    run, owner = paying()
    owner.pay(5.2, 5.6, "C", key=70, state="open", **DENIAL)
    owner.pay(8.0, 8.1, "C", key=70, attempt=2, state="paid", **DENIAL)
    return taken(run, owner, 7.0, old="failed")


def told_again_after_a_lost_answer() -> Run:
    run, owner = paying()
    owner.pay(5.2, 5.6, "C", key=70, outcome="info", ending="cut_body")
    owner.pay(8.0, 8.1, "C", key=70, attempt=2, state="paid", **DENIAL)
    return taken(run, owner, 7.0, old="failed")


def captured_while_it_was_answered() -> Run:
    """The attempt was closed, then honoured; the answer holds one from before, the other from after."""
    run, owner = paying()
    owner.pay(5.2, 5.6, "C", state="paid", paid_minor=1000, **DENIAL)
    other = run.journey(6.0)
    other.create(6.0, 6.1, "D")
    run.books_order("D", other, "closed", at=6.0)
    run.payment("D", "wechat", "D-1", "dead")  # as a closed attempt stands in these books
    return taken(run, owner, 5.5, old="dead")


def paid_twice() -> Run:
    """Both attempts were taken, the one that was told to have failed after all: its money goes back."""
    run, owner = paying()
    owner.pay(5.2, 5.3, "C", "card", key=70, state="open", **(DENIAL | {"result_id": "payment-C-C-0"}))
    owner.pay(5.5, 5.9, "C", state="paid", paid_minor=1000, result_id="payment-C-C-1")
    run.payment("C", "card", "C-0", "paid")
    run.transition(7.0, "payment", "payment-C-C-0", "C", old="failed", new="paid")
    return taken(run, owner, 5.8)


def before_by_an_unsampled_clock() -> Run:
    run, owner = paying(clock=False)
    owner.pay(7.0, 7.1, "C", state="open", **DENIAL)
    return taken(run, owner, 5.8)


def listed(sent: float = 6.0, **shown: Any) -> Run:
    """C is paid, acknowledged at 5.4 s, and half of it promised back; then a list shows it so, beside D."""
    run = two_good_orders()
    owner = run.paid_order("C", at=5.0)
    owner.create(5.5, 5.6, "D")
    row = {"listed_states": ("open", "paid"), "listed_amounts": (1000, 1000), "listed_paid": (0, 1000)}
    row |= {"listed_orders": ("D", "C"), "listed_refunded": (0, 0)}
    owner.list(sent, sent + 0.2, 2, **(row | shown))
    return run


PASS, FAIL = Status.PASS, Status.FAIL
REPLY_STORIES = (
    Story(
        column=BROKEN,
        entry="a read shows another pay_by",
        tell=told_again,
        status=FAIL,
        subjects=("C",),
        says=(
            "acknowledged at +5.100 s",
            "with a pay_by",
            "the answer to a read, done at +6.100 s",
            "showed it 28800.000 s later",
        ),
    ),
    Story(
        column=BROKEN,
        entry="the books have another pay_by",
        tell=partial(told_again, -1.5, op="books"),
        status=FAIL,
        subjects=("C",),
        says=("the books have it 1.500 s earlier",),
    ),
    *(
        Story(
            column=MISSES,
            entry=f"another pay_by in a {op}",
            tell=partial(told_again, op=op),
            status=FAIL,
            subjects=("C",),
        )
        for op in ("create", "pay", "last read")
    ),
    Story(
        column=MISSES,
        entry="an extension that brings it forward",
        tell=partial(told_again, -2.0, extends=True),
        status=FAIL,
        subjects=("C",),
        says=("2.000 s earlier",),
    ),
    Story(column=CRIES_WOLF, entry="pay_by cut to seconds", tell=partial(told_again, -0.999), status=PASS),
    Story(
        column=CRIES_WOLF, entry="pay_by rounded in the books", tell=partial(told_again, 0.5, op="books"), status=PASS
    ),
    Story(column=CRIES_WOLF, entry="a published extension", tell=partial(told_again, 600, extends=True), status=PASS),
    Story(
        column=CRIES_WOLF, entry="orders that expire at no instant", tell=where_orders_wait_for_no_instant, status=PASS
    ),
    Story(column=CRIES_WOLF, entry="pay_by told to a stranger", tell=told_to_a_stranger, status=PASS),
    Story(column=CRIES_WOLF, entry="pay_by of a create without an answer", tell=never_acknowledged, status=PASS),
    Story(
        column=BROKEN,
        entry="listed as it was before it was paid",
        tell=partial(listed, listed_states=("open", "open"), listed_paid=(0, 0)),
        status=FAIL,
        subjects=("C",),
        says=(
            "a pay was acknowledged at +5.400 s",
            "a list sent at +6.000 s",
            "showed it open with 0.00 CNY paid",
        ),
    ),
    Story(
        column=MISSES,
        entry="listed as paid, with nothing paid",
        tell=partial(listed, listed_paid=(0, 0)),
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=MISSES,
        entry="listed over another amount",
        tell=partial(listed, listed_amounts=(1000, 900)),
        status=FAIL,
        subjects=("C",),
        says=(
            "and a list, done at +6.200 s",
            "showed it over 9.00 CNY",
        ),
    ),
    Story(column=CRIES_WOLF, entry="a list that shows what is", tell=listed, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="a list that overlaps its payment",
        tell=partial(listed, 5.3, listed_states=("open", "paying"), listed_paid=(0, 0)),
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="a list of names only",
        tell=partial(listed, listed_states=(), listed_amounts=(), listed_paid=(), listed_refunded=()),
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="a list that tells states and no figures",
        tell=partial(listed, listed_amounts=(None, None), listed_paid=(None, None), listed_refunded=(None, None)),
        status=PASS,
    ),
    Story(
        column=BROKEN,
        entry="told that it failed, by an answer that has the order paid",
        tell=denied_in_its_own_answer,
        status=FAIL,
        subjects=("C",),
        says=(
            "a payment by wechat, sent at +5.200 s",
            "was answered attempt_failed",
            "payment-C-C-1",
            "as the same answer",
        ),
    ),
    Story(
        column=MISSES,
        entry="told that it failed, and there is no log",
        tell=partial(denied_in_its_own_answer, log=False, clock=False),
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=MISSES,
        entry="told that it failed under a new key, after it was paid",
        tell=denied_under_a_new_key,
        status=FAIL,
        subjects=("C",),
        says=("as paid since +5.800 s",),
    ),
    Story(
        column=MISSES,
        entry="told that it failed when its key came again",
        tell=denied_when_its_key_came_again,
        status=FAIL,
        subjects=("C",),
    ),
    Story(column=CRIES_WOLF, entry="paid by another attempt", tell=paid_by_another_attempt, status=PASS),
    Story(column=CRIES_WOLF, entry="captured after it was told", tell=captured_after_it_was_told, status=PASS),
    Story(column=CRIES_WOLF, entry="a failure told again as it was", tell=told_again_as_it_was, status=PASS),
    Story(column=CRIES_WOLF, entry="a failure whose answer was lost", tell=told_again_after_a_lost_answer, status=PASS),
    Story(column=CRIES_WOLF, entry="captured while it was answered", tell=captured_while_it_was_answered, status=PASS),
    Story(column=CRIES_WOLF, entry="paid twice, once after all", tell=paid_twice, status=PASS),
    Story(column=CRIES_WOLF, entry="before, by an unsampled clock", tell=before_by_an_unsampled_clock, status=PASS),
)
