"""How are hand-written histories of several checks told, and how is it known that none is missing?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.checks import CHECKS
from tests.histories.story import Story, found, judged

Stories = Mapping[str, Sequence[Story]]
"""Check -> its histories."""


def each_told(stories: Stories) -> list[Any]:
    """One parameter a history: check, story."""
    return [
        pytest.param(check, story, id=f"{check}-{story.column}-{story.entry or 'plain'}".replace(" ", "_"))
        for check, told in stories.items()
        for story in told
    ]


def assert_ends_as_it_must(check: str, story: Story, folder: Path) -> None:
    """Status, findings in their order, and the pieces that must be said."""
    verdict = judged(CHECKS[check], found(CHECKS[check], story.tell(), folder))
    text = " | ".join([*(f.message for f in verdict.findings[:1]), verdict.reason, *verdict.notes])
    assert (verdict.status, tuple(f.subject for f in verdict.findings)) == (story.status, story.subjects), text
    assert [piece for piece in story.says if piece not in text] == [], text


def entries_without_history(
    stories: Stories, entries: Mapping[str, Mapping[str, Sequence[str]]]
) -> set[tuple[str, str, str]]:
    """Check, column and entry of whatever is listed and not told."""
    told = {(check, story.column, story.entry) for check, each in stories.items() for story in each}
    listed = {
        (check, column, entry)
        for check, columns in entries.items()
        for column, rows in columns.items()
        for entry in rows
    }
    return listed - told


def columns_without_history(stories: Stories, needed: set[str]) -> dict[str, set[str]]:
    """Check -> columns of which it has no history; checks that lack none are left out."""
    columns = {check: {story.column for story in told} for check, told in stories.items()}
    return {check: needed - seen for check, seen in columns.items() if needed - seen}
