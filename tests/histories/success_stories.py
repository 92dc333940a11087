"""Hand-written histories for success_ratio: the objective is 90 %, in fault 80 %; patience is 10 s."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def customers(run: Run, final: str | None, count: int, *, phase: str = "steady", took: float = 0.4) -> Run:
    """So many customers, half a second apart, each with this final word; None: cut."""
    for at in range(count):
        journey = run.journey(at * 0.1, phase=phase)
        journey.create(at * 0.1, at * 0.1 + 0.1, None)
        if final is not None:
            journey.ends(at * 0.1 + took, final)
    return run


def begun() -> Run:
    run = Run()
    objectives = msgspec.structs.replace(run.scenario.objectives, success_ratio=0.9, success_ratio_in_fault=0.8)
    run.scenario = msgspec.structs.replace(run.scenario, objectives=objectives)
    return run


def all_paid() -> Run:
    return customers(customers(begun(), "paid", 20), "paid", 10, phase="fault")


def many_gave_up() -> Run:
    return customers(all_paid(), "gave_up", 10, took=10.0)


def many_gave_up_in_the_fault() -> Run:
    return customers(customers(all_paid(), "gave_up", 10, phase="fault"), "gave_up", 10, phase="recovery")


def paid_too_late() -> Run:
    return customers(all_paid(), "paid", 10, took=10.1)


def many_gave_up_in_the_warm_up() -> Run:
    return customers(all_paid(), "gave_up", 20, phase="warmup")


def declined_and_cancelled() -> Run:
    run = customers(customers(all_paid(), "declined", 15), "left", 15)
    for at in range(5):
        run.journey(float(at), leaves_early=True).ends(at + 10.0, "gave_up")
    return run


def refuses_everybody_politely() -> Run:
    return customers(begun(), "declined", 40)


def polls_without_number() -> Run:
    """Every request is answered, many a time, but half of the journeys end unpaid."""
    run = customers(all_paid(), "gave_up", 10, took=10.0)
    journey = run.journey(1.0)
    for at in range(2, 102):
        journey.read(at / 10, at / 10 + 0.05, "C", state="paying")
    journey.ends(11.0, "gave_up")
    return run


def too_few() -> Run:
    return customers(begun(), "paid", 9)


def few_in_steady_are_judged_with_the_others() -> Run:
    return customers(customers(begun(), "paid", 3), "paid", 10, phase="fault")


def cut() -> Run:
    run = customers(all_paid(), None, 5)
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(9.0), cut_short="stopped")
    return run


def never_ended() -> Run:
    return customers(all_paid(), None, 10)


def too_close() -> Run:
    return customers(all_paid(), "gave_up", 3)


def only_orders() -> Run:
    return customers(begun(), "ordered", 40)


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
STEADY = "journeys paid within patience, steady"
IN_FAULT = "journeys paid within patience, in fault"
SUCCESS_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=all_paid, status=PASS),
    Story(column=HOLDS, entry="few in steady", tell=few_in_steady_are_judged_with_the_others, status=PASS),
    Story(
        column=BROKEN,
        entry="steady",
        tell=many_gave_up,
        status=FAIL,
        subjects=(STEADY,),
        says=("20 of 30 (66.67%", "objective 90.00%"),
    ),
    Story(
        column=BROKEN,
        entry="in fault",
        tell=many_gave_up_in_the_fault,
        status=FAIL,
        subjects=(IN_FAULT,),
        says=("10 of 30 (33.33%", "objective 80.00%"),
    ),
    Story(column=BROKEN, entry="paid too late", tell=paid_too_late, status=FAIL, subjects=(STEADY,)),
    Story(column=BROKEN, entry="never ended", tell=never_ended, status=FAIL, subjects=(STEADY,)),
    Story(
        column=CRIES_WOLF,
        entry="declines and cancelled journeys",
        tell=declined_and_cancelled,
        status=PASS,
        says=("15 journeys were declined by the target", "20 journeys were to walk away early"),
    ),
    Story(column=CRIES_WOLF, entry="warm-up", tell=many_gave_up_in_the_warm_up, status=PASS),
    Story(
        column=MISSES,
        entry="requests counted: polls dilute",
        tell=polls_without_number,
        status=FAIL,
        subjects=(STEADY,),
    ),
    Story(column=UNDECIDED, entry="too few", tell=too_few, status=UNKNOWN, says=("too few cases", "9 of 9")),
    Story(column=UNDECIDED, entry="too close to call", tell=too_close, status=UNKNOWN, says=("too close to call",)),
    Story(
        column=UNDECIDED,
        entry="cut within patience",
        tell=cut,
        status=UNKNOWN,
        says=("5 journeys were cut within their patience",),
    ),
    Story(
        column=UNDECIDED,
        entry="refuses everybody politely",
        tell=refuses_everybody_politely,
        status=UNKNOWN,
        says=("0 decided, below the claimed floor", "40 journeys were declined"),
    ),
    Story(column=UNDECIDED, entry="journeys that only order", tell=only_orders, status=UNKNOWN),
)
