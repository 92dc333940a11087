"""Does someone who sees the terminal alone learn cause and loss? Whole texts are compared, less blanks at line ends."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from harness.money import Bearer, Total, loss, losses, totals
from harness.rating import Clock
from harness.report.saved import SavedRun
from harness.report.stories import MOST_EVENTS, stories
from harness.report.terminal import MOST_STORIES, print_run
from harness.verdict import Finding, KnownBreach, KnownEntry, Standing, Status
from tests.report.run import COURSE, finding, judged, saved

TEXTS = Path(__file__).parent

BROKEN = saved(
    judged(
        "no_double_charge",
        Status.FAIL,
        measured=3_250.0,
        objective=0.0,
        unit="minor units",
        findings=(
            finding("ord_b", Bearer.CUSTOMER, 1_000),
            finding("ord_a", Bearer.CUSTOMER, 1_250, **COURSE),
            *(finding(f"ord_{letter}", Bearer.CUSTOMER, 200) for letter in "cdefg"),
        ),
    ),
    judged(
        "no_vanished_order", Status.PASS, measured=0.0, objective=0.0, unit="orders", notes=("a note of no weight",)
    ),
    judged(
        "refund_in_window",
        Status.FAIL,
        measured=11.25,
        objective=8.0,
        unit="s",
        undecided=2,
        findings=(finding("ord_a", Bearer.CUSTOMER, 1_250), finding("ord_z", Bearer.LATE, 300)),
        notes=("one refund is still under way",),
    ),
    judged("money_conserved", Status.FAIL, findings=(finding("ord_a", Bearer.BOOKS, 1_250),), unit="minor units"),
    judged("latency", Status.NOT_EXERCISED, claimed=None, measured=0.995, objective=0.99, unit="share"),
    judged("no_stuck_order", Status.PASS, notes=("healed: order ord_k was stuck for 2.0 s",)),
    judged("assumptions", Status.PASS, measured=0.0, objective=0.0, unit="premises broken", notes=("ids holds: yes",)),
)

UNDECIDED = saved(
    judged(
        "no_double_charge",
        Status.UNKNOWN,
        reason="premise quiescent broken: things moved; still; 2 of 30 undecided (a; b); "
        "premise told broken: the drain met its limit",
        undecided=2,
    ),
    judged("no_vanished_order", Status.UNKNOWN, reason="premise told broken: the drain met its limit"),
    judged(
        "success_ratio",
        Status.UNKNOWN,
        reason="1 breach, but the load generator lagged: 300 ms",
        findings=(finding("ord_a", Bearer.CUSTOMER, 1_250),),
    ),
    judged("no_silence", Status.UNKNOWN, reason="the check crashed: ValueError: [x]", traceback="Traceback of [x]"),
    judged("latency", Status.NOT_OFFERED, reason="no such thing; waived: not sold here"),
    judged(
        "assumptions",
        Status.UNKNOWN,
        reason="2 of 12 undecided",
        notes=(
            "ids holds: yes",
            "quiescent broken: things moved; still",
            "told broken: the drain met its limit",
            "a history's last line is torn",
        ),
    ),
    cut_short="Ctrl-C",
)

BREACH = KnownBreach(check="no_silence", scenario="AnswerLost", ticket="PAY-7", expires=date(2026, 12, 31))
KNOWN = saved(
    judged("no_double_charge", Status.PASS),
    judged(
        "no_silence",
        Status.KNOWN,
        known=BREACH,
        reason="1 breach among 30 examined; known: PAY-7, until 2026-12-31",
        findings=(Finding(subject="journey 7", message="Nobody answered."),),
        notes=("the longest took 9 s",),
    ),
    judged("assumptions", Status.PASS),
    clocks=(
        Clock(name="detect", cases=1, longest_s=1.26, window_s=4, scenario="AnswerLost"),
        Clock(name="refund", cases=3, unended=1, longest_s=11.25, window_s=8, scenario="AnswerLost"),
        Clock(name="compensate", cases=0, window_s=10, scenario="AnswerLost", why="no order was affected"),
    ),
    known=(
        KnownEntry(breach=BREACH, standing=Standing.SOFTENED),
        KnownEntry(breach=replace(BREACH, check="latency"), standing=Standing.HEALED),
        KnownEntry(breach=replace(BREACH, check="no_leak"), standing=Standing.EXPIRED),
        KnownEntry(breach=replace(BREACH, check="goodput"), standing=Standing.UNSEEN),
        KnownEntry(breach=replace(BREACH, scenario="Incident"), standing=Standing.NOT_RUN),
    ),
    scenarios=2,
)

HELD = saved(judged("no_double_charge", Status.PASS), judged("assumptions", Status.PASS))


def printed(run: SavedRun, width: int) -> str:
    file = io.StringIO()
    print_run(run, Console(file=file, width=width, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


@pytest.mark.parametrize(
    ("run", "width", "name"),
    [
        pytest.param(BROKEN, 100, "broken-100.txt", id="broken"),
        pytest.param(BROKEN, 160, "broken-160.txt", id="broken, in a wide log"),
        pytest.param(UNDECIDED, 100, "undecided-100.txt", id="undecided"),
        pytest.param(HELD, 100, "held-100.txt", id="held"),
        pytest.param(KNOWN, 100, "known-100.txt", id="known, with clocks, over two scenarios"),
    ],
)
def test_a_run_is_told_whole(run: SavedRun, width: int, name: str) -> None:
    assert printed(run, width) == (TEXTS / name).read_text()


def test_stories_begin_with_the_order_that_most_money_is_lost_of_and_leave_no_broken_promise_untold() -> None:
    told = stories(BROKEN.verdict.scenarios[0].checks, most=1)
    assert [(story.subject, story.promises) for story in told] == [
        ("ord_a", ("no_double_charge", "refund_in_window", "money_conserved")),
    ]
    late = judged("no_silence", Status.FAIL, findings=(Finding(subject="journey 7", message="Nobody answered."),))
    told = stories((*BROKEN.verdict.scenarios[0].checks, late), most=1)
    assert [(story.subject, story.promises) for story in told[1:]] == [("journey 7", ("no_silence",))]
    assert len(stories(BROKEN.verdict.scenarios[0].checks, most=MOST_STORIES)) == MOST_STORIES


def test_a_long_story_is_cut_and_says_so() -> None:
    rows = [{"kind": "captured", "provider": "card", "at_s": float(at), "number": "pi_1"} for at in range(20)]
    check = judged("no_double_charge", Status.FAIL, findings=(finding("ord_a", Bearer.CUSTOMER, 1, ledger=rows),))
    story = stories([check], most=1)[0]
    assert ([event.at_s for event in story.events], story.left_out) == ([*map(float, range(MOST_EVENTS)), None], 8)


def test_a_story_gathers_the_orders_that_one_purchase_was_made_as() -> None:
    parts = [{"ledger": [COURSE["ledger"][2]]}, {"ledger": [COURSE["ledger"][1]]}]
    for orders in (parts, {"ord_a": parts[0], "ord_b": parts[1]}):
        check = judged("no_double_charge", Status.FAIL, findings=(finding("a", Bearer.CUSTOMER, 1, orders=orders),))
        assert [event.what for event in stories([check], most=1)[0].events] == [
            "took 12.50 CNY under P1",
            "took 12.50 CNY under P2",
            "they do not hold the order",
            "they do not hold the order",
        ]


def test_losses_are_added_over_orders_and_never_over_checks_or_currencies() -> None:
    checks = [
        judged(
            "no_orphan_charge",
            Status.FAIL,
            findings=(
                finding("a", Bearer.CUSTOMER, 100),
                finding("a", Bearer.CUSTOMER, 50),
                finding("b", Bearer.CUSTOMER, 7, "JPY"),
            ),
        ),
        judged("no_double_charge", Status.FAIL, findings=(finding("a", Bearer.CUSTOMER, 120),)),
        judged("no_over_refund", Status.FAIL, findings=(finding("c", Bearer.OPERATOR, 30),)),
        judged("no_silence", Status.FAIL, findings=(Finding(subject="d", message="silence"),)),
    ]
    assert totals(checks) == (
        Total(bearer=Bearer.CUSTOMER, currency="CNY", amount_minor=150, orders=1),
        Total(bearer=Bearer.CUSTOMER, currency="JPY", amount_minor=7, orders=1),
        Total(bearer=Bearer.OPERATOR, currency="CNY", amount_minor=30, orders=1),
    )


def test_what_a_breach_cost_is_read_back_as_it_was_said() -> None:
    assert losses(loss(Bearer.BOOKS, -5, None)) == ((Bearer.BOOKS, "", 5),)
    assert losses({"loss": "5"}) == ()
    assert losses({"loss": {"bearer": "nobody", "amount_minor": 5, "currency": ""}}) == ()
