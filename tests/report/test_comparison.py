"""Is what got worse called worse, by the rule, and is what only differs or cannot be compared called that?"""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from harness.documents import ScenarioRecord
from harness.errors import ExitCode, UsageError
from harness.report.change import Turn
from harness.report.comparison import ALIKE, Comparison, compare
from harness.verdict import Finding, JudgedCheck, Ratio, Status
from tests.report.nights import clock, held, night, share, verdict
from tests.report.run import RECORD, judged

PASS, FAIL, UNKNOWN, KNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.KNOWN
NOT_EXERCISED, NOT_OFFERED = Status.NOT_EXERCISED, Status.NOT_OFFERED
WORSE, BETTER, DIFFERENT, UNCOMPARED = Turn.WORSE, Turn.BETTER, Turn.DIFFERENT, Turn.UNCOMPARED


def told(comparison: Comparison) -> list[tuple[Turn, str, str]]:
    """Which way, what, and in which words; of what is not the rating, which follows from the rest."""
    return [(each.turn, each.what, each.told) for each in comparison.changes if each.what != "rating"]


def between(before: JudgedCheck, after: JudgedCheck) -> list[tuple[Turn, str, str]]:
    return told(compare([night(1, before, held("money_conserved")), night(2, after, held("money_conserved"))]))


def test_the_same_twice_is_no_change_and_exit_code_0_though_the_seeds_differ() -> None:
    compared = compare([night(1, held(), share(280, 300)), night(2, held(), share(280, 300))])
    assert (compared.changes, compared.exit_code) == ((), ExitCode.PASS)
    assert [each.saved.run.seed for each in compared.nights] == [1, 2]


@pytest.mark.parametrize(
    ("before", "after", "turn"),
    [
        (PASS, FAIL, WORSE),
        (PASS, UNKNOWN, WORSE),
        (PASS, KNOWN, DIFFERENT),
        (PASS, NOT_EXERCISED, WORSE),
        (PASS, NOT_OFFERED, WORSE),
        (UNKNOWN, FAIL, WORSE),
        (UNKNOWN, PASS, BETTER),
        (UNKNOWN, KNOWN, DIFFERENT),
        (UNKNOWN, NOT_EXERCISED, WORSE),
        (FAIL, PASS, BETTER),
        (FAIL, UNKNOWN, DIFFERENT),
        (FAIL, KNOWN, DIFFERENT),
        (FAIL, NOT_EXERCISED, WORSE),
        (FAIL, NOT_OFFERED, WORSE),
        (KNOWN, FAIL, WORSE),
        (KNOWN, PASS, BETTER),
        (KNOWN, UNKNOWN, DIFFERENT),
        (NOT_EXERCISED, FAIL, WORSE),
        (NOT_EXERCISED, PASS, BETTER),
        (NOT_EXERCISED, UNKNOWN, DIFFERENT),
        (NOT_OFFERED, FAIL, WORSE),
        (NOT_OFFERED, PASS, BETTER),
    ],
)
def test_a_promise_turns_by_its_status(before: Status, after: Status, turn: Turn) -> None:
    claimed = {PASS: 10, FAIL: 10, UNKNOWN: 10, KNOWN: 10}
    was = judged("no_silence", before, claimed=claimed.get(before))
    now = judged("no_silence", after, claimed=claimed.get(after), reason="so it is")
    assert between(was, now) == [(turn, "no_silence", f"{after}, was {before}: so it is")]


def test_a_breach_of_what_is_not_claimed_that_is_not_seen_any_more_is_better() -> None:
    unclaimed = judged("no_leak", FAIL, claimed=None)
    calm = judged("no_leak", NOT_EXERCISED, claimed=None)
    assert [turn for turn, *_ in between(unclaimed, calm)] == [BETTER]
    assert [turn for turn, *_ in between(calm, unclaimed)] == [WORSE]


@pytest.mark.parametrize(
    ("missing", "turn"),
    [(held("no_leak"), WORSE), (judged("no_leak", NOT_EXERCISED, claimed=None), None)],
)
def test_a_check_that_is_not_judged_any_more_is_worse_where_it_was_claimed(
    missing: JudgedCheck, turn: Turn | None
) -> None:
    compared = compare([night(1, missing, held()), night(2, held())])
    assert told(compared) == ([(turn, "no_leak", "not judged any more, was PASS")] if turn else [])


