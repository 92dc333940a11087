"""Are providers spared the customers' impatience?

Violated when more charge calls for one intent reached the providers than the objective allows, or
when their mean rises, from the steady phase to the fault, by more than it allows. Counted where they
arrive, in the providers' ledgers: what a breaker refused never left, and queries, closes and refunds
are no charges, and neither is the making of a card's intent, which takes nothing until it is confirmed.

An intent is what the customer wants; another order wanted besides is another intent. The limit holds
for each of them: a storm on one method hides in a mean.
"""

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, without_ledger
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

FEWEST = 5
"""Intents in a phase below which its mean says nothing."""
MAX_SHOWN = 20

CALLS = """
CREATE OR REPLACE TEMP TABLE charge_calls AS
WITH reached AS (
    SELECT o.intent, o.order_no, o.order_id, l.provider,
           count(*) AS calls
    FROM ledger AS l JOIN orders AS o USING (order_id)
    WHERE l.kind = 'request' AND l.op IN ('charge', 'confirm') AND o.intent IS NOT NULL
    GROUP BY o.intent, o.order_no, o.order_id, l.provider),
asked AS (
    SELECT p.intent, min(j.scheduled_ns) AS scheduled_ns,
           any_value(CASE WHEN EXISTS (SELECT 1 FROM faults AS f WHERE NOT f.standing AND j.phase = 'steady'
                                       AND f.start_ns <= coalesce(j.done_ns, f.start_ns)) THEN 'fault'
                          ELSE j.phase END) AS phase -- a journey that lived into the fault is none of the steady phase
    FROM operations AS p JOIN journeys AS j USING (journey) WHERE p.op = 'pay' GROUP BY p.intent)
SELECT a.intent, a.phase, a.scheduled_ns, CAST(coalesce(sum(r.calls), 0) AS BIGINT) AS calls,
       arg_max(r.order_no, (r.calls, r.order_no)) AS order_no, arg_max(r.order_id, (r.calls, r.order_no)) AS order_id,
       string_agg(r.provider || ' ' || r.calls, ', ' ORDER BY r.provider, r.order_no) AS told
FROM asked AS a LEFT JOIN reached AS r USING (intent) GROUP BY a.intent, a.phase, a.scheduled_ns ORDER BY a.intent
"""
TOO_MANY = "SELECT * FROM charge_calls WHERE calls > $limit ORDER BY calls DESC, intent"
MEANS = """
SELECT phase, count(*) AS intents, avg(calls) AS mean, max(calls) AS most
FROM charge_calls GROUP BY phase ORDER BY phase
"""


def check(evidence: Evidence) -> CheckResult:
    """Count the charge calls that reached the providers, by intent; a case is an intent."""
    if (unseen := without_ledger(evidence)) is not None:
        return unseen
    objectives = evidence.scenario.objectives
    evidence.execute(CALLS)
    phases = {case.phase: case for case in evidence.cases(MEANS)}
    examined = sum(case.intents for case in phases.values())
    findings = list(_of_intents(evidence, objectives.charges_an_intent))
    steady, fault = phases.get("steady"), phases.get("fault")
    notes, few = [], 0
    if fault is not None and steady is not None and min(steady.intents, fault.intents) >= FEWEST:
        rise = fault.mean - steady.mean
        told = (
            f"charge calls an intent: {steady.mean:.2f} in the steady phase ({steady.intents} intents), "
            f"{fault.mean:.2f} in the fault ({fault.intents})"
        )
        notes.append(told)
        if rise > objectives.charges_rise:
            message = f"They rose by {rise:.2f}, more than {objectives.charges_rise:.2f}: {told}."
            findings.append(Finding(subject="mean of the fault phase", message=message))
    elif fault is not None:
        few = fault.intents
    return CheckResult(
        examined=examined,
        undecided=few,
        reasons=reasons([(few, f"intents in the fault, with fewer than {FEWEST} there or in the steady phase")]),
        findings=tuple(findings),
        measured=float(max((case.most for case in phases.values()), default=0)),
        objective=float(objectives.charges_an_intent),
        unit="calls",
        notes=tuple(notes),
    )


def _of_intents(evidence: Evidence, limit: int) -> list[Finding]:
    cases = evidence.cases(TOO_MANY, limit=limit)
    proofs = proof(evidence, [case.order_no for case in cases[:MAX_SHOWN]])
    return [
        Finding(
            subject=case.order_id,
            message=(
                f"{case.calls} charge calls for what one customer wanted, the order {case.order_id}, reached the "
                f"providers ({case.told}); at most {limit} are allowed."
            ),
            evidence=proofs.get(case.order_no, {}),
        )
        for case in cases
    ]


CHECK = Check(
    name="retry_amplification",
    promise="Providers are called a few times for what a customer wants, however often the customer asks.",
    function=check,
    needs=frozenset(
        {
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.LEDGERS_WHOLE,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F03", "F04"),
    unit="calls",
)
