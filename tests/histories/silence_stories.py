"""Hand-written histories for no_silence: the limit is 3 s, the client hangs up at 5 s, patience is 10 s."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

TIMED_OUT = {"outcome": "info", "ending": "read_timeout"}


def two_good_orders() -> Run:
    run = Run()
    run.paid_order("A", at=1.0)
    run.paid_order("B", at=2.0, method="card")
    return run


def waiting(run: Run, *, at: float = 3.0, leaves_early: bool = False) -> Journey:
    """One more customer, who has an order C."""
    journey = run.journey(at, leaves_early=leaves_early)
    journey.create(at, at + 0.1, "C")
    return journey


def no_answer_until_the_client_hung_up() -> Run:
    run = two_good_orders()
    journey = waiting(run)
    journey.pay(3.2, 8.2, "C", "wechat", **TIMED_OUT)
    journey.pay(8.4, 8.6, "C", "alipay", state="paid")
    journey.ends(8.6)
    return run


def an_answer_too_late() -> Run:
    run = two_good_orders()
    journey = waiting(run)
    journey.pay(3.2, 6.3, "C", "wechat", state="paid")
    journey.ends(6.3)
    return run


def quick_errors_all_along() -> Run:
    """Unpleasant, but no silence: something is said each time, and in time."""
    run = two_good_orders()
    journey = waiting(run)
    for at in range(4, 12):
        journey.pay(at, at + 0.1, "C", "wechat", outcome="info", http=502)
    journey.ends(13.0, "gave_up")
    return run


def never_one_answer() -> Run:
    """Refused connections are quick; but nobody ever said anything in ten seconds."""
    run = two_good_orders()
    journey = run.journey(3.0)
    for at in range(3, 13):
        journey.create(at, at + 0.01, None, outcome="fail", ending="refused")
    journey.ends(13.0, "gave_up")
    return run


def final_word_too_late() -> Run:
    run = two_good_orders()
    journey = waiting(run)
    journey.pay(3.2, 3.4, "C", "wechat", outcome="info", http=202)
    journey.read(16.0, 16.5, "C", state="paid")
    journey.ends(16.5, "gave_up")
    return run


def slow_step_of_an_operation() -> Run:
    """A checkout of several requests: its steps are the requests, and one of them was silent."""
    run = two_good_orders()
    journey = run.journey(3.0)
    checkout = journey.create(3.0, 8.0, "C")
    journey.does("request", 3.0, 3.1, parent=checkout)
    journey.does("request", 3.1, 7.9, parent=checkout)
    journey.does("request", 7.9, 8.0, parent=checkout)
    journey.ends(8.0)
    return run


def quick_steps_of_a_long_operation() -> Run:
    run = two_good_orders()
    journey = run.journey(3.0)
    checkout = journey.create(3.0, 8.0, "C")
    for at in (3.0, 5.0, 7.0):
        journey.does("request", at, at + 1.0, parent=checkout)
    journey.ends(8.0)
    return run


def own_edge_faulty() -> Run:
    run = no_answer_until_the_client_hung_up()
    run.fault("silence", "network", "customer", 3.0, 6.0)
    return run


def another_edge_faulty() -> Run:
    run = no_answer_until_the_client_hung_up()
    run.fault("silence", "network", "wechat", 3.0, 6.0)
    return run


def own_edge_faulty_at_another_time() -> Run:
    run = no_answer_until_the_client_hung_up()
    run.fault("silence", "network", "customer", 12.0, 15.0)
    return run


def left_early() -> Run:
    run = two_good_orders()
    journey = waiting(run, leaves_early=True)
    journey.pay(3.2, 7.2, "C", "wechat", outcome="info", ending="closed")
    journey.ends(7.2, "left")
    return run


def short_deadline(run: Run) -> Run:
    windows = run.scenario.windows | {"client_deadline_ms": 2000}
    run.scenario = msgspec.structs.replace(run.scenario, windows=windows)
    return run


def hung_up_again_and_again() -> Run:
    run = short_deadline(two_good_orders())
    journey = waiting(run)
    journey.pay(3.2, 5.2, "C", key=90, **TIMED_OUT)
    journey.pay(5.5, 7.5, "C", key=90, attempt=2, **TIMED_OUT)
    journey.pay(7.7, 7.9, "C", "alipay", state="paid")
    journey.ends(7.9)
    return run


def hung_up_once() -> Run:
    run = short_deadline(two_good_orders())
    journey = waiting(run)
    journey.pay(3.2, 5.2, "C", key=90, **TIMED_OUT)
    journey.pay(5.5, 5.7, "C", key=90, attempt=2, state="paid")
    journey.ends(5.7)
    return run


def no_row_for_a_journey_that_never_ended() -> Run:
    run = two_good_orders()
    journey = waiting(run)
    journey.pay(3.2, 3.4, "C", "wechat", outcome="info", http=202)
    return run


def in_flight_when_cut() -> Run:
    run = two_good_orders()
    journey = waiting(run)
    journey.pay(3.2, None, "C", "wechat")
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(5.0), cut_short="stopped")
    return run


def in_flight_since_long_before_the_cut() -> Run:
    run = two_good_orders()
    journey = waiting(run)
    journey.pay(3.2, None, "C", "wechat")
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(7.0), cut_short="stopped")
    return run


def torn_history() -> Run:
    """The completion of the last journey was lost with the generator: nobody knows what came of it."""
    run = two_good_orders()
    waiting(run)
    run.footer = False
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
SILENCE_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=PASS),
    Story(column=HOLDS, entry="quick errors", tell=quick_errors_all_along, status=PASS),
    Story(column=HOLDS, entry="quick steps of a long operation", tell=quick_steps_of_a_long_operation, status=PASS),
    Story(
        column=BROKEN,
        entry="no answer",
        tell=no_answer_until_the_client_hung_up,
        status=FAIL,
        subjects=("C",),
        says=("A pay by wechat", "+3.200 s", "not answered within 3.0 s", "ended 5.0 s later: read_timeout"),
    ),
    Story(
        column=BROKEN,
        entry="an answer too late",
        tell=an_answer_too_late,
        status=FAIL,
        subjects=("C",),
        says=("ended 3.1 s later: answered, 200",),
    ),
    Story(
        column=BROKEN,
        entry="a silent step",
        tell=slow_step_of_an_operation,
        status=FAIL,
        subjects=("C",),
        says=("4.8 s",),
    ),
    Story(
        column=BROKEN,
        entry="another edge was faulty",
        tell=another_edge_faulty,
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=BROKEN,
        entry="own edge was faulty at another time",
        tell=own_edge_faulty_at_another_time,
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=BROKEN,
        entry="gave up without one answer",
        tell=never_one_answer,
        status=FAIL,
        subjects=("journey 7",),
        says=("with 10 s of patience, gave up", "after 10 operations"),
    ),
    Story(
        column=BROKEN,
        entry="final word too late",
        tell=final_word_too_late,
        status=FAIL,
        subjects=("C",),
        says=("gave up at +16.500 s",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="a fault on the customer's own edge",
        tell=own_edge_faulty,
        status=PASS,
        says=("the customer's own edge was faulty",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="a customer who left early",
        tell=left_early,
        status=PASS,
        says=("2 requests and journeys are no cases: the customer left early",),
    ),
    Story(
        column=MISSES,
        entry="client deadline below the limit",
        tell=hung_up_again_and_again,
        status=FAIL,
        subjects=("C", "C"),
        says=("given up after 2.0 s, and asked again for 4.3 s in vain",),
    ),
    Story(
        column=MISSES,
        entry="journeys cut at the end leave no row",
        tell=no_row_for_a_journey_that_never_ended,
        status=FAIL,
        subjects=("C",),
        says=("had no final word when the load ended",),
    ),
    Story(
        column=MISSES,
        entry="requests cut at the end leave no row",
        tell=in_flight_since_long_before_the_cut,
        status=FAIL,
        subjects=("C",),
        says=("had no end 3.8 s later, when the load ended",),
    ),
    Story(
        column=UNDECIDED,
        entry="in flight when cut",
        tell=in_flight_when_cut,
        status=UNKNOWN,
        says=("2 requests and journeys were in flight",),
    ),
    Story(column=UNDECIDED, entry="history without its end", tell=torn_history, status=UNKNOWN),
    Story(
        column=UNDECIDED,
        entry="hung up before the limit",
        tell=hung_up_once,
        status=UNKNOWN,
        says=("1 requests were given up by the client before the limit",),
    ),
)
