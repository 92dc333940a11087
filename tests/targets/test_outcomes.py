"""Does the default table say `fail` only where there was certainly no effect?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.operation import NOTHING_SENT, WRITES, Ending, Op, Outcome
from harness.targets.outcomes import Judgement, TableRow, claims_json, judge, retry_after_s
from harness.targets.protocol import BusyContract, Reply

BUSY = BusyContract(statuses=frozenset({503, 429}), codes=frozenset({"system_busy"}))
REFUSE_EVERYTHING = TableRow(ops=frozenset(Op), when=lambda _reply, _code: True, outcome=Outcome.FAIL, code="row")


def answered(status: int, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(ending=Ending.ANSWERED, status=status, headers=named, body=b"")


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.ANSWERED])
def test_a_write_without_an_answer_is_fail_only_if_nothing_was_sent(ending: Ending) -> None:
    expected = Outcome.FAIL if ending in NOTHING_SENT else Outcome.INFO
    # A row that refuses everything is not asked: no adapter knows better what never came.
    judged = {op: judge(op, Reply(ending=ending), rows=(REFUSE_EVERYTHING,), busy=BUSY) for op in WRITES}
    assert judged == dict.fromkeys(WRITES, Judgement(outcome=expected))


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.ANSWERED])
def test_a_read_without_an_answer_is_no_information(ending: Ending) -> None:
    assert judge(Op.READ, Reply(ending=ending)) == Judgement(outcome=Outcome.INFO)


@pytest.mark.parametrize(
    ("status", "write", "read"),
    [
        (200, Outcome.OK, Outcome.OK),
        (202, Outcome.OK, Outcome.OK),
        (204, Outcome.OK, Outcome.OK),
        (301, Outcome.INFO, Outcome.INFO),
        (400, Outcome.FAIL, Outcome.INFO),
        (402, Outcome.FAIL, Outcome.INFO),
        (404, Outcome.FAIL, Outcome.INFO),
        (408, Outcome.INFO, Outcome.INFO),
        (409, Outcome.INFO, Outcome.INFO),
        (422, Outcome.FAIL, Outcome.INFO),
        (425, Outcome.FAIL, Outcome.INFO),
        (429, Outcome.INFO, Outcome.INFO),
        (500, Outcome.INFO, Outcome.INFO),
        (502, Outcome.INFO, Outcome.INFO),
        (503, Outcome.INFO, Outcome.INFO),
        (520, Outcome.INFO, Outcome.INFO),
        (700, Outcome.INFO, Outcome.INFO),
    ],
)
def test_a_bare_status_means_this(status: int, write: Outcome, read: Outcome) -> None:
    assert (judge(Op.PAY, answered(status)).outcome, judge(Op.LIST, answered(status)).outcome) == (write, read)


@given(status=st.integers(500, 999), op=st.sampled_from(sorted(WRITES)), code=st.none() | st.text())
def test_no_5xx_is_ever_fail_without_a_row_or_the_busy_contract(status: int, op: Op, code: str | None) -> None:
    assert judge(op, answered(status), code=code).outcome is Outcome.INFO


def test_busy_needs_every_mark_of_the_contract() -> None:
    told = [
        judge(Op.PAY, answered(503, retry_after="1"), code="system_busy", busy=BUSY),
        judge(Op.READ, answered(429, retry_after="1"), code="system_busy", busy=BUSY),
        judge(Op.PAY, answered(503), code="system_busy", busy=BUSY),
        judge(Op.PAY, answered(503, retry_after="1"), code="overloaded", busy=BUSY),
        judge(Op.PAY, answered(500, retry_after="1"), code="system_busy", busy=BUSY),
        judge(Op.PAY, answered(503, retry_after="1"), code="system_busy"),
    ]
    assert told == [
        Judgement(outcome=Outcome.FAIL, code="system_busy", busy=True),
        Judgement(outcome=Outcome.FAIL, code="system_busy", busy=True),
        Judgement(outcome=Outcome.INFO, code="system_busy"),
        Judgement(outcome=Outcome.INFO, code="overloaded"),
        Judgement(outcome=Outcome.INFO, code="system_busy"),
        Judgement(outcome=Outcome.INFO, code="system_busy"),
    ]


def test_the_first_row_that_matches_wins_and_keeps_the_targets_code_unless_it_has_one() -> None:
    rows = (
        TableRow(ops=frozenset({Op.READ}), when=lambda _reply, _code: True, outcome=Outcome.OK),
        TableRow(ops=frozenset({Op.PAY}), when=lambda reply, _: reply.status == 520, outcome=Outcome.FAIL),
        REFUSE_EVERYTHING,
    )
    assert judge(Op.PAY, answered(520), code="theirs", rows=rows) == Judgement(outcome=Outcome.FAIL, code="theirs")
    assert judge(Op.PAY, answered(200), code="theirs", rows=rows) == Judgement(outcome=Outcome.FAIL, code="row")


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff\xfe", b'{"a": 1} x', b'"\xff"'])
def test_what_claims_to_be_json_and_is_not_tells_nothing(status: int, body: bytes) -> None:
    reply = Reply(
        ending=Ending.ANSWERED, status=status, headers={"content-type": "application/json; charset=utf-8"}, body=body
    )
    judged = judge(Op.CREATE, reply, rows=(REFUSE_EVERYTHING,), busy=BUSY)
    assert judged == Judgement(outcome=Outcome.INFO, code="unreadable_answer")


def test_an_answer_without_a_body_breaks_no_promise() -> None:
    assert judge(Op.REFUND, answered(204, content_type="application/json")) == Judgement(outcome=Outcome.OK)


@pytest.mark.parametrize(
    ("media", "claims"),
    [
        ("application/json", True),
        ("Application/JSON;charset=utf-8", True),
        ("application/problem+json", True),
        ("application/x-ndjson", False),
        ("text/html", False),
        ("", False),
    ],
)
def test_a_content_type_claims_json_by_its_family(media: str, claims: bool) -> None:
    assert claims_json(answered(200, content_type=media)) is claims


@pytest.mark.parametrize("status", [408, 409, 500, 200])
def test_a_step_that_decides_nothing_is_ok_or_fail(status: int) -> None:
    expected = Outcome.OK if status == 200 else Outcome.FAIL
    assert judge(Op.CREATE, answered(status), decisive=False).outcome is expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1.0), (" 120 ", 120.0), ("Wed, 21 Oct 2015 07:28:00 GMT", None), ("-1", None), ("", None), ("²", None)],
)
def test_retry_after_is_read_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after_s(answered(503, retry_after=text)) == seconds
