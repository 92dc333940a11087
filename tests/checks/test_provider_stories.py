"""Do the checks of what providers' troubles may cost withstand what a naive version would not?"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.checks.recovery_time import recovered_from
from harness.verdict import Status
from tests.checks.telling import assert_ends_as_it_must, columns_without_history, each_told, entries_without_history
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


@pytest.mark.parametrize(("check", "story"), each_told(STORIES))
def test_story_ends_as_it_must(check: str, story: Story, tmp_path: Path) -> None:
    assert_ends_as_it_must(check, story, tmp_path)


@pytest.mark.parametrize("check", sorted(STORIES))
def test_unclaimed_empty_run_has_no_effect(check: str, tmp_path: Path) -> None:
    verdict = judged(CHECKS[check], found(CHECKS[check], Run(), tmp_path), claimed=None)
    assert verdict.status in {Status.NOT_EXERCISED, Status.NOT_OFFERED}


def test_every_entry_has_its_history() -> None:
    assert entries_without_history(STORIES, ENTRIES) == set()


def test_every_check_has_an_empty_a_good_and_a_broken_history() -> None:
    assert columns_without_history(STORIES, {EMPTY, HOLDS, BROKEN, MISSES, CRIES_WOLF, UNDECIDED}) == {}


def test_all_is_well_from_the_first_good_one_on_that_no_bad_window_follows() -> None:
    good, bad = [True] * 30, [False] * 30
    assert recovered_from(good, 0.9) == 0
    assert recovered_from([*bad, *good], 0.9) == 30
    assert recovered_from([*good, *bad], 0.9) is None
    assert recovered_from(good[1:], 0.9) is None
    assert recovered_from([*bad, *good, *good, False], 0.9) == 30
