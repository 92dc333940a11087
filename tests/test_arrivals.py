"""Do the instants of arrivals follow the load's rate, and nothing but load and seed?"""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.arrivals import MAX_ARRIVALS, Load, Poisson, Ramp, Stages, Steady, Step, at_rate, digest, schedule
from harness.errors import UsageError

rates = st.floats(min_value=0, max_value=200, allow_nan=False)
durations = st.floats(min_value=0.1, max_value=30, allow_nan=False)
seeds = st.integers(min_value=0, max_value=2**63 - 1)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    duration_s = draw(durations)
    at_s = draw(st.floats(min_value=0, max_value=1)) * duration_s
    return Step(before_per_s=draw(rates), after_per_s=draw(rates), at_s=at_s, duration_s=duration_s)


paced = (
    st.builds(Steady, rate_per_s=rates, duration_s=durations)
    | steps()
    | st.builds(Ramp, from_per_s=rates, to_per_s=rates, duration_s=durations)
)
staged = st.builds(Stages, stages=st.lists(paced, min_size=1, max_size=4).map(tuple))
loads = paced | staged | st.builds(Poisson, rate_per_s=rates, duration_s=durations)


@given(load=loads, seed=seeds)
@settings(max_examples=150)
def test_instants_ascend_and_lie_within_the_load(load: Load, seed: int) -> None:
    instants = schedule(load, seed)
    assert all(earlier <= later for earlier, later in pairwise(instants))
    assert all(0 <= instant < load.duration_s * 1e9 for instant in instants)


@given(load=paced, seed=seeds)
@settings(max_examples=150)
def test_a_paced_load_gives_exactly_the_integral_of_its_rate(load: Steady | Step | Ramp, seed: int) -> None:
    assert len(schedule(load, seed)) == math.floor(load.expected_by(load.duration_s) + 1e-9)


@given(load=paced, seed=seeds)
@settings(max_examples=150)
def test_each_arrival_stays_in_its_own_slot(load: Steady | Step | Ramp, seed: int) -> None:
    for number, instant in enumerate(schedule(load, seed)):
        due = load.expected_by(instant / 1e9)
        assert number - 1e-4 <= due <= number + 1 + 1e-4


@given(load=paced, share=st.floats(min_value=0, max_value=1))
@settings(max_examples=150)
def test_the_integral_agrees_with_the_rate(load: Steady | Step | Ramp, share: float) -> None:
    t_s = share * load.duration_s
    steps_count = 2_000
    width_s = t_s / steps_count
    summed = sum(load.rate_at((i + 0.5) * width_s) for i in range(steps_count)) * width_s
    assert load.expected_by(t_s) == pytest.approx(summed, abs=0.5 * 200 * width_s + 1e-6, rel=1e-3)


@given(load=loads, seed=seeds)
@settings(max_examples=50)
def test_one_seed_gives_one_digest(load: Load, seed: int) -> None:
    assert digest(schedule(load, seed)) == digest(schedule(load, seed))


@pytest.mark.parametrize(
    "load",
    [
        Steady(rate_per_s=10, duration_s=20),
        Step(before_per_s=10, after_per_s=14, at_s=5, duration_s=20),
        Ramp(from_per_s=1, to_per_s=20, duration_s=20),
        Poisson(rate_per_s=10, duration_s=20),
    ],
    ids=lambda load: type(load).__name__,
)
def test_ten_seeds_give_ten_digests(load: Load) -> None:
    assert len({digest(schedule(load, seed)) for seed in range(10)}) == 10


def test_a_digest_never_changes_between_machines_and_versions() -> None:
    assert digest(schedule(Steady(rate_per_s=10, duration_s=20), 7)) == "b1fb2522c948c87375c3f71f7d48ab71"


@given(load=staged, seed=seeds)
@settings(max_examples=100)
def test_stages_give_as_many_arrivals_as_all_of_them_are_due_each_in_its_slot(load: Stages, seed: int) -> None:
    instants = schedule(load, seed)
    assert len(instants) == math.floor(load.expected_by(load.duration_s) + 1e-9)
    for number, instant in enumerate(instants):
        assert number - 1e-3 <= load.expected_by(instant / 1e9) <= number + 1 + 1e-3


