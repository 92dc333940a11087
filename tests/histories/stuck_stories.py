"""Hand-written histories for no_stuck_order: T_stuck is 6 s, an order is to be paid within 8 s."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def two_good_orders() -> Run:
    run = Run()
    run.paid_order("A", at=1.0)
    run.paid_order("B", at=2.0, method="card")
    return run


def unresolved(run: Run, *, state: str = "paying", attempt: str | None = "unknown", at: float = 3.0) -> Journey:
    """An order C whose charge by WeChat Pay was never resolved, taken in by nobody."""
    journey = run.journey(at)
    journey.create(at, at + 0.1, "C")
    journey.pay(at + 0.2, at + 1.2, "C", "wechat", outcome="info", http=202)
    journey.ends(at + 10.0, "gave_up")
    run.books_order("C", journey, state, at=at)
    if attempt is not None:
        run.payment("C", "wechat", "C-1", attempt)
    run.seen("C", journey, state=state)
    return journey


def never_resolved() -> Run:
    run = two_good_orders()
    unresolved(run)
    run.ledger("wechat").captured(3.4, "C-1", "C", 1000)
    return run


def open_for_ever() -> Run:
    run = two_good_orders()
    unresolved(run, state="open", attempt="dead")
    return run


def rests_with_an_unknown_attempt() -> Run:
    run = two_good_orders()
    unresolved(run, state="closed")
    run.ledger("wechat").captured(3.4, "C-1", "C", 1000)
    return run


def closed_in_the_books_and_open_to_its_owner() -> Run:
    run = two_good_orders()
    journey = unresolved(run, state="closed", attempt="dead")
    run.final_read("C", journey, state="paying")
    return run


def resting(run: Run, at: float) -> Run:
    """The run came to rest, and the books were read, at this second."""
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=ns(at), books_read_ns=(ns(at), ns(at + 0.1)))
    run.reads = [row | {"sent_ns": ns(at + 0.2), "done_ns": ns(at + 0.3)} for row in run.reads]
    return run


def unpaid_before_pay_by() -> Run:
    """Read at 10 s: C may be paid until 11 s."""
    run = two_good_orders()
    unresolved(run, state="open", attempt=None)
    return resting(run, 10.0)


def short_drain() -> Run:
    """Read at 16 s: five seconds after C's `pay_by`."""
    run = two_good_orders()
    unresolved(run, state="open", attempt=None)
    return resting(run, 16.0)


def just_long_enough() -> Run:
    run = two_good_orders()
    unresolved(run, state="open", attempt=None)
    return resting(run, 17.1)


def long_fault() -> Run:
    """Read at 17.1 s: long after C's `pay_by`, but only 3 s after the last fault."""
    run = just_long_enough()
    run.fault("silence", "network", "wechat", 5.0, 14.1)
    return run


def fault_without_end() -> Run:
    run = open_for_ever()
    run.fault("silence", "network", "wechat", 5.0, 14.1)
    run.faults = [row for row in run.faults if row["event"] in {"injected", "read_back", "effect_seen"}]
    return run


def provider_still_processing() -> Run:
    run = two_good_orders()
    unresolved(run)
    run.ledger("wechat").add(3.3, "request", "C-1", order="C", op="charge")
    run.ledger("wechat").add(3.3, "accepted", "C-1", order="C", op="charge", amount_minor=1000)
    return run


def intent_that_was_never_confirmed() -> Run:
    """A card intent was made and never confirmed: the provider processes nothing, and never will."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.1, "C")
    journey.pay(3.2, 4.2, "C", "card", outcome="info", http=202)
    journey.ends(13.0, "gave_up")
    run.books_order("C", journey, "paying", at=3.0)
    run.payment("C", "card", "pi_C", "live")
    run.seen("C", journey, state="paying")
    run.ledger("card").add(3.3, "accepted", "pi_C", order="C", op="create", amount_minor=1000)
    return run


def ledger_missing() -> Run:
    run = never_resolved()
    run.absent.add("ledger.wechat")
    return run


def never_expires() -> Run:
    """A target whose orders do not close by themselves: an unpaid one may rest."""
    run = open_for_ever()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, pay_by=False)
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


def never_expires_and_never_resolves() -> Run:
    run = never_resolved()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, pay_by=False)
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


def order_of_another_run() -> Run:
    run = two_good_orders()
    run.books_order("Z", None, "open", at=1.0)
    return run


def nothing_shown() -> Run:
    run = two_good_orders()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=(), operations=("create", "pay"))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
STUCK_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=PASS),
    Story(column=HOLDS, entry="another run's order", tell=order_of_another_run, status=PASS),
    Story(
        column=BROKEN,
        entry="never resolved",
        tell=never_resolved,
        status=FAIL,
        subjects=("C",),
        says=(
            "to be paid by +11.000 s",
            "more than 6.0 s after",
            "the books call it paying",
            "its owner read paying",
            "unresolved: wechat C-1 unknown",
        ),
    ),
    Story(column=BROKEN, entry="open for ever", tell=open_for_ever, status=FAIL, subjects=("C",)),
    Story(column=BROKEN, entry="just past T_stuck", tell=just_long_enough, status=FAIL, subjects=("C",)),
    Story(
        column=BROKEN,
        entry="never resolved, without expiry",
        tell=never_expires_and_never_resolves,
        status=FAIL,
        subjects=("C",),
    ),
    Story(column=CRIES_WOLF, entry="unpaid before pay_by", tell=unpaid_before_pay_by, status=UNKNOWN),
    Story(
        column=CRIES_WOLF,
        entry="provider still PROCESSING",
        tell=provider_still_processing,
        status=UNKNOWN,
        says=("1 orders have a charge that its provider still processes",),
    ),
    Story(column=CRIES_WOLF, entry="unpaid, and never expires by rule", tell=never_expires, status=PASS),
    Story(
        column=MISSES,
        entry="the books call it unknown and the list takes that as terminal",
        tell=rests_with_an_unknown_attempt,
        status=FAIL,
        subjects=("C",),
        says=("unresolved: wechat C-1 unknown",),
    ),
    Story(
        column=MISSES,
        entry="only the books looked at",
        tell=closed_in_the_books_and_open_to_its_owner,
        status=FAIL,
        subjects=("C",),
        says=("its owner read paying",),
    ),
    Story(
        column=MISSES,
        entry="an intent that was never confirmed taken for processing",
        tell=intent_that_was_never_confirmed,
        status=FAIL,
        subjects=("C",),
    ),
    Story(
        column=UNDECIDED,
        entry="drain shorter than T_stuck",
        tell=short_drain,
        status=UNKNOWN,
        says=("1 orders are not at rest, but the drain was shorter than T_stuck",),
    ),
    Story(column=UNDECIDED, entry="T_stuck after the last fault's end too", tell=long_fault, status=UNKNOWN),
    Story(
        column=UNDECIDED,
        entry="a fault was never seen to end",
        tell=fault_without_end,
        status=UNKNOWN,
        says=("a fault was never seen to end",),
    ),
    Story(column=UNDECIDED, entry="no ledger to tell", tell=ledger_missing, status=UNKNOWN),
    Story(
        column=UNDECIDED, entry="nothing shown", tell=nothing_shown, status=UNKNOWN, says=("claimed, but not offered",)
    ),
)
