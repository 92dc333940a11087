import pytest

from harness.rating import Clock, Rating, clock_share, longest, rate, rate_run


def clock(
    name: str = "refund", longest_s: float | None = 2.0, *, window_s: float = 8.0, unended: int = 0, where: str = "A"
) -> Clock:
    cases = 0 if longest_s is None else 3
    why = "nothing was owed" if longest_s is None else ""
    return Clock(
        name=name, cases=cases, unended=unended, longest_s=longest_s, window_s=window_s, scenario=where, why=why
    )


@pytest.mark.parametrize(
    ("longest_s", "unended", "share"),
    [(0.0, 0, 1.0), (4.0, 0, 1.0), (6.0, 0, 0.75), (8.0, 0, 0.5), (12.0, 0, 0.0), (99.0, 0, 0.0), (0.1, 1, 0.0)],
)
def test_a_clock_earns_less_the_longer_it_ran_and_nothing_if_it_never_ended(
    longest_s: float, unended: int, share: float
) -> None:
    assert clock_share(clock(longest_s=longest_s, unended=unended)) == share


def test_a_clock_that_was_not_measured_earns_and_costs_nothing() -> None:
    assert clock_share(clock(longest_s=None)) is None
    alone = rate(held=3, claimed=4, broken=(), clocks=[clock(longest_s=8.0)])
    beside = rate(held=3, claimed=4, broken=(), clocks=[clock(longest_s=8.0), clock("detect", None)])
    assert alone == beside == Rating(score=60.0, grade="C", promises_held=3, promises_claimed=4, clocks_share=0.5)


def test_where_no_clock_ran_the_promises_are_worth_everything() -> None:
    assert rate(held=4, claimed=4, broken=(), clocks=[clock(longest_s=None)]).score == 100.0
    assert rate(held=2, claimed=4, broken=(), clocks=()).score == 50.0


def test_a_breach_of_money_or_orders_is_grade_e_whatever_the_clocks_say() -> None:
    rating = rate(held=9, claimed=10, broken=["latency", "no_double_charge"], clocks=[clock()])
    assert (rating.score, rating.grade, rating.capped_at) == (39.0, "E", 39.0)
    assert rating.capped_by == ("no_double_charge",)


def test_any_other_breach_leaves_grade_c_at_best() -> None:
    rating = rate(held=9, claimed=10, broken=["latency"], clocks=[clock()])
    assert (rating.score, rating.grade, rating.capped_by) == (74.0, "C", ("latency",))


def test_a_low_score_stays_below_its_cap() -> None:
    assert rate(held=0, claimed=10, broken=["no_vanished_order"], clocks=[clock(longest_s=99.0)]).score == 0.0


@pytest.mark.parametrize(("held", "grade"), [(90, "A"), (89, "B"), (75, "B"), (60, "C"), (40, "D"), (39, "E")])
def test_grades_begin_at_their_scores(held: int, grade: str) -> None:
    assert rate(held=held, claimed=100, broken=(), clocks=()).grade == grade


def test_a_run_is_rated_by_the_mean_under_the_lowest_cap() -> None:
    good = rate(held=4, claimed=4, broken=(), clocks=[clock()])
    bad = rate(held=3, claimed=4, broken=["money_conserved"], clocks=[clock()])
    assert rate_run([("Good", good), ("Good too", good)]) == Rating(
        score=100.0, grade="A", promises_held=8, promises_claimed=8, clocks_share=1.0
    )
    both = rate_run([("Good", good), ("Bad", bad)])
    assert both == Rating(
        score=39.0,
        grade="E",
        promises_held=7,
        promises_claimed=8,
        clocks_share=1.0,
        capped_at=39.0,
        capped_by=("Bad: money_conserved",),
    )


def test_a_run_with_a_scenario_that_was_not_rated_is_not_rated() -> None:
    assert rate_run([]) is None
    assert rate_run([("Good", rate(held=1, claimed=1, broken=(), clocks=())), ("Cut", None)]) is None


def test_a_runs_clock_is_the_longest_against_its_window_with_all_cases() -> None:
    run = longest(
        [
            [clock(longest_s=5.0, window_s=8.0, where="A"), clock("detect", None, where="A")],
            [clock(longest_s=3.0, window_s=4.0, where="B"), clock("detect", None, where="B")],
        ]
    )
    assert [(c.name, c.longest_s, c.window_s, c.scenario, c.cases, c.why) for c in run] == [
        ("refund", 3.0, 4.0, "B", 6, ""),
        ("detect", None, 8.0, "", 0, "nothing was owed"),
    ]


def test_a_case_that_never_ended_is_longer_than_any_that_did() -> None:
    (run,) = longest([[clock(longest_s=7.9, where="A")], [clock(longest_s=1.0, unended=1, where="B")]])
    assert (run.scenario, run.unended, run.longest_s) == ("B", 1, 1.0)
