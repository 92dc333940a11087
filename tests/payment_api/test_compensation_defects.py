"""Each switch that spoils compensation spoils that and nothing else."""

import pytest

from tests.payment_api.conftest import Launch
from tests.payment_api.ground import SHORT_MS, Api, Provider, eventually

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def broken(launch_for_module: Launch) -> Api:
    """Two that do not meet: one counts, one calculates."""
    return launch_for_module(defects="voucher_twice,voucher_wrong_rounding", pay_by_ms=500, deadline_ms=SHORT_MS)


@pytest.fixture(scope="module")
def generous(launch_for_module: Launch) -> Api:
    """Two more: one gives too much, one too little."""
    return launch_for_module(defects="unaffected_compensated,refund_in_yuan_for_fen", deadline_ms=SHORT_MS)


def test_voucher_twice_gives_one_for_each_reason_and_wrong_rounding_rounds_down(
    broken: Api, providers: dict[str, Provider]
) -> None:
    customer = broken.customer()
    order = customer.order(1_235)
    with providers["wechat"].deaf(order):
        customer.pay(order, "wechat")
        eventually(lambda: broken.of("vouchers", order))
    vouchers = eventually(lambda: rows if len(rows := broken.of("vouchers", order)) == 2 else None)
    assert [row["amount_minor"] for row in vouchers] == [123, 123]
    assert {row["reason"] for row in broken.of("affected", order)} == {"unresolved", "refunded"}


def test_unaffected_compensated_gives_a_voucher_to_who_is_not_on_the_list(generous: Api) -> None:
    order = generous.customer().paid_order("card")
    assert eventually(lambda: generous.of("vouchers", order))[0]["amount_minor"] == 123
    assert generous.of("affected", order) == []


def test_refund_in_yuan_for_fen_books_what_was_asked_for_and_sends_a_hundredth(
    generous: Api, providers: dict[str, Provider]
) -> None:
    customer = generous.customer()
    order = customer.paid_order("wechat")
    customer.refund(order, 1_200)
    customer.until(order, "part_refunded")
    assert (providers["wechat"].refunded(order), customer.read(order)["refunded_minor"]) == (12, 1_200)


def test_voucher_never_lists_who_was_affected_and_gives_nothing(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="voucher_never", pay_by_ms=500, deadline_ms=SHORT_MS)
    for _ in range(2):  # what the first round left out, the second does not make good
        order = late(api, providers)
        eventually(lambda order=order: api.of("affected", order))  # type: ignore[misc]
    assert api.book("vouchers") == []


def test_affected_forgotten_gives_the_voucher_and_hides_who_got_the_money_back(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="affected_forgotten", pay_by_ms=500, deadline_ms=SHORT_MS)
    order = late(api, providers)
    eventually(lambda: api.of("vouchers", order))
    assert api.book("affected") == []


def late(api: Api, providers: dict[str, Provider]) -> str:
    """An order whose money comes when its time is over."""
    customer = api.customer()
    order = customer.order()
    with providers["wechat"].fault("late_capture", order, by_ms=700, despite_close=True):
        customer.pay(order, "wechat")
        customer.until(order, "closed")
        eventually(lambda: providers["wechat"].refunded(order))
    return order
