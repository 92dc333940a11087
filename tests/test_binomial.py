from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.binomial import CONFIDENCE, falls_short, fell, lower_bound, meets, upper_bound

COUNTS = st.integers(1, 1_000_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
FEW = st.integers(1, 60).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


def chance_of_at_most(good: int, total: int, share: float) -> float:
    """The binomial distribution, in exact fractions."""
    p = Fraction(share)
    return float(sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(good + 1)))


@pytest.mark.parametrize(
    ("good", "total", "low", "high"),
    [
        (0, 1, 0.0, 0.95),
        (1, 1, 0.05, 1.0),
        (0, 10, 0.0, 0.258866),
        (10, 10, 0.741134, 1.0),
        (5, 10, 0.222441, 0.777559),
        (97, 100, 0.924289, 0.991774),
        (990_000, 1_000_000, 0.989835, 0.990163),
        (0, 1_000_000, 0.0, 2.995728e-06),
        (999_999, 1_000_000, 0.999995256, 0.9999999487),
    ],
)
def test_bounds_are_those_of_the_tables(good: int, total: int, low: float, high: float) -> None:
    assert (lower_bound(good, total), upper_bound(good, total)) == pytest.approx((low, high), rel=1e-5)


def test_nothing_seen_leaves_everything_possible() -> None:
    assert (lower_bound(0, 0), upper_bound(0, 0)) == (0.0, 1.0)


@given(FEW)
def test_upper_bound_is_where_so_few_would_be_seen_one_time_in_twenty(counts: tuple[int, int]) -> None:
    good, total = counts
    if good < total:
        assert chance_of_at_most(good, total, upper_bound(good, total)) == pytest.approx(1 - CONFIDENCE, rel=1e-9)


@given(COUNTS)
def test_measured_share_lies_between_its_bounds(counts: tuple[int, int]) -> None:
    good, total = counts
    assert 0.0 <= lower_bound(good, total) <= good / total <= upper_bound(good, total) <= 1.0


@given(COUNTS)
def test_bounds_mirror_each_other(counts: tuple[int, int]) -> None:
    good, total = counts
    assert lower_bound(good, total) == pytest.approx(1 - upper_bound(total - good, total), abs=1e-9)


@given(COUNTS)
def test_one_more_good_case_never_lowers_a_bound(counts: tuple[int, int]) -> None:
    good, total = counts
    if good < total:
        assert upper_bound(good, total) <= upper_bound(good + 1, total)


@given(COUNTS, st.floats(0.0, 1.0))
def test_no_share_both_falls_short_and_meets(counts: tuple[int, int], objective: float) -> None:
    assert not (falls_short(*counts, objective) and meets(*counts, objective))


@pytest.mark.parametrize(
    ("good", "total", "objective", "short", "met"),
    [
        (100, 100, 0.99, False, True),
        (99, 99, 0.99, False, False),
        (99, 100, 0.99, False, True),
        (98, 100, 0.99, False, False),
        (95, 100, 0.99, True, False),
        (19, 20, 0.99, False, False),
        (1, 1, 0.0, False, True),
        (10, 10, 1.0, False, False),
        (9, 10, 1.0, True, False),
        (0, 0, 0.99, False, False),
        (7, 10, 0.7, False, True),
    ],
)
def test_objective_is_missed_met_or_neither(good: int, total: int, objective: float, *, short: bool, met: bool) -> None:
    assert (falls_short(good, total, objective), meets(good, total, objective)) == (short, met)


@pytest.mark.parametrize(("good", "total"), [(-1, 10), (11, 10)])
def test_impossible_counts_are_refused(good: int, total: int) -> None:
    with pytest.raises(ValueError, match="good must lie between"):
        upper_bound(good, total)


@pytest.mark.parametrize(
    ("before", "after", "falls"),
    [
        ((280, 280), (274, 280), False),
        ((280, 280), (273, 280), True),
        ((880, 900), (862, 900), False),
        ((880, 900), (861, 900), True),
        ((30, 30), (24, 30), False),
        ((30, 30), (23, 30), True),
        ((9, 10), (9, 10), False),
        ((0, 0), (0, 30), False),
        ((30, 30), (0, 0), False),
    ],
)
def test_a_share_falls_where_the_bounds_of_both_part(
    before: tuple[int, int], after: tuple[int, int], falls: bool
) -> None:
    assert fell(before, after) is falls
    assert not fell(after, before)


@pytest.mark.parametrize(("before", "after", "most"), [(40, 40, 0.01), (20, 200, 1 / 60), (200, 20, 1 / 60)])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_share_that_did_not_change_is_rarely_said_to_have_fallen(
    before: int, after: int, most: float, share: float
) -> None:
    """Counted out over every pair of outcomes."""
    falls, highs = 0.0, [upper_bound(k, after) for k in range(after + 1)]
    for good in range(before + 1):
        low = lower_bound(good, before)
        lowest = [k for k, high in enumerate(highs) if high < low]
        falls += chance_of(good, before, share) * sum(chance_of(k, after, share) for k in lowest)
    assert falls <= most


def chance_of(good: int, total: int, share: float) -> float:
    return comb(total, good) * share**good * (1 - share) ** (total - good)
