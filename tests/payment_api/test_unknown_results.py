"""A provider that says nothing has not said no."""

from contextlib import suppress
from threading import Thread

import httpx
import pytest

from tests.payment_api.conftest import Launch
from tests.payment_api.ground import METHODS, Api, Provider, eventually

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def mortal(launch_for_module: Launch) -> Api:
    """An API to be killed, with a deadline that leaves time for it."""
    return launch_for_module(deadline_ms=2_000)


@pytest.mark.parametrize("method", METHODS)
def test_a_charge_whose_answer_is_lost_is_unknown_then_found_paid(
    impatient: Api, providers: dict[str, Provider], method: str
) -> None:
    customer = impatient.customer()
    order = customer.order()
    with providers[method].deaf(order):
        reply = customer.pay(order, method)
        assert (reply.status_code, reply.headers["Retry-After"]) == (202, "1")
        assert reply.json()["order"]["state"] == "paying"
    customer.until(order, "paid")
    assert providers[method].captured(order) == 1234
    assert ("unknown", "paid") in [(row["from"], row["to"]) for row in impatient.of("transitions", order)]


@pytest.mark.parametrize("method", METHODS)
def test_a_charge_that_never_arrived_is_sent_again_under_its_number(
    impatient: Api, providers: dict[str, Provider], method: str
) -> None:
    customer = impatient.customer()
    order = customer.order()
    op = "create" if method == "card" else "charge"
    with providers[method].fault("lost_answer", order, when="before", op=[op]):
        assert customer.pay(order, method).status_code == 202
    customer.until(order, "paid")
    assert providers[method].captured(order) == 1234
    assert len(impatient.of("payments", order)) == 1


def test_a_cards_intent_is_made_again_until_it_is_there(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.order()
    with providers["card"].fault("error_answer", order, status=503, when="before", op=["create"]):
        customer.pay(order, "card")
        eventually(lambda: providers["card"].asked(order, "create") >= 4)
    customer.until(order, "paid")
    assert [row["state"] for row in api.of("payments", order)] == ["paid"]
    assert len(providers["card"].rows(order, "accepted")) == 1


def test_a_500_is_no_answer(impatient: Api, providers: dict[str, Provider]) -> None:
    customer = impatient.customer()
    order = customer.order()
    with (
        providers["wechat"].fault("error_answer", order, status=500, when="after"),
        providers["wechat"].fault("lose_notices", order, of="capture"),
    ):
        assert customer.pay(order, "wechat").status_code == 202
    customer.until(order, "paid")
    assert providers["wechat"].captured(order) == 1234


def test_the_customer_is_answered_while_the_provider_is_silent(impatient: Api, providers: dict[str, Provider]) -> None:
    customer = impatient.customer()
    order = customer.order()
    with providers["alipay"].deaf(order):
        replies = [customer.pay(order, "alipay", "k") for _ in range(3)]
        assert providers["alipay"].asked(order, "charge") == 1
    assert [reply.status_code for reply in replies] == [202] * 3
    assert len({reply.json()["payment"]["id"] for reply in replies}) == 1
    customer.until(order, "paid")


def test_another_method_waits_until_the_first_is_known(impatient: Api, providers: dict[str, Provider]) -> None:
    customer = impatient.customer()
    order = customer.order()
    with providers["wechat"].deaf(order):
        customer.pay(order, "wechat")
        reply = customer.pay(order, "card")
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "attempt_unresolved")
        assert (reply.headers["Retry-After"], reply.json()["error"]["order_id"]) == ("1", order)
    customer.until(order, "paid")
    assert providers["card"].rows(order) == []


def test_another_method_closes_an_attempt_that_is_not_captured(impatient: Api, providers: dict[str, Provider]) -> None:
    customer = impatient.customer()
    order = customer.order()
    with providers["wechat"].fault("late_capture", order, by_ms=60_000, despite_close=False):
        assert customer.pay(order, "wechat").status_code == 202
        reply = customer.pay(order, "card")
    assert (reply.status_code, reply.json()["order"]["state"]) == (200, "paid")
    assert [row["state"] for row in impatient.of("payments", order)] == ["closed", "paid"]
    assert providers["wechat"].captured(order) == 0
    assert [row["kind"] for row in providers["wechat"].rows(order, "closed")] == ["closed"]


def test_an_attempt_that_stays_unpaid_is_closed_and_the_order_open_again(
    impatient: Api, providers: dict[str, Provider]
) -> None:
    customer = impatient.customer()
    order = customer.order()
    with providers["wechat"].fault("late_capture", order, by_ms=60_000, despite_close=False):
        customer.pay(order, "wechat", "k")
        customer.until(order, "open")
    assert customer.pay(order, "wechat", "k").json()["payment"]["state"] == "closed"
    assert customer.pay(order, "alipay").status_code in {200, 202}
    customer.until(order, "paid")


def test_the_intent_is_on_disk_before_the_provider_is_called(mortal: Api, providers: dict[str, Provider]) -> None:
    customer = mortal.customer()
    order = customer.order()
    with providers["alipay"].deaf(order):
        _pay_and_die(mortal, providers["alipay"], order, customer.token)
    (taken,) = providers["alipay"].rows(order, "captured")
    mortal.start()
    shown = customer.until(order, "paid")
    assert [attempt["state"] for attempt in shown["attempts"]] == ["paid"]
    assert [row["number"] for row in mortal.of("payments", order)] == [taken["number"]]
    again = customer.pay(order, "alipay", "pay-key")
    assert (again.status_code, again.json()["payment"]["state"]) == (200, "paid")
    assert len(providers["alipay"].rows(order, "captured")) == 1


def test_a_killed_api_resolves_what_it_left_and_finishes_refunds(mortal: Api, providers: dict[str, Provider]) -> None:
    customer = mortal.customer()
    paid = customer.paid_order("card")
    with providers["card"].fault("lost_answer", paid, when="after", op=["refund"]):
        refund = customer.refund(paid, 400, "r").json()["refund"]["id"]
        eventually(lambda: providers["card"].rows(paid, "refund_accepted"))
        mortal.kill()
    mortal.start()
    assert customer.until(paid, "part_refunded")["refunded_minor"] == 400
    assert providers["card"].refunded(paid) == 400
    assert customer.refund(paid, 400, "r").json()["refund"] == {"id": refund, "amount_minor": 400, "state": "done"}


def _pay_and_die(api: Api, provider: Provider, order: str, token: str) -> None:
    """Pay, and kill the API between the capture and its answer."""
    headers = {"Authorization": token, "Idempotency-Key": "pay-key"}

    def pay() -> None:
        with suppress(httpx.TransportError):
            httpx.post(f"{api.url}/v1/orders/{order}/payments", json={"method": provider.name}, headers=headers)

    paying = Thread(target=pay)
    paying.start()
    eventually(lambda: provider.rows(order, "captured"))
    api.kill()
    paying.join()
