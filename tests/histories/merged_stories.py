"""Hand-written histories for idempotent_reply, about creates under different keys: each makes an order of its own."""

from functools import partial

from harness.verdict import Status
from tests.histories.builder import Journey, Run
from tests.histories.key_stories import CUT, owns, same_order_again, two_good_orders
from tests.histories.story import BROKEN, CRIES_WOLF, MISSES, Story


def another_key(*named: str, amount: int = 1000) -> Run:
    """One customer's creates, each under a key of its own and acknowledged with these orders; one key came twice."""
    run = same_order_again()
    journey = run.journey(5.0)
    for nth, order in enumerate(named):
        journey.create(5.0 + nth, 5.5 + nth, order, 1000 if nth == 0 else amount, amount_minor=1000)
    journey.ends(13.0, "gave_up")
    return owns(run, journey, *dict.fromkeys(named))


def no_key_was_sent_twice() -> Run:
    run = two_good_orders()
    journey = run.journey(5.0)
    journey.create(5.0, 5.5, "E")
    journey.create(6.0, 6.5, "E")
    journey.ends(13.0, "gave_up")
    return owns(run, journey, "E")


def merged_by_a_published_rule() -> Run:
    run = another_key("E", "E")
    run.offers(merges_creates=True)
    return run


def acknowledged_after_a_lost_reply() -> Run:
    """The first reply to the key was cut; sent again, it is acknowledged. The next key makes an order of its own."""
    run = same_order_again()
    journey = run.journey(5.0)
    journey.create(5.0, 5.5, None, key=95, **CUT)  # type: ignore[arg-type]
    journey.create(6.0, 6.5, "E", key=95, attempt=2)
    journey.create(7.0, 7.5, "F")
    journey.ends(13.0, "gave_up")
    return owns(run, journey, "E", "F")


def unanswered_under_another_key() -> Run:
    """A reply that was cut acknowledges nothing, whatever its status line said."""
    run = same_order_again()
    journey = run.journey(5.0)
    journey.create(5.0, 5.5, "E")
    journey.create(6.0, 6.5, None, **CUT)  # type: ignore[arg-type]
    journey.ends(13.0, "gave_up")
    return owns(run, journey, "E")


def replayed_by_a_stranger() -> Run:
    """Whoever replays another's create is another journey, and who is given that order is `owner_only`'s."""
    run = same_order_again()
    mine = run.journey(5.0)
    mine.create(5.0, 5.5, "E")
    mine.ends(13.0, "gave_up")
    stranger = Journey(run=run, number=mine.number, user=mine.user, phase="steady", intent=mine.intent)
    stranger.does("trespass", 8.0, 8.1, order="A", named="A", tried="create", key=1, result_id="A")
    return owns(run, mine, "E")


MERGED_STORIES = (
    Story(
        column=BROKEN,
        entry="a second order that was never made",
        tell=partial(another_key, "E", "E"),
        status=Status.FAIL,
        subjects=("E",),
        says=("sent creates with 2 keys", "acknowledged with order E", "1 of the orders asked for were never made"),
    ),
    Story(
        column=MISSES,
        entry="keys that were sent once each",
        tell=no_key_was_sent_twice,
        status=Status.FAIL,
        subjects=("E",),
    ),
    Story(
        column=MISSES,
        entry="a second order over another amount",
        tell=partial(another_key, "E", "E", "F", "E", amount=2000),
        status=Status.FAIL,
        subjects=("E",),
        says=("sent creates with 3 keys",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="several orders of one customer",
        tell=partial(another_key, "E", "F"),
        status=Status.PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="creates merged by a published rule",
        tell=merged_by_a_published_rule,
        status=Status.PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="acknowledged after a reply to the same key was lost",
        tell=acknowledged_after_a_lost_reply,
        status=Status.PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="another key that was never answered",
        tell=unanswered_under_another_key,
        status=Status.PASS,
    ),
    Story(column=CRIES_WOLF, entry="a stranger's replay", tell=replayed_by_a_stranger, status=Status.PASS),
)
