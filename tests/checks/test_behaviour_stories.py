"""Do the checks of how a target behaves withstand what a naive version would not?"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.verdict import Status
from tests.checks.telling import assert_ends_as_it_must, columns_without_history, each_told, entries_without_history
from tests.histories.announced_stories import ANNOUNCED_STORIES
from tests.histories.busy_stories import BUSY_STORIES
from tests.histories.canary_stories import CANARY_STORIES
from tests.histories.early_stories import EARLY_STORIES
from tests.histories.fulfilment_stories import FULFILMENT_STORIES
from tests.histories.goodput_stories import GOODPUT_STORIES
from tests.histories.key_stories import KEY_STORIES
from tests.histories.latency_stories import LATENCY_STORIES
from tests.histories.leak_stories import LEAK_STORIES
from tests.histories.merged_stories import MERGED_STORIES
from tests.histories.overload_stories import EMERGENCY_STORIES, PRIORITY_STORIES
from tests.histories.owner_stories import OWNER_STORIES
from tests.histories.reply_stories import REPLY_STORIES
from tests.histories.silence_stories import SILENCE_STORIES
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story, found, judged
from tests.histories.stuck_stories import STUCK_STORIES
from tests.histories.success_stories import SUCCESS_STORIES
from tests.histories.transition_stories import TRANSITION_STORIES
from tests.histories.write_stories import WRITE_STORIES

STORIES = {
    "no_stuck_order": STUCK_STORIES,
    "idempotent_reply": KEY_STORIES + MERGED_STORIES,
    "no_silence": SILENCE_STORIES,
    "success_ratio": SUCCESS_STORIES,
    "latency": LATENCY_STORIES,
    "announced": ANNOUNCED_STORIES,
    "canary_contained": CANARY_STORIES,
    "no_leak": LEAK_STORIES,
    "owner_only": OWNER_STORIES,
    "read_your_writes": WRITE_STORIES + REPLY_STORIES,
    "fulfilled_once": FULFILMENT_STORIES,
    "legal_transitions": TRANSITION_STORIES + EARLY_STORIES,
    "busy_is_clear": BUSY_STORIES,
    "priority": PRIORITY_STORIES,
    "goodput": GOODPUT_STORIES,
    "emergency_path": EMERGENCY_STORIES,
}

# What each check must withstand: kept by hand, so that no entry can lose its history unseen. A lagging or
# stalled generator is no history: `test_judging` holds it against whole runs.
ENTRIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "no_stuck_order": {
        CRIES_WOLF: ("unpaid before pay_by", "provider still PROCESSING"),
        MISSES: ("the books call it unknown and the list takes that as terminal",),
        UNDECIDED: ("drain shorter than T_stuck",),
    },
    "idempotent_reply": {
        CRIES_WOLF: ("key expired", "first answer was validation", "first answer was 409", "first answer was 429"),
        MISSES: ("only replies compared, not effects",),
        UNDECIDED: ("first outcome info and no second reply",),
        BROKEN: ("two results", "two amounts", "another body accepted", "a second order that was never made"),
    },
    "canary_contained": {
        CRIES_WOLF: ("small counts", "moved by the roll-back itself"),
        MISSES: ("only ok replies carry the build",),
        UNDECIDED: ("below the floor",),
        BROKEN: (
            "beyond its share",
            "a user changes build",
            "rolled back too late",
            "an order lost over the roll-back",
        ),
    },
    "no_silence": {
        CRIES_WOLF: ("a fault on the customer's own edge", "a customer who left early"),
        MISSES: ("client deadline below the limit", "journeys cut at the end leave no row"),
        UNDECIDED: ("in flight when cut",),
    },
    "success_ratio": {
        CRIES_WOLF: ("declines and cancelled journeys",),
        MISSES: ("requests counted: polls dilute",),
        UNDECIDED: ("too few",),
    },
    "latency": {
        CRIES_WOLF: ("too few for p99",),
        MISSES: ("only ok counted", "sent to done"),
        UNDECIDED: ("the bound straddles",),
    },
    "announced": {
        CRIES_WOLF: ("injected but masked by the target's retries",),
        MISSES: ('a constant "degraded"',),
        UNDECIDED: ("gap between samples > T/4",),
        BROKEN: ("never told", "not taken back", "without cause"),
    },
    "no_leak": {
        CRIES_WOLF: ("masked values",),
        MISSES: ("error bodies only: a header", "error bodies only: a log", "error bodies only: the status page"),
        UNDECIDED: ("none examined",),
        BROKEN: ("base64", "another customer's order"),
    },
    "owner_only": {
        CRIES_WOLF: ("shared identifiers of a household account",),
        MISSES: ("asked only in the steady phase",),
        UNDECIDED: ("none asked",),
    },
    "read_your_writes": {
        CRIES_WOLF: ("overlapping", "background transitions forward", "a create asked for again"),
        MISSES: ("only the state compared", "nobody tells the customer an amount"),
        UNDECIDED: ("no ordered pair",),
        BROKEN: (
            "an order over less than was asked for",
            "a last read names another amount",
            "the books give the order to another user",
            "a read shows another pay_by",
            "told that it failed, by an answer that has the order paid",
        ),
    },
    "fulfilled_once": {
        CRIES_WOLF: ("offline payment",),
        MISSES: ("release booked, not effected",),
        UNDECIDED: ("release not exposed", "info only"),
        BROKEN: ("a notice delivered n times whose effect is not 1",),
    },
    "legal_transitions": {
        CRIES_WOLF: ("overlapping reads", "closed to refunded after a late capture", "cancelled by its customer"),
        MISSES: ("C alone: states between polls", "O's log alone: self-reported"),
        UNDECIDED: ("no log offered and fewer than 2 ordered reads",),
        BROKEN: ("closed before its pay_by",),
    },
    "busy_is_clear": {
        CRIES_WOLF: ("a reset or 502 that Toxiproxy made",),
        MISSES: ("busy told as HTTP 200", "none examined"),
        UNDECIDED: ("below the floor",),
        BROKEN: ("told to come again after nobody is patient any more",),
    },
    "priority": {
        CRIES_WOLF: ("different think times",),
        MISSES: ("judged on accepted ones only",),
        UNDECIDED: ("no overload reached",),
    },
    "goodput": {
        CRIES_WOLF: ("the generator is the bottleneck",),
        MISSES: ("answered counted as paid",),
        UNDECIDED: ("knee not reached",),
    },
    "emergency_path": {
        CRIES_WOLF: ("refunds whose provider is the one that is down",),
        MISSES: ("only reads looked at",),
        UNDECIDED: ("below the floor",),
    },
}


@pytest.mark.parametrize(("check", "story"), each_told(STORIES))
def test_story_ends_as_it_must(check: str, story: Story, tmp_path: Path) -> None:
    assert_ends_as_it_must(check, story, tmp_path)


@pytest.mark.parametrize("check", sorted(STORIES))
def test_unclaimed_empty_run_is_not_exercised(check: str, tmp_path: Path) -> None:
    empty = next(story for story in STORIES[check] if story.column == EMPTY).tell()
    verdict = judged(CHECKS[check], found(CHECKS[check], empty, tmp_path), claimed=None)
    assert verdict.status is Status.NOT_EXERCISED


def test_every_entry_has_its_history() -> None:
    assert entries_without_history(STORIES, ENTRIES) == set()


def test_every_check_has_an_empty_a_good_and_a_broken_history() -> None:
    assert columns_without_history(STORIES, {EMPTY, HOLDS, BROKEN, MISSES, CRIES_WOLF, UNDECIDED}) == {}
