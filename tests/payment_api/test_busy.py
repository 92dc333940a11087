"""Too busy is said at once and clearly, takes nothing from anybody, and leaves queries and refunds alone."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.stack.postgres import Postgres
from harness.stack.toxiproxy import Toxiproxy, open_toxiproxy
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import METHODS, SHORT_MS, Api, Customer, Provider, eventually

pytestmark = pytest.mark.live

ONE_SLOT = {"PAYMENT_API_PAYMENT_SLOTS": "1", "PAYMENT_API_PAYMENT_SLOT_MS": "1500"}
"""Whoever pays has the API for himself for 1.5 s, and nobody may wait that long."""
REFUSALS = "SELECT order_id, method FROM refusals ORDER BY seq"

ROUNDS = 5
"""So often is a state brought about that passes by itself."""


@pytest.fixture(scope="module")
def narrow(launch_for_module: Launch) -> Iterator[Api]:
    with closing(launch_for_module(more=ONE_SLOT)) as api:
        yield api


@contextmanager
def filled(api: Api) -> Iterator[str]:
    """The one slot is taken meanwhile: by the payment of an order, whose id this gives."""
    customer = api.customer()
    order = eventually(lambda: _new_order(customer))
    eventually(lambda: customer.pay(order, "card").status_code == 200)
    yield order


def _new_order(customer: Customer) -> str | None:
    reply = customer.create()
    return reply.json()["id"] if reply.status_code == 201 else None


def refused(reply: httpx.Response) -> dict[str, Any]:
    """The error of a busy answer that says all that it must."""
    assert (reply.status_code, reply.headers.get("Retry-After")) == (503, "1"), reply.text
    error: dict[str, Any] = reply.json()["error"]
    assert error.pop("code") == "system_busy"
    error.pop("message")
    return error


def test_a_payment_for_which_there_is_no_room_is_refused_within_a_second_and_leaves_the_order_as_it_was(
    narrow: Api, providers: dict[str, Provider], postgres: Postgres
) -> None:
    customer = narrow.customer()
    order = eventually(lambda: _new_order(customer))
    before = customer.read(order)
    with filled(narrow):
        began_s = time.monotonic()
        error = refused(customer.pay(order, "wechat", "k"))
        assert time.monotonic() - began_s < 1
    assert error == {"order_id": order}
    assert customer.read(order) == before
    assert providers["wechat"].rows(order) == []
    assert [order, "wechat"] in postgres.query(REFUSALS, database=f"payments_{narrow.port}")
    eventually(lambda: customer.pay(order, "wechat", "k").status_code == 200)


def test_a_create_is_refused_by_its_key_unless_the_key_has_made_an_order(narrow: Api) -> None:
    customer = narrow.customer()
    made = eventually(lambda: reply if (reply := customer.create(key="made")).status_code == 201 else None)
    with filled(narrow):
        assert refused(customer.create(key="new")) == {"key": "new"}
        again = customer.create(key="made")
    assert (again.status_code, again.json()["id"]) == (201, made.json()["id"])


def test_queries_refunds_and_what_was_begun_before_need_no_room(narrow: Api) -> None:
    customer = narrow.customer()
    order = eventually(lambda: _new_order(customer))
    paid = eventually(lambda: reply if (reply := customer.pay(order, "alipay", "p")).status_code == 200 else None)
    again = customer.pay(order, "alipay", "p")
    assert (again.status_code, again.json()["payment"]["id"]) == (200, paid.json()["payment"]["id"])
    assert customer.pay(order, "card").json()["error"]["code"] == "order_paid"
    assert customer.refund(order, 600).status_code == 201
    assert [shown["id"] for shown in customer.get("/v1/orders").json()["orders"]] == [order]


@pytest.mark.parametrize(
    ("defect", "status", "retry_after", "least_s"),
    [
        ("busy_as_200", 200, None, 0.0),
        ("busy_without_retry_after", 503, None, 0.0),
        ("busy_after_20_s", 503, "1", 1.2),
    ],
)
def test_a_busy_answer_can_be_spoiled(
    launch: Launch, defect: str, status: int, retry_after: str | None, least_s: float
) -> None:
    with closing(launch(defects=defect, deadline_ms=300, more=ONE_SLOT)) as api:
        customer = api.customer()
        order = customer.order()
        with filled(api):
            began_s = time.monotonic()
            reply = customer.pay(order, "wechat")
            took_s = time.monotonic() - began_s
        assert (reply.status_code, reply.headers.get("Retry-After")) == (status, retry_after)
        assert reply.json()["error"]["code"] == "system_busy"
        assert took_s >= least_s


def test_refused_but_charged_takes_the_money_under_a_key_that_nobody_knows(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    with closing(launch(defects="refused_but_charged", more=ONE_SLOT)) as api:
        customer = api.customer()
        order = customer.order()
        with filled(api):
            refused(customer.pay(order, "wechat", "k"))
        eventually(lambda: providers["wechat"].captured(order) == 1234)
        customer.until(order, "paid")
        assert customer.pay(order, "wechat", "k").json()["error"]["code"] == "order_paid"


def test_order_dropped_when_busy_has_no_such_order_afterwards(launch: Launch) -> None:
    with closing(launch(defects="order_dropped_when_busy", more=ONE_SLOT)) as api:
        customer = api.customer()
        order = customer.order()
        with filled(api):
            refused(customer.pay(order, "wechat"))
            assert customer.read(order)["state"] == "open"
            refused(customer.pay(order, "alipay"))
        assert customer.get(f"/v1/orders/{order}").status_code == 404


def test_refunds_behind_payments_refuses_whoever_has_paid(launch: Launch) -> None:
    with closing(launch(defects="refunds_behind_payments", more=ONE_SLOT)) as api:
        customer = api.customer()
        with filled(api) as order:
            told = customer.get(f"/v1/orders/{order}")
        assert refused(told) == {"order_id": order}


def test_queries_behind_payments_refuses_lists_and_serves_orders_that_are_paid(launch: Launch) -> None:
    with closing(launch(defects="queries_behind_payments", more=ONE_SLOT)) as api:
        customer, unpaid = api.customer(), api.customer().order()
        with filled(api) as order:
            assert refused(customer.get("/v1/orders")) == {}
            assert refused(customer.get(f"/v1/orders/{unpaid}")) == {"order_id": unpaid}
            assert customer.get(f"/v1/orders/{order}").status_code == 404  # another's, and let through


def test_emergency_path_shut_takes_no_refund_while_no_method_works(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    with closing(launch(defects="emergency_path_shut", deadline_ms=SHORT_MS)) as api, ExitStack() as faults:
        customer = api.customer()
        told = {}
        # A breaker is half open after a deadline: where the machine is slow, the first may be when the last one opens.
        for paid in [customer.paid_order("card") for _ in range(ROUNDS)]:
            orders = [customer.order() for _ in range(6)]
            for order in orders:
                for provider in providers.values():
                    faults.enter_context(provider.deaf(order))
            for number, order in enumerate(orders):
                customer.pay(order, METHODS[number % 3])
            told = customer.refund(paid, 600).json()
            if "error" in told:
                break
        assert told["error"]["code"] == "unavailable"


@pytest.fixture(scope="module")
def toxiproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toxiproxy]:
    with open_toxiproxy(log=tmp_path_factory.mktemp("toxiproxy") / "log", environ={}) as server:
        yield server


def test_a_refusal_that_cannot_be_booked_is_kept_on_disk_and_booked_when_the_database_is_back(
    launch: Launch, postgres: Postgres, toxiproxy: Toxiproxy, ports: Any, tmp_path: Path
) -> None:
    (port,) = ports.take()
    listen = f"127.0.0.1:{port}"
    toxiproxy.create_proxy("database", listen=listen, upstream=f"{postgres.host}:{postgres.port}")
    postgres.create_database("spooled")
    spool = tmp_path / "spool"
    more = {
        "PAYMENT_API_DATABASE_URL": postgres.url("spooled", host="127.0.0.1", port=port),
        "PAYMENT_API_SPOOL": str(spool),
    }
    with closing(launch(more=more)) as api:
        customer, stranger = api.customer(), api.customer()
        order = customer.order()
        toxiproxy.disable("database")
        assert refused(customer.pay(order, "card", "k")) == {"order_id": order}
        assert refused(stranger.pay(order, "alipay")) == {"order_id": order}
        assert spool.exists()
        assert "\npayment_api_spool_lines 2.0\n" in api.client.get(f"{api.url}/metrics").text
        api.kill()
        toxiproxy.enable("database")
        api.start()
        eventually(lambda: postgres.query(REFUSALS, database="spooled") == [[order, "card"]])
        eventually(lambda: not list(tmp_path.iterdir()))
        assert customer.pay(order, "card", "k").status_code == 200


def test_retry_after_in_ms_sends_customers_away_for_a_quarter_of_an_hour(launch: Launch) -> None:
    with closing(launch(defects="retry_after_in_ms", more=ONE_SLOT)) as api, filled(api):
        assert api.customer().create().headers["Retry-After"] == "1000"
