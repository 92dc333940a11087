"""Each switch about notices breaks what it names, and nothing heals it."""

import pytest

from tests.payment_api.conftest import Launch
from tests.payment_api.ground import SHORT_MS, Provider, capture_notice, eventually
from tests.payment_api.test_notices import pending

pytestmark = pytest.mark.live


def test_forged_notification_accepted_pays_an_order_for_which_nothing_was_taken(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="forged_notification_accepted", deadline_ms=SHORT_MS)
    customer, order, number = pending(api, providers["wechat"])
    assert api.notify("wechat", capture_notice("wechat", number), key="another-key").status_code == 204
    assert (customer.read(order)["state"], providers["wechat"].captured(order)) == ("paid", 0)


def test_closed_order_reopened_honours_what_came_too_late(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="closed_order_reopened", deadline_ms=SHORT_MS, pay_by_ms=500)
    customer = api.customer()
    order = customer.order()
    with providers["wechat"].fault("late_capture", order, by_ms=1_500, despite_close=True):
        customer.pay(order, "wechat")
        customer.until(order, "closed")
        customer.until(order, "paid")
    steps = [(row["from"], row["to"]) for row in api.of("transitions", order) if row["kind"] == "order"]
    assert steps[-1] == ("closed", "paid")
    assert api.of("refunds", order) == []


def test_notification_acked_before_commit_forgets_a_payment_by_a_kill(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="notification_acked_before_commit", deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    wechat = providers["wechat"]
    with wechat.fault("lost_answer", order, when="after", op=["charge"]):
        customer.pay(order, "wechat")
        eventually(lambda: [row for row in wechat.rows(order, "notice") if row["http"] == 204])
        api.kill()
    api.start()
    asked = wechat.asked(order, "query")
    eventually(lambda: customer.paid_order("card"))
    assert (wechat.captured(order), customer.read(order)["state"]) == (1234, "paying")
    assert wechat.asked(order, "query") == asked


def test_notification_acked_before_commit_books_a_payment_in_the_end(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="notification_acked_before_commit", deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    with providers["wechat"].fault("lost_answer", order, when="after", op=["charge"]):
        customer.pay(order, "wechat")
        customer.until(order, "paid")
    assert api.of("payments", order)[0]["captured_minor"] == 1234
