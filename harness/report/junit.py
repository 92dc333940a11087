"""What does a run look like to whatever reads JUnit's XML?

As the XSD of Jenkins' xUnit plugin has it, the strictest of those that matter: figures are properties of the suite
(`no_double_charge.examined`), since a case may have none, and every case has its own as text. GitLab shows a failure's
text and not its message, so the text says everything. Names are unique, since GitLab drops a second of the same name.
Of cases only `ran_to_its_end` has a time: promises are judged over one and the same load.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from harness.report.answering import clocks_line, figures_told, rating_line
from harness.report.cases import RAN, Case, Result, Suite, figures, span_of, suites
from harness.report.room import Room, fitting
from harness.report.saved import SavedRun

MOST_BYTES = 30_000_000
"""GitLab reads no larger file."""

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have, not even as references."""
_ELEMENTS = {Result.FAILED: "failure", Result.ERROR: "error", Result.SKIPPED: "skipped"}


def render(saved: SavedRun) -> bytes:
    """The XML of a run, UTF-8, below 30 MB."""
    return fitting(lambda room: _document(saved, room), MOST_BYTES - 1)


def legal(text: str) -> str:
    """The text with each character that XML does not have written as `#x1B`."""
    return _ILLEGAL.sub(lambda found: f"#x{ord(found.group()):02X}", text)


def _document(saved: SavedRun, room: Room) -> bytes:
    found = suites(saved, room)
    every = [case for suite in found for case in suite.cases]
    root = ET.Element("testsuites", {"name": legal(f"payment chaos {saved.verdict.run_id}"), **_counts(every)})
    root.set("time", f"{span_of(saved).seconds:.3f}")
    del root.attrib["skipped"]  # which the XSD knows of a suite only
    for suite in found:
        root.append(_suite(saved, suite))
    ET.indent(root)
    return b"%s\n" % ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _counts(cases: list[Case]) -> dict[str, str]:
    results = [case.result for case in cases]
    return {
        "tests": str(len(results)),
        "failures": str(results.count(Result.FAILED)),
        "errors": str(results.count(Result.ERROR)),
        "skipped": str(results.count(Result.SKIPPED)),
    }


def _suite(saved: SavedRun, suite: Suite) -> ET.Element:
    element = ET.Element("testsuite", {"name": legal(suite.name), **_counts(list(suite.cases))})
    element.set("time", f"{suite.span.seconds:.3f}")
    element.set("timestamp", datetime.fromtimestamp(suite.span.start_ms / 1_000, tz=UTC).isoformat("T", "seconds"))
    properties = ET.SubElement(element, "properties")
    for name, value in _properties(saved, suite):
        ET.SubElement(properties, "property", {"name": legal(name), "value": legal(str(value))})
    for case in suite.cases:
        element.append(_case(suite, case))
    return element


def _case(suite: Suite, case: Case) -> ET.Element:
    time_s = suite.span.seconds if case.name == RAN else 0.0
    element = ET.Element(
        "testcase", {"classname": legal(suite.name), "name": legal(case.name), "time": f"{time_s:.3f}"}
    )
    if case.result in _ELEMENTS:
        what = ET.SubElement(element, _ELEMENTS[case.result])
        what.set("type", case.status.value)
        what.set("message", legal(case.message))
        what.text = legal(case.text)
    elif case.check is not None:
        ET.SubElement(element, "system-out").text = legal(f"{case.message}\n{figures_told(case.check)}")
    return element


def _properties(saved: SavedRun, suite: Suite) -> Iterator[tuple[str, object]]:
    run = saved.run
    yield from (("run_id", saved.verdict.run_id), ("seed", saved.verdict.seed))
    yield from (("target", run.target), ("build", run.build), ("defects", " ".join(run.defects)))
    yield from (("profile", run.profile), ("size", run.size), ("ended", run.ended))
    if suite.record is not None:
        yield from (("load", suite.record.load), ("facts", " ".join(suite.record.facts)))
    if suite.verdict is not None:
        yield "status", suite.verdict.status
        yield "clocks", clocks_line(suite.verdict.clocks)
        yield "rating", rating_line(suite.verdict.rating, suite.verdict.unrated)
        for check in suite.verdict.checks:
            yield from ((f"{check.check}.{name}", value) for name, value in figures(check).items())
