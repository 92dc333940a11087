"""A charge that is refused for its schema version is sent once more in the one that works, and taken once."""

import pytest

from compose.payment_api.defects import Defect
from compose.payment_api.schemas import Schemas
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import METHODS, Api, Provider

NEWEST = {"PAYMENT_API_SCHEMA_VERSION": "2"}


def test_a_merchant_speaks_the_newest_version_until_it_is_held_back() -> None:
    schemas = Schemas(newest=2, defects=frozenset())
    assert (schemas.version("m-1"), schemas.hold_back("m-1")) == (2, True)
    assert (schemas.version("m-1"), schemas.version("m-2")) == (1, 2)
    assert not schemas.hold_back("m-1")


def test_where_there_is_one_version_only_there_is_nothing_to_fall_back_to() -> None:
    assert not Schemas(newest=1, defects=frozenset()).hold_back("m-1")
    assert not Schemas(newest=2, defects=frozenset({Defect.NO_SCHEMA_FALLBACK})).hold_back("m-1")


@pytest.fixture(scope="module")
def upgraded(launch_for_module: Launch) -> Api:
    return launch_for_module(more=NEWEST)


@pytest.mark.live
@pytest.mark.parametrize("method", METHODS)
def test_a_refused_version_is_followed_by_the_one_that_works(
    launch: Launch, providers: dict[str, Provider], method: str
) -> None:
    customer = launch(more=NEWEST).customer()
    first, second, op = customer.order(), customer.order(), "create" if method == "card" else "charge"
    with (
        providers[method].fault("refuse_schema", first, version=2, merchants=["m-1"]),
        providers[method].fault("refuse_schema", second, version=2, merchants=["m-1"]),
    ):
        for order in (first, second):
            customer.pay(order, method)
            customer.until(order, "paid")
    assert providers[method].captured(first) == 1234
    assert [providers[method].asked(order, op) for order in (first, second)] == [2, 1]
    answered = [row for row in providers[method].rows(first, "answered") if row["op"] == op]
    assert [row.get("fault") for row in answered] == ["schema", None]


@pytest.mark.live
def test_other_merchants_and_versions_are_not_refused(upgraded: Api, api: Api, providers: dict[str, Provider]) -> None:
    for each, settings in (
        (upgraded, {"version": 2, "merchants": ["m-2"]}),
        (api, {"version": 2, "merchants": ["m-1"]}),
    ):
        customer = each.customer()
        order = customer.order()
        with providers["wechat"].fault("refuse_schema", order, **settings):
            customer.pay(order, "wechat")
            customer.until(order, "paid")
        assert providers["wechat"].asked(order, "charge") == 1


@pytest.mark.live
def test_no_schema_fallback_books_the_payment_as_refused(launch: Launch, providers: dict[str, Provider]) -> None:
    customer = launch(defects="no_schema_fallback", more=NEWEST).customer()
    for method in METHODS:
        order = customer.order()
        with providers[method].fault("refuse_schema", order, version=2, merchants=["m-1"]):
            reply = customer.pay(order, method)
        assert (reply.status_code, reply.json()["payment"]["state"]) == (200, "failed")
        assert reply.json()["order"]["state"] == "open"
        assert providers[method].captured(order) == 0
