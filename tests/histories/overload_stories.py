"""Hand-written histories for priority and emergency_path: answers count within 1 s, 90 % on the emergency path."""

from collections.abc import Callable

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

BUSY = {"outcome": "fail", "http": 503, "code": "busy", "retry_after_s": 1.0}
PAID = {"state": "paid", "paid_minor": 1000, "amount_minor": 1000}


def begun(share: float = 0.9) -> Run:
    run = Run()
    objectives = msgspec.structs.replace(run.scenario.objectives, emergency_ratio=share)
    run.scenario = msgspec.structs.replace(run.scenario, objectives=objectives)
    return run


def payments(run: Run, count: int, *, at: float = 2.0, good: int = 2, took: float = 0.2, **bad: object) -> Run:
    """So many payments, ten a second; of each four the last `good` are paid, the others refused as busy, or `bad`."""
    for number in range(count):
        sent = at + number / 10
        journey = run.journey(sent)
        reply = PAID if number % 4 >= 4 - good else (bad or BUSY)
        journey.pay(sent, sent + took, f"N{at}-{number}", "wechat", **reply)
    return run


def returning(run: Run, count: int, *, at: float = 2.0, op: str = "read", took: float = 0.1, **reply: object) -> Run:
    """So many customers, ten a second, who paid in the first second and read, or ask for their money."""
    for number in range(count):
        order = f"A{op}-{at}-{number}"
        journey = run.paid_order(order, at=0.1)
        _comes(journey, op, at + number / 10, took, order, **reply)
    return run


def _comes(journey: Journey, op: str, sent: float, took: float, order: str, **reply: object) -> None:
    if op == "read":
        journey.read(sent, sent + took, order, **({"state": "paid"} | reply))
    else:
        journey.refund(sent, sent + took, order, 500, **reply)


def overload(*, read: dict[str, object] | None = None, refund: dict[str, object] | None = None) -> Run:
    """Four seconds in which half of all payments were refused, with 20 reads and 20 refunds."""
    run = payments(begun(), 40)
    returning(run, 20, **(read or {}))  # type: ignore[arg-type]
    return returning(run, 20, op="refund", **(refund or {}))  # type: ignore[arg-type]


def queries_refused_too() -> Run:
    return overload(read=BUSY)


def refunds_left_waiting() -> Run:
    return overload(refund={"took": 1.5})


def refunds_refused_and_accepted_ones_quick() -> Run:
    """One in ten is accepted, and that one at once; new payments are served every second time."""
    run = payments(begun(), 40)
    returning(run, 2, op="refund")
    return returning(run, 18, at=2.2, op="refund", **BUSY)  # type: ignore[arg-type]


def slow_thinkers() -> Run:
    """Refunds are meant, and sent, long after the customers' last answer: that is their own time."""
    run = payments(begun(), 80, at=2.0)
    return returning(run, 20, at=6.0, op="refund", took=0.3)


def few_refused() -> Run:
    run = payments(begun(), 8)
    return returning(run, 20, **BUSY)  # type: ignore[arg-type]


def refused_for_a_reason_of_business() -> Run:
    return overload(refund={"outcome": "fail", "http": 409, "code": "nothing_to_refund"})


def the_api_was_killed_meanwhile() -> Run:
    run = queries_refused_too()
    run.fault("kill", "process", "api", 1.0, 1.5)
    return run


def nearly_as_bad() -> Run:
    """Refunds 9 of 20, payments 20 of 40: it may be chance."""
    run = payments(begun(), 40)
    returning(run, 9, op="refund")
    return returning(run, 11, at=3.0, op="refund", **BUSY)  # type: ignore[arg-type]


def without_contract() -> Run:
    run = overload()
    run.offers(busy=None)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
