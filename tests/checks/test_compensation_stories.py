"""Do the checks of what is made good, and of what is noticed, withstand what a naive version would not?"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.verdict import Status
from tests.checks.telling import assert_ends_as_it_must, columns_without_history, each_told, entries_without_history
from tests.histories.affected_list_stories import AFFECTED_LIST_STORIES
from tests.histories.builder import Run
from tests.histories.compensated_stories import COMPENSATED_STORIES
from tests.histories.detection_stories import DETECTION_STORIES
from tests.histories.grace_stories import GRACE_STORIES
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story, found, judged

STORIES = {
    "compensated": COMPENSATED_STORIES,
    "affected_list": AFFECTED_LIST_STORIES,
    "detection_time": (*DETECTION_STORIES, *GRACE_STORIES),
}

# What each check must withstand: kept by hand, so that no entry can lose its history unseen.
ENTRIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "compensated": {
        CRIES_WOLF: ("the customer saw a timeout that the target could not see",),
        MISSES: ("count equal, orders wrong", "rounding"),
        UNDECIDED: ("orders with info only",),
    },
    "affected_list": {
        CRIES_WOLF: ("the customer saw a timeout that the target could not see",),
        MISSES: ("counts only",),
        UNDECIDED: ("info only",),
    },
    "detection_time": {
        CRIES_WOLF: ("in flight", "cut between days", "stood for the grace, named, and healed"),
        MISSES: ("healed before it was looked for",),
        BROKEN: ("in flight, and named at first sight",),
        UNDECIDED: ("not offered",),
    },
}


@pytest.mark.parametrize(("check", "story"), each_told(STORIES))
def test_story_ends_as_it_must(check: str, story: Story, tmp_path: Path) -> None:
    assert_ends_as_it_must(check, story, tmp_path)


@pytest.mark.parametrize("check", sorted(STORIES))
def test_unclaimed_run_of_a_target_without_it_is_not_offered(check: str, tmp_path: Path) -> None:
    verdict = judged(CHECKS[check], found(CHECKS[check], Run(), tmp_path), claimed=None)
    assert verdict.status is Status.NOT_OFFERED


def test_every_entry_has_its_history() -> None:
    assert entries_without_history(STORIES, ENTRIES) == set()


def test_every_check_has_an_empty_a_good_and_a_broken_history() -> None:
    assert columns_without_history(STORIES, {EMPTY, HOLDS, BROKEN, MISSES, CRIES_WOLF, UNDECIDED}) == {}
