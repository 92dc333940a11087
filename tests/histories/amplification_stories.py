"""Hand-written histories for retry_amplification: at most 3 calls an intent, in the mean 0.5 more in a fault."""

from harness.verdict import Status
from tests.histories.builder import Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def called(run: Run, order: str, *methods: str, at: float = 1.0, phase: str = "steady", asked: int = 1) -> Run:
    """A customer who asked so often, and one charge call for the order at each of these providers, in this order."""
    journey = run.journey(at, phase=phase)
    journey.create(at, at + 0.1, order)
    for number in range(asked):
        journey.pay(at + 0.2 + number / 100, at + 0.3 + number / 100, order, outcome="fail", code="method_unavailable")
    journey.ends(at + 0.5)
    for number, method in enumerate(methods):
        op = "confirm" if method == "card" else "charge"
        run.ledger(method).add(at + 0.2 + number / 100, "request", f"{order}-{method}", order=order, op=op)
    return run


def calm(fault: int = 10) -> Run:
    """Ten customers before a fault, and so many in it, each charged with one call."""
    run = Run()
    run.fault("error_answers", "provider", "wechat", 6.0, 12.0)
    for number in range(10):
        called(run, f"S{number}", "wechat", at=number * 0.4)
    for number in range(fault):
        called(run, f"F{number}", "alipay", at=6.0 + number * 0.4, phase="fault")
    return run


def one_too_often() -> Run:
    return called(calm(), "A", "wechat", "wechat", "alipay", "card", at=8.0, phase="fault")


def all_a_little_more() -> Run:
    """Nobody above the limit, and twice as many calls as before."""
    run = calm(0)
    for number in range(10):
        called(run, f"F{number}", "wechat", "alipay", at=6.0 + number * 0.4, phase="fault")
    return run


def a_storm_on_one_method() -> Run:
    """One order in forty, called five times by one method: the mean rises by a tenth."""
    return called(calm(40), "A", *["wechat"] * 5, at=7.0, phase="fault")


def refused_again_and_again() -> Run:
    """A customer who asked twelve times; the breaker let one call through."""
    return called(calm(), "A", "wechat", at=8.0, phase="fault", asked=12)


def polled() -> Run:
    run = called(calm(), "A", "wechat", at=8.0, phase="fault")
    for number in range(20):
        run.ledger("wechat").add(8.3 + number / 10, "request", "A-wechat", order="A", op="query")
    run.ledger("card").add(8.0, "request", order="A", op="create")
    return run


def another_order_wanted_besides() -> Run:
    run = calm()
    journey = run.journey(8.0, phase="fault")
    for number, order in enumerate(("A", "B")):
        intent = 9_000 + number
        journey.does("create", 8.0, 8.1, named=order, asked=1000, intent=intent, result_id=order, state="open")
        journey.pay(8.2, 8.3, order, intent=intent, outcome="info", http=202)
        for call in range(2):
            run.ledger("wechat").add(8.2 + call / 10, "request", f"{order}-1", order=order, op="charge")
    journey.ends(9.0)
    return run


def caught_by_the_fault() -> Run:
    """Three came just before the fault, were served in it, and are none of the steady phase."""
    run = all_a_little_more()
    for number in range(30):
        order = f"L{number}"
        journey = run.journey(5.9)
        journey.create(5.9, 6.0, order)
        journey.pay(6.1, 6.2, order)
        journey.ends(6.3)
        for call in range(2):
            run.ledger("wechat").add(6.1 + call / 10, "request", f"{order}-1", order=order, op="charge")
    return run


def few_in_the_fault() -> Run:
    return calm(4)


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
MEAN = "mean of the fault phase"
AMPLIFICATION_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=calm, status=PASS, says=("1.00 in the steady phase (10 intents)",)),
    Story(
        column=BROKEN,
        entry="one above the limit",
        tell=one_too_often,
        status=FAIL,
        subjects=("A",),
        says=("4 charge calls", "alipay 1, card 1, wechat 2", "at most 3"),
    ),
    Story(
        column=BROKEN,
        entry="the mean rises",
        tell=all_a_little_more,
        status=FAIL,
        subjects=(MEAN,),
        says=("rose by 1.00, more than 0.50", "2.00 in the fault (10)"),
    ),
    Story(
        column=MISSES,
        entry="the mean only: a storm on one method hides",
        tell=a_storm_on_one_method,
        status=FAIL,
        subjects=("A",),
    ),
    Story(
        column=MISSES, entry="came before and was served in it", tell=caught_by_the_fault, status=FAIL, subjects=(MEAN,)
    ),
    Story(
        column=MISSES,
        entry="calls that the breaker refused counted as sent",
        tell=refused_again_and_again,
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="a deliberate new intent", tell=another_order_wanted_besides, status=PASS),
    Story(column=CRIES_WOLF, entry="expected polling", tell=polled, status=PASS),
    Story(
        column=UNDECIDED,
        entry="too few intents in the window",
        tell=few_in_the_fault,
        status=UNKNOWN,
        says=("4 intents in the fault, with fewer than 5",),
    ),
)
