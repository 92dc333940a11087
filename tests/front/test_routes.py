"""A user stays with one build while the share stands, and a growing share moves users one way only."""

from collections.abc import Callable
from itertools import count

import pytest

from compose.front.routes import Refused, Routes
from compose.front.rule import DEPARTS_BY, WINDOW_S, Tally, departed
from compose.payment_api.defects import Defect

TOKENS = [b"Bearer user-%d.mark" % number for number in range(2_000)]


def routes(*defects: Defect, chance: Callable[[], float] = lambda: 0.0) -> Routes:
    clock = count(1)
    return Routes("r1", now_ns=lambda: next(clock), defects=frozenset(defects), chance=chance)


def served(way: Routes, build: str) -> set[bytes]:
    return {token for token in TOKENS if way.choose(token) == build}


def test_everybody_is_the_stable_builds_until_there_is_a_candidate() -> None:
    assert served(routes(), "r1") == set(TOKENS)


def test_a_share_is_a_share_of_the_users_and_the_same_ones_each_time() -> None:
    way = routes()
    way.move("r2", 0.2)
    first = served(way, "r2")
    assert 330 < len(first) < 470
    assert served(way, "r2") == first
    way.move("r2", 0.5)
    assert first < served(way, "r2")
    way.move("r2", 1.0)
    assert served(way, "r2") == set(TOKENS)


def test_a_request_without_a_user_goes_where_it_wishes_and_else_to_whom_most_are() -> None:
    way = routes()
    assert way.choose(None, "r2") == "r1"
    way.move("r2", 0.2)
    assert [way.choose(None, wish) for wish in (None, "r1", "r2", "r3")] == ["r1", "r1", "r2", "r1"]
    way.move("r2", 1.0)
    assert way.choose(None) == "r2"


def test_a_candidate_is_promoted_only_when_it_serves_everybody() -> None:
    way = routes()
    way.move("r2", 0.5)
    with pytest.raises(Refused):
        way.promote()
    with pytest.raises(Refused):
        way.move("r3", 0.1)
    way.move("r2", 1.0)
    assert way.promote() == "r1"
    assert (way.stable, way.candidate) == ("r2", None)
    with pytest.raises(Refused):
        way.move("r2", 0.1)
    with pytest.raises(Refused):
        way.roll_back("control", "asked for")


def test_every_move_is_kept_with_who_made_it() -> None:
    way = routes()
    way.move("r2", 0.2)
    assert way.roll_back("front", "4 of 9 answers failed") == "r2"
    assert [(move.at_ns, move.candidate, move.share, move.by) for move in way.moves] == [
        (1, None, 0.0, "control"),
        (2, "r2", 0.2, "control"),
        (3, None, 0.0, "front"),
    ]


def test_the_defects_draw_anew_or_take_twice_the_share() -> None:
    points = iter([0.1, 0.9] * 10)
    way = routes(Defect.CANARY_NOT_STICKY, chance=lambda: next(points))
    way.move("r2", 0.2)
    assert [way.choose(TOKENS[0]) for _ in range(4)] == ["r2", "r1", "r2", "r1"]
    way = routes(Defect.CANARY_TWICE_SHARE)
    way.move("r2", 0.2)
    assert 700 < len(served(way, "r2")) < 900


def tally(answers: int, failures: int, *, at_s: float = 0.0) -> Tally:
    told = Tally()
    for number in range(answers):
        told.note(at_s, failed=number < failures)
    return told


@pytest.mark.parametrize(
    ("candidate", "stable", "departs"),
    [
        ((12, 6), (40, 0), True),
        ((11, 11), (40, 0), False),  # too few answers
        ((40, 5), (40, 0), False),  # too few failures
        ((24, 6), (40, 0), True),
        ((25, 6), (40, 0), False),  # below the distance
        ((20, 14), (40, 24), False),  # a provider's outage strikes both
        ((20, 20), (5, 0), False),  # nothing to compare with
        ((20, 0), (40, 40), False),
    ],
)
def test_a_candidate_departs_by_the_published_numbers(
    candidate: tuple[int, int], stable: tuple[int, int], *, departs: bool
) -> None:
    assert DEPARTS_BY == 0.25
    assert (departed(tally(*candidate), tally(*stable), 1.0) is not None) == departs


def test_what_lies_longer_back_than_the_window_counts_no_more() -> None:
    old, beside = tally(20, 20), tally(40, 0, at_s=WINDOW_S)
    assert departed(old, beside, WINDOW_S) is not None
    assert departed(old, beside, WINDOW_S + 0.1) is None
    assert (old.answers, old.failures) == (20, 20)
