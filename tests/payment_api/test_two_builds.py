"""Two builds on one database: each works on its own, and on what is nobody's any more."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from harness.stack.ports import Ports
from harness.stack.process import wait_for
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import LIMIT_S, SHORT_MS, Api, Customer, Provider, eventually

pytestmark = pytest.mark.live


@contextmanager
def beside(api: Api, ports: Ports, release: str = "r2", **environment: str) -> Iterator[Api]:
    """Another build on the same database; its notices come to it alone."""
    (port,) = ports.take()
    own = {name: value.replace(f":{api.port}/", f":{port}/") for name, value in api.environment.items()}
    own |= {"PAYMENT_API_PORT": str(port), "PAYMENT_API_RELEASE": release, **environment}
    other = Api(port=port, environment=own, log=api.log.with_name(f"log-{port}"))
    try:
        other.start()
        yield other
    finally:
        other.close()


def at(api: Api, customer: Customer) -> Customer:
    """The same customer, at another build."""
    return Customer(api=api, name=customer.name, keys=customer.keys + 100)


def told_to_end(api: Api) -> None:
    assert api.child is not None
    api.child.send(signal.SIGTERM)


def gone(api: Api) -> None:
    assert api.child is not None
    wait_for(lambda: api.child is not None and not api.child.alive(), LIMIT_S, "the API's end")


def test_every_reply_and_every_step_names_its_release(launch: Launch, ports: Ports) -> None:
    api = launch()
    first = api.customer()
    order = first.order()
    with beside(api, ports) as other:
        second = at(other, first)
        paid = second.pay(order, "card")
        assert (paid.status_code, paid.headers["x-build"]) == (200, "r2"), paid.text
        second.until(order, "paid")
        assert first.get(f"/v1/orders/{order}").headers["x-build"] == "r1"
        assert first.get("/nowhere").headers["x-build"] == "r1"
    builds = {(row["kind"], row["to"]): row["build"] for row in api.of("transitions", order)}
    assert (builds["order", "open"], builds["payment", "created"], builds["order", "paid"]) == ("r1", "r2", "r2")


def test_a_stop_answers_payments_under_way_and_books_them(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch()
    customer = api.customer()
    order = customer.order()
    with (
        providers["alipay"].fault("slow_answer", order, by_ms=500, when="after", op=["charge"]),
        providers["alipay"].fault("lose_notices", order, of="capture"),
        ThreadPoolExecutor(1) as pool,
    ):
        paying = pool.submit(customer.pay, order, "alipay")
        eventually(lambda: providers["alipay"].rows(order, "request"))
        told_to_end(api)
        assert paying.result().status_code == 200
        gone(api)
    api.start()
    assert customer.read(order)["state"] == "paid"


def test_an_attempt_is_asked_about_by_one_build_and_by_the_other_once_the_first_is_gone(
    launch: Launch, ports: Ports, providers: dict[str, Provider]
) -> None:
    api = launch(deadline_ms=SHORT_MS, pay_by_ms=60_000)
    customer = api.customer()
    order = customer.order()
    with beside(api, ports) as other:
        with providers["alipay"].deaf(order):
            assert customer.pay(order, "alipay").status_code == 202
            asked = providers["alipay"].asked(order, "query")
            told_to_end(api)
            gone(api)
            eventually(lambda: providers["alipay"].asked(order, "query") > asked + 1)
        follower = at(other, customer)
        follower.until(order, "paid")
    assert providers["alipay"].captured(order) == 1234


def test_a_method_is_switched_though_another_build_works_on_the_first(
    launch: Launch, ports: Ports, providers: dict[str, Provider]
) -> None:
    api = launch(deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    with beside(api, ports) as other:
        with providers["alipay"].fault("lost_answer", order, when="before", op=["charge"]):
            assert customer.pay(order, "alipay").status_code == 202
        follower = at(other, customer)

        def paid() -> bool:
            return follower.pay(order, "card").status_code == 200 or follower.read(order)["state"] == "paid"

        eventually(paid)
    assert sum(provider.captured(order) - provider.refunded(order) for provider in providers.values()) == 1234


def test_a_refund_is_sent_by_one_build_only(launch: Launch, ports: Ports, providers: dict[str, Provider]) -> None:
    api = launch()
    customer = api.customer()
    order = customer.paid_order("wechat")
    with beside(api, ports):
        customer.refund(order, 500)
        eventually(lambda: customer.read(order)["refunded_minor"] == 500)
    assert providers["wechat"].asked(order, "refund") == 1


@pytest.mark.parametrize(("release", "old", "new"), [("r1", 201, 422), ("r2", 201, 201)])
def test_old_clients_keep_working_and_the_new_schema_is_the_new_releases(
    launch: Launch, ports: Ports, release: str, old: int, new: int
) -> None:
    with beside(launch(), ports, release) as api:
        customer = api.customer()
        body = {"line": "ride", "merchant": "m-1", "amount": {"minor": 1234, "currency": "CNY"}}
        assert customer.create().status_code == old
        made = customer.post("/v1/orders", body)
        assert made.status_code == new, made.text
        assert release == "r1" or made.json()["amount_minor"] == 1234


def test_old_schema_refused_asks_clients_to_upgrade(launch: Launch, ports: Ports) -> None:
    with beside(launch(), ports, PAYMENT_API_DEFECTS="old_schema_refused") as api:
        refused = api.customer().create()
        assert (refused.status_code, refused.json()["error"]["code"]) == (426, "schema_unsupported")


def test_upgrade_drops_in_flight_denies_a_capture_for_good(
    launch: Launch, ports: Ports, providers: dict[str, Provider]
) -> None:
    api = launch(defects="upgrade_drops_in_flight", deadline_ms=5_000)
    customer = api.customer()
    order = customer.order()
    with beside(api, ports) as other, ThreadPoolExecutor(1) as pool:
        with (
            providers["alipay"].fault("slow_answer", order, by_ms=4_000, when="after", op=["charge"]),
            providers["alipay"].fault("late_notices", order, by_ms=2_000, of="capture"),
        ):
            paying = pool.submit(customer.pay, order, "alipay")
            eventually(lambda: providers["alipay"].rows(order, "captured"))
            told_to_end(api)
            gone(api)
            assert paying.exception() is not None or paying.result().status_code == 500
            eventually(lambda: providers["alipay"].rows(order, "notice"))
        assert [row["state"] for row in other.of("payments", order)] == ["failed"]
    assert providers["alipay"].captured(order) == 1234


def test_roll_back_loses_orders_of_the_new_release_alone(launch: Launch, ports: Ports) -> None:
    api = launch(defects="roll_back_loses_orders")
    kept = api.customer().order()
    with beside(api, ports) as other:
        lost = other.customer().order()
        told_to_end(other)
        gone(other)
    assert [row["id"] for row in api.book("orders")] == [kept]
    assert lost != kept


def test_a_bad_release_fails_payments_before_anything_is_done(launch: Launch, ports: Ports) -> None:
    with beside(launch(), ports, "r2-bad") as api:
        customer = api.customer()
        orders = [customer.order() for _ in range(4)]
        customer.pay(orders[0], "card")

        def failed() -> bool:
            return customer.pay(orders[1], "card").status_code == 500 or customer.read(orders[1])["state"] == "paid"

        assert eventually(failed)
