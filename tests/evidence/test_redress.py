"""What keeps a drain waiting: vouchers, places on the list and words that the target still owes."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from harness.evidence.asking import Until
from harness.evidence.redress import Planted, Redress, affected_since, outstanding
from harness.operation import Ending, Method
from harness.profile import GATE
from harness.targets.books import BookAffected, BookRefund, BookRow, BookTransition, RefundState
from harness.targets.protocol import Reply, Request
from harness.targets.reference import CAPABILITIES, Reference

NOW_MS = 1_767_225_608_250
"""2026-01-01T00:00:08.250Z."""
AT = "2026-01-01T00:00:{:06.3f}Z"


def ask(
    books: Mapping[str, list[dict[str, object]]], *, planted: Sequence[Planted] = (), calm_utc_ms: int = 0
) -> Redress:
    """What is outstanding at 8.25 s with these rows in the books."""

    def send(request: Request) -> Reply:
        name = request.path.split("/")[-1].split("?")[0]
        body = b"".join(msgspec.json.encode({"seq": 1} | row) + b"\n" for row in books.get(name, []))
        return Reply(ending=Ending.ANSWERED, status=200, body=body)

    return outstanding(
        Reference({"token_secret": "s", "operator_token": "o"}),
        send,
        planted,
        GATE,
        calm_utc_ms=calm_utc_ms,
        at_utc_ms=NOW_MS,
        until=Until.start("a test", 5.0, lambda: 0),
    )


def affected(at_s: float = 5.0) -> dict[str, object]:
    return {"order_id": "o", "reason": "busy", "at": AT.format(at_s)}


VOUCHER: dict[str, object] = {
    "id": "v",
    "order_id": "o",
    "amount_minor": 100,
    "currency": "CNY",
    "at": AT.format(6),
}


def step(old: str | None, new: str, at_s: float) -> dict[str, object]:
    return {"kind": "payment", "id": "p", "order_id": "o", "from": old, "to": new, "at": AT.format(at_s)}


@pytest.mark.parametrize(
    ("books", "owed"),
    [
        ({}, 0),
        ({"affected": [affected()]}, 1),
        ({"affected": [affected()], "vouchers": [VOUCHER]}, 0),
        ({"transitions": [step(None, "created", 1), step("created", "paid", 4.1)]}, 1),
        ({"transitions": [step(None, "created", 1), step("created", "paid", 4.1)], "vouchers": [VOUCHER]}, 1),
        ({"transitions": [step(None, "created", 1), step("created", "paid", 3.9)]}, 0),
        ({"transitions": [step(None, "created", 1), step("created", "unknown", 2)]}, 1),
    ],
)
def test_a_voucher_and_a_place_on_the_list_are_owed_to_whom_the_books_call_affected(
    books: dict[str, list[dict[str, object]]], owed: int
) -> None:
    assert ask(books) == Redress(vouchers=owed)


def test_what_was_owed_for_longer_than_its_window_is_waited_for_no_more() -> None:
    long_ago = affected() | {"at": "2025-12-31T23:59:58.000Z"}
    assert ask({"affected": [long_ago]}) == Redress()


def test_a_planted_row_is_to_be_named_within_the_window_after_it_or_the_last_fault() -> None:
    planted = Planted(provider="card", number="pi_1", at_utc_ms=NOW_MS - 11_000)
    assert ask({}, planted=[planted]) == Redress()
    assert ask({}, planted=[planted], calm_utc_ms=NOW_MS - 1_000) == Redress(discrepancies=1)
    named: dict[str, object] = {"provider": "card", "number": "pi_1", "order_id": None, "kind": "missing_in_bill"}
    named |= {"amount_minor": 1, "at": AT.format(7)}
    assert ask({"discrepancies": [named]}, planted=[planted], calm_utc_ms=NOW_MS) == Redress()


def test_a_book_that_cannot_be_read_is_said() -> None:
    assert ask({"affected": [{"order_id": 1}]}).problems[0].startswith("what is to be made good could not be read")


def test_of_several_reasons_the_last_counts() -> None:
    rule = CAPABILITIES.compensation
    assert rule is not None
    refund = BookRefund(
        refund="r",
        order="o",
        payment=None,
        provider=Method.CARD,
        number="R",
        state=RefundState.PENDING,
        raw_state="pending",
        amount_minor=1,
        requested=False,
    )
    booked = BookTransition(
        seq=1, kind="refund", subject="r", order="o", from_state=None, to_state="pending", at_utc_ms=9_000
    )
    rows: list[BookRow] = [BookAffected(order="o", reason="busy", at_utc_ms=5_000), booked, refund]
    assert affected_since(rows, rule, 10_000) == {"o": 9_000}