def test_stages_follow_each_other() -> None:
    load = Stages(stages=(Steady(rate_per_s=2, duration_s=3), Ramp(from_per_s=4, to_per_s=8, duration_s=2)))
    assert load.duration_s == 5
    assert [load.rate_at(t_s) for t_s in (-0.1, 0, 2.9, 3, 4, 5)] == [0, 2, 2, 4, 6, 0]
    assert [load.expected_by(t_s) for t_s in (0, 3, 5)] == [0, 6, 18]
    assert load.describe() == "steady 2/s for 3 s, then ramp 4/s to 8/s over 2 s"
    with pytest.raises(UsageError, match="Stages of nothing"):
        Stages(stages=())


@given(load=loads, factor=st.floats(min_value=0.01, max_value=10), share=st.floats(min_value=0, max_value=1))
def test_a_load_at_another_rate_has_so_many_times_the_arrivals_and_lasts_as_long(
    load: Load, factor: float, share: float
) -> None:
    faster, t_s = at_rate(load, factor), share * load.duration_s
    assert (type(faster), faster.duration_s) == (type(load), load.duration_s)
    assert faster.rate_at(t_s) == pytest.approx(factor * load.rate_at(t_s), rel=1e-9)


@given(load=loads, seed=seeds)
@settings(max_examples=50)
def test_a_load_at_its_own_rate_is_the_same_to_the_instant(load: Load, seed: int) -> None:
    assert at_rate(load, 1.0) == load
    assert digest(schedule(at_rate(load, 1.0), seed)) == digest(schedule(load, seed))


def test_a_rate_that_gives_more_arrivals_than_memory_holds_is_refused() -> None:
    with pytest.raises(UsageError, match=f"more than {MAX_ARRIVALS}"):
        at_rate(Steady(rate_per_s=1e5, duration_s=60), 10)


def test_a_poisson_load_meets_its_rate_over_many_seeds() -> None:
    load = Poisson(rate_per_s=10, duration_s=20)
    counts = [len(schedule(load, seed)) for seed in range(200)]
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert mean == pytest.approx(200, abs=4)
    assert variance == pytest.approx(200, rel=0.3)


def test_a_product_of_floats_that_falls_short_loses_no_arrival() -> None:
    # 0.1 * 3 is not 0.3 in binary: 4.35 * 100 is 434.99999999999994.
    assert len(schedule(Steady(rate_per_s=4.35, duration_s=100), 1)) == 435


def test_no_rate_gives_no_arrival() -> None:
    silent: tuple[Load, ...] = (
        Steady(rate_per_s=0, duration_s=5),
        Step(before_per_s=0, after_per_s=0, at_s=1, duration_s=5),
        Ramp(from_per_s=0, to_per_s=0, duration_s=5),
        Poisson(rate_per_s=0, duration_s=5),
    )
    assert [schedule(load, 1) for load in silent] == [(), (), (), ()]


def test_the_rate_is_zero_outside_the_load() -> None:
    shapes: tuple[Load, ...] = (
        Steady(rate_per_s=3, duration_s=5),
        Step(before_per_s=3, after_per_s=4, at_s=1, duration_s=5),
        Ramp(from_per_s=3, to_per_s=4, duration_s=5),
        Poisson(rate_per_s=3, duration_s=5),
    )
    for load in shapes:
        assert (load.rate_at(-0.1), load.rate_at(5)) == (0, 0)
        assert load.rate_at(0) == 3


def test_a_shape_describes_itself_in_one_line() -> None:
    assert [
        Steady(rate_per_s=10, duration_s=20).describe(),
        Step(before_per_s=10, after_per_s=14, at_s=5.5, duration_s=20).describe(),
        Ramp(from_per_s=1, to_per_s=20, duration_s=60).describe(),
        Poisson(rate_per_s=10, duration_s=20).describe(),
    ] == [
        "steady 10/s for 20 s",
        "step 10/s to 14/s at 5.5 s, 20 s in all",
        "ramp 1/s to 20/s over 60 s",
        "Poisson 10/s for 20 s",
    ]


def test_an_impossible_shape_is_refused_with_the_field_that_is_wrong() -> None:
    with pytest.raises(UsageError, match="rate_per_s must be a finite number"):
        Steady(rate_per_s=-1, duration_s=5)
    with pytest.raises(UsageError, match="from_per_s must be a finite number"):
        Ramp(from_per_s=math.inf, to_per_s=1, duration_s=5)
    with pytest.raises(UsageError, match="duration_s must be above 0"):
        Poisson(rate_per_s=1, duration_s=0)
    with pytest.raises(UsageError, match="behind the load's end"):
        Step(before_per_s=1, after_per_s=2, at_s=6, duration_s=5)
    with pytest.raises(UsageError, match=f"more than {MAX_ARRIVALS}"):
        Steady(rate_per_s=1e6, duration_s=60)
