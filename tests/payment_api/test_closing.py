"""An unpaid order closes at its `pay_by`, and never while money may still be on its way."""

import pytest

from tests.payment_api.ground import Api, Provider, eventually

pytestmark = pytest.mark.live


def test_an_unpaid_order_closes_and_takes_no_payment(brief: Api, providers: dict[str, Provider]) -> None:
    customer = brief.customer()
    order = customer.order()
    customer.until(order, "closed")
    reply = customer.pay(order, "card")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "order_closed")
    assert providers["card"].rows(order) == []


def test_an_order_with_an_unknown_attempt_is_not_closed(brief: Api, providers: dict[str, Provider]) -> None:
    customer = brief.customer()
    order, witness = customer.order(), customer.order()
    with providers["alipay"].deaf(order):
        customer.pay(order, "alipay")
        customer.until(witness, "closed")
        eventually(lambda: providers["alipay"].asked(order, "query") >= 2)
        assert customer.read(order)["state"] == "paying"
    customer.until(order, "closed")
    eventually(lambda: providers["alipay"].refunded(order) == 1234)


def test_a_paid_order_stays_paid_past_its_pay_by(brief: Api) -> None:
    customer = brief.customer()
    order = customer.paid_order("card")
    customer.until(customer.order(), "closed")
    assert customer.read(order)["state"] == "paid"


def test_closing_takes_legal_steps_only(brief: Api, providers: dict[str, Provider]) -> None:
    customer = brief.customer()
    order = customer.order()
    with providers["wechat"].fault("late_capture", order, by_ms=60_000, despite_close=False):
        customer.pay(order, "wechat")
        customer.until(order, "closed")
    steps = [(row["kind"], row["to"]) for row in brief.of("transitions", order)]
    assert steps == [
        ("order", "open"),
        ("payment", "created"),
        ("order", "paying"),
        ("payment", "sent"),
        ("payment", "closed"),
        ("order", "open"),
        ("order", "closed"),
    ]
