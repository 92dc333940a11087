"""Does a finding name the trace of each operation that it shows, the one that the request carried?"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from harness.checks import CHECKS
from harness.checks.judging import check_run
from harness.recorder.traces import Traces
from harness.report.saved import read_run
from harness.report.stories import stories, stories_of
from harness.verdict import CheckResult
from tests.histories.builder import Run
from tests.histories.busy_stories import BUSY_STORIES
from tests.histories.charge_stories import charged_twice
from tests.histories.key_stories import KEY_STORIES
from tests.histories.latency_stories import LATENCY_STORIES
from tests.histories.overload_stories import EMERGENCY_STORIES
from tests.histories.settings import RUN
from tests.histories.silence_stories import SILENCE_STORIES
from tests.histories.story import Story, found, judged

SHOWING = {
    "busy_is_clear": BUSY_STORIES,
    "emergency_path": EMERGENCY_STORIES,
    "idempotent_reply": KEY_STORIES,
    "latency": LATENCY_STORIES,
    "no_silence": SILENCE_STORIES,
}
"""Check -> histories, of those that show a customer's operations each in its own way."""
TRACES = Traces(run_id=RUN.run_id, scenario="HandWritten")


def operations(evidence: object) -> Iterator[dict[str, object]]:
    """Every row about a customer's operation: it has a number for an id."""
    match evidence:
        case dict():
            if isinstance(evidence.get("id"), int):
                yield evidence
            for value in evidence.values():
                yield from operations(value)
        case list() | tuple():
            for value in evidence:
                yield from operations(value)


def first_broken(told: tuple[Story, ...]) -> Story:
    return next(story for story in told if story.subjects)


@pytest.mark.parametrize("check", SHOWING)
def test_each_operation_in_a_finding_stands_beside_its_trace(check: str, tmp_path: Path) -> None:
    verdict = judged(CHECKS[check], found(CHECKS[check], first_broken(SHOWING[check]).tell(), tmp_path))
    shown = [row for finding in verdict.findings for row in operations(finding.evidence)]
    assert shown
    assert [row["trace_id"] for row in shown] == [TRACES.trace_id(int(str(row["id"]))) for row in shown]


def test_a_key_s_requests_are_named_though_none_was_answered_and_so_no_order_is_theirs(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    sent = [
        journey.create(at, at + 0.1, None, key=7, attempt=nth, outcome="info", ending="closed", http=None)
        for nth, at in enumerate((1.0, 2.0), 1)
    ]
    for order in ("A", "B"):
        run.books_order(order, journey, "open")
    (finding,) = found(CHECKS["idempotent_reply"], run, tmp_path).findings
    requests = finding.evidence["requests"]
    assert isinstance(requests, list)
    assert [row["trace_id"] for row in requests] == [TRACES.trace_id(number) for number in sent]
    (story,) = stories_of(judged(CHECKS["idempotent_reply"], CheckResult(examined=1, findings=(finding,))), 1)
    assert [(event.at_s, event.what) for event in story.events if event.who == "customer"] == [
        (1.0, "create (key 1): closed"),
        (2.0, "create (key 1): closed"),
    ]


def test_a_silent_request_is_looked_up_under_its_operation_s_trace(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    parent = journey.read(1.0, 30.0, "A", outcome="info", ending="read_timeout", http=None)
    journey.does("request", 1.0, 1.1, parent=parent)
    journey.does("request", 1.1, 30.0, parent=parent, outcome="info", ending="read_timeout", http=None)
    result = found(CHECKS["no_silence"], run, tmp_path)
    (request,) = [finding.evidence["request"] for finding in result.findings if "request" in finding.evidence]
    assert isinstance(request, dict)
    assert request["trace_id"] == TRACES.trace_id(parent)


def test_a_leak_names_the_reply_in_which_it_was_seen_first(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    first = journey.read(1.1, 1.2, "A", leaks=("phone",))
    journey.read(1.3, 1.4, "A", leaks=("phone",))
    (finding,) = found(CHECKS["no_leak"], run, tmp_path).findings
    assert finding.evidence["trace_id"] == TRACES.trace_id(first)


def test_a_saved_verdict_and_the_story_made_of_it_name_the_trace(tmp_path: Path) -> None:
    run = charged_twice()
    run.scenario = msgspec.structs.replace(run.scenario, claims={"no_double_charge": 1})
    run.write(tmp_path)
    check_run(tmp_path, {"no_double_charge": CHECKS["no_double_charge"]})
    checks = read_run(tmp_path).verdict.scenarios[0].checks
    rows = [row for check in checks for finding in check.findings for row in operations(finding.evidence)]
    (story,) = stories(checks, 1)
    seen = [event.trace_id for event in story.events if event.who == "customer"]
    assert seen
    assert seen == [TRACES.trace_id(int(str(row["id"]))) for row in rows if row["op"] != "read"]
