"""How quickly was the failure answered (F22)?

Six clocks, each at its longest. They judge nothing: what is too slow, checks say. A clock that
nothing started is not measured, which is not 0; what started and has not ended is said.

    detect      from trouble that customers saw until the target first showed that it knew: a refusal that says when
                to come back, an answer that names other methods, a status page that says degraded
    announce    from the same instant until the status page named the method
    recover     from the last fault's end until customers were paid for again as they should be
    resolve     from an answer that left the result open until the books knew it
    refund      from the instant money was owed until the provider gave it back; a provider's own outage is taken off
    compensate  from the instant an order was affected, by the target's word, until its voucher

Trouble is what the check `announced` takes for it (`harness.checks.trouble`), by method and of paying as a whole.
"""

from collections.abc import Callable, Mapping

from harness.checks.refund_in_window import MET, find_owed
from harness.checks.trouble import FAILURES, note_attempts
from harness.evidence.tables import Evidence
from harness.operation import Op, State
from harness.rating import Clock

NS_PER_S = 1_000_000_000
WINDOW_NS = 2 * NS_PER_S
LEAST_JOURNEYS = 30
"""Fewer journeys after the fault do not show whether it is over."""

Measured = tuple[list[tuple[int, bool]], str]
"""Duration in ns and whether it ended, a case each; and why there is none, where there is none."""


def clocks_of(evidence: Evidence) -> tuple[Clock, ...]:
    """All six, in their order; the names of the windows they are held against are those of the checks."""
    return tuple(
        _clock(evidence, name, measure(evidence), evidence.window_ns(window) / NS_PER_S)
        for name, (measure, window) in CLOCKS.items()
    )


def _clock(evidence: Evidence, name: str, measured: Measured, window_s: float) -> Clock:
    cases, why = measured
    return Clock(
        name=name,
        cases=len(cases),
        unended=sum(not ended for _, ended in cases),
        longest_s=round(max(lasted_ns for lasted_ns, _ in cases) / NS_PER_S, 3) if cases else None,
        window_s=window_s,
        scenario=evidence.scenario.name,
        why="" if cases else why,
    )


TROUBLE = f"CREATE OR REPLACE TEMP TABLE trouble AS {FAILURES}"

DETECTED = """
WITH signs AS (
    SELECT method AS subject, done_ns AS at_ns FROM operations
    WHERE op = 'pay' AND done_ns IS NOT NULL AND outcome <> 'ok' AND (
        (retry_after_s IS NOT NULL AND NOT list_contains($unknown_codes, coalesce(code, '')))
        OR (len(offers) > 0 AND NOT list_contains(offers, method)))
    UNION ALL SELECT NULL, sent_ns FROM status_samples WHERE degraded)
SELECT t.from_ns, t.to_ns, min(s.at_ns) AS met_ns
FROM trouble AS t LEFT JOIN signs AS s
    ON (s.subject IS NULL OR s.subject = t.subject OR t.subject = 'paying') AND s.at_ns BETWEEN t.from_ns AND t.to_ns
GROUP BY t.subject, t.from_ns, t.to_ns ORDER BY t.from_ns, t.subject
"""

ANNOUNCED = """
SELECT t.from_ns, t.to_ns, min(s.sent_ns) AS met_ns
FROM trouble AS t LEFT JOIN status_samples AS s
    ON s.degraded AND (t.subject = 'paying' OR list_contains(s.methods, t.subject))
   AND s.sent_ns BETWEEN t.from_ns AND t.to_ns
GROUP BY t.subject, t.from_ns, t.to_ns ORDER BY t.from_ns, t.subject
"""


def _detect(evidence: Evidence) -> Measured:
    busy = evidence.scenario.capabilities.busy
    codes = [] if busy is None else list(busy.unknown_codes)
    return _troubles(evidence, DETECTED, unknown_codes=codes)


def _announce(evidence: Evidence) -> Measured:
    if Op.STATUS not in evidence.scenario.capabilities.operations:
        return [], "the target has no status page"
    return _troubles(evidence, ANNOUNCED)


def _troubles(evidence: Evidence, question: str, **more: object) -> Measured:
    """A case is a spell of trouble; one that was over before its window was, and went by unnoticed, is none."""
    evidence.once(_find_trouble)
    cases = []
    for from_ns, to_ns, met_ns in evidence.rows(question, **more):
        lasted_ns = (met_ns or to_ns) - from_ns
        if met_ns is not None or lasted_ns > evidence.window_ns("announced_ms"):
            cases.append((lasted_ns, met_ns is not None))
    return cases, "customers saw no method fail for long"


def _find_trouble(evidence: Evidence) -> None:
    evidence.once(note_attempts)
    evidence.execute(TROUBLE)


