import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.binomial import meets
from harness.checks.shares import judged_together, weakest
from harness.verdict import Ratio


def share(what: str, good: int, total: int, objective: float = 0.9) -> Ratio:
    return Ratio(good=good, total=total, objective=objective, what=what)


@pytest.mark.parametrize(
    ("ratios", "judged"),
    [
        ([], []),
        ([share("a", 0, 0)], []),
        ([share("a", 10, 10), share("b", 9, 12)], [("a", 10, 10), ("b", 9, 12)]),
        ([share("a", 3, 4)], [("a", 3, 4)]),
        ([share("a", 3, 4), share("b", 20, 20)], [("together: a; b", 23, 24)]),
        ([share("a", 4, 5), share("b", 5, 5), share("c", 20, 20)], [("c", 20, 20), ("together: a; b", 9, 10)]),
        ([share("a", 1, 2), share("b", 3, 3), share("c", 4, 4)], [("together: a; b; c", 8, 9)]),
        ([share("a", 3, 3, 0.99), share("b", 10, 10, 0.9)], [("together: a; b", 13, 13)]),
        ([share("a", 15, 15, 0.95), share("b", 40, 40, 0.99)], [("together: a; b", 55, 55)]),
    ],
)
def test_kinds_with_too_few_cases_are_judged_together(ratios: list[Ratio], judged: list[tuple[str, int, int]]) -> None:
    assert [(ratio.what, ratio.good, ratio.total) for ratio in judged_together(ratios)] == judged


def test_what_is_judged_together_keeps_its_parts() -> None:
    b, a = share("b", 20, 20), share("a", 3, 4)
    assert [ratio.parts for ratio in judged_together([b, a])] == [(a, b)]
    assert [ratio.parts for ratio in judged_together([b])] == [()]


def test_lowest_objective_holds_for_what_is_judged_together() -> None:
    assert [ratio.objective for ratio in judged_together([share("a", 3, 3, 0.99), share("b", 10, 10, 0.8)])] == [0.8]


KINDS = st.lists(
    st.tuples(st.integers(0, 150), st.integers(0, 150), st.sampled_from([0.8, 0.9, 0.99])).map(
        lambda counts: (min(counts[:2]), max(counts[:2]), counts[2])
    ),
    max_size=6,
).map(lambda kinds: [share(f"kind {n}", *counts) for n, counts in enumerate(kinds)])


@given(KINDS)
def test_no_case_goes_unjudged_or_is_judged_twice(kinds: list[Ratio]) -> None:
    judged = judged_together(kinds)
    assert sum(ratio.total for ratio in judged) == sum(ratio.total for ratio in kinds)
    assert sum(ratio.good for ratio in judged) == sum(ratio.good for ratio in kinds)


@given(KINDS)
def test_what_is_judged_has_enough_cases_unless_all_are_too_few(kinds: list[Ratio]) -> None:
    judged = judged_together(kinds)
    assert len(judged) <= 1 or all(meets(ratio.total, ratio.total, ratio.objective) for ratio in judged)


def test_weakest_share_lies_lowest_against_its_own_objective() -> None:
    strict, mild = share("strict", 95, 100, 0.99), share("mild", 85, 100, 0.8)
    assert (weakest([strict, mild]), weakest([share("none", 0, 0)])) == (strict, None)
