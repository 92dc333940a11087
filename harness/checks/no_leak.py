"""Does anything leave the target that must not: personal data, its own insides, another customer's order?

Violated when a reply to a customer (any status, body or header), a sample of the status page or a line
in a log of the target's processes held a phone or card number, an openid or a token of this run's own
customers, in whatever encoding; or when a reply or the page held a stack frame, SQL, a file path, or
an order of another customer that the request had not named itself. A stack or a path in a log is none.

What was found is on record by kind only (`harness.load.leaks`); masked values and digits that only look
alike are no kind. A case is a reply or a sample that came whole: of an answer that was cut nothing is
kept, so nothing was looked at. Undecided: the logs, where nobody looked through them.
"""

from harness.checks.check import Check, Premise
from harness.checks.proof import reasons, since_start, when
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

IN_REPLIES = """
WITH leaky AS (SELECT * FROM operations WHERE len(leaks) > 0 AND op NOT IN ('journey', 'request')),
owned AS (SELECT journey, min(order_id) AS order_id FROM orders WHERE journey IS NOT NULL GROUP BY journey)
SELECT p.journey, any_value(j.user_id) AS user_id, any_value(o.order_id) AS order_id, count(*) AS replies,
       list(DISTINCT p.op ORDER BY p.op) AS ops,
       (SELECT list(DISTINCT kind ORDER BY kind)
        FROM (SELECT unnest(q.leaks) AS kind FROM leaky AS q WHERE q.journey = p.journey)) AS kinds,
       min(p.id) AS id, arg_min(p.op, p.id) AS op, arg_min(p.method, p.id) AS method, arg_min(p.http, p.id) AS http,
       arg_min(p.code, p.id) AS code, arg_min(p.sent_ns, p.id) AS sent_ns, arg_min(p.leaks, p.id) AS first_kinds
FROM leaky AS p LEFT JOIN journeys AS j USING (journey) LEFT JOIN owned AS o USING (journey)
GROUP BY p.journey ORDER BY min(p.id)
"""

ON_THE_PAGE = """
SELECT sent_ns, http, leaks FROM status_samples WHERE len(leaks) > 0 ORDER BY sent_ns
"""

IN_LOGS = """
SELECT source, min(line) AS line, count(DISTINCT line) AS lines, list(DISTINCT kind ORDER BY kind) AS kinds
FROM log_leaks GROUP BY source ORDER BY source
"""

COUNT_REPLIES = """
SELECT count(*) FROM operations WHERE ending = 'answered' AND op NOT IN ('journey', 'request') ORDER BY ALL
"""
COUNT_SAMPLES = "SELECT count(*) FROM status_samples WHERE ending = 'answered' ORDER BY ALL"

NAMES = {
    "phone": "a phone number",
    "card": "a card number",
    "openid": "an openid",
    "token": "a bearer token",
    "stack": "a stack trace",
    "sql": "SQL",
    "path": "a file path",
    "other_order": "another customer's order",
}


def check(evidence: Evidence) -> CheckResult:
    """Gather what the scanner found in replies, samples and logs; a case is a reply or a sample."""
    replies: int = evidence.row(COUNT_REPLIES)[0]
    samples: int = evidence.row(COUNT_SAMPLES)[0]
    unread = int("log_leaks" in evidence.missing)
    findings = (*_in_replies(evidence), *_on_the_page(evidence), *_in_logs(evidence))
    return CheckResult(
        examined=replies + samples + unread,
        undecided=unread,
        reasons=reasons([(unread, "set of logs was not looked through")]),
        notes=(f"{replies} replies and {samples} samples of the status page were looked at",),
        findings=findings,
        measured=float(len(findings)),
        objective=0.0,
        unit="places",
    )


def _in_replies(evidence: Evidence) -> tuple[Finding, ...]:
    findings = []
    for case in evidence.cases(IN_REPLIES):
        by = f" by {case.method}" if case.method else ""
        answer = f"{case.http} {case.code}" if case.code else f"{case.http}"
        asked = f"A {case.op}{by} of {case.user_id} sent at {when(evidence, case.sent_ns)}"
        more = f"; {case.replies} replies to this customer held {_named(case.kinds)}" if case.replies > 1 else ""
        findings.append(
            Finding(
                subject=case.order_id or f"journey {case.journey}",
                message=f"{asked} was answered {answer} with {_named(case.first_kinds)} in it{more}.",
                evidence={
                    "journey": case.journey,
                    "replies": case.replies,
                    "ops": case.ops,
                    "kinds": case.kinds,
                    "trace_id": evidence.traces.trace_id(case.id),
                },
            )
        )
    return tuple(findings)


def _on_the_page(evidence: Evidence) -> tuple[Finding, ...]:
    samples = evidence.rows(ON_THE_PAGE)
    if not samples:
        return ()
    kinds = sorted({kind for *_, leaks in samples for kind in leaks})
    sent_ns, http, _ = samples[0]
    message = f"The status page, answered {http} at {when(evidence, sent_ns)}, held {_named(kinds)}"
    return (
        Finding(
            subject="status page",
            message=f"{message}; {len(samples)} samples in all.",
            evidence={"first_s": since_start(evidence, sent_ns), "samples": len(samples), "kinds": kinds},
        ),
    )


def _in_logs(evidence: Evidence) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            subject=f"log of {case.source}",
            message=f"Line {case.line} of the log of {case.source} holds {_named(case.kinds)}; "
            f"{case.lines} lines in all.",
            evidence={"source": case.source, "line": case.line, "lines": case.lines, "kinds": case.kinds},
        )
        for case in evidence.cases(IN_LOGS)
    )


def _named(kinds: list[str]) -> str:
    return " and ".join(NAMES.get(kind, kind) for kind in kinds)


CHECK = Check(
    name="no_leak",
    promise="Nothing personal leaves the target, nor anything of its insides or of another customer.",
    function=check,
    needs=frozenset({Premise.FAULTS_CONFIRMED, Premise.IDS_UNIQUE, Premise.ROWS_COUNTED, Premise.SAME_BUILD}),
    facts=("F24",),
    unit="places",
)
