import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judgement import judge, judge_run, judge_scenario
from harness.rating import Clock
from harness.verdict import (
    CheckResult,
    Crash,
    Finding,
    KnownBreach,
    KnownEntry,
    Ratio,
    Standing,
    Status,
    Terms,
    Verdict,
)
from harness.verdict_document import decode_verdict, encode_verdict

BROKEN = judge(
    "no_double_charge",
    CheckResult(
        examined=12,
        undecided=1,
        reasons=("1 gap",),
        findings=(Finding(subject="A", message="A was charged twice: 二次.", evidence={"ledger": [{"seq": 3}]}),),
        measured=1,
        objective=0,
        unit="orders",
        notes=("1 healed",),
        ratios=(Ratio(good=11, total=12, objective=0.9, what="paid", evidence={"unpaid": [3]}),),
    ),
    Terms(claimed=10, facts=("F02",)),
)
CRASHED = judge("latency", Crash(error="ValueError: x", traceback="Traceback"), Terms())
CLOCK = Clock(name="refund", cases=2, unended=1, longest_s=9.5, window_s=8.0, scenario="S")
REFUND = {
    "name": "refund",
    "cases": 2,
    "unended": 1,
    "longest_s": 9.5,
    "window_s": 8.0,
    "scenario": "S",
    "why": "",
}
ENTRY = KnownEntry(
    breach=KnownBreach(check="latency", scenario="S", ticket="PAY-1", expires=date(2026, 12, 31)),
    standing=Standing.UNSEEN,
)
CUT = judge_scenario("S", (BROKEN, CRASHED), cut_short="stopped", facts=("F05",), clocks=(CLOCK,))
VERDICT = judge_run("r-1", 7, (CUT,), known=(ENTRY,))
WHOLE = judge_run("r-2", 8, (judge_scenario("S", (BROKEN,), clocks=(CLOCK,)),))


def test_document_says_everything_under_its_names() -> None:
    document = json.loads(encode_verdict(VERDICT))
    checks = document["scenarios"][0].pop("checks")
    scenario = document.pop("scenarios")[0]
    assert document == {
        "schema_version": 2,
        "run_id": "r-1",
        "seed": 7,
        "status": "FAIL",
        "exit_code": 1,
        "cut_short": "S: stopped",
        "clocks": [REFUND],
        "rating": None,
        "known": [
            {
                "breach": {"check": "latency", "scenario": "S", "ticket": "PAY-1", "expires": "2026-12-31"},
                "standing": "unseen",
            }
        ],
    }
    assert scenario == {
        "scenario": "S",
        "status": "FAIL",
        "exit_code": 1,
        "reason": "no_double_charge: 1 breach among 12 examined; cut short: stopped",
        "cut_short": "stopped",
        "facts": ["F05"],
        "clocks": [REFUND],
        "rating": None,
        "unrated": "it was cut short",
    }
    assert checks[0] == {
        "check": "no_double_charge",
        "status": "FAIL",
        "reason": "1 breach among 12 examined",
        "claimed": 10,
        "examined": 12,
        "undecided": 1,
        "measured": 1.0,
        "objective": 0.0,
        "unit": "orders",
        "facts": ["F02"],
        "findings": [{"subject": "A", "message": "A was charged twice: 二次.", "evidence": {"ledger": [{"seq": 3}]}}],
        "notes": ["1 healed"],
        "ratios": [{"good": 11, "total": 12, "objective": 0.9, "what": "paid", "evidence": {}, "parts": []}],
        "traceback": None,
        "known": None,
    }
    assert (checks[1]["status"], checks[1]["traceback"]) == ("NOT_EXERCISED", "Traceback")


def test_document_has_sorted_keys_and_ends_in_a_newline() -> None:
    raw = encode_verdict(VERDICT)
    assert raw.endswith(b"}\n")
    assert raw.decode() == json.dumps(json.loads(raw), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def test_verdict_comes_back_as_it_was_written() -> None:
    assert decode_verdict(encode_verdict(VERDICT)) == VERDICT
    assert WHOLE.rating is not None
    assert decode_verdict(encode_verdict(WHOLE)) == WHOLE


@given(st.text(max_size=20), st.integers(0, 2**63), st.lists(st.sampled_from([BROKEN, CRASHED]), max_size=3).map(tuple))
def test_writing_what_was_read_gives_the_same_bytes(run_id: str, seed: int, checks: tuple[()]) -> None:
    verdict: Verdict = judge_run(run_id, seed, (judge_scenario("S", checks),))
    raw = encode_verdict(verdict)
    assert encode_verdict(decode_verdict(raw)) == raw


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", encode_verdict(VERDICT).replace(b'"FAIL"', b'"MAYBE"')])
def test_what_is_no_verdict_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not a verdict"):
        decode_verdict(raw)


def test_verdict_of_another_schema_is_refused() -> None:
    raw = encode_verdict(VERDICT).replace(b'"schema_version": 2', b'"schema_version": 1')
    with pytest.raises(ValueError, match="schema 1; this harness reads 2"):
        decode_verdict(raw)


def test_statuses_are_the_words_of_the_document() -> None:
    assert [status.value for status in Status] == ["PASS", "UNKNOWN", "FAIL", "KNOWN", "NOT_EXERCISED", "NOT_OFFERED"]
