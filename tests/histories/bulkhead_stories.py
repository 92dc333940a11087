"""Hand-written histories for bulkhead: a fall of 0.1 at most; WeChat Pay is struck from second 10 to second 30."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def customers(
    run: Run,
    method: str,
    count: int,
    *,
    at: float,
    final: str | None = "paid",
    phase: str = "fault",
    then: str | None = None,
    leaves_early: bool = False,
) -> Run:
    """So many customers of a method, who turn to another (`then`) or not, with their final word; None: cut."""
    for number in range(count):
        begins = at + number * 0.1
        journey = run.journey(begins, phase=phase, leaves_early=leaves_early)
        order = f"{method}-{at}-{number}-{then}-{final}"
        journey.create(begins, begins + 0.05, order)
        paid = final == "paid" and then is None
        journey.pay(begins + 0.1, begins + 0.2, order, method, outcome="ok" if paid else "fail")
        if then is not None:
            journey.pay(begins + 0.3, begins + 0.4, order, then, outcome="ok" if final == "paid" else "fail")
        if final is not None:
            journey.ends(begins + (0.5 if final == "paid" else 10.0), final)
    return run


def begun(*others: str) -> Run:
    """Twenty customers of each method before the fault, all paid."""
    run = Run()
    objectives = msgspec.structs.replace(run.scenario.objectives, bulkhead_drop=0.1)
    run.scenario = msgspec.structs.replace(run.scenario, objectives=objectives)
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(50.0))
    run.fault("slow_edge", "network", "wechat", 10.0, 30.0)
    for method in ("wechat", "alipay", "card", *others):
        customers(run, method, 20, at=1.0, phase="steady")
    return run


def unharmed() -> Run:
    return customers(customers(begun(), "alipay", 15, at=11.0), "card", 15, at=11.0)


def others_fall_with_it() -> Run:
    run = customers(unharmed(), "alipay", 10, at=15.0, final="gave_up")
    return customers(run, "card", 10, at=15.0, final="gave_up")


def only_one_of_the_others_falls() -> Run:
    """Card customers all starve; pooled with forty happy ones of Alipay it would be a fifth of them."""
    run = customers(begun(), "alipay", 40, at=11.0)
    return customers(run, "card", 10, at=11.0, final="gave_up")


def caught_by_the_fault() -> Run:
    """Card customers starve, and those of them who came just before are no measure of how it was."""
    run = customers(customers(begun(), "alipay", 15, at=11.0), "card", 10, at=11.0, final="gave_up")
    return customers(run, "card", 30, at=6.9, final="gave_up", phase="steady")


def only_its_own_customers_fall() -> Run:
    return customers(unharmed(), "wechat", 30, at=11.0, final="gave_up")


def its_customers_flee_and_fail_there() -> Run:
    run = customers(unharmed(), "wechat", 30, at=11.0, then="card", final="gave_up")
    return customers(run, "wechat", 3, at=15.0, then="card")


def others_have_a_fault_of_their_own() -> Run:
    run = customers(begun(), "card", 15, at=11.0)
    run.fault("silence", "network", "alipay", 14.0, 20.0)
    return customers(run, "alipay", 20, at=13.0, final="gave_up")


def the_customers_edge_is_cut_too() -> Run:
    run = unharmed()
    run.fault("cut_answers", "network", "customer", 20.0, 24.0)
    return customers(run, "card", 20, at=20.0, final="gave_up")


def notices_alone_are_late() -> Run:
    run = customers(Run(), "card", 20, at=1.0, phase="steady")
    run.fault("late_notices", "provider", "wechat", 10.0, 30.0)
    return customers(run, "card", 20, at=12.0, final="gave_up")


def left_and_declined() -> Run:
    run = customers(unharmed(), "card", 15, at=12.0, final="left", leaves_early=True)
    return customers(run, "card", 15, at=14.0, final="declined")


def bad_before_as_well() -> Run:
    """A method that half of its customers could never pay by: it does not fall."""
    run = customers(Run(), "card", 20, at=1.0, phase="steady")
    customers(run, "card", 20, at=3.0, phase="steady", final="gave_up")
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(50.0))
    run.fault("slow_edge", "network", "wechat", 20.0, 40.0)
    return customers(customers(run, "card", 15, at=21.0), "card", 15, at=23.0, final="gave_up")


def cut() -> Run:
    run = customers(unharmed(), "card", 10, at=19.0, final=None)
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(22.0), cut_short="stopped")
    return run


def none_before() -> Run:
    run = Run()
    run.fault("slow_edge", "network", "wechat", 10.0, 30.0)
    return customers(run, "card", 30, at=11.0)


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
ALIPAY, CARD = (
    f"customers of {method} paid within patience while another method was struck" for method in ("alipay", "card")
)
BULKHEAD_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=unharmed, status=PASS),
    Story(
        column=BROKEN,
        entry="",
        tell=others_fall_with_it,
        status=FAIL,
        subjects=(ALIPAY, CARD),
        says=("15 of 25 (60.00%", "objective 90.00%"),
    ),
    Story(column=MISSES, entry="pooled over methods", tell=only_one_of_the_others_falls, status=FAIL, subjects=(CARD,)),
    Story(
        column=MISSES, entry="came before and suffered in it", tell=caught_by_the_fault, status=FAIL, subjects=(CARD,)
    ),
    Story(column=CRIES_WOLF, entry="only its own customers fall", tell=only_its_own_customers_fall, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="customers who flee to the healthy method",
        tell=its_customers_flee_and_fail_there,
        status=PASS,
        says=("3 customers of a struck method were paid by another one",),
    ),
    Story(column=CRIES_WOLF, entry="a fault of their own", tell=others_have_a_fault_of_their_own, status=PASS),
    Story(column=CRIES_WOLF, entry="a fault on the customer's edge", tell=the_customers_edge_is_cut_too, status=PASS),
    Story(column=CRIES_WOLF, entry="only notices are struck", tell=notices_alone_are_late, status=UNKNOWN),
    Story(column=CRIES_WOLF, entry="left and declined", tell=left_and_declined, status=PASS),
    Story(column=CRIES_WOLF, entry="no better before", tell=bad_before_as_well, status=PASS),
    Story(column=UNDECIDED, entry="cut within patience", tell=cut, status=UNKNOWN, says=("10 journeys were cut",)),
    Story(
        column=UNDECIDED,
        entry="nothing to compare with",
        tell=none_before,
        status=UNKNOWN,
        says=("30 journeys have none of the steady phase",),
    ),
)
