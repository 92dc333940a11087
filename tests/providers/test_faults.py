"""Faults of answers and captures: what they leave in the ledger, whom they strike, and how they end."""

import threading

import httpx
import pytest

from tests.providers.calls import AlipayCalls, CardCalls, WechatCalls
from tests.providers.simulator import Simulator

pytestmark = pytest.mark.live


@pytest.fixture
def calls(wechat: Simulator) -> WechatCalls:
    return WechatCalls(wechat)


def test_an_answer_lost_after_the_effect_leaves_the_effect_and_ends_with_the_client(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="lost_answer", when="after", op=["charge"]) as fault_id:
        calls.provider.abandon("/v3/papay/pay/transactions/apply", charge_body(number), number=number)
        assert calls.provider.hits(fault_id) == 1
    calls.provider.settle()
    assert calls.provider.effects(number) == ["accepted", "captured"]
    (answered,) = calls.provider.rows(number=number, kind="answered")
    assert (answered["http"], answered["fault"], answered["note"]) == (None, "lost", fault_id)


def test_an_answer_lost_before_the_effect_leaves_none(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="lost_answer", when="before", op=["charge"]):
        calls.provider.abandon("/v3/papay/pay/transactions/apply", charge_body(number), number=number)
    assert calls.provider.effects(number) == []
    assert calls.query(number).status_code == 404


def test_lifting_a_lost_answer_closes_the_connection_without_a_byte(calls: WechatCalls) -> None:
    number, ends = calls.provider.new_number(), []

    def ask() -> None:
        with httpx.Client(base_url=calls.provider.url, headers=calls.provider.client.headers, timeout=10) as client:
            try:
                client.post("/v3/papay/pay/transactions/apply", json=charge_body(number))
            except httpx.HTTPError as exc:
                ends.append(type(exc))

    waiting = threading.Thread(target=ask)
    with calls.provider.fault(kind="lost_answer", when="after", op=["charge"]):
        waiting.start()
        calls.provider.await_rows(number=number, kind="answered")
        assert ends == []
    waiting.join(10)
    assert ends == [httpx.RemoteProtocolError]


def test_a_slow_answer_after_the_effect_comes_late_and_the_effect_does_not(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="slow_answer", when="after", by_ms=400, op=["charge"]):
        assert calls.charge(number).status_code == 202
    accepted, answered = (calls.provider.rows(number=number, kind=kind)[0] for kind in ("accepted", "answered"))
    assert answered["at_ns"] - accepted["at_ns"] >= 400_000_000
    assert (answered["http"], answered["fault"]) == (202, "slow")


def test_a_slow_answer_before_the_effect_delays_the_effect_even_if_the_client_has_gone(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="slow_answer", when="before", by_ms=1_000, op=["charge"]):
        calls.provider.abandon("/v3/papay/pay/transactions/apply", charge_body(number), number=number)
        assert calls.query(number).status_code == 404
    (accepted,) = calls.provider.await_rows(number=number, kind="accepted")
    (asked,) = calls.provider.rows(number=number, kind="request", op="charge")
    assert accepted["at_ns"] - asked["at_ns"] >= 1_000_000_000


def test_an_error_before_the_effect_leaves_none(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="error_answer", when="before", status=500, op=["charge"]):
        assert calls.charge(number).json()["code"] == "SYSTEM_ERROR"
    assert calls.provider.effects(number) == []


def test_every_nth_matching_request_is_struck(calls: WechatCalls) -> None:
    number = calls.paid()
    with calls.provider.fault(kind="error_answer", when="after", status=503, nth=3, op=["query"]) as fault_id:
        assert [calls.query(number).status_code for _ in range(6)] == [200, 200, 503, 200, 200, 503]
        assert calls.close(number).status_code == 400
        assert calls.provider.hits(fault_id) == 2


def test_a_ratio_is_drawn_from_the_seed(calls: WechatCalls) -> None:
    number, settings = calls.paid(), {"kind": "error_answer", "when": "after", "status": 503, "ratio": 0.5}
    rounds = []
    for _ in range(2):
        calls.provider.harness.post("/control/faults", json={"id": "by-ratio", **settings}).raise_for_status()
        rounds.append([calls.query(number).status_code for _ in range(40)])
        calls.provider.harness.delete("/control/faults/by-ratio").raise_for_status()
    assert rounds[0] == rounds[1]
    assert 8 <= rounds[0].count(503) <= 32


def test_only_requests_about_the_named_orders_are_struck(calls: WechatCalls) -> None:
    struck, spared = calls.paid(), calls.paid()
    with calls.provider.fault(kind="error_answer", when="after", status=503, orders=[f"order-{struck}"]):
        assert [calls.query(number).status_code for number in (struck, spared)] == [503, 200]


