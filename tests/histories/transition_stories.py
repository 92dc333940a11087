"""Hand-written histories for legal_transitions: the machine of orders is the reference's, that of attempts smaller."""

from typing import Any

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run
from tests.histories.fulfilment_runs import unpaid
from tests.histories.settings import PAY_BY_S
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

PAYMENT_EDGES = (("live", "paid"), ("live", "dead"), ("dead", "paid"))
REFUND_EDGES = (("pending", "done"), ("pending", "failed"))


def begun() -> Run:
    run = Run()
    run.offers(payment_edges=PAYMENT_EDGES, refund_edges=REFUND_EDGES)
    return run


def steps(run: Run, order: str, *states: str, kind: str = "order", subject: str | None = None, at: float = 1.0) -> None:
    """One thing's whole way in the log, a tenth of a second a step."""
    for number, (old, new) in enumerate(zip((None, *states), states, strict=False)):
        run.transition(at + number / 10, kind, subject or order, order, old=old, new=new)


def good() -> Run:
    run = begun()
    run.paid_order("A")
    steps(run, "A", "open", "paying", "paid")
    steps(run, "A", "live", "paid", kind="payment", subject="payment-A-A-1")
    return run


def closed(run: Run, order: str = "B", *, at: float = 2.0) -> Journey:
    """Ordered at `at` and never paid, so closed when its time had run out."""
    journey = unpaid(run, order, "closed", at)
    steps(run, order, "open", at=at)
    run.transition(at + PAY_BY_S, "order", order, order, old="open", new="closed")
    return journey


def closed_order_reopened() -> Run:
    run = good()
    closed(run)
    run.transition(12.0, "order", "B", "B", old="closed", new="paid", build="r1")
    run.books_order("B", None, "paid", at=2.0)
    return run


def attempt_takes_back_its_end() -> Run:
    run = good()
    run.transition(3.0, "payment", "payment-A-A-1", "A", old="paid", new="live")
    run.payment("A", "wechat", "A-1", "live")
    return run


def refund_fails_after_it_was_done() -> Run:
    run = good()
    steps(run, "A", "pending", "done", "failed", kind="refund", subject="r-A")
    run.books_refund("r-A", "A", "wechat", "A-r", 500, state="failed")
    return run


def chain_broken() -> Run:
    run = good()
    run.transition(3.0, "order", "A", "A", old="part_refunded", new="refunded")
    run.books_order("A", None, "refunded", refunded=1000)
    return run


def born_twice() -> Run:
    run = good()
    run.transition(3.0, "order", "A", "A", old=None, new="paid")
    return run


def step_that_no_log_holds() -> Run:
    """The books were changed past the log."""
    run = good()
    closed(run)
    run.books_order("B", None, "open", at=2.0)
    return run


def reads(run: Run, journey: Journey, *told: tuple[float, float, str]) -> Run:
    for sent, done, state in told:
        journey.read(sent, done, "B", state=state)
    return run


def customer_saw_a_paid_order_open_again() -> Run:
    """The log tells a good story; what the customer saw does not fit to it."""
    run = good()
    journey = closed(run)
    return reads(run, journey, (3.0, 3.1, "paid"), (3.2, 3.3, "open"))


def last_read_steps_back() -> Run:
    run = good()
    journey = closed(run)
    reads(run, journey, (3.0, 3.1, "paid"))
    run.final_read("B", journey, state="closed")
    return run


def between_two_reads() -> Run:
    """Both reads say closed; in between it was open."""
    run = good()
    journey = closed(run)
    run.transition(12.0, "order", "B", "B", old="closed", new="open")
    run.transition(13.0, "order", "B", "B", old="open", new="closed")
    return reads(run, journey, (11.0, 11.1, "closed"), (14.0, 14.1, "closed"))


def overlapping_reads() -> Run:
    run = good()
    journey = closed(run)
    return reads(run, journey, (9.9, 10.2, "closed"), (9.8, 10.1, "open"))


def several_steps_between_reads() -> Run:
    run = good()
    journey = run.paid_order("B", at=3.0)
    steps(run, "B", "open", "paying", "open", "paying", "paid", "part_refunded", "refunded", at=3.0)
    run.books_order("B", None, "refunded", refunded=1000, at=3.0)
    run.final_read("B", journey, state="refunded")
    return reads(run, journey, (3.0, 3.1, "open"), (4.0, 4.1, "paid"))


