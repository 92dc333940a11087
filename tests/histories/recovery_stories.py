"""Hand-written histories for recovery_time: within 8 s of second 10; 90 % are served, in windows of 30 journeys."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

EVERY_S = 0.1


def customers(run: Run, at: float, until: float, final: str | None = "paid", then: str | None = None) -> Run:
    """One customer each tenth of a second; `then`: by another method, since the first was refused."""
    for number in range(round((until - at) / EVERY_S)):
        begins = at + number * EVERY_S
        journey = run.journey(begins, phase="fault" if begins < 10.0 else "recovery")
        order = f"{begins:.1f}"
        journey.create(begins, begins + 0.02, order)
        journey.pay(begins + 0.03, begins + 0.05, order, "wechat", outcome="fail" if then else "ok")
        if then is not None:
            journey.pay(begins + 0.06, begins + 0.08, order, then)
        if final is not None:
            journey.ends(begins + (0.09 if final == "paid" else 10.0), final)
    return run


def begun() -> Run:
    """A fault from 5 to 10; nobody is paid meanwhile."""
    run = Run()
    objectives = msgspec.structs.replace(run.scenario.objectives, success_ratio=0.9)
    run.scenario = msgspec.structs.replace(run.scenario, objectives=objectives)
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(50.0))
    run.fault("refuse", "network", "wechat", 5.0, 10.0)
    return customers(run, 5.0, 10.0, "gave_up")


def at_once() -> Run:
    return customers(begun(), 10.0, 25.0)


def after_three_seconds() -> Run:
    return customers(customers(begun(), 10.0, 13.0, "gave_up"), 13.0, 25.0)


def too_late() -> Run:
    return customers(customers(begun(), 10.0, 19.0, "gave_up"), 19.0, 30.0)


def never() -> Run:
    return customers(begun(), 10.0, 25.0, "gave_up")


def only_elsewhere() -> Run:
    """Everyone is paid, and nobody by WeChat Pay, which has long been back."""
    return customers(begun(), 10.0, 25.0, then="card")


def relapsed() -> Run:
    """Good from the first second, and from second 16 on bad again."""
    return customers(customers(begun(), 10.0, 16.0), 16.0, 26.0, "gave_up")


def a_few_fail_all_along() -> Run:
    """One in fifteen gives up, spread evenly: within the objective."""
    run = begun()
    for number in range(10):
        at = 10.0 + number * 1.5
        customers(run, at, at + 1.4)
        customers(run, at + 1.4, at + 1.5, "gave_up")
    return run


def left_and_declined() -> Run:
    return customers(customers(customers(begun(), 10.0, 13.0, "declined"), 13.0, 15.0, "left"), 15.0, 25.0)


def short_phase() -> Run:
    return customers(begun(), 10.0, 20.0, "gave_up")


def too_few() -> Run:
    return customers(begun(), 10.0, 12.9)


def cut() -> Run:
    run = customers(at_once(), 25.0, 27.0, None)
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(27.0), cut_short="stopped")
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
RECOVERY = ("recovery",)
RECOVERY_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=at_once, status=PASS),
    Story(column=HOLDS, entry="after three seconds", tell=after_three_seconds, status=PASS),
    Story(
        column=BROKEN, entry="too late", tell=too_late, status=FAIL, subjects=RECOVERY, says=("from 9.0 s later on",)
    ),
    Story(column=BROKEN, entry="never", tell=never, status=FAIL, subjects=RECOVERY, says=("not until the load ended",)),
    Story(column=MISSES, entry="first good window, relapse overlooked", tell=relapsed, status=FAIL, subjects=RECOVERY),
    Story(column=MISSES, entry="paid, but only by another method", tell=only_elsewhere, status=FAIL, subjects=RECOVERY),
    Story(column=CRIES_WOLF, entry="journeys scheduled in the fault", tell=at_once, status=PASS),
    Story(column=CRIES_WOLF, entry="a few fail all along", tell=a_few_fail_all_along, status=PASS),
    Story(column=CRIES_WOLF, entry="left and declined", tell=left_and_declined, status=PASS),
    Story(column=UNDECIDED, entry="phase shorter than limit + window", tell=short_phase, status=UNKNOWN),
    Story(column=UNDECIDED, entry="fewer than a window", tell=too_few, status=UNKNOWN),
    Story(column=UNDECIDED, entry="cut within patience", tell=cut, status=UNKNOWN),
)
