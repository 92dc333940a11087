"""Do those who read JUnit read a run as it was? Held against Jenkins' own XSD, and read by a parser of others."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from harness.judgement import worst
from harness.money import Bearer
from harness.report import junit
from harness.report.cases import RAN, WHOLE_RUN
from harness.report.saved import SavedRun
from harness.verdict import Finding, Status
from tests.report.examples import BROKEN, EVERY, KNOWN, UNDECIDED
from tests.report.run import COURSE, finding, judged, saved
from tests.report.schemas import jenkins

KINDS = {Failure: "failure", Error: "error", Skipped: "skipped"}
COUNT = 30_000


def read(run: SavedRun) -> JUnitXml:
    """As a GitHub action reads it, from a file; valid by Jenkins' XSD, or it raises."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "j.xml"
        path.write_bytes(junit.render(run))
        jenkins().validate(path)
        return JUnitXml.fromfile(str(path))


def results(run: SavedRun) -> dict[str, str]:
    """Suite::case -> passed, failure, error or skipped."""
    found: dict[str, str] = {}
    for suite in read(run):
        for case in suite:
            assert case.classname == suite.name
            name = f"{suite.name}::{case.name}"
            assert name not in found
            found[name] = " ".join(KINDS[type(each)] for each in case.result) or "passed"
    return found


def case(run: SavedRun, name: str) -> Any:
    (found,) = (each for suite in read(run) for each in suite if f"{suite.name}::{each.name}" == name)
    return found


@pytest.mark.parametrize("name", EVERY)
def test_its_counts_are_those_of_its_cases_and_it_is_the_same_each_time(name: str) -> None:
    run = EVERY[name]
    whole = read(run)
    told = list(results(run).values())
    assert (whole.tests, whole.failures, whole.errors) == (len(told), told.count("failure"), told.count("error"))
    assert sum(suite.skipped for suite in whole) == told.count("skipped")
    assert junit.render(run) == junit.render(run)


@pytest.mark.parametrize("name", EVERY)
def test_the_worst_case_says_what_the_exit_code_says(name: str) -> None:
    told = results(EVERY[name]).values()
    said = Status.FAIL if "failure" in told else Status.UNKNOWN if "error" in told else Status.PASS
    assert said is EVERY[name].verdict.status


def test_broken_promises_fail_and_what_is_not_claimed_is_skipped() -> None:
    assert results(BROKEN) == {
        "AnswerLost::ran_to_its_end": "passed",
        "AnswerLost::no_double_charge": "failure",
        "AnswerLost::no_vanished_order": "passed",
        "AnswerLost::refund_in_window": "failure",
        "AnswerLost::money_conserved": "failure",
        "AnswerLost::latency": "skipped",
        "AnswerLost::no_stuck_order": "passed",
        "AnswerLost::assumptions": "passed",
    }


def test_what_is_undecided_is_an_error_and_never_skipped_or_passed() -> None:
    assert results(UNDECIDED) == {
        "AnswerLost::ran_to_its_end": "error",
        "AnswerLost::no_double_charge": "error",
        "AnswerLost::no_vanished_order": "error",
        "AnswerLost::success_ratio": "error",
        "AnswerLost::no_silence": "error",
        "AnswerLost::latency": "skipped",
        "AnswerLost::assumptions": "error",
    }
    assert case(UNDECIDED, "AnswerLost::ran_to_its_end").result[0].text == "cut short: Ctrl-C"


def test_a_breach_that_is_known_is_skipped_with_its_ticket_in_every_scenario() -> None:
    told = results(KNOWN)
    assert {name: told[name] for name in told if name.endswith("no_silence")} == {
        "AnswerLost::no_silence": "skipped",
        "AnswerLost1::no_silence": "skipped",
    }
    (why,) = case(KNOWN, "AnswerLost::no_silence").result
    assert why.type == "KNOWN"
    assert why.message.startswith("known breach PAY-7, until 2026-12-31: 1 breach among 30 examined")
    assert "journey 7: Nobody answered." in why.text


def test_a_breach_of_what_is_not_claimed_fails_under_a_name_of_its_own() -> None:
    told = results(EVERY["unclaimed"])
    assert told["AnswerLost::unclaimed::no_leak"] == "failure"
    assert "AnswerLost::no_leak" not in told


def test_a_failure_tells_the_story_of_the_order_that_most_is_lost_of_first() -> None:
    (failure,) = case(BROKEN, "AnswerLost::no_double_charge").result
    assert failure.type == "FAIL"
    assert failure.message == "as it is; Order ord_a is short of 1250 at [wechat]."
    assert failure.text.splitlines()[:6] == [  # GitLab shows the text alone
        "FAIL: as it is",
        "The promise: Nobody pays twice for one thing.",
        "examined 30; undecided 0; breaches 7; measured 32.50 CNY; objective 0; floor claimed 10",
        "The scenario: Charged, and told to wait.",
        "Meanwhile: cut_answers on wechat, card, 2 s to 5 s",
        "",
    ]
    assert "    +2.600 s  wechat    took 12.50 CNY under P1" in failure.text
    assert failure.text.index("ord_a") < failure.text.index("ord_b") < failure.text.index("ord_c")
    assert failure.text.splitlines()[-2:] == [
        "The whole story of an order: harness explain runs/20261124-201500-1f3a ord_a",
        "The same again: harness rerun runs/20261124-201500-1f3a",
    ]


