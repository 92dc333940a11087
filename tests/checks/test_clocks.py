"""Does each clock run from the right instant to the right one, and say nothing where nothing started it?"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.checks.clocks import CLOCKS, clocks_of
from harness.documents import CompensationRecord
from harness.evidence.tables import open_evidence
from harness.operation import State
from harness.rating import Clock
from harness.targets.books import BookAffected, BookVoucher
from tests.histories.builder import Run, utc_ms


def clock(name: str, run: Run, folder: Path) -> Clock:
    with open_evidence(run.write(folder)) as evidence:
        return {clock.name: clock for clock in clocks_of(evidence)}[name]


def told(name: str, run: Run, folder: Path) -> tuple[float | None, int, int]:
    """Longest, cases, unended."""
    found = clock(name, run, folder)
    return found.longest_s, found.cases, found.unended


def paying(run: Run, at: float, *, good: bool, method: str = "wechat", **reply: Any) -> None:
    journey = run.journey(at)
    order = f"{method}-{at}"
    reply = {"state": "paid"} if good else {"outcome": "info", "state": "paying", "http": 202} | reply
    journey.pay(at, at + 0.5, order, method, **reply)


def outage(**reply: Any) -> Run:
    """Good until 4 s, down from 4 s to 10 s, good again; an attempt each half second, answered half a second later.

    A case is counted for the method and one for paying as a whole: it was the only method.
    """
    run = Run()
    run.offers(operations=("status",))
    for half in range(32):
        at = half / 2
        paying(run, at, good=not 4 <= at < 10, **({} if not 4 <= at < 10 else reply))
    return run


def test_nothing_happened_and_nothing_is_measured(tmp_path: Path) -> None:
    with open_evidence(Run().write(tmp_path)) as evidence:
        clocks = clocks_of(evidence)
    assert [clock.name for clock in clocks] == list(CLOCKS)
    assert [(clock.longest_s, clock.cases) for clock in clocks] == [(None, 0)] * 6
    assert all(clock.why for clock in clocks)


def test_trouble_is_detected_when_an_answer_first_names_other_methods(tmp_path: Path) -> None:
    run = outage()
    paying(run, 6.1, good=False, offers=("card",))
    assert told("detect", run, tmp_path) == (2.1, 2, 0)


def test_an_answer_that_names_the_failing_method_itself_detects_nothing(tmp_path: Path) -> None:
    run = outage(offers=("wechat", "card"))
    assert told("detect", run, tmp_path) == (6.5, 2, 2)


def test_a_refusal_that_says_when_to_come_back_is_a_sign_unless_it_says_that_the_result_is_unknown(
    tmp_path: Path,
) -> None:
    run = outage()
    busy = run.scenario.capabilities.busy
    assert busy is not None
    run.offers(busy=msgspec.structs.replace(busy, unknown_codes=("unavailable",)))
    paying(run, 4.6, good=False, outcome="fail", http=503, code="unavailable", retry_after_s=1.0)
    paying(run, 5.6, good=False, outcome="fail", http=503, code="busy", retry_after_s=1.0)
    assert told("detect", run, tmp_path) == (1.6, 2, 0)


def test_a_page_that_says_degraded_detects_and_one_that_names_the_method_announces(tmp_path: Path) -> None:
    run = outage()
    run.sample(3.0)
    run.sample(5.0, degraded=True)
    run.sample(6.0, "card")
    run.sample(7.0, "wechat")
    assert told("detect", run, tmp_path / "a") == (0.5, 2, 0)
    assert told("announce", run, tmp_path / "b") == (2.5, 2, 0)


def test_an_announcement_that_came_when_the_trouble_was_over_is_none(tmp_path: Path) -> None:
    run = outage()
    run.sample(12.0, "wechat")
    assert told("announce", run, tmp_path) == (6.5, 2, 2)


def test_a_target_without_a_status_page_announces_nothing(tmp_path: Path) -> None:
    run = outage()
    record = run.scenario.capabilities
    without = tuple(op for op in record.operations if op != "status")
    run.scenario = msgspec.structs.replace(
        run.scenario, capabilities=msgspec.structs.replace(record, operations=without)
    )
    assert clock("announce", run, tmp_path).why == "the target has no status page"


def test_trouble_that_was_over_before_its_window_and_went_by_unnoticed_is_no_case(tmp_path: Path) -> None:
    run = Run()
    for half in range(16):
        paying(run, half / 2, good=not 2 <= half / 2 < 4)
    assert told("detect", run, tmp_path) == (None, 0, 0)


def test_two_attempts_in_a_window_are_too_few_for_trouble(tmp_path: Path) -> None:
    run = Run()
    for at in range(16):
        paying(run, at * 1.25, good=at < 4)
    assert told("detect", run, tmp_path) == (None, 0, 0)


def broken_until(last_bad: float, *, until: float = 20.0) -> Run:
    """A fault until 5 s; journeys each quarter second, of which those begun before `last_bad` are not paid for."""
    run = Run()
    run.fault("cut_answers", "network", "wechat", 2.0, 5.0)
    for quarter in range(round(until * 4)):
        at = quarter / 4
        journey = run.journey(at, phase="steady" if at < 2 else "fault" if at < 5 else "recovery")
        journey.ends(at + 0.5, "paid" if at < 2 or at >= last_bad else "gave_up")
    return run


def test_recovery_lasts_to_the_end_of_the_last_window_in_which_too_few_were_paid_for(tmp_path: Path) -> None:
    assert told("recover", broken_until(8.5), tmp_path / "late") == (4.0, 1, 0)
    assert told("recover", broken_until(5.0), tmp_path / "at once") == (0.0, 1, 0)


def test_a_relapse_counts_as_not_yet_recovered(tmp_path: Path) -> None:
    run = broken_until(5.5)
    run.journey(12.1, phase="recovery").ends(30.0, "gave_up")
    assert told("recover", run, tmp_path) == (8.0, 1, 0)


def test_what_is_never_good_again_has_not_recovered(tmp_path: Path) -> None:
    longest_s, _, unended = told("recover", broken_until(99.0), tmp_path)
    assert (longest_s, unended) == (16.0, 1)


def test_too_few_journeys_after_the_fault_measure_nothing(tmp_path: Path) -> None:
    assert clock("recover", broken_until(5.0, until=10.0), tmp_path).why == (
        "fewer than 30 journeys began after the fault"
    )


def unresolved(*steps: tuple[float, str, str], outcome: str = "info") -> Run:
    run = Run()
    journey = run.journey(1.0)
    journey.create(1.0, 1.1, "A")
    journey.pay(1.2, 2.2, "A", outcome=outcome, state="paying")
    for at, old, new in steps:
        run.transition(at, "order", "A", "A", old=old, new=new)
    return run


def test_an_unknown_is_resolved_when_the_books_leave_it(tmp_path: Path) -> None:
    steps = ((1.0, "", "open"), (1.25, "open", "paying"), (4.7, "paying", "paid"))
    for outcome in ("info", "ok"):
        assert told("resolve", unresolved(*steps, outcome=outcome), tmp_path / outcome) == (2.5, 1, 0)


def test_an_answer_that_was_lost_while_the_books_knew_is_no_unknown(tmp_path: Path) -> None:
    steps = ((1.0, "", "open"), (1.25, "open", "paying"), (1.3, "paying", "paid"))
    assert told("resolve", unresolved(*steps), tmp_path) == (None, 0, 0)


def test_an_unknown_that_the_books_never_leave_never_ended(tmp_path: Path) -> None:
    longest_s, cases, unended = told("resolve", unresolved((1.25, "open", "paying")), tmp_path)
    assert (longest_s, cases, unended) == (58.0, 1, 1)


def test_a_refund_runs_from_owed_to_given_back_by_the_provider(tmp_path: Path) -> None:
    run = Run()
    journey = run.paid_order("A", at=1.0)
    journey.refund(5.0, 5.5, "A", 400, result_id="R1", state="paid")
    run.books_refund("R1", "A", "wechat", "W1", 400)
    run.ledger("wechat").refunded(7.0, "A-1", "A", 400, "W1")
    assert told("refund", run, tmp_path / "done") == (1.7, 1, 0)
    del run.ledger("wechat").rows[-2:]
    assert told("refund", run, tmp_path / "never")[2] == 1


def compensated(*vouchers: tuple[str, float]) -> Run:
    run = Run()
    rule = CompensationRecord(
        unresolved_ms=3000, unresolved_states=("unknown",), percent=10, least_minor=100, most_minor=2000
    )
    run.offers(books=("vouchers", "affected"), compensation=rule)
    run.affected = [BookAffected(order=order, reason="busy", at_utc_ms=utc_ms(2.0)) for order in ("A", "B")]
    run.vouchers = [
        BookVoucher(voucher=f"V-{order}", order=order, amount_minor=100, currency="CNY", at_utc_ms=utc_ms(at))
        for order, at in vouchers
    ]
    return run


@pytest.mark.parametrize(
    ("run", "longest_s", "unended"),
    [
        pytest.param(lambda: compensated(("A", 3.0), ("B", 6.5)), 4.5, 0, id="both"),
        pytest.param(lambda: compensated(("A", 3.0)), 58.2, 1, id="one never"),
    ],
)
def test_compensation_runs_from_affected_to_voucher(
    tmp_path: Path, run: Callable[[], Run], longest_s: float, unended: int
) -> None:
    assert told("compensate", run(), tmp_path) == (longest_s, 2, unended)


def test_the_states_in_which_a_result_is_open_are_the_targets_own_words(tmp_path: Path) -> None:
    run = unresolved((1.25, "open", "in_clearing"), (4.7, "in_clearing", "paid"))
    record = run.scenario.capabilities
    words = record.raw_states | {"in_clearing": State.PAYING.value}
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=msgspec.structs.replace(record, raw_states=words))
    assert told("resolve", run, tmp_path) == (2.5, 1, 0)
