"""Hand-written histories for detection_time of a target that publishes a grace of 3 s for money on its way.

Order C was captured at 1.3 s; the books have it some seconds later.
"""

from dataclasses import replace

import msgspec

from harness.documents import SourceRecord
from harness.verdict import Status
from tests.histories.amends import named, planted
from tests.histories.builder import Run, ns
from tests.histories.detection_stories import booked_soon_after, both_named, refund_of_another_amount
from tests.histories.story import BROKEN, CRIES_WOLF, MISSES, UNDECIDED, Story


def with_grace(run: Run, grace_ms: int | None = 3_000) -> Run:
    run.offers(reconciliation_grace_ms=grace_ms)
    return run


def named_after(named_s: float, *, booked_s: float, kind: str = "missing_in_books") -> Run:
    """C, named so long after its capture and booked so long after it."""
    run = with_grace(booked_soon_after(later=booked_s + 0.3))
    named(run, 1.3 + named_s, "C-1", kind, "C")
    return run


def named_at_first_sight() -> Run:
    return named_after(0.5, booked_s=1.0)


def named_at_first_sight_and_settled_late() -> Run:
    """It stood for longer than the grace, and was named before that."""
    return named_after(0.5, booked_s=5.0)


def named_a_moment_after_it_was_settled() -> Run:
    """A look that began while it was on its way names it when it has arrived."""
    return named_after(0.5, booked_s=0.1)


def named_twice_and_the_first_time_too_soon() -> Run:
    run = named_after(0.5, booked_s=5.0)
    named(run, 5.3, "C-1", "missing_in_books", "C")
    return run


def refund_on_its_way() -> Run:
    """A refund that the provider has done, and of which the books wait for its word for half a second more."""
    run = with_grace(both_named())
    run.paid_order("C", 1.0)
    run.ledger("wechat").refunded(2.0, "C-1", "C", 500, "C-R")
    run.books_refund("refund-C", "C", "wechat", "C-R", 500)
    run.transition(1.9, "refund", "refund-C", "C", old=None, new="pending")
    run.transition(2.7, "refund", "refund-C", "C", old="pending", new="done")
    named(run, 2.4, "C-R", "missing_in_books", "C")
    return run


def booked_before_it_was_billed() -> Run:
    """The books were told before the provider wrote it down."""
    run = with_grace(booked_soon_after(later=0.2))
    named(run, 1.25, "C-1", "missing_in_bill", "C")
    return run


def stood_for_the_grace() -> Run:
    """The notice was lost, and the query that settled it came late."""
    return named_after(3.2, booked_s=5.0)


def stood_for_the_grace_to_the_millisecond() -> Run:
    """By instants in whole ms it had stood for one too few."""
    return named_after(2.999, booked_s=5.0)


def no_grace_published() -> Run:
    return with_grace(named_at_first_sight(), None)


def lasted_and_named_at_once() -> Run:
    """What never healed may be named as soon as it is seen."""
    run = with_grace(refund_of_another_amount())
    named(run, 3.2, "A-R", "amount_differs", "A")
    return run


def planted_and_named_at_once() -> Run:
    run = with_grace(both_named())
    planted(run, 5.0, "X-2", "extra")
    named(run, 5.1, "X-2", "missing_in_books")
    return run


def clocks_apart(error_s: float) -> Run:
    """Named 2.6 s after its capture by a provider's clock that may be wrong by so much."""
    run = named_after(2.6, booked_s=5.0)
    sources = tuple(
        SourceRecord(name="wechat", kind="ledger", complete=True, attribution="order", clock="utc")
        if source.name == "wechat"
        else source
        for source in run.scenario.sources
    )
    run.scenario = msgspec.structs.replace(run.scenario, sources=sources)
    run.clocks.append({"source": "wechat", "at_ns": ns(0.0), "offset_ns": 0, "error_ns": round(error_s * 1e9)})
    return run


def clocks_known_badly() -> Run:
    return clocks_apart(0.5)


def clocks_known_well() -> Run:
    return clocks_apart(0.01)


