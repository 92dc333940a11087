"""Hand-written histories for canary_contained: a canary of a fifth from 1 s to 11 s; the window to roll back is 6 s."""

import msgspec

from harness.recorder.rows import Done
from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

RELEASE = "r2"


def begun(*, share: float = 0.2, end: float = 11.0) -> Run:
    """A run with a canary, its moves written down."""
    run = Run()
    number = run.fault("canary", "process", "api", 1.0, end, release=RELEASE, share=share)
    moved(run, number, 1.0, RELEASE, share)
    moved(run, number, end, "r1", 1.0)
    return run


def moved(run: Run, number: int, at: float, build: str, share: float) -> None:
    row = {"number": number, "event": "moved", "status": "confirmed", "at_ns": ns(at), "detail": "a move"}
    run.faults.append(row | {"build": build, "share": share})


def customer(run: Run, order: str, build: str, at: float) -> Journey:
    """Orders and pays within a second, answered by one build all the way."""
    journey = run.paid_order(order, at=at)
    for row in run.history[-5:]:
        if isinstance(row, Done):
            row.build = build
    return journey


def users(run: Run, by_canary: int, of: int) -> Run:
    for number in range(of):
        build = RELEASE if number < by_canary else "r1"
        customer(run, f"{build}-{number:03d}", build, 2.0 + number * 0.04)
    return run


def a_fifth() -> Run:
    return users(begun(), 40, 200)


def somewhat_more_by_chance() -> Run:
    return users(begun(), 50, 200)


def small_counts() -> Run:
    return users(begun(), 5, 10)


def twice_the_share() -> Run:
    return users(begun(), 80, 200)


def only_failed_answers_carry_it() -> Run:
    """Whoever met the canary was answered 500 by it, and then paid by nobody: its ok answers alone are none."""
    run = users(begun(), 0, 120)
    for number in range(80):
        journey = run.journey(2.0 + number * 0.04)
        journey.create(2.0, 2.1, None, outcome="info", http=500, build=RELEASE)
        journey.ends(12.0, "gave_up")
    return run


def changes_its_mind() -> Run:
    run = users(begun(), 4, 20)
    journey = customer(run, "A", "r1", 3.0)
    journey.read(4.0, 4.1, "A", state="paid", build=RELEASE)
    journey.read(5.0, 5.1, "A", state="paid", build="r1")
    return run


def moved_by_the_roll_back() -> Run:
    run = users(begun(), 4, 20)
    customer(run, "A", RELEASE, 9.0).read(12.0, 12.1, "A", state="paid", build="r1")
    return run


def a_request_that_spans_the_move() -> Run:
    run = users(begun(), 4, 20)
    customer(run, "A", RELEASE, 9.0).read(10.9, 11.2, "A", state="paid", build="r1")
    return run


def overlapping_requests() -> Run:
    run = users(begun(), 4, 20)
    journey = customer(run, "A", "r1", 3.0)
    journey.read(4.0, 5.0, "A", state="paid", build="r1")
    journey.read(4.2, 4.5, "A", state="paid", build=RELEASE)
    return run


def failing(run: Run, since: float, until: float) -> Run:
    """Four answers a second by each build; the new one's are errors."""
    journey, other = customer(run, "A", RELEASE, 2.0), customer(run, "B", "r1", 2.0)
    for step in range(int((until - since) * 4)):
        at = since + step * 0.25
        journey.read(at, at + 0.1, "A", outcome="info", http=500, build=RELEASE)
        other.read(at, at + 0.1, "B", state="paid", build="r1")
    return run


def fails_and_is_left_in_time() -> Run:
    return failing(users(begun(), 4, 20), 4.0, 9.0)


def fails_and_is_kept() -> Run:
    return failing(users(begun(end=20.0), 4, 20), 4.0, 19.0)


