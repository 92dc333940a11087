from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judgement import judge, judge_run, judge_scenario, worst
from harness.verdict import ASSUMPTIONS, CheckResult, Crash, Finding, JudgedCheck, Ratio, Status, Terms

PASS, UNKNOWN, FAIL = Status.PASS, Status.UNKNOWN, Status.FAIL
NOT_EXERCISED, NOT_OFFERED = Status.NOT_EXERCISED, Status.NOT_OFFERED

GOOD = CheckResult(examined=100)
BREACH = CheckResult(examined=100, findings=(Finding(subject="A", message="A was charged twice."),))
CLAIMED = Terms(claimed=50)
UNCLAIMED = Terms()


def doubted(result: CheckResult) -> CheckResult:
    return replace(result, undecided=3, reasons=("3 last reads were 5xx",))


def share(good: int, total: int, objective: float = 0.99) -> CheckResult:
    return CheckResult(examined=total, ratios=(Ratio(good=good, total=total, objective=objective, what="paid"),))


@pytest.mark.parametrize(
    ("result", "terms", "status", "reason"),
    [
        (GOOD, CLAIMED, PASS, "100 decided, 50 claimed"),
        (GOOD, UNCLAIMED, NOT_EXERCISED, "not claimed by the scenario; no breach seen"),
        (BREACH, CLAIMED, FAIL, "1 breach among 100 examined"),
        (BREACH, UNCLAIMED, FAIL, "1 breach among 100 examined"),
        (BREACH, Terms(claimed=500), FAIL, "1 breach among 100 examined"),
        (doubted(BREACH), CLAIMED, FAIL, "1 breach among 100 examined"),
        (GOOD, Terms(claimed=101), UNKNOWN, "100 decided, below the claimed floor of 101"),
        (GOOD, Terms(claimed=100), PASS, "100 decided, 100 claimed"),
        (CheckResult(examined=0), Terms(claimed=0), UNKNOWN, "0 decided, below the claimed floor of 1"),
        (CheckResult(examined=0), UNCLAIMED, NOT_EXERCISED, "not claimed by the scenario; no breach seen"),
        (doubted(GOOD), CLAIMED, UNKNOWN, "3 of 100 undecided (3 last reads were 5xx)"),
        (
            doubted(GOOD),
            Terms(claimed=50, undecided_share=0.02),
            UNKNOWN,
            "3 of 100 undecided, more than the 2.0% allowed (3 last reads were 5xx)",
        ),
        (doubted(GOOD), Terms(claimed=50, undecided_share=0.03), PASS, "97 decided, 50 claimed"),
        (
            doubted(GOOD),
            Terms(claimed=98, undecided_share=0.03),
            UNKNOWN,
            "97 decided, below the claimed floor of 98",
        ),
        (doubted(GOOD), UNCLAIMED, NOT_EXERCISED, "not claimed by the scenario; no breach seen"),
    ],
)
def test_counts_and_findings_become_a_status(result: CheckResult, terms: Terms, status: Status, reason: str) -> None:
    judged = judge("no_double_charge", result, terms)
    assert (judged.status, judged.reason) == (status, reason)


@pytest.mark.parametrize(
    ("result", "terms", "status"),
    [
        (GOOD, CLAIMED, UNKNOWN),
        (BREACH, CLAIMED, FAIL),
        (GOOD, UNCLAIMED, NOT_EXERCISED),
        (BREACH, UNCLAIMED, FAIL),
    ],
)
def test_broken_premise_takes_a_pass_and_never_a_fail(result: CheckResult, terms: Terms, status: Status) -> None:
    broken = replace(terms, broken_premises={"ledgers_whole": "wechat: its ledger is missing"})
    judged = judge("no_double_charge", result, broken)
    named = "premise ledgers_whole broken: wechat: its ledger is missing" in judged.reason
    assert (judged.status, named) == (status, status is UNKNOWN)


