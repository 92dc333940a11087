"""What does one source say on its own: watermark, digests, clocks?"""

from dataclasses import replace

import pytest

from harness.documents import Anchor
from harness.evidence.clocks import ClockSample
from harness.evidence.collect import (
    digest_of_effects,
    digest_of_states,
    sample_clocks,
    watermark,
)
from harness.operation import State
from harness.targets.drive import HttpxSender
from harness.targets.source import SourceClock
from tests.evidence.scene import ANCHOR, PATIENCE, TARGET, Scene
from tests.evidence.servers import Answer, Api, as_lines, order_row, serving


def test_a_refusal_is_not_asked_again(scene: Scene) -> None:
    scene.sources = tuple(replace(source, headers={}) for source in scene.sources)
    told = watermark(scene.sources, limit_s=5, patience=PATIENCE)
    assert told.problems[0] == "ledger alipay has no watermark: GET /control/ledger was answered 401"
    assert scene.providers["alipay"].asked == ["/control/ledger"]


def test_the_watermark_is_the_last_seq_of_each_ledger(scene: Scene) -> None:
    assert watermark(scene.sources, limit_s=5, patience=PATIENCE).last_seq == {"alipay": 3, "wechat": 2}


def test_the_digest_of_effects_moves_with_effects_and_counts_what_is_planned(scene: Scene) -> None:
    first = digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE)
    assert digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE) == first
    scene.providers["wechat"].digest = "d2"
    scene.providers["wechat"].planned = 4
    second = digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE)
    assert (first.planned, first.effects, second.planned) == (0, 5, 4)
    assert first.digest != second.digest


def test_effects_that_cannot_be_asked_for_have_no_digest(scene: Scene) -> None:
    blind = replace(scene.sources[1], control_url=None)
    told = digest_of_effects((blind, scene.sources[2]), limit_s=5, patience=PATIENCE)
    assert (told.digest, told.problems) == (None, ("effects of alipay are not known: it has no control API",))


def test_the_digest_of_states_moves_with_states_and_names_what_is_not_at_rest(scene: Scene) -> None:
    with HttpxSender(scene.base_url, 2) as send:
        first = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
        again = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
        scene.api.orders["o-2"] = order_row("o-2", "u2", "closed", paid=0)
        scene.api.books["refunds"] = []
        second = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
    assert first == again
    assert [(order.order, order.state, order.pay_by_utc_ms) for order in first.unfinished] == [
        ("o-2", State.OPEN, 9_000)
    ]
    assert {name: order.state for name, order in first.orders.items()} == {"o-1": State.PAID, "o-2": State.OPEN}
    assert [refund.refund for refund in first.pending_refunds] == ["r-1"]
    assert (second.unfinished, second.pending_refunds) == ((), ())
    assert first.digest != second.digest


def test_states_that_cannot_be_read_have_no_digest(scene: Scene) -> None:
    scene.api.broken = {"/v1/ledger/refunds"}
    with HttpxSender(scene.base_url, 2) as send:
        told = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
    assert (told.digest, told.problems) == (
        None,
        ("book refunds could not be read: the page after the start was answered 500",),
    )


def test_clocks_are_related_to_ours_by_the_sample_with_the_least_round_trip(scene: Scene) -> None:
    # Ours is read for the limit, then for each sample when asking, against the limit, and when answered.
    readings = iter([0, 0, 0, 1_000, *[0, 0, 200], *[0, 0, 600] * 3])
    ticking = replace(PATIENCE, now_ns=lambda: next(readings))
    told = sample_clocks(TARGET, scene.sources[1:2], ANCHOR, limit_s=5, patience=ticking)
    assert told.samples == (ClockSample(source="alipay", at_ns=100, offset_ns=4_900, error_ns=100),)


def test_the_books_clock_is_the_targets_health_against_the_anchor(scene: Scene) -> None:
    still = replace(PATIENCE, now_ns=lambda: 7_000_000)
    anchor = Anchor(monotonic_ns=2_000_000, utc_ms=900.0, error_ms=0.25)
    told = sample_clocks(TARGET, scene.sources[:1], anchor, limit_s=5, patience=still)
    # At 5 ms after the anchor ours says 905 ms; theirs 1,000 ms, cut to whole ms.
    assert told.samples == (ClockSample(source="target", at_ns=7_000_000, offset_ns=95_500_000, error_ns=750_000),)


@pytest.mark.parametrize(
    ("book", "problem"),
    [
        ("circle", "the page after 1 names itself as the next"),
        ("strange", "has a row that is not understood"),
    ],
)
def test_a_book_that_cannot_be_followed_is_a_problem(book: str, problem: str) -> None:
    class Odd(Api):
        def book(self, name: str, after: int) -> Answer:
            if name != "orders":
                return super().book(name, after)
            return as_lines([{"id": 1}] if book == "strange" else [], x_next_cursor="1")

    with serving(Odd(orders={})) as url, HttpxSender(url, 2) as send:
        told = digest_of_states(TARGET, send, limit_s=5, patience=PATIENCE)
    assert (told.digest, [problem in sentence for sentence in told.problems]) == (None, [True])


def test_clocks_that_cannot_be_read_are_problems_and_those_that_are_not_there_are_none(scene: Scene) -> None:
    scene.providers["alipay"].clock = {"monotonic_ns": "noon"}
    scene.api.broken = {"/healthz"}
    sources = (*scene.sources[:2], replace(scene.sources[2], control_url=None))
    told = sample_clocks(TARGET, sources, ANCHOR, limit_s=5, patience=PATIENCE)
    assert told.samples == ()
    assert [sentence.partition(" could")[0] for sentence in told.problems] == ["clock of alipay", "clock of target"]
    assert told.problems[1] == "clock of target could not be read: health ended answered, 500"


def test_a_ledger_with_a_wall_clock_is_sampled_against_the_anchor(scene: Scene) -> None:
    wall = replace(scene.sources[1], clock=SourceClock.UTC)
    still = replace(PATIENCE, now_ns=lambda: 0)
    told = sample_clocks(TARGET, (wall,), ANCHOR, limit_s=5, patience=still)
    assert told.samples == (ClockSample(source="alipay", at_ns=0, offset_ns=1_000_500_000, error_ns=500_000),)


def test_what_is_planned_must_be_understood(scene: Scene) -> None:
    scene.providers["wechat"].planned = None  # type: ignore[assignment]
    told = digest_of_effects(scene.sources, limit_s=5, patience=PATIENCE)
    assert (told.digest, len(told.problems)) == (None, 1)
    assert told.problems[0].startswith("effects of wechat are not known: what is planned is not understood")
