"""What must come of the histories in `fulfilment_runs` and `line_runs`, judged by fulfilled_once?"""

from harness.verdict import Status
from tests.histories import fulfilment_runs as runs
from tests.histories import line_runs as lines
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
FULFILMENT_STORIES = (
    Story(column=EMPTY, entry="", tell=runs.paid, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=runs.all_released, status=PASS),
    Story(column=HOLDS, entry="notice repeated, effect once", tell=runs.notice_repeated_and_released_once, status=PASS),
    Story(
        column=BROKEN,
        entry="a notice delivered n times whose effect is not 1",
        tell=runs.released_twice_by_a_repeated_notice,
        status=FAIL,
        subjects=("A",),
        says=("was released 2 times", "3 deliveries of its notice"),
    ),
    Story(
        column=BROKEN, entry="too late", tell=runs.released_too_late, status=FAIL, subjects=("A",), says=("too late",)
    ),
    Story(
        column=BROKEN,
        entry="too late, whatever a provider did",
        tell=runs.released_late_though_only_a_provider_was_slow,
        status=FAIL,
        subjects=("A",),
    ),
    Story(
        column=BROKEN,
        entry="closed and released",
        tell=runs.closed_and_released,
        status=FAIL,
        subjects=("B",),
        says=("calls it closed",),
    ),
    Story(column=BROKEN, entry="open and released", tell=runs.open_and_released, status=FAIL, subjects=("B",)),
    Story(
        column=BROKEN,
        entry="given back unasked and released",
        tell=runs.given_back_unasked_and_released,
        status=FAIL,
        subjects=("B",),
        says=("gave it back unasked",),
    ),
    Story(
        column=BROKEN,
        entry="before its money was taken",
        tell=runs.released_before_its_money_was_taken,
        status=FAIL,
        subjects=("B",),
        says=("before its money was taken",),
    ),
    Story(
        column=BROKEN,
        entry="no money at all",
        tell=runs.released_for_a_forged_notice,
        status=FAIL,
        subjects=("B",),
        says=("no provider ever took money",),
    ),
    Story(
        column=BROKEN,
        entry="an order that nobody knows",
        tell=runs.released_without_anyone_knowing_the_order,
        status=FAIL,
        subjects=("Z",),
        says=("does not hold it",),
    ),
    Story(
        column=BROKEN,
        entry="another line of business",
        tell=lines.released_as_another_line,
        status=FAIL,
        subjects=("B",),
        says=("as food, and had been ordered as ride",),
    ),
    Story(
        column=BROKEN,
        entry="another line of business, and too late",
        tell=lines.released_late_and_as_another_line,
        status=FAIL,
        subjects=("B",),
        says=("as supermarket",),
    ),
    Story(
        column=MISSES,
        entry="another line of business, and given back since",
        tell=lines.released_as_another_line_and_given_back_since,
        status=FAIL,
        subjects=("B",),
    ),
    Story(
        column=MISSES,
        entry="another line of business, of an order that no create named",
        tell=lines.known_from_a_list_only_and_released_as_another_line,
        status=FAIL,
        subjects=("B",),
    ),
    Story(
        column=MISSES,
        entry="release booked, not effected",
        tell=runs.booked_and_not_effected,
        status=FAIL,
        subjects=("B",),
        says=("never released",),
    ),
    Story(
        column=MISSES,
        entry="never released, and given back since",
        tell=runs.given_back_on_request_long_after_and_never_released,
        status=FAIL,
        subjects=("B",),
    ),
    Story(column=CRIES_WOLF, entry="offline payment", tell=runs.paid_in_cash, status=PASS),
    Story(column=CRIES_WOLF, entry="held up by a fault", tell=runs.released_when_the_database_was_back, status=PASS),
    Story(
        column=CRIES_WOLF, entry="given back on request at once", tell=runs.given_back_at_once_on_request, status=PASS
    ),
    Story(column=CRIES_WOLF, entry="given back by rule", tell=runs.given_back_unasked_and_not_released, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="given back after its release",
        tell=runs.given_back_unasked_long_after_its_release,
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="before the watermark", tell=runs.released_before_the_watermark, status=PASS),
    Story(column=CRIES_WOLF, entry="releases that name no line", tell=lines.released_without_a_line, status=PASS),
    Story(column=CRIES_WOLF, entry="a release that names no line", tell=lines.one_without_a_line, status=PASS),
    Story(column=CRIES_WOLF, entry="lines in words of their own", tell=lines.released_in_words_of_its_own, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="asked for as two lines, and nobody knows as which",
        tell=lines.ordered_twice_over_as_two_lines,
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="another run", tell=runs.released_for_another_run, status=PASS),
    Story(column=UNDECIDED, entry="time left", tell=runs.paid_a_moment_ago, status=UNKNOWN, says=("had time left",)),
    Story(
        column=UNDECIDED, entry="still moving", tell=runs.still_moving, status=UNKNOWN, says=("had not come to rest",)
    ),
    Story(column=UNDECIDED, entry="releases not read", tell=runs.not_all_releases_read, status=UNKNOWN),
    Story(column=UNDECIDED, entry="a provider's ledger is missing", tell=runs.a_ledger_is_missing, status=UNKNOWN),
    Story(column=UNDECIDED, entry="books missing", tell=runs.books_are_missing, status=UNKNOWN, says=("no evidence",)),
    Story(column=UNDECIDED, entry="info only", tell=runs.only_info, status=UNKNOWN, says=("neither the books",)),
    Story(
        column=UNDECIDED,
        entry="release not exposed",
        tell=runs.nobody_dispatches,
        status=Status.UNKNOWN,
        says=("not offered",),
    ),
)
