"""Are the rows of the reference API's books made canonical, and is what is not understood said?"""

from collections.abc import Callable

import msgspec
import pytest

from harness.operation import Ending, State
from harness.targets.books import (
    Attempt,
    Book,
    BookAffected,
    BookDiscrepancy,
    BookOrder,
    BookPage,
    BookPayment,
    BookRefund,
    BookRow,
    BookTransition,
    BookVoucher,
    RefundState,
)
from harness.targets.drive import drive
from harness.targets.protocol import Reply, Request
from harness.targets.reference import Reference

TARGET = Reference({"token_secret": "s3", "operator_token": "op1"})
PAY_BY_MS = 1_767_225_608_250
"""2026-01-01T00:00:08.250Z."""


def order(state: str = "open", paid: int = 0, refunded: int = 0) -> dict[str, object]:
    return {
        "seq": 18,
        "id": "o-1",
        "user": "u-1",
        "state": state,
        "line": "food",
        "merchant": "m-1",
        "amount_minor": 1200,
        "currency": "CNY",
        "paid_minor": paid,
        "refunded_minor": refunded,
        "pay_by": "2026-01-01T00:00:08.250Z",
        "created_at": "2026-01-01T00:00:00.250Z",
    }


def wire(reply: Reply, sent: list[Request]) -> Callable[[Request], Reply]:
    def send(request: Request) -> Reply:
        sent.append(request)
        return reply

    return send


def page(book: Book, *rows: dict[str, object], cursor: str | None = None) -> tuple[BookPage, Request]:
    sent: list[Request] = []
    headers = {"content-type": "application/x-ndjson"} | ({} if cursor is None else {"x-next-cursor": cursor})
    body = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    answer = Reply(ending=Ending.ANSWERED, status=200, headers=headers, body=body)
    return drive(TARGET.books(book, "17"), wire(answer, sent)), sent[0]


def test_a_page_of_orders_is_canonical() -> None:
    told, request = page(Book.ORDERS, order("part_refunded", 1200, 600), cursor="18")
    assert (request.path, request.headers) == (
        "/v1/ledger/orders?limit=1000&after=17",
        (("authorization", "Bearer op1"),),
    )
    assert told == BookPage(
        rows=(
            BookOrder(
                order="o-1",
                user="u-1",
                state=State.PAID,
                raw_state="part_refunded",
                amount_minor=1200,
                currency="CNY",
                paid_minor=1200,
                refunded_minor=600,
                pay_by_utc_ms=PAY_BY_MS,
                created_utc_ms=PAY_BY_MS - 8_000,
            ),
        ),
        cursor="18",
    )


@pytest.mark.parametrize(
    ("raw", "state", "captured"),
    [
        ("created", Attempt.LIVE, 0),
        ("sent", Attempt.LIVE, 0),
        ("unknown", Attempt.UNKNOWN, 0),
        ("paid", Attempt.PAID, 1200),
        ("late", Attempt.PAID, 1200),
        ("closed", Attempt.DEAD, 0),
        ("failed", Attempt.DEAD, 0),
    ],
)
def test_a_page_of_payments_is_canonical(raw: str, state: Attempt, captured: int) -> None:
    row: dict[str, object] = {
        "seq": 18,
        "id": "p-1",
        "order_id": "o-1",
        "method": "card",
        "number": None,
        "state": raw,
        "amount_minor": 1200,
        "captured_minor": captured,
        "created_at": "2026-01-01T00:00:00.250Z",
    }
    expected = BookPayment(
        payment="p-1",
        order="o-1",
        provider="card",
        number=None,
        state=state,
        raw_state=raw,
        amount_minor=1200,
        captured_minor=captured,
    )
    assert page(Book.PAYMENTS, row)[0] == BookPage(rows=(expected,), cursor=None)


def test_a_page_of_refunds_is_canonical() -> None:
    row: dict[str, object] = {
        "seq": 3,
        "id": "r-1",
        "order_id": "o-1",
        "payment_id": "p-1",
        "method": "alipay",
        "number": "R1",
        "state": "pending",
        "amount_minor": 600,
        "requested": True,
        "reason": "customer",
        "created_at": "2026-01-01T00:00:00.250Z",
        "done_at": None,
    }
    expected = BookRefund(
        refund="r-1",
        order="o-1",
        payment="p-1",
        provider="alipay",
        number="R1",
        state=RefundState.PENDING,
        raw_state="pending",
        amount_minor=600,
        requested=True,
    )
    assert page(Book.REFUNDS, row)[0] == BookPage(rows=(expected,), cursor=None)


def test_a_page_of_transitions_is_canonical() -> None:
    row: dict[str, object] = {
        "seq": 3,
        "kind": "order",
        "id": "o-1",
        "order_id": "o-1",
        "from": None,
        "to": "open",
        "at": "2026-01-01T08:00:08.250+08:00",
    }
    expected = BookTransition(
        seq=3, kind="order", subject="o-1", order="o-1", from_state=None, to_state="open", at_utc_ms=PAY_BY_MS
    )
    assert page(Book.TRANSITIONS, row)[0] == BookPage(rows=(expected,), cursor=None)


AT = "2026-01-01T00:00:08.250Z"


@pytest.mark.parametrize(
    ("book", "row", "expected"),
    [
        (
            Book.VOUCHERS,
            {"id": "v-1", "amount_minor": 120, "currency": "CNY"},
            BookVoucher(voucher="v-1", order="o-1", amount_minor=120, currency="CNY", at_utc_ms=PAY_BY_MS),
        ),
        (
            Book.AFFECTED,
            {"reason": "unresolved"},
            BookAffected(order="o-1", reason="unresolved", at_utc_ms=PAY_BY_MS),
        ),
        (
            Book.DISCREPANCIES,
            {"provider": "card", "number": "pi_1", "kind": "missing_in_bill", "amount_minor": 1200},
            BookDiscrepancy(
                provider="card",
                number="pi_1",
                order="o-1",
                kind="missing_in_bill",
                amount_minor=1200,
                at_utc_ms=PAY_BY_MS,
            ),
        ),
    ],
)
def test_a_page_of_what_was_made_good_or_found_wrong_is_canonical(
    book: Book, row: dict[str, object], expected: BookRow
) -> None:
    assert page(book, {"seq": 3, "order_id": "o-1", "at": AT} | row)[0] == BookPage(rows=(expected,), cursor=None)


def test_a_discrepancy_of_another_kind_is_not_guessed_at() -> None:
    row: dict[str, object] = {
        "seq": 3,
        "order_id": None,
        "provider": "card",
        "number": "1",
        "kind": "odd",
        "amount_minor": 1,
        "at": AT,
    }
    assert page(Book.DISCREPANCIES, row)[0].problem is not None


@pytest.mark.parametrize("row", [order("of_next_year"), order() | {"user": None}])
def test_a_row_that_is_not_understood_makes_the_page_a_problem(row: dict[str, object]) -> None:
    told = page(Book.ORDERS, row)[0]
    assert (told.rows, told.cursor, (told.problem or "")[:31]) == ((), None, "has a row that is not understoo")


def test_a_page_without_a_good_answer_is_a_problem() -> None:
    answers = [Reply(ending=Ending.READ_TIMEOUT), Reply(ending=Ending.ANSWERED, status=503)]
    told = [drive(TARGET.books(Book.REFUNDS, None), wire(answer, [])).problem for answer in answers]
    assert told == ["ended read_timeout", "was answered 503"]
