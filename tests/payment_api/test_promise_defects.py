"""Switches that break what a customer was told: how much, until when, and how it stands."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.payment_api.conftest import Launch
from tests.payment_api.ground import Api, Provider

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def broken(launch_for_module: Launch) -> Api:
    """Three defects that do not meet."""
    return launch_for_module(defects="amount_rounded_down,closed_early,half_refund_is_refunded", pay_by_ms=4_000)


@pytest.fixture(scope="module")
def denying(launch_for_module: Launch) -> Api:
    """Six more, of which each shows in another reply."""
    names = "create_swallowed,list_from_index,paid_said_failed,pay_by_in_local_time,refund_promised_beyond"
    return launch_for_module(defects=f"{names},refund_said_done")


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


def test_create_swallowed_answers_another_key_with_the_order_before(denying: Api) -> None:
    customer = denying.customer()
    first, second = customer.create(1234, "a").json(), customer.create(5678, "b").json()
    assert (second["id"], second["amount_minor"]) == (first["id"], 1234)
    assert denying.customer().create(1234, "c").json()["id"] != first["id"]


def test_list_from_index_lists_a_paid_order_as_open(denying: Api) -> None:
    customer = denying.customer()
    order = customer.paid_order("card")
    [listed] = customer.get("/v1/orders").json()["orders"]
    assert (listed["id"], listed["state"], listed["paid_minor"], listed["attempts"]) == (order, "open", 0, [])
    assert customer.read(order)["state"] == "paid"


def test_paid_said_failed_denies_the_attempt_by_which_the_order_is_paid(denying: Api) -> None:
    customer = denying.customer()
    order = customer.order()
    told = customer.pay(order, "card").json()
    assert (told["payment"]["state"], told["order"]["state"]) == ("failed", "paid")
    assert [attempt["state"] for attempt in customer.read(order)["attempts"]] == ["failed"]
    assert [row["state"] for row in denying.of("payments", order)] == ["paid"]


def test_pay_by_in_local_time_shows_another_instant_than_the_create_told(denying: Api) -> None:
    customer = denying.customer()
    made = customer.create(key="k").json()
    again, shown = customer.create(key="k").json(), customer.read(made["id"])
    told, *later = (datetime.fromisoformat(view["pay_by"]) for view in (made, again, shown))
    assert later == [told + timedelta(hours=8)] * 2


def test_refund_promised_beyond_promises_more_than_was_paid(denying: Api, providers: dict[str, Provider]) -> None:
    customer = denying.customer()
    order = customer.paid_order("card")
    with providers["card"].fault("slow_answer", order, by_ms=500, when="before", op=["refund"]):
        replies = [customer.refund(order, 800) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]


def test_refund_said_done_calls_a_refund_done_that_no_provider_has_heard_of(
    denying: Api, providers: dict[str, Provider]
) -> None:
    customer = denying.customer()
    order = customer.paid_order("card")
    with providers["card"].fault("slow_answer", order, by_ms=500, when="before", op=["refund"]):
        told, shown = customer.refund(order, 800).json(), customer.read(order)
        assert providers["card"].refunded(order) == 0
    assert (told["refund"]["state"], [refund["state"] for refund in shown["refunds"]]) == ("done", ["done"])
