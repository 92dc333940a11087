"""Hand-written histories for legal_transitions: orders closed before the instant that was announced."""

import dataclasses

from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns, utc_ms
from tests.histories.story import BROKEN, CRIES_WOLF, MISSES, UNDECIDED, Story
from tests.histories.transition_stories import good, steps


def sampled(run: Run, *, error_ms: float = 5.0) -> Run:
    """The books' clock was held against ours, and is known within this."""
    error_ns = round(error_ms * 1e6)
    run.clocks.append({"source": "books", "at_ns": ns(60.0), "offset_ns": 0, "error_ns": error_ns})
    return run


def closed_early(*, at: float = 8.0, told: float | None = 10.0, clock: bool = True) -> Run:
    """B was to be paid by 10.0 s, as its create was answered; the log closes it at `at`."""
    run = good()
    journey = run.journey(2.0)
    journey.create(2.0, 2.1, "B", pay_by_utc_ms=None if told is None else utc_ms(told))
    journey.ends(12.0, "gave_up")
    run.books_order("B", journey, "closed", at=2.0)
    steps(run, "B", "open", at=2.0)
    run.transition(at, "order", "B", "B", old="open", new="closed")
    run.seen("B", journey, state="closed")
    return sampled(run) if clock else run


def closed_early_of_which_the_customer_was_never_told() -> Run:
    return closed_early(told=None)


def closed_early_while_it_was_being_paid() -> Run:
    run = closed_early()
    del run.transitions[-1]
    run.offers(legal_edges=(("paying", "closed"),))
    run.transition(4.0, "order", "B", "B", old="open", new="paying")
    run.transition(5.0, "order", "B", "B", old="paying", new="closed")
    return run


def pay_by_moved_after_it_was_told() -> Run:
    """The create's answer says 10.0 s; the books, and a later read, say 7.0 s, and keep to that."""
    run = closed_early()
    run.orders = [dataclasses.replace(o, pay_by_utc_ms=utc_ms(7.0)) if o.order == "B" else o for o in run.orders]
    owner = owner_of_b(run)
    owner.read(7.5, 7.6, "B", state="open", pay_by_utc_ms=utc_ms(7.0))
    return run


def owner_of_b(run: Run) -> Journey:
    last = run.lists[-1]
    return Journey(run=run, number=last["journey"], user=last["user"], phase="steady", intent=last["journey"])


def answered_early(op: str = "read", *, done: float = 8.1, clock: bool = True) -> Run:
    """The log closes B at 10.1 s; its owner is told before 10.0 s that it is closed."""
    run = closed_early(at=10.1, clock=clock)
    owner = owner_of_b(run)
    if op == "read":
        owner.read(done - 0.1, done, "B", state="closed")
    else:
        owner.pay(done - 0.1, done, "B", outcome="fail", http=409, code="order_closed", state="closed")
    return run


def refused_early() -> Run:
    return answered_early("pay")


def answered_early_by_whatever_clock() -> Run:
    """Nobody sampled their clock; by ours the answer came sooner after the create than an order's time is long."""
    return answered_early(clock=False)


def answered_early_by_a_clock_that_is_off() -> Run:
    """Their clock is 3 s ahead of ours, and was sampled: at 8.1 s of ours the order's time was over."""
    run = answered_early(clock=False)
    run.clocks.append({"source": "books", "at_ns": ns(60.0), "offset_ns": 3_000_000_000, "error_ns": 5_000_000})
    return run


def closed_at_pay_by() -> Run:
    return closed_early(at=10.0)


def closed_early_within_the_error() -> Run:
    return closed_early(at=9.996)


def answer_in_flight_at_pay_by() -> Run:
    """Asked before `pay_by`, answered after it; and one that was never answered."""
    run = answered_early(done=10.05)
    owner_of_b(run).read(8.0, None, "B")
    return run


def closed_early_by_an_unsampled_clock() -> Run:
    return closed_early(clock=False)


def without_pay_by() -> Run:
    run = closed_early()
    run.offers(pay_by=False)
    return answered(run)


def answered(run: Run) -> Run:
    owner_of_b(run).read(8.1, 8.2, "B", state="closed")
    return run


