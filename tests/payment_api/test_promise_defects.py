"""Switches that break what a customer was told: how much, until when, and how it stands."""

from datetime import UTC, datetime

import pytest

from tests.payment_api.conftest import Launch
from tests.payment_api.ground import Api

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def broken(launch_for_module: Launch) -> Api:
    """Three defects that do not meet."""
    return launch_for_module(defects="amount_rounded_down,closed_early,half_refund_is_refunded", pay_by_ms=4_000)


def test_amount_rounded_down_makes_and_charges_less_and_answers_its_key_again(broken: Api) -> None:
    customer = broken.customer()
    first, again = (customer.create(1234, key="k").json() for _ in range(2))
    assert (first["amount_minor"], again["id"], again["amount_minor"]) == (1200, first["id"], 1200)
    customer.pay(first["id"], "card")
    assert customer.until(first["id"], "paid")["paid_minor"] == 1200


def test_closed_early_closes_before_the_instant_that_was_told(broken: Api) -> None:
    told = broken.customer().create().json()
    customer = broken.customer()
    order = customer.order()
    customer.until(order, "closed")
    closed_at = next(row["at"] for row in broken.of("transitions", order) if row["to"] == "closed")
    told_by = datetime.fromisoformat(told["pay_by"]).astimezone(UTC)  # of an order that is older, so sooner
    assert datetime.fromisoformat(closed_at).astimezone(UTC) < told_by


def test_half_refund_is_refunded_calls_an_order_refunded_by_its_first_refund(broken: Api) -> None:
    customer = broken.customer()
    order = customer.paid_order("card")
    customer.refund(order, 400)
    shown = customer.until(order, "refunded")
    assert (shown["paid_minor"], shown["refunded_minor"]) == (1200, 400)