@pytest.mark.parametrize(
    ("fresh", "turn"),
    [(FAIL, WORSE), (PASS, DIFFERENT), (UNKNOWN, DIFFERENT), (NOT_EXERCISED, None)],
)
def test_a_check_that_was_not_judged_before_is_worse_where_it_fails(fresh: Status, turn: Turn | None) -> None:
    compared = compare([night(1, held()), night(2, held(), judged("no_leak", fresh, reason="new"))])
    assert told(compared) == ([(turn, "no_leak", f"{fresh}, it was not judged: new")] if turn else [])


def test_a_lower_floor_is_told() -> None:
    assert between(held(claimed=30), held(claimed=10)) == [
        (DIFFERENT, "no_double_charge", "at least 10 cases are claimed, were 30")
    ]


SHARE_FELL = (
    "journeys paid within patience, steady: 272 of 280 (97.14%), with 95 % confidence at most 98.57%; "
    "was 280 of 280 (100.00%), at least 98.94%"
)
SHARE_ROSE = (
    "journeys paid within patience, steady: 280 of 280 (100.00%), with 95 % confidence at least 98.94%; "
    "was 272 of 280 (97.14%), at most 98.57%"
)


def test_a_share_that_passes_still_is_worse_where_the_bounds_of_both_nights_part() -> None:
    compared = compare([night(1, share(280, 280)), night(2, share(272, 280))])
    assert told(compared) == [(WORSE, "success_ratio", SHARE_FELL)]
    assert compared.exit_code is ExitCode.BROKEN


def test_a_share_that_falls_less_than_that_is_not_told() -> None:
    compared = compare([night(1, share(280, 280)), night(2, share(274, 280))])
    assert (compared.changes, compared.exit_code) == ((), ExitCode.PASS)


def test_a_share_that_rises_as_far_is_better() -> None:
    compared = compare([night(1, share(272, 280)), night(2, share(280, 280))])
    assert told(compared) == [(BETTER, "success_ratio", SHARE_ROSE)]
    assert compared.exit_code is ExitCode.PASS


@pytest.mark.parametrize(
    ("status", "claimed", "turns"),
    [(FAIL, 10, [WORSE]), (KNOWN, 10, [DIFFERENT]), (NOT_EXERCISED, None, [DIFFERENT]), (UNKNOWN, 10, [])],
)
def test_a_share_is_worse_only_where_it_counts_for_a_verdict(
    status: Status, claimed: int | None, turns: list[Turn]
) -> None:
    nights = [night(day, share(good, 280, status=status, claimed=claimed)) for day, good in ((1, 280), (2, 272))]
    found = [(turn, text) for turn, what, text in told(compare(nights)) if what == "success_ratio"]
    assert [turn for turn, _ in found] == turns
    assert all(text.startswith(f"{status} both times; ") is (turn is DIFFERENT) for turn, text in found)


def put_together(*parts: Ratio) -> JudgedCheck:
    whole = Ratio(
        good=sum(part.good for part in parts),
        total=sum(part.total for part in parts),
        objective=0.9,
        what=f"together: {'; '.join(part.what for part in parts)}",
        parts=parts,
    )
    return judged("latency", PASS, measured=0.9, unit="share", ratios=(whole,))


def alone(*parts: Ratio) -> JudgedCheck:
    return judged("latency", PASS, measured=0.9, unit="share", ratios=parts)


def kind(what: str, good: int, total: int) -> Ratio:
    return Ratio(good=good, total=total, objective=0.9, what=what)


def test_kinds_that_are_put_together_both_times_are_compared_together() -> None:
    assert between(
        put_together(kind("read", 140, 140), kind("list", 140, 140)),
        put_together(kind("read", 136, 140), kind("list", 136, 140)),
    )[0][2].startswith("together: read; list: 272 of 280")


def test_kinds_that_are_put_together_otherwise_are_compared_one_by_one() -> None:
    found = between(
        put_together(kind("read", 280, 280), kind("list", 9, 9)), alone(kind("list", 30, 30), kind("read", 272, 280))
    )
    assert [(turn, text.partition(":")[0]) for turn, _, text in found] == [(WORSE, "read")]


def test_a_kind_that_is_new_is_not_compared() -> None:
    assert between(alone(kind("read", 280, 280)), alone(kind("read", 280, 280), kind("list", 0, 30))) == []