def test_a_late_capture_loses_to_a_close(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="late_capture", by_ms=600_000):
        calls.charge(number)
        assert calls.close(number).status_code == 204
    calls.provider.settle()
    assert calls.provider.effects(number) == ["accepted", "closed"]


def test_a_capture_despite_the_close_comes_all_the_same(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="late_capture", by_ms=1_500, despite_close=True) as fault_id:
        calls.charge(number)
        assert calls.close(number).status_code == 204
        assert calls.query(number).json()["trade_state"] == "CLOSED"
    (captured,) = calls.provider.await_rows(number=number, kind="captured")
    (accepted,) = calls.provider.rows(number=number, kind="accepted")
    assert calls.provider.effects(number) == ["accepted", "closed", "captured"]
    assert captured["at_ns"] - accepted["at_ns"] >= 1_500_000_000
    assert (captured["fault"], captured["note"]) == ("late", fault_id)
    assert calls.query(number).json()["trade_state"] == "SUCCESS"
    assert calls.refund(number, f"r-{number}", 1000).status_code == 200


def test_a_late_capture_makes_alipay_pending_and_the_card_process(alipay: Simulator, card: Simulator) -> None:
    number, intent = alipay.new_number(), CardCalls(card).created()
    with alipay.fault(kind="late_capture", by_ms=300), card.fault(kind="late_capture", by_ms=300):
        assert AlipayCalls(alipay).pay(number)["code"] == "10003"
        assert CardCalls(card).confirm(intent, f"c-{intent}").json()["status"] == "processing"
    alipay.await_rows(number=number, kind="captured")
    card.await_rows(number=intent, kind="captured")
    assert CardCalls(card).query(intent)["status"] == "succeeded"


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "unheard_of"},
        {"kind": "slow_answer", "when": "after"},
        {"kind": "slow_answer", "when": "during", "by_ms": 1},
        {"kind": "lost_answer", "when": "after", "by_ms": 1},
        {"kind": "lose_notices", "ratio": 1.5},
        {"kind": "lose_notices", "nth": 0},
        {"kind": "lose_notices", "nth": 2, "ratio": 0.5},
        {"kind": "lose_notices", "of": "neither"},
        {"kind": "error_answer", "when": "after", "status": 302},
        {"kind": "repeat_notices", "times": 0},
        {"kind": "late_capture", "by_ms": "long"},
    ],
)
def test_a_fault_that_is_not_understood_is_refused(wechat: Simulator, settings: dict[str, object]) -> None:
    answer = wechat.harness.post("/control/faults", json={"id": "refused", **settings})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_setting_a_fault_is_repeatable_and_another_one_under_its_id_is_refused(wechat: Simulator) -> None:
    settings = {"id": "twice", "kind": "lose_notices", "orders": ["none"], "of": "capture"}
    answers = [wechat.harness.post("/control/faults", json=settings) for _ in range(2)]
    other = wechat.harness.post("/control/faults", json=settings | {"of": "refund"})
    (shown,) = (fault for fault in wechat.harness.get("/control/faults").json() if fault["id"] == "twice")
    lifted = [wechat.harness.delete("/control/faults/twice").status_code for _ in range(2)]
    assert ([answer.status_code for answer in answers], other.status_code, lifted) == ([201, 201], 409, [204, 404])
    assert shown == settings | {"seen": 0, "hits": 0}
    assert [row["kind"] for row in wechat.rows(note="twice")] == ["fault_set", "fault_cleared"]


def test_the_control_key_is_needed_for_everything_under_control(wechat: Simulator) -> None:
    paths = ("ledger", "faults", "planned", "clock", "probes/x")
    assert {wechat.client.get(f"/control/{path}").status_code for path in paths} == {401}
    assert wechat.client.post("/control/faults", json={}).status_code == 401
    assert wechat.client.delete("/control/faults/x").status_code == 401


def test_a_probe_is_remembered(wechat: Simulator) -> None:
    assert wechat.harness.get("/control/probes/n-1").json() == {"seen": False}
    assert wechat.client.get("/probe/n-1").status_code == 204
    assert wechat.harness.get("/control/probes/n-1").json() == {"seen": True}


def charge_body(number: str) -> dict[str, object]:
    """What a merchant sends who will not wait for the answer."""
    return {
        "mchid": "m-1",
        "out_trade_no": number,
        "description": "a ride",
        "amount": {"total": 1000, "currency": "CNY"},
        "notify_url": "http://127.0.0.1:9/nobody",
    }
