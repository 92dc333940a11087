"""Forged notices: a charge that is never captured, and two notices that say it was."""

import hmac
import json

import pytest

from tests.providers.calls import WechatCalls
from tests.providers.simulator import KEY, Simulator, Sink

pytestmark = pytest.mark.live


@pytest.fixture
def calls(wechat: Simulator) -> WechatCalls:
    return WechatCalls(wechat)


def forged(calls: WechatCalls, url: str) -> str:
    """A charge under the fault; returns its number once both notices were answered."""
    number = calls.provider.new_number()
    with calls.provider.fault(kind="forge_notices") as fault_id:
        assert calls.charge(number, url=url).status_code == 202
        assert calls.provider.hits(fault_id) == 1
    calls.provider.settle()
    return number


def test_a_charge_with_forged_notices_takes_no_money_and_can_be_closed(calls: WechatCalls, sink: Sink) -> None:
    number = forged(calls, sink.url())
    assert calls.query(number).json()["trade_state"] == "USERPAYING"
    assert calls.close(number).status_code == 204
    assert calls.provider.effects(number) == ["accepted", "closed"]


def test_one_notice_is_signed_by_somebody_else_and_one_tells_another_amount(calls: WechatCalls, sink: Sink) -> None:
    url = sink.url()
    forged(calls, url)
    lies = set()
    for _ in range(2):
        headers, body = sink.take(url)
        signed = f"{headers['wechatpay-timestamp']}\n{headers['wechatpay-nonce']}\n".encode() + body + b"\n"
        right = headers["wechatpay-signature"] == hmac.new(KEY.encode(), signed, "sha256").hexdigest()
        lies.add((right, json.loads(body)["resource"]["amount"]["total"]))
    assert lies == {(False, 1000), (True, 1100)}


def test_forgeries_are_written_down_as_such_and_never_come_again(calls: WechatCalls, sink: Sink) -> None:
    number = forged(calls, sink.url("refuse"))
    rows = calls.provider.rows(number=number, kind="forged_notice")
    assert sorted((row["fault"], row["http"]) for row in rows) == [("forged amount", 500), ("forged signature", 500)]
    assert calls.provider.rows(number=number, kind="notice") == []
    assert calls.provider.planned()["planned"] == 0