UNDER = "answered ok within 1000 ms under overload, beside new payments"
PRIORITY_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(
        column=HOLDS,
        entry="",
        tell=overload,
        status=PASS,
        says=("new payments: 20 of 40 served", "refunds: 20 of 20 served"),
    ),
    Story(column=HOLDS, entry="no contract", tell=without_contract, status=UNKNOWN, says=("not offered",)),
    Story(column=BROKEN, entry="", tell=queries_refused_too, status=FAIL, subjects=(f"queries {UNDER}",)),
    Story(column=BROKEN, entry="left waiting", tell=refunds_left_waiting, status=FAIL, subjects=(f"refunds {UNDER}",)),
    Story(column=CRIES_WOLF, entry="different think times", tell=slow_thinkers, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="refused for a reason of business",
        tell=refused_for_a_reason_of_business,
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="the target was killed", tell=the_api_was_killed_meanwhile, status=UNKNOWN),
    Story(
        column=MISSES,
        entry="judged on accepted ones only",
        tell=refunds_refused_and_accepted_ones_quick,
        status=FAIL,
        subjects=(f"refunds {UNDER}",),
    ),
    Story(column=UNDECIDED, entry="no overload reached", tell=few_refused, status=UNKNOWN, says=("no overload",)),
    Story(column=UNDECIDED, entry="the bound straddles", tell=nearly_as_bad, status=UNKNOWN, says=("9 of 20",)),
)


def dead(*tells: Callable[[Run], Run]) -> Run:
    """WeChat Pay fails for everybody for four seconds; meanwhile these come."""
    run = payments(begun(), 40, good=0, outcome="info", ending="answered", http=202, code="attempt_unknown")
    for tell in tells:
        run = tell(run)
    return run


def open_path() -> Run:
    return dead(lambda run: returning(run, 30), lambda run: returning(run, 30, op="refund"))


def reads_fail() -> Run:
    return dead(lambda run: returning(run, 30, outcome="info", http=500), lambda run: returning(run, 30, op="refund"))


def refunds_fail() -> Run:
    return dead(lambda run: returning(run, 30), lambda run: returning(run, 30, op="refund", **BUSY))  # type: ignore[arg-type]


def refunds_accepted_and_not_done() -> Run:
    """All refunds are accepted at once, and none has come back when the run ends: that is the provider's outage."""
    run = open_path()
    run.ledger("wechat")
    return run


def in_better_times() -> Run:
    run = dead(lambda run: returning(run, 30), lambda run: returning(run, 30, op="refund"))
    return returning(run, 30, at=12.0, outcome="info", http=500)


def orders_that_nobody_paid() -> Run:
    run = open_path()
    for number in range(30):
        journey = run.journey(2.0)
        journey.read(2.0 + number / 10, 2.1 + number / 10, f"N2.0-{number}", outcome="info", http=500)
    return run


def database_gone() -> Run:
    run = reads_fail()
    run.fault("silence", "network", "database", 1.5, 6.5)
    return run


def nobody_came() -> Run:
    return dead()


def all_is_well() -> Run:
    run = payments(begun(), 40, good=4)
    return returning(run, 30, outcome="info", http=500)


def cut_while_waiting() -> Run:
    run = open_path()
    for number in range(4):
        journey = run.paid_order(f"cut-{number}", at=0.1)
        journey.read(5.5, None, f"cut-{number}")
    at_ns = run.conduct.load_start_ns
    assert at_ns is not None
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=at_ns + 6_000_000_000, cut_short="stopped")
    return run


WHILE = "of paid orders answered ok within 1000 ms while paying failed"
EMERGENCY_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=open_path, status=PASS, says=("read: 28 of 28", "refund: 28 of 28")),
    Story(column=BROKEN, entry="", tell=reads_fail, status=FAIL, subjects=(f"read {WHILE}",)),
    Story(
        column=CRIES_WOLF,
        entry="refunds whose provider is the one that is down",
        tell=refunds_accepted_and_not_done,
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="while nothing was wrong with paying", tell=in_better_times, status=PASS),
    Story(column=CRIES_WOLF, entry="orders that nobody paid", tell=orders_that_nobody_paid, status=PASS),
    Story(column=CRIES_WOLF, entry="the database was gone", tell=database_gone, status=UNKNOWN),
    Story(
        column=MISSES,
        entry="only reads looked at",
        tell=refunds_fail,
        status=FAIL,
        subjects=(f"refund {WHILE}",),
    ),
    Story(column=UNDECIDED, entry="below the floor", tell=nobody_came, status=UNKNOWN),
    Story(column=UNDECIDED, entry="paying never failed", tell=all_is_well, status=UNKNOWN),
    Story(
        column=UNDECIDED, entry="cut within the limit", tell=cut_while_waiting, status=UNKNOWN, says=("4 operations",)
    ),
)
