"""Can the dashboard be read, and is it the code's? What Grafana itself would take is asked in test_schema."""

from itertools import combinations
from typing import Any

import pytest
from ruamel.yaml import YAML

from compose.grafana.__main__ import text
from compose.grafana.panels import COLUMNS
from compose.grafana.run_rows import CPU, LATE_S, LATENCY_S
from harness.operation import JourneyEnd, Outcome
from harness.punctuality import CPU_SHARE_LIMIT, lateness_limit_ms
from harness.scenario import Objectives
from tests.boards import names
from tests.boards.questions import ANNOTATIONS, BOARD, FILE, FOLDER, MARKS, PANELS, QUESTIONS, Question

UNITS = frozenset({"short", "s", "ops", "reqps", "percentunit", "currencyCNY", "bytes"})
"""Grafana's names of units, as far as they are used here."""
KINDS = frozenset({"stat", "timeseries", "state-timeline", "heatmap"})


def titled(panel: dict[str, Any]) -> str:
    return str(panel["title"])


def test_the_file_is_what_the_code_makes() -> None:
    assert FILE.read_text() == text(), "`python -m compose.grafana` writes it anew"


@pytest.mark.parametrize("question", [*QUESTIONS, *MARKS], ids=str)
def test_every_metric_that_is_asked_for_is_one_that_the_code_exposes(question: Question) -> None:
    mentioned = names.named(question.asked_of(".*")) - {"ALERTS"}
    assert mentioned or "ALERTS" in question.expr
    assert mentioned - names.known() == set()


def test_every_metric_of_a_run_is_asked_for_somewhere() -> None:
    asked = frozenset[str]().union(*(names.named(question.asked_of(".*")) for question in QUESTIONS))
    families = {name.removesuffix(end) for name in asked for end in ("_bucket", "_count", "_sum")}
    missing = names.live() - asked
    assert {name for name in missing if not name.endswith(("_count", "_sum"))} == set()
    assert {name for name in names.api() if name.rpartition("_")[0] not in families and name not in asked} == {
        "payment_api_payment_attempts_begun_total",  # seen by the steps of orders
        "payment_api_refunded_money_minor_units_total",  # the providers' ledgers say it
    }


@pytest.mark.parametrize("panel", PANELS, ids=titled)
def test_every_panel_says_what_it_is_in_which_unit_and_what_it_means_when_it_is_empty(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["type"] in KINDS
    assert panel["description"].endswith(".")
    assert defaults["unit"] in UNITS
    assert defaults["noValue"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert all(isinstance(target["expr"], str) and target["legendFormat"] for target in panel["targets"])
    assert [target["refId"] for target in panel["targets"]] == sorted({target["refId"] for target in panel["targets"]})
    assert {str(target["datasource"]["uid"]) for target in panel["targets"]} == {"${datasource}"}
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["options"].startswith("/")


def test_panels_fill_the_grid_and_none_lies_over_another() -> None:
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        for place in places
    ]
    assert all(not one & other for one, other in combinations(cells, 2))
    assert set().union(*cells) == {
        (x, y) for x in range(COLUMNS) for y in range(max(y for cell in cells for _, y in cell) + 1)
    }
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert len({titled(panel) for panel in PANELS}) == len(PANELS)


def test_colours_are_given_to_words_that_there_are() -> None:
    ends = next(panel for panel in PANELS if panel["title"] == "Journeys that end")
    outcomes = next(panel for panel in PANELS if panel["title"] == "Outcomes by operation")
    colored = [
        {override["matcher"]["options"].strip("/$") for override in panel["fieldConfig"]["overrides"]}
        for panel in (ends, outcomes)
    ]
    assert colored == [{end.value for end in JourneyEnd}, {outcome.value for outcome in Outcome}]


def test_limits_that_are_drawn_are_the_judge_s() -> None:
    latency_ms = Objectives().latency_limit_ms
    assert (latency_ms / 1e3, lateness_limit_ms(latency_ms) / 1e3, CPU_SHARE_LIMIT) == (LATENCY_S, LATE_S, CPU)


def test_faults_phases_and_breaches_are_marked_over_all_panels() -> None:
    assert [each["name"] for each in ANNOTATIONS] == ["Breaches", "Faults", "Phases"]
    assert all(each["enable"] and not each["hide"] for each in ANNOTATIONS)
    for each in ANNOTATIONS:
        assert f"by ({each['tagKeys'].replace(',', ', ')})" in each["expr"]


def test_variables_are_the_source_and_the_scenario() -> None:
    assert [variable["name"] for variable in BOARD["templating"]["list"]] == ["datasource", "scenario"]
    used = [question for question in QUESTIONS if "payment_chaos_" in question.expr]
    unscoped = {"payment_chaos_run_info", "max(payment_chaos_live_lag_seconds)"}
    assert {question.expr for question in used if "$scenario" not in question.expr} == unscoped


def test_what_grafana_is_provisioned_with_fits_together() -> None:
    yaml = YAML(typ="safe")
    (source,) = yaml.load(FOLDER / "provisioning" / "datasources" / "prometheus.yaml")["datasources"]
    (provider,) = yaml.load(FOLDER / "provisioning" / "dashboards" / "payment-chaos.yaml")["providers"]
    assert BOARD["templating"]["list"][0]["current"]["value"] == source["uid"]
    assert (source["type"], source["isDefault"]) == (BOARD["templating"]["list"][0]["query"], True)
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
