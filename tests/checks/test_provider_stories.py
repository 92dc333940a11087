"""Do the checks of what providers' troubles may cost withstand what a naive version would not?"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.checks.recovery_time import recovered_from
from harness.verdict import Status
from tests.histories.amplification_stories import AMPLIFICATION_STORIES
from tests.histories.backup_stories import BACKUP_STORIES
from tests.histories.builder import Run
from tests.histories.bulkhead_stories import BULKHEAD_STORIES
from tests.histories.recovery_stories import RECOVERY_STORIES
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story, found, judged

STORIES = {
    "retry_amplification": AMPLIFICATION_STORIES,
    "bulkhead": BULKHEAD_STORIES,
    "backup_channel": BACKUP_STORIES,
    "recovery_time": RECOVERY_STORIES,
}

# What each check must withstand: kept by hand, so that no entry can lose its history unseen. That moving to
# another method charges twice is no_double_charge's story; a saturated generator is held against whole runs.
ENTRIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "retry_amplification": {
        CRIES_WOLF: ("a deliberate new intent", "expected polling"),
        MISSES: (
            "the mean only: a storm on one method hides",
            "calls that the breaker refused counted as sent",
        ),
        UNDECIDED: ("too few intents in the window",),
    },
    "bulkhead": {
        CRIES_WOLF: ("customers who flee to the healthy method",),
        MISSES: ("pooled over methods",),
        UNDECIDED: ("cut within patience",),
    },
    "backup_channel": {
        CRIES_WOLF: ("all providers down",),
        MISSES: ("an old key is answered",),
        UNDECIDED: ("none affected",),
        BROKEN: ("names none", "names itself", "nobody gets there"),
    },
    "recovery_time": {
        CRIES_WOLF: ("journeys scheduled in the fault",),
        MISSES: ("first good window, relapse overlooked",),
        UNDECIDED: ("phase shorter than limit + window",),
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
def test_unclaimed_empty_run_has_no_effect(check: str, tmp_path: Path) -> None:
    verdict = judged(CHECKS[check], found(CHECKS[check], Run(), tmp_path), claimed=None)
    assert verdict.status in {Status.NOT_EXERCISED, Status.NOT_OFFERED}


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


def test_all_is_well_from_the_first_good_one_on_that_no_bad_window_follows() -> None:
    good, bad = [True] * 30, [False] * 30
    assert recovered_from(good, 0.9) == 0
    assert recovered_from([*bad, *good], 0.9) == 30
    assert recovered_from([*good, *bad], 0.9) is None
    assert recovered_from(good[1:], 0.9) is None
    assert recovered_from([*bad, *good, *good, False], 0.9) == 30