def repeated_key_gives_the_old_answer() -> Run:
    """A create asked for again is answered as it was the first time, which is no read."""
    run = good()
    journey = run.paid_order("B", at=3.0)
    steps(run, "B", "open", "paying", "paid", at=3.0)
    journey.create(5.0, 5.1, "B", attempt=2)
    return run


def given_back_after_a_late_capture(**published: Any) -> Run:
    run = good()
    run.offers(**published)
    closed(run)
    run.payment("B", "wechat", "B-1", "paid")
    steps(run, "B", "live", "dead", "paid", kind="payment", subject="payment-B-B-1", at=3.0)
    steps(run, "B", "pending", "done", kind="refund", subject="r-B", at=12.0)
    run.books_refund("r-B", "B", "wechat", "B-r", 1000, requested=False)
    return run


def closed_to_refunded_where_that_is_published() -> Run:
    run = given_back_after_a_late_capture(legal_edges=(("closed", "refunded"),))
    run.transition(12.5, "order", "B", "B", old="closed", new="refunded")
    run.books_order("B", None, "refunded", refunded=1000, at=2.0)
    journey = Journey(run=run, number=run.lists[-1]["journey"], user=run.lists[-1]["user"], phase="steady", intent=1)
    run.final_read("B", journey, state="refunded")
    return run


def moves_while_the_books_are_read() -> Run:
    run = step_that_no_log_holds()
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=None)
    return run


def logless(*reads_: tuple[float, float, str]) -> Run:
    run = begun()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=("orders", "payments", "refunds"))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    run.absent.add("books.transitions")
    journey = run.paid_order("B")
    return reads(run, journey, *reads_)


def no_log_and_one_read() -> Run:
    return logless()


def no_log_and_two_reads() -> Run:
    return logless((2.0, 2.1, "paid"))


def publishes_nothing() -> Run:
    run = good()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, legal_edges=(), payment_edges=(), refund_edges=())
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
TRANSITION_STORIES = (
    Story(column=EMPTY, entry="", tell=begun, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=good, status=PASS),
    Story(column=HOLDS, entry="no log, two reads", tell=no_log_and_two_reads, status=PASS),
    Story(
        column=BROKEN,
        entry="closed order reopened",
        tell=closed_order_reopened,
        status=FAIL,
        subjects=("B",),
        says=("order B from closed to paid", "by build r1"),
    ),
    Story(column=BROKEN, entry="payment", tell=attempt_takes_back_its_end, status=FAIL, subjects=("A",)),
    Story(column=BROKEN, entry="refund", tell=refund_fails_after_it_was_done, status=FAIL, subjects=("A",)),
    Story(
        column=BROKEN,
        entry="chain broken",
        tell=chain_broken,
        status=FAIL,
        subjects=("A",),
        says=("though it stood at paid",),
    ),
    Story(column=BROKEN, entry="born twice", tell=born_twice, status=FAIL, subjects=("A",)),
    Story(
        column=MISSES,
        entry="C alone: states between polls",
        tell=between_two_reads,
        status=FAIL,
        subjects=("B",),
        says=("from closed to open",),
    ),
    Story(
        column=MISSES,
        entry="O's log alone: self-reported",
        tell=customer_saw_a_paid_order_open_again,
        status=FAIL,
        subjects=("B",),
        says=("its owner read paid", "and open in one sent"),
    ),
    Story(column=MISSES, entry="the last read steps back", tell=last_read_steps_back, status=FAIL, subjects=("B",)),
    Story(
        column=MISSES,
        entry="books changed past the log",
        tell=step_that_no_log_holds,
        status=FAIL,
        subjects=("B",),
        says=("stands at open", "led to closed"),
    ),
    Story(column=CRIES_WOLF, entry="overlapping reads", tell=overlapping_reads, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="closed to refunded after a late capture",
        tell=closed_to_refunded_where_that_is_published,
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="late capture given back", tell=given_back_after_a_late_capture, status=PASS),
    Story(column=CRIES_WOLF, entry="several steps between reads", tell=several_steps_between_reads, status=PASS),
    Story(
        column=CRIES_WOLF, entry="an old answer to a repeated key", tell=repeated_key_gives_the_old_answer, status=PASS
    ),
    Story(column=CRIES_WOLF, entry="books read while they move", tell=moves_while_the_books_are_read, status=PASS),
    Story(
        column=UNDECIDED,
        entry="no log offered and fewer than 2 ordered reads",
        tell=no_log_and_one_read,
        status=UNKNOWN,
        says=("no step in a log",),
    ),
    Story(column=UNDECIDED, entry="not published", tell=publishes_nothing, status=UNKNOWN, says=("no machine",)),
)
