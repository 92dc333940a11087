"""What does a run look like as CTRF, the Common Test Report Format?

CTRF has no word for what cannot be decided, so UNKNOWN is `other`; `rawStatus` has the status in our own words of every
test. It names itself by the run, and no instant in it is that of its making, so that it is the same each time.
"""

import json
from uuid import NAMESPACE_URL, uuid5

from harness.report.cases import RAN, Case, Result, Suite, figures, span_of, suites
from harness.report.room import Room, fitting
from harness.report.saved import SavedRun

SPEC_VERSION = "0.0.0"
MOST_BYTES = 30_000_000
"""Nobody sets a limit; what is no longer read with pleasure is as for JUnit."""

_STATUSES = {
    Result.PASSED: "passed",
    Result.FAILED: "failed",
    Result.ERROR: "other",
    Result.SKIPPED: "skipped",
}


def render(saved: SavedRun) -> bytes:
    """The JSON of a run, UTF-8."""
    return fitting(lambda room: _document(saved, room), MOST_BYTES)


def _document(saved: SavedRun, room: Room) -> bytes:
    found = suites(saved, room)
    tests = [_test(suite, case) for suite in found for case in suite.cases]
    span = span_of(saved)
    run, verdict = saved.run, saved.verdict
    statuses = [test["status"] for test in tests]
    document = {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "reportId": str(uuid5(NAMESPACE_URL, f"payment-chaos-harness:{verdict.run_id}")),
        "runId": verdict.run_id,
        "generatedBy": "payment-chaos-harness",
        "results": {
            "tool": {"name": "payment-chaos-harness"},
            "summary": {
                "tests": len(tests),
                **{status: statuses.count(status) for status in ("passed", "failed", "skipped", "pending", "other")},
                "suites": len(found),
                "start": round(span.start_ms),
                "stop": round(span.end_ms),
                "duration": round(span.seconds * 1_000),
                "extra": {"status": verdict.status, "exitCode": verdict.exit_code, "cutShort": verdict.cut_short},
            },
            "environment": {
                "appName": run.target,
                "appVersion": run.build,
                "testEnvironment": f"profile {run.profile}, size {run.size}",
                "extra": {"seed": verdict.seed, "defects": run.defects, "versions": run.versions},
            },
            "tests": tests,
        },
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _test(suite: Suite, case: Case) -> dict[str, object]:
    name = f"{suite.name}::{case.name}"
    told: dict[str, object] = {
        "name": name,
        "testId": name,
        "suite": [suite.name],
        "status": _STATUSES[case.result],
        "rawStatus": case.status.value,
        "duration": round(suite.span.seconds * 1_000) if case.name == RAN else 0,
        "start": round(suite.span.start_ms),
        "stop": round(suite.span.end_ms),
        "message": case.message,
    }
    if case.text:
        told["trace"] = case.text
    if case.check is not None:
        told["labels"] = figures(case.check)
        told["tags"] = list(case.check.facts)
    return told