def test_an_error_carries_reasons_notes_stories_and_traceback() -> None:
    (error,) = case(UNDECIDED, "AnswerLost::assumptions").result
    assert error.message == "2 of 12 undecided"
    assert "told broken: the drain met its limit" in error.text
    assert "Order ord_a is short of 1250" in case(UNDECIDED, "AnswerLost::success_ratio").result[0].text
    assert case(UNDECIDED, "AnswerLost::no_silence").result[0].text.count("Traceback of [x]") == 1


def test_figures_are_properties_and_times_are_seconds_and_utc() -> None:
    suite: Any
    (suite,) = read(BROKEN)
    properties = {each.name: each.value for each in suite.properties()}
    assert (suite.time, suite.timestamp) == (10.5, "2026-11-24T20:15:02+00:00")
    assert [each.time for each in suite] == [10.5, *[0.0] * 7]
    assert {name: properties[name] for name in ("run_id", "seed", "build", "defects", "status")} == {
        "run_id": "20261124-201500-1f3a",
        "seed": "7",
        "build": "fixed",
        "defects": "new_number_on_retry",
        "status": "FAIL",
    }
    figures = {name: value for name, value in properties.items() if name.startswith("refund_in_window.")}
    assert figures == {
        "refund_in_window.status": "FAIL",
        "refund_in_window.claimed": "10",
        "refund_in_window.examined": "30",
        "refund_in_window.undecided": "2",
        "refund_in_window.breaches": "2",
        "refund_in_window.measured": "11.25",
        "refund_in_window.objective": "8.0",
        "refund_in_window.unit": "s",
    }
    assert "latency.claimed" not in properties


def test_a_run_cut_short_beside_its_scenarios_has_an_error_of_its_own() -> None:
    whole = EVERY["held"].verdict
    cut = SavedRun(**{name: getattr(EVERY["held"], name) for name in ("folder", "run", "scenarios", "conducts")},
                   verdict=type(whole)(run_id=whole.run_id, seed=7, status=Status.UNKNOWN, exit_code=3,
                                       cut_short="the disk is full", scenarios=whole.scenarios))  # fmt: skip
    assert results(cut)[f"{WHOLE_RUN}::{RAN}"] == "error"
    assert case(cut, f"{WHOLE_RUN}::{RAN}").result[0].text == "cut short: the disk is full"


def test_a_case_with_very_many_findings_is_sampled_and_says_so() -> None:
    findings = tuple(finding(f"ord_{number:05}", Bearer.CUSTOMER, number, **COURSE) for number in range(COUNT))
    run = saved(judged("no_double_charge", Status.FAIL, findings=findings))
    assert len(junit.render(run)) < junit.MOST_BYTES
    text = case(run, "AnswerLost::no_double_charge").result[0].text
    assert f"{COUNT - 50} of {COUNT} are left out here" in text
    assert f"ord_{COUNT - 1:05}" in text


def test_many_scenarios_that_all_fail_stay_below_what_gitlab_reads() -> None:
    findings = tuple(
        Finding(subject=f"ord_{number}", message="<&>" * 600, evidence={"ledger": COURSE["ledger"]})
        for number in range(50)
    )
    checks = [judged(f"check_{number}", Status.FAIL, findings=findings) for number in range(29)]
    made = junit.render(saved(*checks, scenarios=6))
    assert len(made) < junit.MOST_BYTES
    assert made.count(b"<failure") == 6 * 29
    assert made.count(b"more characters, see verdict.json") >= 6 * 29


@given(st.text(), st.sampled_from([Status.FAIL, Status.UNKNOWN, Status.KNOWN, Status.NOT_OFFERED]))
def test_whatever_a_target_says_it_can_be_read(said: str, status: Status) -> None:
    run = saved(
        judged("no_silence", status, reason=said, notes=(said,), findings=(Finding(subject=said, message=said),))
    )
    assert len(results(run)) == 2


def test_what_xml_does_not_have_is_written_out() -> None:
    assert junit.legal("a\x00b\x1b[0m\ud800\uffff\tö𝄞") == "a#x00b#x1B[0m#xD800#xFFFF\tö𝄞"


def test_the_schema_refuses_what_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "j.xml"
    path.write_text('<testsuites><testsuite name="a" tests="0" failures="0" errors="0" colour="red"/></testsuites>')
    with pytest.raises(xmlschema.XMLSchemaValidationError, match="colour"):
        jenkins().validate(path)


def test_the_examples_have_every_status() -> None:
    statuses = {check.status for run in EVERY.values() for each in run.verdict.scenarios for check in each.checks}
    assert statuses == set(Status)
    assert worst(statuses) is Status.FAIL
