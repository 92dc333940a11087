"""Is every answer of the reference API read for what it says?"""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec
import pytest

from harness.errors import TargetFileError
from harness.operation import Ending, Line, Method, Op, Outcome, State
from harness.targets.books import Book
from harness.targets.drive import drive
from harness.targets.protocol import Call, Health, NewOrder, Observation, Reply, Request, Shown, Target
from harness.targets.reference import LIST_PAGES_MAX, Reference

NEW = NewOrder(line=Line.FOOD, merchant="m-1", amount_minor=1200, currency="CNY")
PAY_BY_MS = 1_767_225_608_250
"""2026-01-01T00:00:08.250Z."""
UNKNOWN = {"code": "order_not_found", "message": "no such order"}


def target() -> Target:
    return Reference({"token_secret": "s3", "operator_token": "op1"})


def order(state: str = "open", paid: int = 0, refunded: int = 0) -> dict[str, object]:
    return {
        "id": "o-1",
        "state": state,
        "line": "food",
        "merchant": "m-1",
        "amount_minor": 1200,
        "currency": "CNY",
        "paid_minor": paid,
        "refunded_minor": refunded,
        "pay_by": "2026-01-01T00:00:08.250Z",
        "created_at": "2026-01-01T00:00:00.250Z",
        "attempts": [],
        "refunds": [],
    }


def reply(status: int, body: object, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        ending=Ending.ANSWERED,
        status=status,
        headers={"content-type": "application/json"} | named,
        body=msgspec.json.encode(body),
    )


def error(status: int, code: str, **headers: str) -> Reply:
    return reply(status, {"error": {"code": code, "message": "why", "order_id": "o-1"}}, **headers)


def attempt(state: str, status: int = 200, paid: int = 0) -> Reply:
    payment = {"id": "p-1", "method": "wechat", "state": state, "amount_minor": 1200}
    return reply(status, {"payment": payment, "order": order("paid" if paid else "paying", paid)}, retry_after="1")


def wire(replies: Iterable[Reply], sent: list[Request]) -> Callable[[Request], Reply]:
    rest = iter(replies)

    def send(request: Request) -> Reply:
        sent.append(request)
        return next(rest)

    return send


def seen(call: Call, *replies: Reply) -> Observation:
    return drive(call, wire(replies, []))


def token(user: str) -> str:
    return f"Bearer {user}.{hmac.new(b's3', user.encode(), hashlib.sha256).hexdigest()}"


def test_a_create_carries_the_users_token_and_the_key_and_reads_the_order() -> None:
    sent: list[Request] = []
    told = drive(target().create_order("u-1", NEW, "k-1"), wire([reply(201, order())], sent))
    assert sent == [
        Request(
            method="POST",
            path="/v1/orders",
            name="POST /v1/orders",
            headers=(
                ("authorization", token("u-1")),
                ("idempotency-key", "k-1"),
                ("content-type", "application/json"),
            ),
            body=b'{"line":"food","merchant":"m-1","amount_minor":1200,"currency":"CNY"}',
        )
    ]
    assert told == Observation(
        outcome=Outcome.OK,
        ending=Ending.ANSWERED,
        http=201,
        order_id="o-1",
        result_id="o-1",
        state=State.OPEN,
        amount_minor=1200,
        paid_minor=0,
        refunded_minor=0,
        pay_by_utc_ms=PAY_BY_MS,
    )


def test_methods_that_work_are_read_from_a_refusal_and_from_an_attempt_that_is_not_paid() -> None:
    body = {"error": {"code": "method_unavailable", "message": "", "order_id": "o-1", "methods": ["card", "cash"]}}
    refused = seen(target().pay("u-1", "o-1", Method.WECHAT, "k-2"), reply(409, body, retry_after="1"))
    assert (refused.outcome, refused.code, refused.offers) == (Outcome.FAIL, "method_unavailable", (Method.CARD,))
    assert (refused.order_id, refused.retry_after_s, refused.busy) == ("o-1", 1.0, False)
    unpaid = attempt("unknown", 202)
    named = replace(unpaid, body=unpaid.body[:-1] + b',"methods":["alipay","card"]}')
    told = seen(target().pay("u-1", "o-1", Method.WECHAT, "k-2"), named)
    assert (told.outcome, told.offers) == (Outcome.INFO, (Method.ALIPAY, Method.CARD))


