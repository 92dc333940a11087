"""Do the checks of what is made good, and of what is noticed, withstand what a naive version would not?"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.verdict import Status
from tests.histories.affected_list_stories import AFFECTED_LIST_STORIES
from tests.histories.builder import Run
from tests.histories.compensated_stories import COMPENSATED_STORIES
from tests.histories.detection_stories import DETECTION_STORIES
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story, found, judged

STORIES = {
    "compensated": COMPENSATED_STORIES,
    "affected_list": AFFECTED_LIST_STORIES,
    "detection_time": DETECTION_STORIES,
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
        CRIES_WOLF: ("in flight", "cut between days"),
        MISSES: ("healed before it was looked for",),
        UNDECIDED: ("not offered",),
    },
}

TOLD = [
    pytest.param(check, story, id=f"{check}-{story.column}-{story.entry or 'plain'}".replace(" ", "_"))
    for check, stories in STORIES.items()
    for story in stories
]


@pytest.mark.parametrize(("check", "story"), TOLD)
def test_story_ends_as_it_must(check: str, story: Story, tmp_path: Path) -> None:
    verdict = judged(CHECKS[check], found(CHECKS[check], story.tell(), tmp_path))
    text = " | ".join([*(f.message for f in verdict.findings[:1]), verdict.reason, *verdict.notes])
    assert (verdict.status, tuple(f.subject for f in verdict.findings)) == (story.status, story.subjects), text
    assert [piece for piece in story.says if piece not in text] == [], text


@pytest.mark.parametrize("check", sorted(STORIES))
def test_unclaimed_run_of_a_target_without_it_is_not_offered(check: str, tmp_path: Path) -> None:
    verdict = judged(CHECKS[check], found(CHECKS[check], Run(), tmp_path), claimed=None)
    assert verdict.status is Status.NOT_OFFERED


def test_every_entry_has_its_history() -> None:
    told = {(check, story.column, story.entry) for check, stories in STORIES.items() for story in stories}
    listed = {
        (check, column, entry)
        for check, columns in ENTRIES.items()
        for column, rows in columns.items()
        for entry in rows
    }
    assert listed - told == set()


def test_every_check_has_an_empty_a_good_and_a_broken_history() -> None:
    columns = {check: {story.column for story in stories} for check, stories in STORIES.items()}
    needed = {EMPTY, HOLDS, BROKEN, MISSES, CRIES_WOLF, UNDECIDED}
    assert {check: needed - seen for check, seen in columns.items() if needed - seen} == {}