def books_clock_known_badly() -> Run:
    run = named_after(2.6, booked_s=5.0)
    run.clocks.append({"source": "books", "at_ns": ns(0.0), "offset_ns": 0, "error_ns": 500_000_000})
    return run


def not_said_when_it_was_booked() -> Run:
    run = named_at_first_sight()
    run.transitions = [step for step in run.transitions if step.order != "C"]
    return run


def before_it_was_so() -> Run:
    """Named half a second before the capture."""
    return named_after(-0.5, booked_s=5.0)


def of_a_ledger_with_a_gap() -> Run:
    run = named_at_first_sight()
    run.ledger("wechat").rows[-1]["seq"] += 1
    return run


def of_another_run() -> Run:
    run = named_at_first_sight()
    for row in run.ledger("wechat").rows:
        if row["number"] == "C-1":
            row |= {"run": "r-another", "order": "Z"}
    run.orders = [row for row in run.orders if row.order != "C"]
    run.payments = [row for row in run.payments if row.order != "C"]
    run.discrepancies[-1] = replace(run.discrepancies[-1], order=None)
    return run


def of_another_amount() -> Run:
    run = with_grace(both_named())
    run.discrepancies[0] = replace(run.discrepancies[0], amount_minor=10)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
GRACE_STORIES = (
    Story(
        column=BROKEN,
        entry="in flight, and named at first sight",
        tell=named_at_first_sight,
        status=FAIL,
        subjects=("C",),
        says=("missing_in_books, of wechat C-1, and that was only money on its way", "for 0.500 s of the 3.0 s"),
    ),
    Story(
        column=MISSES,
        entry="named too soon, and settled late",
        tell=named_at_first_sight_and_settled_late,
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=MISSES,
        entry="excused because it had stood a moment ago",
        tell=named_a_moment_after_it_was_settled,
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=MISSES,
        entry="excused because it was named later too",
        tell=named_twice_and_the_first_time_too_soon,
        status=FAIL,
        subjects=("C",),
    ),
    Story(column=MISSES, entry="a refund on its way", tell=refund_on_its_way, status=FAIL, subjects=("C",)),
    Story(
        column=MISSES,
        entry="booked before it was billed",
        tell=booked_before_it_was_billed,
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=MISSES,
        entry="named before it was so",
        tell=before_it_was_so,
        status=FAIL,
        subjects=("C",),
        says=("there was none",),
    ),
    Story(
        column=MISSES,
        entry="named for another amount",
        tell=of_another_amount,
        status=FAIL,
        subjects=("A",),
        says=("told 0.10 CNY where it is about 10.00 CNY",),
    ),
    Story(column=BROKEN, entry="clocks known well", tell=clocks_known_well, status=FAIL, subjects=("C",)),
    Story(column=CRIES_WOLF, entry="stood for the grace, named, and healed", tell=stood_for_the_grace, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="stood for the grace to the millisecond",
        tell=stood_for_the_grace_to_the_millisecond,
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="no grace published", tell=no_grace_published, status=PASS),
    Story(column=CRIES_WOLF, entry="lasted, and named at once", tell=lasted_and_named_at_once, status=PASS),
    Story(column=CRIES_WOLF, entry="planted, and named at once", tell=planted_and_named_at_once, status=PASS),
    Story(column=CRIES_WOLF, entry="a provider's clock known badly", tell=clocks_known_badly, status=PASS),
    Story(column=CRIES_WOLF, entry="the books' clock known badly", tell=books_clock_known_badly, status=PASS),
    Story(column=CRIES_WOLF, entry="on its way in another run", tell=of_another_run, status=PASS),
    Story(
        column=UNDECIDED,
        entry="named, and not said when it was booked",
        tell=not_said_when_it_was_booked,
        status=UNKNOWN,
        says=("does not say when",),
    ),
    Story(column=UNDECIDED, entry="on its way, and a ledger with a gap", tell=of_a_ledger_with_a_gap, status=UNKNOWN),
)
