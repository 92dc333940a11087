"""Hand-written histories for latency: 90 % of each kind of operation within 1 s."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def quick_orders(count: int = 20) -> Run:
    run = Run()
    objectives = msgspec.structs.replace(run.scenario.objectives, latency_share=0.9)
    run.scenario = msgspec.structs.replace(run.scenario, objectives=objectives)
    for number in range(count):
        run.paid_order(f"A{number}", at=1.0 + number * 0.1)
    return run


def slow_reads(run: Run, count: int, *, phase: str = "steady", leaves_early: bool = False, **reply: object) -> Run:
    """So many reads that took two seconds, of as many customers, from second 10 on."""
    for number in range(count):
        at = 10.0 + number * 0.1
        journey = run.journey(at, phase=phase, leaves_early=leaves_early)
        journey.read(at, at + 2.0, "A0", **reply)
        journey.ends(at + 2.0, "left" if leaves_early else "gave_up")
    return run


def slow() -> Run:
    return slow_reads(quick_orders(), 10)


def slow_outside_the_steady_phase() -> Run:
    return slow_reads(slow_reads(quick_orders(), 10, phase="fault"), 10, phase="warmup")


def slow_while_a_fault_was_on() -> Run:
    run = slow()
    run.fault("latency", "network", "wechat", 11.5, 14.0)
    return run


def slow_under_a_standing_condition() -> Run:
    """Providers answer slowly all the time: that is no fault, but the world in which the target has to be quick."""
    run = slow()
    run.fault("slow_answers", "provider", "wechat", -5.0, 60.0)
    standing = msgspec.structs.replace(run.scenario.faults[0], start_ms=None, end_ms=None)
    run.scenario = msgspec.structs.replace(run.scenario, faults=(standing,))
    return run


def one_slow_among_few() -> Run:
    run = Run()
    for number in range(9):
        run.paid_order(f"A{number}", at=1.0 + number * 0.1)
    return slow_reads(run, 1)


def refused_slowly() -> Run:
    return slow_reads(quick_orders(), 10, outcome="fail", http=404)


def never_answered() -> Run:
    """Cut off within the limit each time: quick to end, but no answer."""
    run = quick_orders()
    for number in range(10):
        journey = run.journey(10.0)
        journey.read(10.0, 10.2, f"A{number}", outcome="info", ending="closed")
        journey.ends(10.2, "gave_up")
    return run


def sent_late_because_the_generator_waited() -> Run:
    """Sent to done it took 0.2 s; the customer meant to act two seconds earlier."""
    run = quick_orders()
    for number in range(10):
        journey = run.journey(10.0)
        journey.read(12.0, 12.2, f"A{number}", scheduled=10.0)
        journey.ends(12.2, "gave_up")
    return run


def a_tenth_slow() -> Run:
    """Three of twenty reads slow: 85 %, and 90 % cannot be ruled out."""
    run = quick_orders()
    for number in range(17):
        run.journey(5.0).read(5.0, 5.2, f"A{number}")
    return slow_reads(run, 3)


def cut() -> Run:
    run = quick_orders()
    for number in range(4):
        run.journey(9.5).read(9.5, None, f"A{number}")
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(10.0), cut_short="stopped")
    return run


def left_unanswered() -> Run:
    return slow_reads(quick_orders(), 10, leaves_early=True, outcome="info", ending="closed")


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
READS = "read answered within 1000 ms"
LATENCY_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=quick_orders, status=PASS, says=("create: p50 100 ms, p99 100 ms",)),
    Story(column=BROKEN, entry="", tell=slow, status=FAIL, subjects=(READS,), says=("0 of 10 (0.00%",)),
    Story(column=BROKEN, entry="refused slowly", tell=refused_slowly, status=FAIL, subjects=(READS,)),
    Story(column=CRIES_WOLF, entry="too few for p99", tell=one_slow_among_few, status=UNKNOWN, says=("18 of 19",)),
    Story(column=CRIES_WOLF, entry="outside the steady phase", tell=slow_outside_the_steady_phase, status=PASS),
    Story(column=CRIES_WOLF, entry="while a fault was on", tell=slow_while_a_fault_was_on, status=PASS),
    Story(column=CRIES_WOLF, entry="a customer who left early", tell=left_unanswered, status=PASS),
    Story(
        column=MISSES,
        entry="a standing condition taken for a fault",
        tell=slow_under_a_standing_condition,
        status=FAIL,
        subjects=(READS,),
    ),
    Story(column=MISSES, entry="only ok counted", tell=never_answered, status=FAIL, subjects=(READS,)),
    Story(
        column=MISSES,
        entry="sent to done",
        tell=sent_late_because_the_generator_waited,
        status=FAIL,
        subjects=(READS,),
    ),
    Story(
        column=UNDECIDED,
        entry="the bound straddles",
        tell=a_tenth_slow,
        status=UNKNOWN,
        says=("too close to call: read answered within 1000 ms: 17 of 20 (85.00%",),
    ),
    Story(column=UNDECIDED, entry="cut within the limit", tell=cut, status=UNKNOWN, says=("4 operations were cut",)),
)
