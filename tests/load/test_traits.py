"""Is a customer the same for the same seed, and is there enough of each kind?"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.load.traits import AMOUNTS_MINOR, traits_of
from harness.operation import Line, Method

seeds = st.integers(min_value=0, max_value=2**63 - 1)


@given(number=st.integers(min_value=0, max_value=10_000_000), seed=seeds)
def test_a_customer_follows_from_seed_run_and_number(number: int, seed: int) -> None:
    customer = traits_of(number, seed=seed, run_id="r1")
    assert customer == traits_of(number, seed=seed, run_id="r1")
    assert [customer.chance().random() for _ in range(2)] == [customer.chance().random() for _ in range(2)]
    assert customer.user == f"u-r1-{number}"
    least, most = AMOUNTS_MINOR[customer.order.line]
    assert least <= customer.order.amount_minor <= most
    assert customer.order.currency == "CNY"
    assert set(customer.methods) == set(Method)


@given(seed=seeds)
def test_every_fifth_asks_for_a_refund_and_every_fifth_of_the_others_leaves(seed: int) -> None:
    customers = [traits_of(number, seed=seed, run_id="r1") for number in range(100)]
    others = [customer for customer in customers if not customer.refunds_half]
    assert [customer.number for customer in customers if customer.refunds_half] == list(range(4, 100, 5))
    assert [sum(customer.leaves_early for customer in others[at : at + 5]) for at in range(0, 80, 5)] == [1] * 16
    assert not any(customer.leaves_early for customer in customers if customer.refunds_half)


def test_first_methods_rotate() -> None:
    firsts = [traits_of(number, seed=1, run_id="r1").methods[0] for number in range(6)]
    assert firsts == [Method.WECHAT, Method.ALIPAY, Method.CARD] * 2


def test_those_who_leave_pay_by_every_method_within_a_minute_of_load() -> None:
    for seed in range(10):
        customers = [traits_of(number, seed=seed, run_id="r1") for number in range(300)]
        firsts = Counter(customer.methods[0] for customer in customers if customer.leaves_early)
        assert set(firsts) == set(Method)


def test_ten_seeds_give_different_customers() -> None:
    assert len({traits_of(0, seed=seed, run_id="r1").order.amount_minor for seed in range(10)}) > 5
    lines = Counter(traits_of(number, seed=1, run_id="r1").order.line for number in range(100))
    assert set(lines) == set(Line)


def test_all_but_old_clients_tell_who_they_are() -> None:
    customers = [traits_of(number, seed=1, run_id="r1") for number in range(10)]
    assert [customer.number for customer in customers if customer.personal is None] == [2, 7]
    for customer in customers:
        personal = customer.personal
        told = (personal.phone, personal.openid) if personal else (None, None)
        assert (customer.order.phone, customer.order.openid) == told


def test_users_of_different_runs_differ() -> None:
    assert traits_of(3, seed=1, run_id="r1").user != traits_of(3, seed=1, run_id="r2").user