def cancelled_by_its_customer() -> Run:
    """What the customer cancels is called cancelled, which may be at any time; answers call both closed."""
    run = closed_early()
    run.offers(closed_at_any_time=("cancelled",), legal_edges=(("open", "cancelled"),))
    capabilities = run.scenario.capabilities
    raw_states = {**capabilities.raw_states, "cancelled": "closed"}
    run.offers(raw_states=raw_states)
    run.transitions[-1] = dataclasses.replace(run.transitions[-1], to_state="cancelled")
    run.orders = [dataclasses.replace(o, raw_state="cancelled") if o.order == "B" else o for o in run.orders]
    return answered(run)


def closed_early_where_others_are_cancelled() -> Run:
    run = closed_early()
    run.offers(closed_at_any_time=("cancelled",))
    return run


def paid_and_given_back_early() -> Run:
    """What was paid before its time was over did not wait for it."""
    run = sampled(good())
    run.transition(2.0, "order", "A", "A", old="paid", new="refunded")
    run.books_order("A", None, "refunded", refunded=1000)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
EARLY_STORIES = (
    Story(
        column=BROKEN,
        entry="closed before its pay_by",
        tell=closed_early,
        status=FAIL,
        subjects=("B",),
        says=("it was closed unpaid at +8.000 s", "before its pay_by at +10.000 s"),
    ),
    Story(
        column=BROKEN,
        entry="closed early, and nobody was told when",
        tell=closed_early_of_which_the_customer_was_never_told,
        status=FAIL,
        subjects=("B",),
        says=("before its pay_by at +10.000 s",),
    ),
    Story(
        column=BROKEN,
        entry="closed early while it was being paid",
        tell=closed_early_while_it_was_being_paid,
        status=FAIL,
        subjects=("B",),
        says=("closed unpaid at +5.000 s",),
    ),
    Story(
        column=BROKEN,
        entry="closed early where others are cancelled",
        tell=closed_early_where_others_are_cancelled,
        status=FAIL,
        subjects=("B",),
    ),
    Story(
        column=MISSES,
        entry="the books' own pay_by: it was moved after it had been told",
        tell=pay_by_moved_after_it_was_told,
        status=FAIL,
        subjects=("B",),
        says=("before its pay_by at +10.000 s",),
    ),
    Story(
        column=MISSES,
        entry="the log alone: closed for its owner before pay_by",
        tell=answered_early,
        status=FAIL,
        subjects=("B",),
        says=("the answer to a read, there at +8.100 s", "called it closed, before its pay_by at +10.000 s"),
    ),
    Story(
        column=MISSES,
        entry="reads alone: a payment refused because it is closed",
        tell=refused_early,
        status=FAIL,
        subjects=("B",),
        says=("the answer to a pay, there at +8.100 s",),
    ),
    Story(
        column=MISSES,
        entry="an early answer, and a clock that nobody sampled",
        tell=answered_early_by_whatever_clock,
        status=FAIL,
        subjects=("B",),
    ),
    Story(column=CRIES_WOLF, entry="closed at pay_by", tell=closed_at_pay_by, status=PASS),
    Story(
        column=CRIES_WOLF, entry="early by less than the clock's error", tell=closed_early_within_the_error, status=PASS
    ),
    Story(
        column=CRIES_WOLF,
        entry="early by our clock, and theirs is ahead",
        tell=answered_early_by_a_clock_that_is_off,
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF, entry="asked before and answered after pay_by", tell=answer_in_flight_at_pay_by, status=PASS
    ),
    Story(column=CRIES_WOLF, entry="no pay_by", tell=without_pay_by, status=PASS),
    Story(column=CRIES_WOLF, entry="cancelled by its customer", tell=cancelled_by_its_customer, status=PASS),
    Story(column=CRIES_WOLF, entry="paid and given back early", tell=paid_and_given_back_early, status=PASS),
    Story(
        column=UNDECIDED,
        entry="closed early by a clock that was not sampled",
        tell=closed_early_by_an_unsampled_clock,
        status=UNKNOWN,
        says=("1 orders seem to have closed before their pay_by",),
    ),
)
