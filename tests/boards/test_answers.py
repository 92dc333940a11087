"""Has a real Prometheus, that has seen a real run, an answer to everything that the dashboard asks?"""

import pytest

from tests.boards.questions import BREACHES, MARKS, QUESTIONS, Question
from tests.boards.served import Prometheus

BROKEN = "max by (scenario, promise) (payment_chaos_breaches_total) > 0"


@pytest.fixture(scope="session")
def has_broken(prometheus: Prometheus) -> bool:
    """Whether a promise was seen broken in the run."""
    return bool(prometheus.over(BROKEN))


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_every_panel_s_query_returns_data(prometheus: Prometheus, question: Question) -> None:
    assert prometheus.over(question.asked_of(".*")), question.expr


@pytest.mark.parametrize("mark", MARKS, ids=str)
def test_every_annotation_has_something_to_mark(prometheus: Prometheus, has_broken: bool, mark: Question) -> None:
    points = [value for series in prometheus.over(mark.asked_of(".*")) for _, value in series["values"]]
    expected = has_broken or mark.panel != BREACHES
    assert any(float(value) > 0 for value in points) is expected, mark.expr


def test_one_scenario_alone_can_be_shown_and_another_shows_nothing(prometheus: Prometheus) -> None:
    (ran, *_) = prometheus.get("label/scenario/values", start=prometheus.start_s, end=prometheus.end_s)
    journeys = next(each for each in QUESTIONS if each.panel == "Journeys that end")
    assert prometheus.over(journeys.asked_of(ran))
    assert prometheus.over(journeys.asked_of("NoSuchScenario")) == []


def test_a_broken_promise_fires_its_alert_within_two_seconds_of_being_scraped(
    prometheus: Prometheus, has_broken: bool
) -> None:
    if not has_broken:
        pytest.skip("nothing broke in this run")
    scraped = {series["metric"]["promise"]: series["values"][0][0] for series in prometheus.over(BROKEN)}
    alerts = 'max by (promise) (ALERTS{alertname="PromiseBroken",alertstate="firing"})'
    fired = {series["metric"]["promise"]: series["values"][0][0] for series in prometheus.over(alerts)}
    assert fired.keys() == scraped.keys()
    assert all(fired[promise] - scraped[promise] <= 2 for promise in scraped)


def test_every_rule_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert rules
    assert {rule["name"]: rule.get("lastError", "") for rule in rules if rule["health"] != "ok"} == {}


def test_both_targets_were_scraped(prometheus: Prometheus) -> None:
    scraped = {series["metric"]["job"] for series in prometheus.over("up == 1")}
    assert scraped >= {"harness", "api"}
