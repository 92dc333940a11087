"""Hand-written histories for affected_list: the target's own list against what happened."""

from harness.verdict import Status
from tests.histories.amends import busy, listed, quick, read_at, sent_back, slow, timed_out, with_rule
from tests.histories.builder import Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def true_list() -> Run:
    """A waited and its money came back, so it is listed twice; B was told busy; D was paid at once."""
    run = with_rule()
    slow(run, "A")
    busy(run, "B", at=2.0)
    sent_back(run, "C", at=3.0)
    quick(run, "D", at=4.0)
    listed(run, "A")
    listed(run, "A", "refunded", at=15.0)
    listed(run, "B", "busy")
    listed(run, "C", "refunded", at=15.0)
    return run


def one_forgotten() -> Run:
    run = true_list()
    run.affected = [row for row in run.affected if row.order != "C"]
    return run


def one_too_many() -> Run:
    run = true_list()
    listed(run, "D")
    return run


def right_in_number_only() -> Run:
    run = one_forgotten()
    listed(run, "D")
    return run


def own_time_out() -> Run:
    run = with_rule()
    timed_out(run, "A")
    return run


def own_time_out_listed() -> Run:
    run = own_time_out()
    listed(run, "A", "busy")
    return run


def not_yet() -> Run:
    run = with_rule()
    slow(run, "A")
    return read_at(run, 12.0)


def book_missing() -> Run:
    run = true_list()
    run.absent.add("books.affected")
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
AFFECTED_LIST_STORIES = (
    Story(column=EMPTY, entry="", tell=with_rule, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=true_list, status=PASS),
    Story(
        column=BROKEN,
        entry="one forgotten",
        tell=one_forgotten,
        status=FAIL,
        subjects=("C",),
        says=("its money came back unasked (+13.700 s", "does not stand on the target's list"),
    ),
    Story(
        column=BROKEN,
        entry="one too many",
        tell=one_too_many,
        status=FAIL,
        subjects=("D",),
        says=("(unresolved), and nothing happened to it",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="the customer saw a timeout that the target could not see",
        tell=own_time_out,
        status=UNKNOWN,
    ),
    Story(column=CRIES_WOLF, entry="listed for an answer that nobody saw", tell=own_time_out_listed, status=UNKNOWN),
    Story(column=MISSES, entry="counts only", tell=right_in_number_only, status=FAIL, subjects=("C", "D")),
    Story(
        column=UNDECIDED,
        entry="info only",
        tell=own_time_out,
        status=UNKNOWN,
        says=("1 orders may be affected or not",),
    ),
    Story(
        column=UNDECIDED, entry="the window is not over", tell=not_yet, status=UNKNOWN, says=("not on the list yet",)
    ),
    Story(column=UNDECIDED, entry="book missing", tell=book_missing, status=UNKNOWN, says=("no evidence",)),
    Story(column=UNDECIDED, entry="no rule", tell=Run, status=UNKNOWN, says=("claimed, but not offered",)),
)