@pytest.mark.parametrize(
    ("result", "terms", "status"),
    [
        (GOOD, CLAIMED, UNKNOWN),
        (BREACH, CLAIMED, UNKNOWN),
        (BREACH, UNCLAIMED, NOT_EXERCISED),
        (GOOD, UNCLAIMED, NOT_EXERCISED),
        (share(0, 100), CLAIMED, UNKNOWN),
    ],
)
def test_lag_takes_pass_and_fail_of_a_check_that_times(result: CheckResult, terms: Terms, status: Status) -> None:
    assert judge("latency", result, replace(terms, lag="p99 late by 900 ms")).status is status


@pytest.mark.parametrize(
    ("result", "terms", "status"),
    [
        (share(100, 100), CLAIMED, PASS),
        (share(99, 100), CLAIMED, PASS),
        (share(98, 100), CLAIMED, UNKNOWN),
        (share(99, 99), CLAIMED, UNKNOWN),
        (share(95, 100), CLAIMED, FAIL),
        (share(95, 100), UNCLAIMED, FAIL),
        (share(98, 100), UNCLAIMED, NOT_EXERCISED),
        (CheckResult(examined=60, ratios=(Ratio(good=0, total=0, objective=0.9, what="x"),)), CLAIMED, UNKNOWN),
    ],
)
def test_share_is_judged_by_its_upper_bound(result: CheckResult, terms: Terms, status: Status) -> None:
    assert judge("success_ratio", result, terms).status is status


def test_share_that_falls_short_becomes_a_finding_with_its_bound() -> None:
    judged = judge("success_ratio", share(80, 100), CLAIMED)
    message = "paid: 80 of 100 (80.00%, with 95 % confidence at most 86.33%), objective 99.00%"
    assert judged.findings == (Finding(subject="paid", message=message),)


def test_shares_are_kept_as_counts_without_their_cases() -> None:
    unpaid = Ratio(good=97, total=100, objective=0.9, what="paid", evidence={"unpaid": [{"user": "u-1"}]})
    whole = replace(unpaid, what="together: paid", parts=(unpaid,))
    judged = judge("success_ratio", CheckResult(examined=100, ratios=(whole,)), CLAIMED)
    kept = Ratio(good=97, total=100, objective=0.9, what="paid")
    assert judged.ratios == (replace(kept, what="together: paid", parts=(kept,)),)


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        (CLAIMED, UNKNOWN),
        (UNCLAIMED, NOT_OFFERED),
        (replace(CLAIMED, waiver="no refunds by contract"), NOT_OFFERED),
        (replace(UNCLAIMED, waiver="no refunds by contract"), NOT_OFFERED),
    ],
)
def test_claimed_promise_that_is_not_offered_needs_a_waiver(terms: Terms, status: Status) -> None:
    assert judge("no_over_refund", CheckResult(examined=0, not_offered="no refunds"), terms).status is status


def test_waiver_does_not_excuse_what_is_offered() -> None:
    assert judge("no_double_charge", BREACH, replace(CLAIMED, waiver="please")).status is FAIL


@pytest.mark.parametrize(("terms", "status"), [(CLAIMED, UNKNOWN), (UNCLAIMED, NOT_EXERCISED)])
def test_crashed_check_keeps_its_traceback(terms: Terms, status: Status) -> None:
    judged = judge("latency", Crash(error="ZeroDivisionError: oops", traceback="Traceback ..."), terms)
    assert (judged.status, judged.reason, judged.traceback) == (
        status,
        "the check crashed: ZeroDivisionError: oops",
        "Traceback ...",
    )


def check(status: Status, name: str = "no_double_charge") -> JudgedCheck:
    return JudgedCheck(check=name, status=status, reason="because", claimed=1, examined=1, undecided=0)


HELD = check(PASS, ASSUMPTIONS)


