"""When is the live judge silent, and what does it say before anything is proven?"""

from pathlib import Path

import msgspec

from tests.histories.builder import Run
from tests.histories.settings import ANCHOR
from tests.live.replay import Replayed, replay


def charged_twice(*, back_s: float | None = None) -> Run:
    """An order that was charged again at 2 s; the window for its way back is 8 s."""
    run = Run()
    run.paid_order("A")
    run.ledger("wechat").captured(2.0, "A-2", order="A", amount=1000)
    if back_s is not None:
        run.ledger("wechat").refunded(back_s - 0.2, "A-2", "A", 1000, "A-R")
    return run


def promised(run: Run, at: float = 3.0) -> None:
    """A refund of another order, acknowledged and never sent."""
    owner = run.paid_order("B")
    owner.refund(at, at + 0.1, "B", 400)


def said(run: Run, folder: Path) -> Replayed:
    return replay(run.write(folder), ANCHOR)


def test_a_double_charge_is_at_risk_at_once_and_no_breach_where_it_goes_back_in_time(tmp_path: Path) -> None:
    told = said(charged_twice(back_s=6.0), tmp_path)
    risks = [promise.risk for state in told.states for promise in state.promises if promise.check == "no_double_charge"]
    assert "1 orders are charged beyond their price, by 10.00 CNY" in risks
    assert (risks[-1], told.checks) == ("", set())


def test_what_is_broken_is_no_longer_at_risk(tmp_path: Path) -> None:
    last = said(charged_twice(), tmp_path).states[-1]
    counts = [(each.broken, each.at_risk) for each in last.promises if each.check == "no_double_charge"]
    assert counts == [(1, 0)]


def test_one_that_goes_back_too_late_is_late_and_at_rest_no_double_charge(tmp_path: Path) -> None:
    told = said(charged_twice(back_s=20.0), tmp_path)
    assert told.checks == {"refund_in_window"}


def test_a_breach_is_called_no_later_than_two_looks_after_it_can_be_proven(tmp_path: Path) -> None:
    run = charged_twice()
    promised(run)
    told = replay(run.write(tmp_path), ANCHOR, leaps=False)
    waited = [each.seen_ns - each.provable_ns for each in told.broken]
    assert waited
    assert max(waited) <= 2_000_000_000


def test_nothing_is_called_of_money_where_a_ledger_does_not_claim_to_be_complete(tmp_path: Path) -> None:
    run = charged_twice()
    promised(run)
    sources = tuple(msgspec.structs.replace(source, complete=source.name != "card") for source in run.scenario.sources)
    run.scenario = msgspec.structs.replace(run.scenario, sources=sources)
    assert said(run, tmp_path).checks == set()


def test_no_refund_is_called_late_where_the_target_shows_no_books(tmp_path: Path) -> None:
    run = charged_twice()
    promised(run)
    shown = msgspec.structs.replace(run.scenario.capabilities, books=())
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=shown)
    assert said(run, tmp_path).checks == {"no_double_charge"}


def test_a_refund_s_window_begins_again_when_its_provider_is_back(tmp_path: Path) -> None:
    run = Run()
    owner = run.paid_order("B")
    owner.refund(3.0, 3.1, "B", 400)
    run.fault("kill", "process", "wechat", 5.0, 9.0)
    run.ledger("wechat").refunded(15.0, "B-1", "B", 400, "B-R")
    assert said(run, tmp_path).checks == set()


def test_silence_is_not_called_while_the_generator_lags(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    journey.create(1.0, 5.5, "A")
    journey.ends(6.0, "gave_up")
    assert said(run, tmp_path / "punctual").checks == {"no_silence"}
    run.conduct = msgspec.structs.replace(run.conduct, lateness_p99_ms=900.0)
    assert said(run, tmp_path / "late").checks == set()


def test_silence_is_left_to_the_verdict_where_the_customers_own_edge_is_to_fail(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    journey.create(1.0, 5.5, "A")
    journey.ends(6.0, "gave_up")
    run.fault("silence", "network", "customer", 12.0, 14.0)
    assert said(run, tmp_path).checks == set()


def test_a_page_that_still_names_trouble_right_after_the_target_came_up_is_not_called(tmp_path: Path) -> None:
    run = Run()
    run.paid_order("A", at=-1.0)
    for at in (0.0, 1.0, 2.0):
        run.sample(at, "wechat")
    assert said(run, tmp_path).checks == set()
