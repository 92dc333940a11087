"""When did paying fail for customers, by method, and when did the status page say so? In ms after the load's start."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.checks.alive import heard_until_ns
from harness.checks.trouble import CAUSES, FAILURES, SAID_OF, note_attempts
from harness.evidence.build import NS_PER_MS
from harness.evidence.tables import Evidence


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """From when to when a method failed for customers, or the status page said that it does."""

    subject: str
    by: str
    """"customers" or "page"."""
    from_ms: int
    to_ms: int
    detail: str


UNREADABLE = "SELECT sent_ns, done_ns FROM status_samples WHERE degraded IS NULL ORDER BY sent_ns, done_ns"


def words(evidence: Evidence) -> tuple[Word, ...]:
    """What customers met, and what the status page said if there is one, as the check `announced` reads both."""
    return (*_met(evidence), *_said(evidence))


def _met(evidence: Evidence) -> Iterator[Word]:
    evidence.once(note_attempts)
    for row in evidence.cases(FAILURES):
        told = f"{row.bad} of {row.count} attempts failed"
        yield _word(evidence, row.subject, "customers", (row.from_ns, row.to_ns), told)


def _said(evidence: Evidence) -> Iterator[Word]:
    if "status" not in evidence.scenario.capabilities.operations:
        return
    evidence.execute(CAUSES, until_ns=evidence.until_ns)
    limit_ns = evidence.window_ns("announced_ms")
    for row in evidence.cases(SAID_OF, limit_ns=limit_ns, heard_ns=heard_until_ns(evidence) or evidence.until_ns):
        told = f"{row.looks} looks at the page" + (f", {row.unfounded} without cause" if row.unfounded else "")
        yield _word(evidence, row.subject, "page", (row.from_ns, row.to_ns), told)
    for row in evidence.cases(UNREADABLE):
        yield _word(evidence, "paying", "page", (row.sent_ns, row.done_ns), "the page did not answer")


def _word(evidence: Evidence, subject: str, by: str, span_ns: tuple[int, int], detail: str) -> Word:
    from_ms, to_ms = ((at_ns - evidence.start_ns) // NS_PER_MS for at_ns in span_ns)
    return Word(
        subject=subject,
        by=by,
        from_ms=max(0, from_ms),
        to_ms=max(0, from_ms, to_ms),
        detail=detail,
    )
