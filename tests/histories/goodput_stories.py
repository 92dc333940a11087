"""Hand-written histories for goodput: of the peak 80 % must be left, and be back 8 s after the load fell."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

LOW, HIGH, KNEE = 8, 20, 10
"""Arrivals a second before and after, and in between; and how many can be paid."""
RISES, FALLS, ENDS = 4, 10, 24


def arrive(run: Run, per_s: int, from_s: float, to_s: float, *, paid_every: int = 1, final: str = "gave_up") -> Run:
    """Customers at this rate; every so many is paid half a second after arriving, the others end as `final`."""
    for nth in range(round((to_s - from_s) * per_s)):
        at = from_s + nth / per_s
        journey = run.journey(at)
        if paid_every and nth % paid_every == 0:
            journey.ends(at + 0.5)
        elif final:
            journey.ends(at + 10.0, final)
    return run


def run_of(*, beyond: int = 2, after: int = 1, final: str = "gave_up") -> Run:
    """Up past the knee, where every so many is paid, and down again."""
    run = arrive(Run(), LOW, 0, RISES)
    arrive(run, HIGH, RISES, FALLS, paid_every=beyond, final=final)
    return arrive(run, LOW, FALLS, ENDS, paid_every=after, final=final)


def holds() -> Run:
    return run_of()


def collapses() -> Run:
    return run_of(beyond=10)


def stays_down() -> Run:
    return run_of(after=3)


def answered_but_not_paid() -> Run:
    """Everybody is answered all the time, and told that it is paid only when patience is over."""
    run = arrive(Run(), LOW, 0, RISES)
    for nth in range((FALLS - RISES) * HIGH):
        at = RISES + nth / HIGH
        journey = run.journey(at)
        journey.pay(at + 0.2, at + 0.4, f"N{nth}", outcome="info", http=202)
        journey.ends(at + (0.5 if nth % 10 == 0 else 10.5))
    return arrive(run, LOW, FALLS, ENDS)


def two_lucky_seconds() -> Run:
    """For two seconds more are paid than it can bear: what six had waited for happens to come due at once."""
    run = run_of(beyond=3)
    for nth in range(6):
        at = 5.0 + nth / 5
        run.journey(at).ends(at + 1.0)
    return run


def too_few_came() -> Run:
    """Only as many came as could be paid, though more had been planned."""
    run = arrive(Run(), LOW, 0, RISES)
    arrive(run, KNEE, RISES, FALLS)
    run.conduct = msgspec.structs.replace(run.conduct, planned=200, started=92, missed=108)
    return arrive(run, LOW, FALLS, ENDS)


def all_paid_beyond_what_was_thought() -> Run:
    return run_of(beyond=1)


def a_fault_meanwhile() -> Run:
    run = collapses()
    run.fault("silence", "network", "wechat", RISES - 1, FALLS + 1)
    return run


def left_and_declined_afterwards() -> Run:
    run = holds()
    for final in ("left", "declined"):
        arrive(run, LOW, FALLS + 9, ENDS, paid_every=0, final=final)
    return run


def cut() -> Run:
    run = holds()
    arrive(run, 2, 20, 22, paid_every=0, final="")
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(25.0), cut_short="stopped")
    return run


def a_short_crowd() -> Run:
    """Twice as many for two seconds; all are paid, spread over the four seconds after."""
    run = arrive(Run(), 3, 0, RISES)
    for nth in range(24):
        run.journey(RISES + nth / 12).ends(RISES + 2.5 + nth / 6)
    return arrive(run, 3, RISES + 2, ENDS)


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
BEYOND, AFTER = "goodput beyond the knee", "goodput after the load fell"
GOODPUT_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=holds, status=PASS, says=("knee at 10 paid/s",)),
    Story(column=BROKEN, entry="", tell=collapses, status=FAIL, subjects=(BEYOND,), says=("at its best",)),
    Story(column=BROKEN, entry="does not come back", tell=stays_down, status=FAIL, subjects=(AFTER,)),
    Story(column=CRIES_WOLF, entry="the generator is the bottleneck", tell=too_few_came, status=UNKNOWN),
    Story(column=CRIES_WOLF, entry="two lucky seconds", tell=two_lucky_seconds, status=PASS),
    Story(column=CRIES_WOLF, entry="a short crowd", tell=a_short_crowd, status=UNKNOWN, says=("no knee was seen: ",)),
    Story(column=CRIES_WOLF, entry="a fault at the same time", tell=a_fault_meanwhile, status=UNKNOWN),
    Story(column=CRIES_WOLF, entry="left and declined", tell=left_and_declined_afterwards, status=PASS),
    Story(column=MISSES, entry="answered counted as paid", tell=answered_but_not_paid, status=FAIL, subjects=(BEYOND,)),
    Story(
        column=UNDECIDED,
        entry="knee not reached",
        tell=all_paid_beyond_what_was_thought,
        status=UNKNOWN,
        says=("no knee was seen",),
    ),
    Story(column=UNDECIDED, entry="cut within patience", tell=cut, status=UNKNOWN, says=("4 journeys were cut",)),
)
