"""The card acquirer's codes, each with its effect on the ledger."""

from typing import Any

import pytest

from tests.providers.calls import CardCalls, card_error
from tests.providers.simulator import Simulator

pytestmark = pytest.mark.live

INVALID = "invalid_request_error"


@pytest.fixture
def calls(card: Simulator) -> CardCalls:
    return CardCalls(card)


def test_an_intent_is_created_unconfirmed_and_then_succeeds(calls: CardCalls) -> None:
    key = calls.provider.new_number()
    created = calls.create(key).json()
    assert (created["status"], created["amount_received"]) == ("requires_confirmation", 0)
    intent = created["id"]
    confirmed = calls.confirm(intent, f"c-{key}").json()
    assert (confirmed["status"], confirmed["amount_received"]) == ("succeeded", 1000)
    assert calls.query(intent) == confirmed
    rows = calls.provider.rows(number=intent)
    assert [row["op"] for row in rows if row["kind"] in {"accepted", "captured"}] == ["create", "confirm"]
    assert {(row["run"], row["order"]) for row in rows} == {("run-1", f"order-{key}")}


def test_a_key_gives_its_stored_reply_and_one_effect(calls: CardCalls) -> None:
    key = calls.provider.new_number()
    first, second = (calls.create(key).json() for _ in range(2))
    assert first == second
    intent = first["id"]
    assert calls.confirm(intent, f"c-{key}").json() == calls.confirm(intent, f"c-{key}").json()
    assert calls.provider.effects(intent) == ["accepted", "captured"]
    assert len(calls.provider.rows(kind="accepted", order=f"order-{key}")) == 1


def test_idempotency_error_is_a_key_with_other_parameters(calls: CardCalls) -> None:
    key = calls.provider.new_number()
    calls.create(key)
    assert card_error(calls.create(key, 999)) == (400, "idempotency_error", "idempotency_error")
    assert len(calls.provider.rows(kind="accepted", order=f"order-{key}")) == 1


def test_idempotency_key_in_use_is_a_key_whose_request_waits_for_its_effect(calls: CardCalls) -> None:
    calls.provider.settle()
    intent, key = calls.created(), calls.provider.new_number()
    with calls.provider.fault(kind="slow_answer", by_ms=1_500, when="before", op=["confirm"]):
        calls.provider.abandon(f"/v1/payment_intents/{intent}/confirm", {}, key, number=intent)
        assert card_error(calls.confirm(intent, key)) == (409, INVALID, "idempotency_key_in_use")
        assert calls.provider.effects(intent) == ["accepted"]
        assert calls.provider.planned()["planned"] == 1
    calls.provider.settle()
    assert calls.provider.effects(intent) == ["accepted", "captured"]
    assert calls.confirm(intent, key).json()["status"] == "succeeded"


def test_payment_intent_unexpected_state_is_confirming_or_cancelling_what_succeeded(calls: CardCalls) -> None:
    intent = calls.paid()
    answers = [calls.confirm(intent, f"x-{intent}"), calls.cancel(intent, f"y-{intent}")]
    assert [card_error(answer) for answer in answers] == [(400, INVALID, "payment_intent_unexpected_state")] * 2
    assert answers[1].json()["error"]["payment_intent"]["status"] == "succeeded"
    assert calls.provider.effects(intent) == ["accepted", "captured"]


def test_payment_intent_unexpected_state_is_confirming_what_is_canceled(calls: CardCalls) -> None:
    intent = calls.created()
    assert calls.cancel(intent, f"y-{intent}").json()["status"] == "canceled"
    assert card_error(calls.confirm(intent, f"x-{intent}")) == (400, INVALID, "payment_intent_unexpected_state")
    assert calls.provider.effects(intent) == ["accepted", "closed"]


def test_card_declined_leaves_an_intent_that_can_be_confirmed_by_another_card(calls: CardCalls) -> None:
    intent = calls.created()
    declined = calls.confirm(intent, f"x-{intent}", payment_method="pm_card_chargeDeclined")
    assert card_error(declined) == (402, "card_error", "card_declined")
    assert calls.query(intent)["status"] == "requires_payment_method"
    assert calls.confirm(intent, f"y-{intent}", payment_method="pm_card_visa").json()["status"] == "succeeded"
    assert calls.provider.effects(intent) == ["accepted", "failed", "captured"]


def test_a_500_after_the_effect_is_stored_with_its_key(calls: CardCalls) -> None:
    intent, key = calls.created(), calls.provider.new_number()
    with calls.provider.fault(kind="error_answer", status=500, when="after", op=["confirm"]):
        assert card_error(calls.confirm(intent, key)) == (500, "api_error", None)
    assert card_error(calls.confirm(intent, key)) == (500, "api_error", None)
    assert calls.query(intent)["status"] == "succeeded"
    assert calls.provider.effects(intent) == ["accepted", "captured"]


