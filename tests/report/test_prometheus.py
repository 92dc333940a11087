"""Are they Prometheus' figures? Read by Prometheus' own Python client."""

import re

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from harness.report import prometheus
from harness.report.saved import SavedRun
from harness.verdict import Status
from tests.report.examples import BROKEN, EVERY, KNOWN, UNCLAIMED, UNDECIDED


def read(run: SavedRun) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(prometheus.render(run).decode())}


def values(run: SavedRun, name: str) -> dict[tuple[str, ...], float]:
    """The values of the labels, in the order of the labels' names -> value."""
    family = read(run)[f"payment_chaos_{name}"]
    return {tuple(sample.labels[key] for key in sorted(sample.labels)): sample.value for sample in family.samples}


@pytest.mark.parametrize("name", EVERY)
def test_every_metric_is_a_gauge_with_help_and_no_series_stands_twice(name: str) -> None:
    families = read(EVERY[name])
    for family in families.values():
        assert re.fullmatch(r"payment_chaos(_[a-z]+)+", family.name)
        assert (family.type, family.documentation.endswith(".")) == ("gauge", True)
        series = [tuple(sorted(sample.labels.items())) for sample in family.samples]
        assert len(series) == len(set(series))
        assert all(sample.timestamp is None for sample in family.samples)  # the textfile collector takes none
    assert prometheus.render(EVERY[name]) == prometheus.render(EVERY[name])


def test_a_status_is_one_series_for_each_that_there_is_and_one_of_them_is_1() -> None:
    held = {key: value for key, value in values(UNDECIDED, "promise_status").items() if key[0] == "latency"}
    assert held == {("latency", "AnswerLost", status.value): float(status is Status.NOT_OFFERED) for status in Status}
    assert values(UNDECIDED, "run_status") == {("PASS",): 0.0, ("UNKNOWN",): 1.0, ("FAIL",): 0.0}
    assert values(BROKEN, "scenario_status")["AnswerLost", "FAIL"] == 1.0
    assert values(BROKEN, "run_exit_code") == {(): 1.0}


def test_figures_stand_under_their_unit() -> None:
    assert values(BROKEN, "promise_measured_seconds") == {("refund_in_window", "AnswerLost"): 11.25}
    assert values(BROKEN, "promise_objective_seconds") == {("refund_in_window", "AnswerLost"): 8.0}
    assert values(BROKEN, "promise_measured_ratio") == {("latency", "AnswerLost"): 0.995}
    assert values(BROKEN, "promise_measured_money_minor_units") == {("no_double_charge", "AnswerLost"): 3_250.0}
    assert values(BROKEN, "promise_measured_cases") == {
        ("assumptions", "AnswerLost"): 0.0,
        ("no_vanished_order", "AnswerLost"): 0.0,
    }
    assert values(BROKEN, "promise_breaches")["no_double_charge", "AnswerLost"] == 7.0
    assert values(BROKEN, "promise_undecided_cases")["refund_in_window", "AnswerLost"] == 2.0
    assert values(BROKEN, "promise_examined_cases")["latency", "AnswerLost"] == 30.0
    assert ("no_leak", "AnswerLost") not in values(UNCLAIMED, "promise_claimed_cases")


def test_losses_and_clocks_are_told_and_what_was_not_measured_is_no_0() -> None:
    assert values(BROKEN, "loss_money_minor_units") == {
        ("customer", "CNY", "AnswerLost"): 3_250.0,
        ("late", "CNY", "AnswerLost"): 300.0,
        ("books", "CNY", "AnswerLost"): 1_250.0,
    }
    assert values(BROKEN, "loss_orders")["customer", "CNY", "AnswerLost"] == 7.0
    assert values(KNOWN, "clock_longest_seconds") == {
        (clock, scenario): seconds
        for scenario in ("AnswerLost", "AnswerLost1")
        for clock, seconds in (("detect", 1.26), ("refund", 11.25))
    }
    assert values(KNOWN, "clock_unended_cases")["refund", "AnswerLost"] == 1.0


def test_a_run_says_which_it_is_and_when_it_was() -> None:
    (sample,) = read(BROKEN)["payment_chaos_run_info"].samples
    assert (sample.labels["run_id"], sample.labels["seed"]) == ("20261124-201500-1f3a", "7")
    assert values(BROKEN, "run_start_time_seconds") == {(): 1_795_551_300.0}
    assert values(BROKEN, "run_end_time_seconds") == {(): 1_795_551_312.5}
