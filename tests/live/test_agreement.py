"""Does the live judge only call what the verdict calls, over every history that is written by hand?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.evidence.tables import open_evidence
from harness.verdict import Status
from tests.histories.affected_list_stories import AFFECTED_LIST_STORIES
from tests.histories.announced_stories import ANNOUNCED_STORIES
from tests.histories.balance_stories import BALANCE_STORIES
from tests.histories.busy_stories import BUSY_STORIES
from tests.histories.charge_stories import DOUBLE_CHARGE_STORIES
from tests.histories.compensated_stories import COMPENSATED_STORIES
from tests.histories.fulfilment_stories import FULFILMENT_STORIES
from tests.histories.key_stories import KEY_STORIES
from tests.histories.leak_stories import LEAK_STORIES
from tests.histories.order_stories import ORDER_STORIES
from tests.histories.orphan_stories import ORPHAN_STORIES
from tests.histories.over_refund_stories import OVER_REFUND_STORIES
from tests.histories.owner_stories import OWNER_STORIES
from tests.histories.promise_stories import PROMISE_STORIES
from tests.histories.refund_stories import REFUND_WINDOW_STORIES
from tests.histories.refused_stories import REFUSED_REFUND_STORIES
from tests.histories.reply_stories import REPLY_STORIES
from tests.histories.said_done_stories import SAID_DONE_STORIES
from tests.histories.settings import ANCHOR
from tests.histories.silence_stories import SILENCE_STORIES
from tests.histories.story import Story
from tests.histories.stuck_stories import STUCK_STORIES
from tests.live.replay import WATCHED, replay

OWN = {
    "no_vanished_order": ORDER_STORIES,
    "no_double_charge": DOUBLE_CHARGE_STORIES,
    "refund_in_window": (*REFUND_WINDOW_STORIES, *REFUSED_REFUND_STORIES, *SAID_DONE_STORIES),
    "no_silence": SILENCE_STORIES,
    "announced": ANNOUNCED_STORIES,
    "no_leak": LEAK_STORIES,
    "owner_only": OWNER_STORIES,
}
"""Histories of the promises that are watched."""
OTHERS = {
    "no_orphan_charge": ORPHAN_STORIES,
    "no_over_refund": (*OVER_REFUND_STORIES, *PROMISE_STORIES),
    "money_conserved": BALANCE_STORIES,
    "idempotent_reply": KEY_STORIES,
    "busy_is_clear": BUSY_STORIES,
    "read_your_writes": REPLY_STORIES,
    "compensated": COMPENSATED_STORIES,
    "affected_list": AFFECTED_LIST_STORIES,
    "fulfilled_once": FULFILMENT_STORIES,
    "no_stuck_order": STUCK_STORIES,
}
"""Of others, in which money and orders go wrong as well: `pytest -m proof tests/live`."""
BY_ORDER = {"no_vanished_order", "no_double_charge", "refund_in_window"}
"""Whose findings are an order each, in the verdict as here."""
LEFT_TO_THE_VERDICT = {
    "no_vanished_order": {  # absent from the books, or from the owner's own reads and lists, at rest
        "acknowledged before it was committed",
        "restarted with an empty database",
        "an ack seen only in a list",
        "an ack seen only on pay",
        "only the books compared: hidden from the API",
    },
    "no_double_charge": {  # of one intent over several orders, or without a create that was acknowledged
        "one intent over several orders",
        "one intent over orders that no reply named",
        "the price as the target tells it, of an order whose create had no answer",
    },
    "refund_in_window": {  # refused, said to be done, not honoured by the books, or taken on by them alone
        "all of it refused without cause",
        "called done by its own answer",
        "refused with a 400",
        "refused without cause",
        "refused, and back too late",
        "the order is gone from the books",
        "unanswered, but the books took it on",
        "called done by a read, and in time in the end",
        "nothing owed at all: nobody asked",
        "refused after a busy answer",
        "refused, and at rest before its window is over",
        "the money of another refund taken for the refused one's",
        "what another refund left was refused",
    },
    "no_silence": {  # with a fault on the customers' own edge, or in flight to the very end
        "own edge was faulty at another time",
        "journeys cut at the end leave no row",
        "requests cut at the end leave no row",
    },
    "announced": set(),
    "no_leak": {"error bodies only: a log"},
    "owner_only": {  # told of in a refusal, or seen in the books only
        "told in the refusal",
        "told of by its owner's key",
        "refused, and done all the same",
        "unanswered, and begun all the same",
    },
}
TOLD_BY_PROCESSES_ALONE = {"the provider itself was down: count from its recovery"}
"""Told by hand without the fault that took it down: nothing but a fault of the harness's own takes a process down, and
those are in faults.jsonl."""


def stories() -> Iterator[object]:
    for check, told in (OWN | OTHERS).items():
        for story in told:
            name = f"{check}-{story.column}-{story.entry or 'plain'}".replace(" ", "_")
            marks = [] if check in OWN else [pytest.mark.proof]
            if story.entry not in TOLD_BY_PROCESSES_ALONE:
                yield pytest.param(story, id=name, marks=marks)


@pytest.mark.parametrize("story", list(stories()))
def test_what_is_called_broken_the_verdict_calls_so(story: Story, tmp_path: Path) -> None:
    home = story.tell().write(tmp_path)
    told = replay(home, ANCHOR)
    if told.checks:
        with open_evidence(home) as evidence:
            for check in sorted(told.checks):
                found = {finding.subject for finding in CHECKS[check].function(evidence).findings}
                called = {each.subject for each in told.broken if each.check == check}
                assert found, [each.message for each in told.broken]
                assert check not in BY_ORDER or called <= found, (called, found)


@pytest.mark.parametrize("check", WATCHED)
def test_what_breaks_a_promise_that_is_watched_is_called_but_for_what_only_the_end_can_prove(
    check: str, tmp_path: Path
) -> None:
    missed = {
        story.entry
        for number, story in enumerate(OWN[check])
        if story.status is Status.FAIL
        and check not in replay(story.tell().write(tmp_path / str(number)), ANCHOR).checks
    }
    assert missed == LEFT_TO_THE_VERDICT[check]
