"""Does someone who sees the terminal alone learn cause and loss? Whole texts are compared, less blanks at line ends."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.money import Bearer, Total, loss, losses, totals
from harness.report.saved import SavedRun
from harness.report.stories import MOST_EVENTS, stories
from harness.report.terminal import MOST_STORIES, print_run
from harness.verdict import Finding, Status
from tests.report.examples import BROKEN, HELD, KNOWN, UNDECIDED
from tests.report.run import COURSE, finding, judged

TEXTS = Path(__file__).parent


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