def test_shares_that_an_older_judging_did_not_keep_name_the_way_out() -> None:
    old = share(280, 280, ratios=())
    compared = compare([night(1, old), night(2, share(200, 280))])
    run = "runs/20261101-020000-0001"
    said = f"its shares are not kept in {run}; `harness check {run}` judges it again and keeps them"
    assert told(compared) == [(UNCOMPARED, "success_ratio", said)]
    assert compared.exit_code is ExitCode.UNDECIDED


def timed(measured: float | None, **fields: object) -> JudgedCheck:
    return held("refund_in_window", measured=measured, **({"objective": 8.0, "unit": "s"} | fields))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (timed(4.0), timed(7.5), ["7.5 s, was 4 s"]),
        (timed(7.5), timed(4.0), ["4 s, was 7.5 s"]),
        (timed(4.0), timed(4.7), []),
        (timed(4.0), timed(4.8), ["4.8 s, was 4 s"]),
        (timed(None), timed(4.8), []),
        (timed(4.0, objective=None), timed(4.5, objective=None), ["4.5 s, was 4 s"]),
        (timed(0.0, objective=0.0, unit="orders"), timed(0.0, objective=0.0, unit="orders"), []),
    ],
)
def test_one_value_a_night_only_differs(before: JudgedCheck, after: JudgedCheck, says: list[str]) -> None:
    assert between(before, after) == [(DIFFERENT, "refund_in_window", said) for said in says]


def test_more_breaches_of_what_was_broken_before_only_differ() -> None:
    one, three = (tuple(Finding(subject=f"ord_{n}", message="Twice.") for n in range(count)) for count in (1, 3))
    was, now = (judged("no_double_charge", FAIL, findings=found) for found in (one, three))
    said = "3 breaches among 30 examined, were 1 among 30"
    assert between(was, now) == [(DIFFERENT, "no_double_charge", said)]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (clock(), clock(longest_s=4.7), None),
        (clock(), clock(longest_s=4.8), (DIFFERENT, "4.8 s, was 4.0 s (window 8 s)")),
        (clock(), clock(unended=1, longest_s=9.0), (WORSE, "1 of 4 cases never ended, were 0 of 4")),
        (clock(unended=2), clock(), (BETTER, "0 of 4 cases never ended, were 2 of 4")),
        (clock(unended=1), clock(unended=2), None),
        (clock(), clock(cases=0, longest_s=None), (DIFFERENT, "not measured, was 4.0 s (window 8 s)")),
    ],
)
def test_a_clock_is_worse_where_a_case_never_ended(before: Any, after: Any, change: tuple[Turn, str] | None) -> None:
    nights = [night(day, verdict(held(), clocks=(each,))) for day, each in ((1, before), (2, after))]
    assert told(compare(nights)) == ([] if change is None else [(change[0], "clock refund", change[1])])


def test_another_grade_is_told_and_one_of_another_rule_is_not_compared() -> None:
    good, bad = verdict(held()), verdict(held(), clocks=(clock(longest_s=12.0),))
    (change,) = [each for each in compare([night(1, good), night(2, bad)]).changes if each.what == "rating"]
    assert (change.turn, change.told) == (DIFFERENT, "D 40.0, was A 100.0")
    assert good.rating is not None
    other = replace(good, rating=replace(good.rating, rule=2))
    (change,) = compare([night(1, good), night(2, other)]).changes
    assert (change.turn, change.told) == (DIFFERENT, "by rule 2, was by rule 1: not compared")


@pytest.mark.parametrize("field", ["load", "windows", "settings", "phases", "faults"])
def test_figures_of_a_scenario_that_is_described_otherwise_are_not_compared(field: str) -> None:
    others: dict[str, Any] = {
        "load": "steady 8/s for 8 s", "windows": {}, "settings": {"pay_workers": 2}, "phases": (1,), "faults": (),
    }  # fmt: skip
    record: ScenarioRecord = msgspec.structs.replace(RECORD, **{field: others[field]})
    before = night(1, verdict(share(280, 280), timed(4.0), clocks=(clock(),)))
    after = night(2, verdict(share(200, 280), timed(8.0), clocks=(clock(longest_s=8.0),)), record=record)
    said = f"described otherwise ({field}): its shares, figures and clocks are not compared"
    assert told(compare([before, after])) == [(DIFFERENT, "", said)]
    broken = night(2, judged("success_ratio", FAIL), timed(8.0), record=record)
    assert (WORSE, "success_ratio", "FAIL, was PASS: as it is") in told(compare([before, broken]))