def fails_as_the_old_one_does() -> Run:
    """A provider is down: both builds answer errors, each to its share of the users."""
    run = users(begun(end=20.0), 4, 20)
    journeys = [customer(run, f"A-{number}", RELEASE if number == 0 else "r1", 2.0) for number in range(5)]
    for step in range(60):
        at = 4.0 + step * 0.25
        for number, journey in enumerate(journeys):
            build = RELEASE if number == 0 else "r1"
            journey.read(at, at + 0.1, f"A-{number}", outcome="info", http=500, build=build)
    return run


def refuses_clearly() -> Run:
    """Says that it is busy, which is no error."""
    run = users(begun(end=20.0), 4, 20)
    journey, other = customer(run, "A", RELEASE, 2.0), customer(run, "B", "r1", 2.0)
    for step in range(60):
        at = 4.0 + step * 0.25
        journey.read(at, at + 0.1, "A", outcome="fail", http=503, code="busy", build=RELEASE)
        other.read(at, at + 0.1, "B", state="paid", build="r1")
    return run


def loses_an_order() -> Run:
    run = users(begun(), 4, 20)
    run.orders = [order for order in run.orders if order.order != "r2-001"]
    return run


def loses_an_order_of_the_old_build() -> Run:
    """Sad, and another check's matter: the canary never saw it."""
    run = users(begun(), 4, 20)
    run.orders = [order for order in run.orders if order.order != "r1-010"]
    return run


def still_moves() -> Run:
    run = loses_an_order()
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=None)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
CANARY_STORIES = (
    Story(column=EMPTY, entry="", tell=begun, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=a_fifth, status=PASS, says=("40 of 200 users (20.0%) met r2, share 20%",)),
    Story(column=HOLDS, entry="left in time", tell=fails_and_is_left_in_time, status=PASS, says=("departed at",)),
    Story(column=CRIES_WOLF, entry="small counts", tell=small_counts, status=PASS),
    Story(column=CRIES_WOLF, entry="more by chance", tell=somewhat_more_by_chance, status=PASS),
    Story(column=CRIES_WOLF, entry="moved by the roll-back itself", tell=moved_by_the_roll_back, status=PASS),
    Story(column=CRIES_WOLF, entry="a request that spans a move", tell=a_request_that_spans_the_move, status=PASS),
    Story(column=CRIES_WOLF, entry="overlapping requests", tell=overlapping_requests, status=PASS),
    Story(column=CRIES_WOLF, entry="a provider's outage strikes both", tell=fails_as_the_old_one_does, status=PASS),
    Story(column=CRIES_WOLF, entry="busy, said clearly", tell=refuses_clearly, status=PASS),
    Story(column=CRIES_WOLF, entry="another build's order", tell=loses_an_order_of_the_old_build, status=PASS),
    Story(
        column=BROKEN,
        entry="beyond its share",
        tell=twice_the_share,
        status=FAIL,
        subjects=(RELEASE,),
        says=("80 of 200 users (40.0%)", "with 99.9% confidence at least"),
    ),
    Story(
        column=BROKEN,
        entry="a user changes build",
        tell=changes_its_mind,
        status=FAIL,
        subjects=("A",),
        says=("was answered by r1, and by r2 on the read sent at", "2 times"),
    ),
    Story(
        column=BROKEN,
        entry="rolled back too late",
        tell=fails_and_is_kept,
        status=FAIL,
        subjects=(RELEASE,),
        says=("came later than 6 s after it",),
    ),
    Story(
        column=BROKEN,
        entry="an order lost over the roll-back",
        tell=loses_an_order,
        status=FAIL,
        subjects=("r2-001",),
        says=("touched by r2, is gone after the roll-back: the target's books do not hold it",),
    ),
    Story(
        column=MISSES,
        entry="only ok replies carry the build",
        tell=only_failed_answers_carry_it,
        status=FAIL,
        subjects=(RELEASE,),
        says=("80 of 200 users",),
    ),
    Story(column=UNDECIDED, entry="below the floor", tell=begun, status=UNKNOWN, says=("below the claimed floor",)),
    Story(
        column=UNDECIDED,
        entry="books that still move",
        tell=still_moves,
        status=UNKNOWN,
        says=("1 orders that the new build touched",),
    ),
)