@pytest.mark.parametrize(
    ("state", "outcome", "code"),
    [
        ("paid", Outcome.OK, None),
        ("created", Outcome.INFO, "attempt_created"),
        ("sent", Outcome.INFO, "attempt_sent"),
        ("unknown", Outcome.INFO, "attempt_unknown"),
        ("late", Outcome.INFO, "attempt_late"),
        ("closed", Outcome.FAIL, "attempt_closed"),
        ("failed", Outcome.FAIL, "attempt_failed"),
        ("of_next_year", Outcome.INFO, "attempt_of_next_year"),
    ],
)
def test_a_payment_is_acknowledged_only_by_a_paid_attempt(state: str, outcome: Outcome, code: str | None) -> None:
    told = seen(target().pay("u-1", "o-1", Method.WECHAT, "k-2"), attempt(state, 200 if state == "paid" else 202))
    assert (told.outcome, told.code, told.result_id, told.order_id, told.retry_after_s) == (
        outcome,
        code,
        "p-1",
        "o-1",
        1.0,
    )


@pytest.mark.parametrize(
    ("answer", "outcome", "busy", "state"),
    [
        (error(409, "request_in_progress"), Outcome.INFO, False, None),
        (error(409, "attempt_unresolved", retry_after="1"), Outcome.FAIL, False, State.PAYING),
        (error(409, "order_paid"), Outcome.FAIL, False, State.PAID),
        (error(409, "order_closed"), Outcome.FAIL, False, State.CLOSED),
        (error(404, "order_not_found"), Outcome.FAIL, False, None),
        (error(422, "idempotency_key_reused"), Outcome.FAIL, False, None),
        (error(500, "internal_error"), Outcome.INFO, False, None),
        (error(503, "system_busy", retry_after="1"), Outcome.FAIL, True, None),
        (error(503, "system_busy"), Outcome.INFO, False, None),
    ],
)
def test_a_refused_payment_is_fail_only_where_the_api_says_so(
    answer: Reply, outcome: Outcome, busy: bool, state: State | None
) -> None:
    told = seen(target().pay("u-1", "o-1", Method.CARD, "k-2"), answer)
    assert (told.outcome, told.busy, told.state, told.order_id) == (outcome, busy, state, "o-1")


def test_a_404_that_a_proxy_made_is_no_information_for_a_read() -> None:
    proxy = Reply(ending=Ending.ANSWERED, status=404, headers={"content-type": "text/html"}, body=b"<html>")
    told = [seen(target().read("u-1", "o-1"), answer) for answer in (proxy, reply(404, {"error": UNKNOWN}))]
    assert [(one.outcome, one.code) for one in told] == [
        (Outcome.INFO, None),
        (Outcome.FAIL, "order_not_found"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, {"status": "moved"}),
        reply(200, order() | {"amount_minor": "1200"}),
        Reply(ending=Ending.ANSWERED, status=200, headers={"content-type": "text/html"}, body=b"<html>"),
        Reply(ending=Ending.ANSWERED, status=200, headers={"content-type": "application/json"}, body=b'{"id": "o-'),
    ],
)
def test_an_acknowledgement_that_cannot_be_read_is_no_information(answer: Reply) -> None:
    told = seen(target().read("u-1", "o-1"), answer)
    assert (told.outcome, told.code, told.order_id) == (Outcome.INFO, "unreadable_answer", None)


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ("open", State.OPEN),
        ("paying", State.PAYING),
        ("paid", State.PAID),
        ("part_refunded", State.PAID),
        ("refunded", State.REFUNDED),
        ("closed", State.CLOSED),
        ("of_next_year", None),
    ],
)
def test_a_read_tells_the_canonical_state_and_the_money(raw: str, state: State | None) -> None:
    told = seen(target().read("u-1", "o-1"), reply(200, order(raw, paid=1200, refunded=600)))
    assert (told.outcome, told.state, told.amount_minor, told.paid_minor, told.refunded_minor) == (
        Outcome.OK,
        state,
        1200,
        1200,
        600,
    )