@pytest.mark.parametrize(
    ("statuses", "cut_short", "status", "code"),
    [
        ((PASS, PASS), None, PASS, 0),
        ((PASS, NOT_EXERCISED, NOT_OFFERED), None, PASS, 0),
        ((PASS, UNKNOWN), None, UNKNOWN, 3),
        ((PASS, UNKNOWN, FAIL), None, FAIL, 1),
        ((PASS, PASS), "stopped", UNKNOWN, 3),
        ((PASS, FAIL), "stopped", FAIL, 1),
        ((NOT_OFFERED, NOT_OFFERED), None, UNKNOWN, 3),
        ((), None, UNKNOWN, 3),
    ],
)
def test_worst_check_decides_the_scenario(
    statuses: tuple[Status, ...], cut_short: str | None, status: Status, code: int
) -> None:
    checks = (*(check(each) for each in statuses), HELD)
    verdict = judge_scenario("S", checks, cut_short=cut_short)
    assert (verdict.status, verdict.exit_code) == (status, code)


def test_reason_of_a_scenario_names_the_checks_that_decided() -> None:
    verdict = judge_scenario("S", (check(PASS), check(UNKNOWN, "latency"), HELD), cut_short="stopped")
    assert verdict.reason == "latency: because; cut short: stopped"


@pytest.mark.parametrize(
    ("scenarios", "cut_short", "status", "code", "why"),
    [
        ((PASS, PASS), None, PASS, 0, None),
        ((PASS, FAIL), None, FAIL, 1, None),
        ((UNKNOWN, FAIL), "stopped", FAIL, 1, "stopped"),
        ((PASS,), "stopped", UNKNOWN, 3, "stopped"),
        ((), None, UNKNOWN, 3, None),
    ],
)
def test_worst_scenario_decides_the_run(
    scenarios: tuple[Status, ...], cut_short: str | None, status: Status, code: int, why: str | None
) -> None:
    judged = tuple(judge_scenario(f"S{n}", (check(each), HELD)) for n, each in enumerate(scenarios))
    verdict = judge_run("r", 7, judged, cut_short=cut_short)
    assert (verdict.status, verdict.exit_code, verdict.cut_short) == (status, code, why)


def test_run_says_which_scenario_was_cut_short() -> None:
    verdict = judge_run("r", 7, (judge_scenario("S", (check(PASS), HELD), cut_short="stopped"),))
    assert (verdict.status, verdict.exit_code, verdict.cut_short) == (UNKNOWN, 3, "S: stopped")


STATUSES = st.lists(st.sampled_from(Status))


@given(STATUSES, STATUSES)
def test_worst_of_two_heaps_is_the_worst_of_their_worsts(some: list[Status], more: list[Status]) -> None:
    counted = {PASS, UNKNOWN, FAIL}
    if counted & set(some) and counted & set(more):
        assert worst([*some, *more]) is worst([worst(some), worst(more)])


@given(STATUSES)
def test_a_fail_anywhere_is_a_fail(statuses: list[Status]) -> None:
    assert worst([*statuses, FAIL]) is FAIL


RESULTS = st.builds(
    CheckResult,
    examined=st.integers(10, 50),
    undecided=st.integers(0, 10),
    findings=st.lists(st.just(BREACH.findings[0]), max_size=2).map(tuple),
    not_offered=st.sampled_from([None, "none"]),
)
TERMS = st.builds(
    Terms,
    claimed=st.sampled_from([None, 0, 10, 60]),
    undecided_share=st.sampled_from([0.0, 0.02, 1.0]),
    broken_premises=st.sampled_from([{}, {"quiescent": "it moved"}]),
    waiver=st.sampled_from([None, "agreed"]),
)


@given(RESULTS, TERMS)
def test_breach_is_fail_whatever_else_is_doubtful(result: CheckResult, terms: Terms) -> None:
    assert (judge("x", result, terms).status is FAIL) == bool(result.findings)


@given(RESULTS, TERMS)
def test_nothing_unclaimed_short_of_a_breach_changes_the_exit_code(result: CheckResult, terms: Terms) -> None:
    status = judge("x", replace(result, findings=()), replace(terms, claimed=None)).status
    assert status in {NOT_EXERCISED, NOT_OFFERED}


@given(RESULTS, TERMS)
def test_one_doubt_more_never_improves_a_status(result: CheckResult, terms: Terms) -> None:
    plain = judge("x", result, terms).status
    doubtful = judge("x", result, replace(terms, broken_premises={"quiescent": "it moved"})).status
    assert worst([plain, doubtful]) is doubtful or plain is doubtful