RECOVERED = """
WITH ended AS (
    SELECT max(end_ns) AS end_ns FROM faults WHERE NOT standing HAVING bool_and(end_ns IS NOT NULL)),
after_it AS (
    SELECT (j.scheduled_ns - e.end_ns) // $window_ns AS nth, e.end_ns,
           j.final = 'paid' AND j.done_ns <= j.scheduled_ns + $patience_ns AS good
    FROM journeys AS j, ended AS e
    WHERE j.scheduled_ns >= e.end_ns AND j.phase IN ('steady', 'fault', 'recovery') AND NOT j.leaves_early
      AND j.final IS NOT NULL AND j.final NOT IN ('left', 'declined', 'ordered')),
windows AS (SELECT nth, count(*) AS journeys, count(*) FILTER (good) < $objective * count(*) AS bad
            FROM after_it GROUP BY nth)
SELECT CAST(sum(journeys) AS BIGINT), coalesce(max(nth) FILTER (bad) + 1, 0), max(nth) + 1 FROM windows ORDER BY ALL
"""


def _recover(evidence: Evidence) -> Measured:
    """A case is the scenario: until the last window after the fault in which too few were paid for."""
    if not any(fault.start_ms is not None for fault in evidence.scenario.faults):
        return [], "no fault was planned"
    journeys, bad, last = evidence.row(
        RECOVERED,
        window_ns=WINDOW_NS,
        patience_ns=evidence.window_ns("patience_ms"),
        objective=evidence.scenario.objectives.success_ratio,
    )
    if (journeys or 0) < LEAST_JOURNEYS:
        return [], f"fewer than {LEAST_JOURNEYS} journeys began after the fault"
    return [(bad * WINDOW_NS, bad < last)], ""


RESOLVED = """
WITH open AS (                           -- the first answer about an order that left its payment's result open
    SELECT order_id, min(coalesce(done_ns, sent_ns)) AS begin_ns FROM operations
    WHERE op = 'pay' AND order_id IS NOT NULL
      AND (outcome = 'info' OR (outcome = 'ok' AND state = 'paying')) GROUP BY order_id),
stays AS (                               -- how long the books had an order under way, from step to step
    SELECT order_id, to_state, at_ns, lead(at_ns) OVER (PARTITION BY order_id ORDER BY seq) AS next_ns
    FROM books_transitions WHERE kind = 'order')
SELECT greatest(o.begin_ns, s.at_ns) AS begin_ns, s.next_ns
FROM open AS o JOIN stays AS s USING (order_id)
WHERE list_contains($paying, s.to_state) AND coalesce(s.next_ns, $until_ns) > o.begin_ns
QUALIFY row_number() OVER (PARTITION BY o.order_id ORDER BY s.at_ns) = 1
ORDER BY o.order_id
"""


def _resolve(evidence: Evidence) -> Measured:
    """A case is an order whose customer was left without a result while the books had none either."""
    raw_states = evidence.scenario.capabilities.raw_states
    paying = sorted(raw for raw, state in raw_states.items() if state == State.PAYING)
    if "transitions" not in evidence.scenario.capabilities.books:
        return [], "the target shows no log of its steps"
    rows = evidence.rows(RESOLVED, paying=paying, until_ns=evidence.until_ns)
    cases = [((next_ns or evidence.until_ns) - begin_ns, next_ns is not None) for begin_ns, next_ns in rows]
    return cases, "no result was left open"


def _refund(evidence: Evidence) -> Measured:
    """A case is one thing owed, as the check `refund_in_window` works it out."""
    evidence.once(find_owed)
    window_ns = evidence.window_ns("refund_ms")
    cases = []
    for case in evidence.cases(MET):
        owed_ns = case.back_by_ns - window_ns
        ended = case.met_ns is not None
        if case.blind is None and (ended or owed_ns < evidence.until_ns):
            cases.append((max(0, (case.met_ns if ended else evidence.until_ns) - owed_ns), ended))
    return cases, "nothing was owed"


COMPENSATED = """
SELECT a.at_ns, min(v.at_ns) FROM (SELECT order_id, min(at_ns) AS at_ns FROM books_affected GROUP BY order_id) AS a
LEFT JOIN books_vouchers AS v USING (order_id) GROUP BY a.order_id, a.at_ns ORDER BY a.order_id
"""


def _compensate(evidence: Evidence) -> Measured:
    """A case is an order that the target calls affected; whether it calls the right ones so is another matter."""
    if evidence.scenario.capabilities.compensation is None:
        return [], "the target compensates nobody"
    rows = evidence.rows(COMPENSATED)
    cases = [(max(0, (met_ns or evidence.until_ns) - begin_ns), met_ns is not None) for begin_ns, met_ns in rows]
    return cases, "no order was affected"


CLOCKS: Mapping[str, tuple[Callable[[Evidence], Measured], str]] = {
    "detect": (_detect, "announced_ms"),
    "announce": (_announce, "announced_ms"),
    "recover": (_recover, "recovered_ms"),
    "resolve": (_resolve, "unknown_resolved_ms"),
    "refund": (_refund, "refund_ms"),
    "compensate": (_compensate, "voucher_ms"),
}
"""Name -> how it is measured, and the window that it is held against."""