def test_a_scenario_that_is_missing_is_worse_and_one_that_is_new_is_told() -> None:
    both = (verdict(held()), verdict(held(), name="LateCharge"))
    compared = compare([night(1, *both), night(2, both[0])])
    assert [(each.turn, each.scenario, each.told) for each in compared.changes] == [
        (WORSE, "LateCharge", "missing; runs/20261101-020000-0001 has it, PASS")
    ]
    assert compared.scenarios == ("AnswerLost", "LateCharge")
    compared = compare([night(1, both[0]), night(2, *both)])
    said = "PASS; in no earlier run like this one, so that there is nothing to hold it against"
    assert [(each.turn, each.scenario, each.told) for each in compared.changes] == [(DIFFERENT, "LateCharge", said)]
    assert compared.exit_code is ExitCode.PASS


@pytest.mark.parametrize("field", ALIKE)
def test_runs_that_are_not_alike_are_not_compared_and_say_why(field: str) -> None:
    other = {"defects": ("global_lock",), "rate": 0.5}.get(field, "another")
    compared = compare([night(1, held(), run={field: other}), night(2, judged("no_double_charge", FAIL))])
    here = {"target": "reference", "build": "fixed", "defects": "none", "size": "scene", "rate": "1", "profile": "gate"}
    shown = {"defects": "global_lock", "rate": "0.5"}.get(field, "another")
    assert compared.nights[0].unlike == (f"{field} {shown}, the last run has {here[field]}",)
    assert [each.turn for each in compared.changes] == [UNCOMPARED]
    assert compared.exit_code is ExitCode.UNDECIDED


def test_the_latest_run_that_is_alike_is_what_the_last_is_held_against() -> None:
    broken = judged("no_double_charge", FAIL)
    other = {"size": "gate"}
    nights = [night(1, held()), night(2, broken), night(3, held(), run=other), night(4, broken)]
    assert told(compare(nights)) == []
    nights = [night(1, broken), night(2, held()), night(3, broken, run=other), night(4, broken)]
    assert told(compare(nights)) == [(WORSE, "no_double_charge", "FAIL, was PASS: as it is")]


def test_a_scenario_that_was_cut_short_before_is_held_against_an_older_night() -> None:
    cut = verdict(judged("no_double_charge", UNKNOWN), cut_short="Ctrl-C")
    compared = compare([night(1, held()), night(2, cut), night(3, judged("no_double_charge", FAIL))])
    assert told(compared) == [(WORSE, "no_double_charge", "FAIL, was PASS: as it is")]
    compared = compare([night(2, cut), night(3, held())])
    assert told(compared) == [(UNCOMPARED, "", "cut short in every earlier run like this one")]


def test_a_scenario_that_was_cut_short_now_is_not_compared_but_a_new_breach_in_it_counts() -> None:
    undecided = judged("no_double_charge", UNKNOWN)
    compared = compare([night(1, held()), night(2, verdict(undecided, cut_short="Ctrl-C"))])
    assert told(compared) == [(UNCOMPARED, "", "cut short: Ctrl-C")]
    assert compared.exit_code is ExitCode.UNDECIDED
    broken = verdict(judged("no_double_charge", FAIL), undecided, cut_short="Ctrl-C")
    compared = compare([night(1, held()), night(2, broken)])
    assert [turn for turn, *_ in told(compared)] == [UNCOMPARED, WORSE]
    assert compared.exit_code is ExitCode.BROKEN
    never = compare([night(1, held()), night(2, verdict(cut_short="it was never begun"))])
    assert told(never) == [(UNCOMPARED, "", "cut short: it was never begun")]


def test_other_versions_and_another_order_are_told() -> None:
    nights = [night(day, held(), run={"versions": {"harness": f"0.{day}.0"}}) for day in (2, 1)]
    first, last = (each.folder for each in nights)
    assert told(compare(nights)) == [
        (DIFFERENT, "", "harness 0.1.0, was 0.2.0"),
        (DIFFERENT, "", f"{last} is named last and began before {first}; runs are named oldest first"),
    ]


def test_one_run_and_the_same_run_twice_are_refused() -> None:
    with pytest.raises(UsageError, match="takes two runs or more, oldest first"):
        compare([night(1, held())])
    with pytest.raises(UsageError, match="are the same run 20261101-020000-0001; name it once"):
        compare([night(1, held()), night(2, held()), night(1, held())])
