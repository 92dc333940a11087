"""A paid order is released once, whatever happens to this API and to dispatch, and an unpaid one never."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.ports import Ports
from tests.dispatch.ground import KEY, Dispatch, running
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import METHODS, SHORT_MS, Api, Provider, capture_notice, eventually

pytestmark = pytest.mark.live
ONCE = [("released", None)]


@pytest.fixture(scope="module")
def dispatch(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dispatch]:
    with running(ports.take()[0], Path(tmp_path_factory.mktemp("dispatch"))) as process:
        yield process


def released_by(launch: Launch, dispatch: Dispatch, *, defects: str = "", pay_by_ms: int = 60_000) -> Api:
    dispatch_at = {"PAYMENT_API_DISPATCH_URL": dispatch.url, "PAYMENT_API_DISPATCH_KEY": KEY}
    return launch(defects=defects, deadline_ms=SHORT_MS, pay_by_ms=pay_by_ms, more=dispatch_at)


@pytest.fixture(scope="module")
def releasing(launch_for_module: Launch, dispatch: Dispatch) -> Api:
    return released_by(launch_for_module, dispatch)


def calls(dispatch: Dispatch, order: str) -> list[tuple[str, str | None]]:
    """All calls for the order, once there is one."""
    return eventually(lambda: dispatch.of(order))


@pytest.mark.parametrize("method", METHODS)
def test_a_paid_order_is_released_with_its_line_and_run(releasing: Api, dispatch: Dispatch, method: str) -> None:
    order = releasing.customer().paid_order(method)
    assert calls(dispatch, order) == ONCE
    row = next(row for row in dispatch.rows() if row["order"] == order)
    assert (row["line"], row["run"]) == ("ride", "run-1")


def test_notices_that_come_again_release_nothing_more(
    releasing: Api, dispatch: Dispatch, providers: dict[str, Provider]
) -> None:
    order = releasing.customer().paid_order("wechat")
    number = releasing.of("payments", order)[0]["number"]
    for _ in range(3):
        releasing.notify("wechat", capture_notice("wechat", number), key=providers["wechat"].key)
    later = releasing.customer().paid_order("card")
    assert calls(dispatch, later) == ONCE
    assert dispatch.of(order) == ONCE


def test_an_unpaid_order_is_not_released(launch: Launch, dispatch: Dispatch) -> None:
    api = released_by(launch, dispatch, pay_by_ms=300)
    customer = api.customer()
    order = customer.order()
    customer.until(order, "closed")
    later = customer.paid_order("card")
    assert calls(dispatch, later) == ONCE
    assert dispatch.of(order) == []


def test_a_release_waits_for_dispatch_to_come_back(releasing: Api, dispatch: Dispatch) -> None:
    dispatch.kill()
    order = releasing.customer().paid_order("card")
    dispatch.start()
    assert calls(dispatch, order) == ONCE


def test_a_kill_between_payment_and_release_loses_no_release(launch: Launch, dispatch: Dispatch) -> None:
    api = released_by(launch, dispatch)
    dispatch.kill()
    order = api.customer().paid_order("card")
    api.kill()
    dispatch.start()
    assert dispatch.of(order) == []
    api.start()
    assert calls(dispatch, order) == ONCE


def test_released_never_books_and_does_not_call(launch: Launch, dispatch: Dispatch) -> None:
    broken = released_by(launch, dispatch, defects="released_never")
    order = broken.customer().paid_order("card")
    broken.kill()
    broken.start()
    later = released_by(launch, dispatch).customer().paid_order("card")
    assert calls(dispatch, later) == ONCE
    assert dispatch.of(order) == []


def test_released_twice_releases_at_each_notice(
    launch: Launch, dispatch: Dispatch, providers: dict[str, Provider]
) -> None:
    broken = released_by(launch, dispatch, defects="released_twice")
    order = broken.customer().paid_order("wechat")
    number = broken.of("payments", order)[0]["number"]
    broken.notify("wechat", capture_notice("wechat", number), key=providers["wechat"].key)
    twice = eventually(lambda: all_ if len(all_ := dispatch.of(order)) > 1 else None)
    assert twice[:2] == [("released", None), ("released", "repeat")]


def test_released_before_payment_does_not_wait_for_the_money(
    launch: Launch, dispatch: Dispatch, providers: dict[str, Provider]
) -> None:
    broken = released_by(launch, dispatch, defects="released_before_payment")
    customer = broken.customer()
    order = customer.order()
    with providers["card"].fault("lost_answer", order, when="before", op=["charge", "confirm"]):
        customer.pay(order, "card")
        assert calls(dispatch, order) == ONCE
        assert providers["card"].captured(order) == 0
