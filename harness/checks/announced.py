"""Does the status page tell the truth, both ways and in time?

Violated when a method had failed for its customers for longer than the limit and no look at the page
named it; when the page, in the middle of it, stopped to; when it still named a method longer than the
limit after the last trouble with it; and when it named one that had none.

A failure is what customers saw: from the first attempt that failed in the first 2 s with three attempts
or more of which half failed, to the end of the last such 2 s. What a target's retries mask, the page need
not tell, and may. A failure that was over within the limit need not have been told. Beside the methods
stands paying as a whole (orders and payments together): then any trouble on the page will do. A page that
does not answer tells nobody anything; where nobody looked for a quarter of the limit, it is undecided.
"""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace

from harness.checks.alive import heard_until_ns
from harness.checks.check import Check, Premise
from harness.checks.proof import reasons, seconds, since_start, when
from harness.checks.trouble import CAUSES, FAILURES, SAID_OF, note_attempts
from harness.evidence.tables import Evidence
from harness.looks import Told, walk
from harness.verdict import CheckResult, Finding

MAX_SHOWN = 20
"""So many looks stand as evidence beside a failure."""

LOOKS = """
SELECT sent_ns, done_ns, http, ending, degraded, methods FROM status_samples ORDER BY sent_ns, done_ns
"""


def check(evidence: Evidence) -> CheckResult:
    """Hold the page against what customers saw; a case is a failure that had to be told, or a word of the page."""
    if "status" not in evidence.scenario.capabilities.operations:
        return CheckResult(examined=0, not_offered="it has no status page")
    limit_ns = evidence.window_ns("announced_ms")
    evidence.once(note_attempts)
    evidence.execute(CAUSES, until_ns=evidence.until_ns)
    looks = evidence.cases(LOOKS)
    blind = evidence.rows(BLIND, until_ns=evidence.until_ns)
    failures = evidence.cases(FAILURES)
    findings: list[Finding] = []
    why: list[str] = []
    delays_ns: list[int] = []
    owed = 0
    for failure in failures:
        told = walk(failure, looks, blind, limit_ns)
        owed += failure.to_ns - failure.from_ns >= limit_ns
        if told.unseen is not None:
            why.append(told.unseen)
        elif told.silent is not None:
            findings.append(_untold(evidence, failure, told, looks, limit_ns))
        elif told.delay_ns is not None:
            delays_ns.append(told.delay_ns)
    words = evidence.cases(SAID_OF, limit_ns=limit_ns, heard_ns=heard_until_ns(evidence) or evidence.until_ns)
    findings += [_unfounded(evidence, word, limit_ns) for word in words if word.unfounded]
    return CheckResult(
        examined=owed + len(words),
        undecided=len(why),
        reasons=reasons((why.count(each), each) for each in sorted(set(why))),
        findings=tuple(findings),
        measured=round(max(delays_ns) / 1e9, 3) if delays_ns else None,
        objective=limit_ns / 1e9,
        unit="s",
        notes=reasons(
            [
                (len(failures) - owed, f"failures were over within {seconds(limit_ns)}, and need not have been told"),
                (sum(look.degraded is None for look in looks), f"of {len(looks)} looks at the page had no answer"),
            ]
        ),
    )


BLIND = """
SELECT start_ns, coalesce(end_ns, $until_ns) FROM faults
WHERE "where" = 'status' AND NOT standing AND start_ns IS NOT NULL ORDER BY start_ns
"""


def _untold(
    evidence: Evidence, failure: SimpleNamespace, told: Told, looks: Sequence[SimpleNamespace], limit_ns: int
) -> Finding:
    assert told.silent is not None
    from_ns, to_ns = told.silent
    how = "had not named it" if told.delay_ns is None else "had named it, and no more"
    return Finding(
        subject=failure.subject,
        message=(
            f"{failure.subject} failed for its customers from {when(evidence, failure.from_ns)} to "
            f"{when(evidence, failure.to_ns)} ({failure.bad} of {failure.count} attempts), and at "
            f"{when(evidence, to_ns)} the status page {how} for {seconds(to_ns - from_ns)}; the limit is "
            f"{seconds(limit_ns)}."
        ),
        evidence={"looks": list(_shown(evidence, looks, from_ns, to_ns))},
    )


def _unfounded(evidence: Evidence, word: SimpleNamespace, limit_ns: int) -> Finding:
    if word.last_trouble_ns is None:
        how = "without cause: nothing had been wrong with it for its customers, no fault had struck it"
    else:
        how = f"{seconds(word.unfounded_ns - word.last_trouble_ns)} after the last trouble with it"
    return Finding(
        subject=word.subject,
        message=(
            f"The status page said from {when(evidence, word.from_ns)} to {when(evidence, word.to_ns)} that "
            f"{word.subject} does not work; at {when(evidence, word.unfounded_ns)} that was {how}. The limit is "
            f"{seconds(limit_ns)}."
        ),
        evidence={"looks": word.looks, "unfounded_looks": word.unfounded},
    )


def _shown(
    evidence: Evidence, looks: Sequence[SimpleNamespace], from_ns: int, to_ns: int
) -> Iterator[dict[str, object]]:
    within = [look for look in looks if from_ns <= look.sent_ns <= to_ns]
    for look in within[:MAX_SHOWN]:
        yield {
            "sent_s": since_start(evidence, look.sent_ns),
            "ending": look.ending,
            "http": look.http,
            "degraded": look.degraded,
            "methods": sorted(look.methods),
        }


CHECK = Check(
    name="announced",
    promise="The status page names what does not work soon after customers see it, and nothing else.",
    function=check,
    needs=frozenset(
        {
            Premise.IDS_UNIQUE,
            Premise.ROWS_COUNTED,
            Premise.FAULTS_CONFIRMED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F22", "F23", "F29"),
    undecided_share=0.02,
    unit="s",
)