@pytest.mark.parametrize(("status", "kind", "code"), [(500, "api_error", None), (429, INVALID, "lock_timeout")])
def test_an_error_before_the_effect_is_not_stored(calls: CardCalls, status: int, kind: str, code: str | None) -> None:
    intent, key = calls.created(), calls.provider.new_number()
    with calls.provider.fault(kind="error_answer", status=status, when="before", op=["confirm"]):
        assert card_error(calls.confirm(intent, key)) == (status, kind, code)
    assert calls.provider.effects(intent) == ["accepted"]
    assert calls.confirm(intent, key).json()["status"] == "succeeded"


def test_a_refund_is_pending_then_succeeded(calls: CardCalls) -> None:
    intent = calls.paid()
    answer = calls.refund(intent, f"r-{intent}", 400).json()
    assert (answer["status"], answer["amount"], answer["payment_intent"]) == ("pending", 400, intent)
    calls.provider.await_rows(number=intent, kind="refunded")
    shown = calls.provider.client.get(f"/v1/refunds/{answer['id']}").json()
    assert shown == answer | {"status": "succeeded"}
    assert calls.provider.effects(intent) == ["accepted", "captured", "refund_accepted", "refunded"]
    assert calls.provider.rows(kind="refunded", number=intent)[0]["refund_number"] == answer["id"]


def test_charge_already_refunded_is_a_refund_of_what_went_back_in_full(calls: CardCalls) -> None:
    intent = calls.paid()
    calls.refund(intent, f"a-{intent}", 1000).raise_for_status()
    assert card_error(calls.refund(intent, f"b-{intent}", 1)) == (400, INVALID, "charge_already_refunded")
    assert calls.provider.effects(intent).count("refund_accepted") == 1


def test_amount_too_large_is_a_refund_above_what_is_left(calls: CardCalls) -> None:
    intent = calls.paid()
    calls.refund(intent, f"a-{intent}", 600).raise_for_status()
    assert card_error(calls.refund(intent, f"b-{intent}", 401)) == (400, INVALID, "amount_too_large")
    calls.refund(intent, f"c-{intent}", 400).raise_for_status()
    assert calls.provider.effects(intent).count("refund_accepted") == 2


def test_payment_intent_unexpected_state_is_a_refund_of_what_is_not_captured(calls: CardCalls) -> None:
    intent = calls.created()
    answer = calls.refund(intent, f"a-{intent}", 1)
    assert card_error(answer) == (400, INVALID, "payment_intent_unexpected_state")
    assert calls.provider.effects(intent) == ["accepted"]


def test_resource_missing_is_an_unknown_id_and_is_not_stored(calls: CardCalls) -> None:
    answers = [
        calls.confirm("pi_unknown", "k-missing"),
        calls.refund("pi_unknown", "k-missing-2", 1),
        calls.provider.client.get("/v1/payment_intents/pi_unknown"),
        calls.provider.client.get("/v1/refunds/re_unknown"),
    ]
    assert [card_error(answer) for answer in answers] == [(404, INVALID, "resource_missing")] * 4
    assert calls.provider.effects("pi_unknown") == []


@pytest.mark.parametrize("changes", [{"amount": 0}, {"amount": "10"}, {"amount": True}, {"currency": 7}])
def test_parameter_invalid_is_not_stored_with_its_key(calls: CardCalls, changes: dict[str, Any]) -> None:
    key = calls.provider.new_number()
    assert card_error(calls.create(key, **changes)) == (400, INVALID, "parameter_invalid")
    assert calls.create(key).status_code == 200


def test_a_wrong_key_of_the_merchant_is_401(calls: CardCalls) -> None:
    answer = calls.provider.harness.get("/v1/balance_transactions")
    assert card_error(answer) == (401, INVALID, None)


def test_balance_transactions_are_paged_newest_first(calls: CardCalls) -> None:
    calls.provider.settle()
    intent = calls.paid()
    refund = calls.refund(intent, f"r-{intent}", 400).json()["id"]
    calls.provider.await_rows(number=intent, kind="refunded")
    first = calls.provider.client.get("/v1/balance_transactions", params={"limit": 1}).json()
    (newest,) = first["data"]
    assert (newest["type"], newest["amount"], newest["source"]) == ("refund", -400, refund)
    assert first["has_more"]
    after = {"limit": 1, "starting_after": newest["id"]}
    (older,) = calls.provider.client.get("/v1/balance_transactions", params=after).json()["data"]
    assert (older["type"], older["amount"], older["source"]) == ("charge", 1000, calls.query(intent)["latest_charge"])
