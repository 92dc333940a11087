"""Do the checks of orders and money withstand what a naive version would not?"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.verdict import Status
from tests.checks.telling import assert_ends_as_it_must, columns_without_history, each_told, entries_without_history
from tests.histories.balance_stories import BALANCE_STORIES
from tests.histories.builder import Run
from tests.histories.charge_stories import DOUBLE_CHARGE_STORIES
from tests.histories.order_stories import ORDER_STORIES
from tests.histories.orphan_stories import ORPHAN_STORIES
from tests.histories.over_refund_stories import OVER_REFUND_STORIES
from tests.histories.promise_stories import PROMISE_STORIES
from tests.histories.refund_stories import REFUND_WINDOW_STORIES
from tests.histories.refused_stories import REFUSED_REFUND_STORIES
from tests.histories.rest_stories import REST_STORIES
from tests.histories.said_done_stories import SAID_DONE_STORIES
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story, found, judged

STORIES = {
    "no_vanished_order": ORDER_STORIES,
    "no_double_charge": DOUBLE_CHARGE_STORIES,
    "no_orphan_charge": ORPHAN_STORIES,
    "refund_in_window": (*REFUND_WINDOW_STORIES, *REFUSED_REFUND_STORIES, *SAID_DONE_STORIES),
    "no_over_refund": OVER_REFUND_STORIES + PROMISE_STORIES,
    "money_conserved": BALANCE_STORIES + REST_STORIES,
}

# What each check must withstand: kept by hand, so that no entry can lose its history unseen.
ENTRIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "no_vanished_order": {
        CRIES_WOLF: ("a list's page limit", "a read that overlaps the ack", "a 404 from a proxy"),
        MISSES: (
            "only the books compared: deleted and recreated",
            "only the books compared: hidden from the API",
            "an ack seen only on pay",
            "an ack seen only in a list",
        ),
        UNDECIDED: ("the last read is 5xx after 3 tries",),
    },
    "no_double_charge": {
        CRIES_WOLF: ("two intents", "reversed inside its window"),
        MISSES: ("joined through the books' payments: captures without a row are lost",),
        UNDECIDED: ("gap in seq", "capture without attribution"),
        BROKEN: ("one intent over several orders",),
    },
    "no_orphan_charge": {
        CRIES_WOLF: ("order of reading", "captures before the watermark"),
        MISSES: ("joined on order id: another attempt was paid",),
        UNDECIDED: ("refund still running",),
    },
    "refund_in_window": {
        CRIES_WOLF: ("the provider itself was down: count from its recovery", "partial refunds in order"),
        MISSES: ("the books' own word believed", "nothing owed at all: nobody asked"),
        UNDECIDED: ("window not over", "request info and not in the books"),
        BROKEN: ("the provider itself was down: show both", "refused without cause", "called done by its own answer"),
    },
    "no_over_refund": {
        CRIES_WOLF: ("compensation paid out as a refund", "a refund that failed, asked for again"),
        MISSES: ("more than was captured (the provider prevents that): use partial refunds",),
        UNDECIDED: ("request info: permitted, not required",),
        BROKEN: ("two for one request", "promised beyond what was paid, and never sent"),
    },
    "money_conserved": {
        CRIES_WOLF: ("fees", "in flight", "other runs' orders", "a refund on its way", "paid in cash"),
        MISSES: ("totals only: errors cancel out", "the last read alone contradicts itself"),
        UNDECIDED: ("no ledger", "books not by order"),
        BROKEN: ("phantom paid", "entries do not sum to zero", "half back is refunded"),
    },
}


@pytest.mark.parametrize(("check", "story"), each_told(STORIES))
def test_story_ends_as_it_must(check: str, story: Story, tmp_path: Path) -> None:
    assert_ends_as_it_must(check, story, tmp_path)


@pytest.mark.parametrize("check", sorted(STORIES))
def test_unclaimed_empty_run_is_not_exercised(check: str, tmp_path: Path) -> None:
    verdict = judged(CHECKS[check], found(CHECKS[check], Run(), tmp_path), claimed=None)
    assert verdict.status is Status.NOT_EXERCISED


def test_every_entry_has_its_history() -> None:
    assert entries_without_history(STORIES, ENTRIES) == set()


def test_every_check_has_an_empty_a_good_and_a_broken_history() -> None:
    assert columns_without_history(STORIES, {EMPTY, HOLDS, MISSES, CRIES_WOLF, UNDECIDED}) == {}
