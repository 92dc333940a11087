"""A database that goes away costs answers, never orders, and nobody is told how it is built."""

import pytest

from harness.stack.postgres import Postgres
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import Api, eventually

pytestmark = pytest.mark.live

CUT_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid
"""


def test_lost_connections_are_replaced_and_work_goes_on(launch: Launch, postgres: Postgres) -> None:
    api = launch()
    customer = api.customer()
    order = customer.order()
    postgres.query(CUT_CONNECTIONS, database=_database(api))
    eventually(lambda: customer.create(500, "k").status_code == 201)
    eventually(lambda: customer.pay(order, "card", "p").status_code == 200)
    assert [shown["state"] for shown in customer.get("/v1/orders").json()["orders"]] == ["open", "paid"]


def test_an_error_inside_says_nothing_of_the_inside(launch: Launch, postgres: Postgres) -> None:
    api = launch()
    customer = api.customer()
    postgres.drop_database(_database(api))
    told = {(reply.status_code, reply.json()["error"]["code"]): reply.text for reply in map(customer.create, [1, 2, 3])}
    assert set(told) <= {(500, "internal_error"), (503, "unavailable")}
    for text in told.values():
        assert not [word for word in ("asyncpg", "payments_", "Traceback", "SELECT", ".py") if word in text]


def _database(api: Api) -> str:
    return f"payments_{api.port}"
