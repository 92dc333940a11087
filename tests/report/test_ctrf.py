"""Is it CTRF? Held against CTRF's own schema."""

import json
from typing import Any

import jsonschema
import pytest

from harness.report import ctrf
from harness.report.saved import SavedRun
from harness.verdict import Finding, Status
from tests.report import schemas
from tests.report.examples import BROKEN, EVERY, KNOWN, UNDECIDED
from tests.report.run import judged, saved


def read(run: SavedRun) -> Any:
    document = json.loads(ctrf.render(run))
    schemas.ctrf().validate(document)
    return document


def statuses(run: SavedRun) -> dict[str, tuple[str, str]]:
    return {test["name"]: (test["status"], test["rawStatus"]) for test in read(run)["results"]["tests"]}


@pytest.mark.parametrize("name", EVERY)
def test_it_is_valid_and_counts_what_it_holds_and_is_the_same_each_time(name: str) -> None:
    found = read(EVERY[name])["results"]
    told = [test["status"] for test in found["tests"]]
    summary = found["summary"]
    assert {status: summary[status] for status in ("passed", "failed", "skipped", "pending", "other")} == {
        status: told.count(status) for status in ("passed", "failed", "skipped", "pending", "other")
    }
    assert summary["tests"] == len(told) == len({test["name"] for test in found["tests"]})
    assert ctrf.render(EVERY[name]) == ctrf.render(EVERY[name])


def test_every_status_has_its_word_and_keeps_its_own() -> None:
    assert statuses(UNDECIDED)["AnswerLost::no_silence"] == ("other", "UNKNOWN")
    assert statuses(UNDECIDED)["AnswerLost::latency"] == ("skipped", "NOT_OFFERED")
    assert statuses(KNOWN)["AnswerLost1::no_silence"] == ("skipped", "KNOWN")
    assert statuses(BROKEN)["AnswerLost::latency"] == ("skipped", "NOT_EXERCISED")
    assert statuses(BROKEN)["AnswerLost::no_double_charge"] == ("failed", "FAIL")
    assert statuses(BROKEN)["AnswerLost::no_stuck_order"] == ("passed", "PASS")
    assert statuses(EVERY["unclaimed"])["AnswerLost::unclaimed::no_leak"] == ("failed", "FAIL")


def test_a_test_carries_its_figures_its_instants_and_the_order_s_story() -> None:
    (test,) = (each for each in read(BROKEN)["results"]["tests"] if each["name"] == "AnswerLost::refund_in_window")
    assert test["labels"] == {
        "status": "FAIL",
        "claimed": 10,
        "examined": 30,
        "undecided": 2,
        "breaches": 2,
        "measured": 11.25,
        "objective": 8.0,
        "unit": "s",
    }
    assert (test["start"], test["stop"], test["tags"]) == (1_795_551_302_000, 1_795_551_312_500, ["F04"])
    assert "Order ord_a is short of 1250" in test["trace"]
    summary = read(BROKEN)["results"]["summary"]
    assert (summary["start"], summary["stop"]) == (1_795_551_300_000, 1_795_551_312_500)


def test_half_a_surrogate_does_not_end_it() -> None:
    run = saved(judged("no_leak", Status.FAIL, findings=(Finding(subject="a", message="\ud800\x00"),)))
    assert len(read(run)["results"]["tests"]) == 2


def test_the_schema_refuses_what_is_no_report() -> None:
    document = read(BROKEN)
    document["results"]["tests"][0]["status"] = "undecided"
    with pytest.raises(jsonschema.ValidationError, match="undecided"):
        schemas.ctrf().validate(document)
