from datetime import date

import pytest

from harness.judgement import judge, judge_run, judge_scenario
from harness.known_breaches import Unfit, day_of, parse_known, soften, standings
from harness.verdict import (
    CheckResult,
    Finding,
    JudgedCheck,
    KnownBreach,
    KnownEntry,
    Standing,
    Status,
    Terms,
)

CHECKS = ("no_silence", "latency", "assumptions")
ENTRY = """
[[known]]
check = "no_silence"
scenario = "Incident"
ticket = "PAY-123"
expires = 2026-12-31
"""
BREACH = KnownBreach(check="no_silence", scenario="Incident", ticket="PAY-123", expires=date(2026, 12, 31))
DAY = date(2026, 11, 24)
BROKEN = CheckResult(examined=20, findings=(Finding(subject="A", message="Silence."),))


def judged(check: str, result: CheckResult, claimed: int | None = 10, lag: str | None = None) -> JudgedCheck:
    return judge(check, result, Terms(claimed=claimed, lag=lag))


def after(*checks: JudgedCheck, day: date = DAY, scenario: str = "Incident") -> tuple[Status, int, Standing]:
    """The run's status and exit code, and what became of the entry."""
    verdict = judge_scenario(scenario, soften(scenario, checks, [BREACH], day))
    run = judge_run("r", 1, (verdict,), known=standings([BREACH], [verdict]))
    return run.status, run.exit_code, run.known[0].standing


HELD = judged("latency", CheckResult(examined=20))


def test_a_known_breach_is_shown_as_such_and_does_not_redden_the_run() -> None:
    (softened,) = soften("Incident", [judged("no_silence", BROKEN)], [BREACH], DAY)
    assert softened.status is Status.KNOWN
    assert softened.known == BREACH
    assert softened.reason == "1 breach among 20 examined; known: PAY-123, until 2026-12-31"
    assert softened.findings == BROKEN.findings
    assert after(judged("no_silence", BROKEN), HELD) == (Status.PASS, 0, Standing.SOFTENED)


def test_a_breach_that_was_not_claimed_can_be_known_too() -> None:
    assert after(judged("no_silence", BROKEN, claimed=None), HELD) == (Status.PASS, 0, Standing.SOFTENED)


def test_another_promise_and_another_scenario_stay_red() -> None:
    assert after(judged("latency", BROKEN)) == (Status.FAIL, 1, Standing.NOT_RUN)
    assert after(judged("no_silence", BROKEN), scenario="Overload") == (Status.FAIL, 1, Standing.NOT_RUN)
    assert after(judged("no_silence", BROKEN), judged("latency", BROKEN)) == (Status.FAIL, 1, Standing.SOFTENED)


def test_what_is_undecided_is_never_softened() -> None:
    assert after(judged("no_silence", CheckResult(examined=1)), HELD) == (Status.UNKNOWN, 3, Standing.UNSEEN)
    assert after(judged("no_silence", BROKEN, lag="300 ms"), HELD) == (Status.UNKNOWN, 3, Standing.UNSEEN)


def test_a_run_in_which_nothing_but_known_breaches_was_seen_is_undecided() -> None:
    assert after(judged("no_silence", BROKEN)) == (Status.UNKNOWN, 3, Standing.SOFTENED)


def test_an_entry_holds_through_its_last_day_and_no_longer() -> None:
    assert after(judged("no_silence", BROKEN), HELD, day=date(2026, 12, 31)) == (Status.PASS, 0, Standing.SOFTENED)
    assert after(judged("no_silence", BROKEN), HELD, day=date(2027, 1, 1)) == (Status.FAIL, 1, Standing.EXPIRED)


def test_a_healed_entry_is_said_also_after_its_last_day() -> None:
    healed = judged("no_silence", CheckResult(examined=20))
    assert after(healed) == (Status.PASS, 0, Standing.HEALED)
    assert after(healed, day=date(2027, 1, 1)) == (Status.PASS, 0, Standing.HEALED)


def test_a_promise_that_was_not_claimed_is_not_called_healed() -> None:
    assert after(judged("no_silence", CheckResult(examined=20), claimed=None), HELD)[2] is Standing.UNSEEN


def test_a_scenario_that_was_not_run_leaves_its_entry_open() -> None:
    assert standings([BREACH], []) == (KnownEntry(breach=BREACH, standing=Standing.NOT_RUN),)


def test_a_known_breach_of_money_caps_the_rating_all_the_same() -> None:
    breach = KnownBreach(check="no_double_charge", scenario="Incident", ticket="PAY-9", expires=DAY)
    checks = soften("Incident", [judged("no_double_charge", BROKEN), HELD], [breach], DAY)
    verdict = judge_scenario("Incident", checks)
    assert verdict.status is Status.PASS
    assert verdict.rating is not None
    assert (verdict.rating.grade, verdict.rating.promises_held, verdict.rating.capped_by) == (
        "E",
        1,
        ("no_double_charge",),
    )


def test_the_day_is_the_one_in_utc() -> None:
    assert day_of(1_798_761_599_999.0) == date(2026, 12, 31)
    assert day_of(1_798_761_600_000.0) == date(2027, 1, 1)


def test_a_file_is_read_entry_by_entry() -> None:
    assert parse_known(ENTRY.encode(), CHECKS) == (BREACH,)
    assert parse_known(b"", CHECKS) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[known]", "TOML|Expected"),
        ("\xff", "."),
        (ENTRY.replace("no_silence", "no_silense"), "no check 'no_silense'"),
        (ENTRY.replace("no_silence", "assumptions"), "assumptions cannot be known"),
        (ENTRY.replace('"PAY-123"', '" "'), "names no ticket"),
        (ENTRY + ENTRY, "stands there twice"),
        (ENTRY.replace("expires", "expiry"), "unknown field `expiry`|missing required field `expires`"),
        (ENTRY.replace("2026-12-31", '"soon"'), "expires"),
        (ENTRY.replace('ticket = "PAY-123"\n', ""), "missing required field `ticket`"),
        ("known = 3", "known"),
        ("[other]", "unknown field `other`"),
    ],
)
def test_a_file_that_is_not_fit_for_use_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        parse_known(text.encode("latin-1"), CHECKS)