def test_a_refund_names_itself_and_its_own_amount() -> None:
    body = {"refund": {"id": "r-1", "amount_minor": 600, "state": "pending"}, "order": order("paid", 1200)}
    told = seen(target().refund("u-1", "o-1", 600, "k-3"), reply(201, body))
    assert (told.outcome, told.order_id, told.result_id, told.amount_minor, told.paid_minor) == (
        Outcome.OK,
        "o-1",
        "r-1",
        600,
        1200,
    )


@pytest.mark.parametrize(("state", "done"), [("pending", ()), ("failed", ()), ("done", ("r-1",))])
def test_refunds_that_an_answer_or_a_read_calls_done_are_told_by_name(state: str, done: tuple[str, ...]) -> None:
    refund = {"id": "r-1", "amount_minor": 600, "state": state}
    shown = order("paid", 1200) | {"refunds": [refund]}
    answer = reply(201, {"refund": refund, "order": order("paid", 1200)})
    assert seen(target().refund("u-1", "o-1", 600, "k-3"), answer).refunds_done == done
    assert seen(target().read("u-1", "o-1"), reply(200, shown)).refunds_done == done


@pytest.mark.parametrize("status", [400, 409])
def test_a_refund_of_nothing_is_refused(status: int) -> None:
    assert seen(target().refund("u-1", "o-1", 600, "k-3"), error(status, "nothing_to_refund")).outcome is Outcome.FAIL


def test_a_list_is_read_to_its_last_page() -> None:
    sent: list[Request] = []
    pages = [
        reply(200, {"orders": [order() | {"id": "o-2"}], "next": "c&1"}),
        reply(200, {"orders": [order()], "next": None}),
    ]
    told = drive(target().list_orders("u-1"), wire(pages, sent))
    assert [request.path for request in sent] == ["/v1/orders?limit=2", "/v1/orders?limit=2&cursor=c%261"]
    assert (told.outcome, told.order_ids, told.complete) == (Outcome.OK, ("o-2", "o-1"), True)
    assert told.shown == (Shown(state=State.OPEN, amount_minor=1_200, paid_minor=0, refunded_minor=0),) * 2


def test_a_list_that_breaks_off_says_what_it_saw_and_that_it_is_not_whole() -> None:
    told = seen(target().list_orders("u-1"), reply(200, {"orders": [order()], "next": "c"}), Reply(ending=Ending.RESET))
    assert (told.outcome, told.ending, told.order_ids, told.complete) == (
        Outcome.INFO,
        Ending.RESET,
        ("o-1",),
        False,
    )


def test_a_list_without_end_is_given_up() -> None:
    sent: list[Request] = []
    endless = [reply(200, {"orders": [], "next": "c"})] * (LIST_PAGES_MAX + 1)
    told = drive(target().list_orders("u-1"), wire(endless, sent))
    assert (len(sent), told.complete) == (LIST_PAGES_MAX, False)


def test_health_says_which_process_answered() -> None:
    body = {"status": "ok", "build": "b7", "pid": 41, "started_utc_ms": 1_000, "utc_ms": 2_000}
    told = seen(target().health(), reply(200, body))
    assert (told.outcome, told.health) == (
        Outcome.OK,
        Health(build="b7", pid=41, started_utc_ms=1_000, utc_ms=2_000),
    )


def test_missing_settings_are_named() -> None:
    with pytest.raises(TargetFileError, match=r"lacks operator_token, token_secret"):
        Reference({})


def test_everything_is_offered_and_every_edge_joins_known_states() -> None:
    offered = target().capabilities
    assert offered.operations == {Op.CREATE, Op.PAY, Op.READ, Op.LIST, Op.REFUND, Op.STATUS}
    assert offered.books == set(Book)
    assert {state for edge in offered.legal_edges for state in edge} == set(offered.raw_states)


def test_a_refused_create_names_its_key() -> None:
    busy = reply(503, {"error": {"code": "system_busy", "message": "why", "key": "k-1"}}, retry_after="1")
    told = drive(target().create_order("u-1", NEW, "k-1"), wire([busy], []))
    assert (told.outcome, told.busy, told.named_key, told.order_id) == (Outcome.FAIL, True, "k-1", None)


def test_a_refusal_under_a_status_that_acknowledges_is_told_by_its_code() -> None:
    told = drive(target().pay("u-1", "o-1", Method.CARD, "k-2"), wire([error(200, "system_busy")], []))
    assert (told.outcome, told.code, told.busy) == (Outcome.INFO, "system_busy", False)
