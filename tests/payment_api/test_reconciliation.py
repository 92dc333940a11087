"""Books and bills are held against each other, and what does not agree is named once."""

from datetime import UTC, datetime, timedelta

import pytest

from compose.payment_api.model import Method
from compose.payment_api.providers.bills import Line, _days, _minor
from compose.payment_api.reconciler import GRACE_S, IN_FLIGHT_GRACE_S, Booked, differences
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import Api, Provider, eventually

AT = datetime(2026, 1, 1, tzinfo=UTC)


def billed(number: str = "1", amount_minor: int = 1_000, *, is_refund: bool = False) -> Line:
    return Line(number=number, is_refund=is_refund, amount_minor=amount_minor, at=AT)


def booked(
    number: str | None = "1",
    *,
    settled: bool = True,
    in_flight: bool = False,
    is_refund: bool = False,
    old: bool = False,
) -> Booked:
    return Booked(
        is_refund=is_refund,
        number=number,
        order_id="o",
        amount_minor=1_000,
        settled=settled,
        in_flight=in_flight,
        must_be_billed=not old,
    )


@pytest.mark.parametrize(
    ("books", "bill", "kinds"),
    [
        ([booked()], [billed()], []),
        ([booked(is_refund=True)], [billed(is_refund=True)], []),
        ([booked()], [], ["missing_in_bill"]),
        ([booked(old=True)], [], []),
        ([booked(settled=False, in_flight=True)], [billed()], ["missing_in_books"]),
        ([booked(settled=False, in_flight=True)], [], []),
        ([booked(settled=False)], [billed()], ["missing_in_books"]),
        ([booked(settled=False)], [], []),
        ([booked(None)], [billed()], ["missing_in_books"]),
        ([], [billed()], ["missing_in_books"]),
        ([booked()], [billed(is_refund=True)], ["missing_in_bill", "missing_in_books"]),
        ([booked()], [billed(amount_minor=10)], ["amount_differs"]),
        ([booked()], [billed(), billed()], ["amount_differs"]),
    ],
)
def test_a_difference_is_named_for_what_it_is(books: list[Booked], bill: list[Line], kinds: list[str]) -> None:
    assert [found.kind for found in differences(Method.CARD, books, bill)] == kinds


def test_what_the_books_still_wait_for_has_longer() -> None:
    books = [booked(settled=False, in_flight=True), booked("2", settled=False)]
    graces = [found.grace_s for found in differences(Method.CARD, books, [billed(), billed("2")])]
    assert graces == [IN_FLIGHT_GRACE_S, GRACE_S]


def test_a_night_in_beijing_makes_two_bills() -> None:
    midnight = datetime(2026, 1, 1, 16, tzinfo=UTC)
    days = [str(day) for day in _days(midnight - timedelta(minutes=1), midnight + timedelta(minutes=1))]
    assert days == ["2026-01-01", "2026-01-02"]


@pytest.mark.parametrize(("text", "minor"), [("12.30", 1230), ("0.05", 5), ("7", 700), ("7.5", 750)])
def test_yuan_become_fen_without_rounding(text: str, minor: int) -> None:
    assert _minor(text) == minor


@pytest.mark.live
def test_what_a_bill_lacks_and_what_it_has_too_much_is_named_once_and_for_good(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch()
    customer = api.customer()
    good = [customer.paid_order(method) for method in providers]
    customer.refund(good[0], 500)
    planted = []
    for method, provider in providers.items():
        order = customer.order()
        with provider.fault("plant_in_bill", order):
            customer.pay(order, method)
            customer.until(order, "paid")
        missing = provider.rows(order, "bill_planted")[0]["number"]
        planted.append((method, missing, "missing_in_bill", order, 1234))
    found = eventually(lambda: rows if len(rows := named(api, *good)) == 3 else None)
    assert found == sorted(planted)
    eventually(lambda: strangers(api) == sorted(providers))
    api.kill()
    api.start()
    order = customer.order()
    with providers["card"].fault("plant_in_bill", order):
        customer.pay(order, "card")
        customer.until(order, "paid")
    eventually(lambda: len(named(api, *good)) == 4)
    assert {row[:4] for row in found} < {row[:4] for row in named(api, *good)}


@pytest.mark.live
def test_a_blind_reconciliation_misses_one_provider_s_bill(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="reconciliation_blind")
    customer = api.customer()
    for method, provider in providers.items():
        order = customer.order()
        with provider.fault("plant_in_bill", order):
            customer.pay(order, method)
            customer.until(order, "paid")
    eventually(lambda: len(named(api)) == 2)
    assert {row[0] for row in named(api)} == {"card", "wechat"}


def strangers(api: Api) -> list[str]:
    """Whose bills were said to hold a charge that never was."""
    return sorted(row["provider"] for row in api.book("discrepancies") if row["number"].startswith("X"))


def named(api: Api, *good: str) -> list[tuple[str, str, str, str, int]]:
    """What was named about orders of this API: other APIs use the same providers. None may be about a good order."""
    rows = [row for row in api.book("discrepancies") if row["order_id"] is not None]
    assert [row for row in rows if row["order_id"] in good] == []
    wanted = ("provider", "number", "kind", "order_id", "amount_minor")
    return sorted(tuple(row[name] for name in wanted) for row in rows)
