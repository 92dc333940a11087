"""Which method was struck by a fault, and when? And how did the customers fare who had asked for it first?

A fault strikes a method where it stands at the method's provider or on the edge
to it. What only delays, loses or repeats notices, or forges a bill, leaves
charging alone. Tables of these names are made in the evidence's database.
"""

from harness.checks.alive import alive_until_ns
from harness.evidence.tables import Evidence

SPARES_CHARGES = ("lose_notices", "late_notices", "repeat_notices", "plant_in_bill")

STRUCK = """
CREATE OR REPLACE TEMP TABLE struck AS   -- one row a fault at a method
SELECT "where" AS method, start_ns, coalesce(lifted_ns, $until_ns) AS lifted_ns
FROM faults WHERE NOT standing AND start_ns IS NOT NULL AND "where" IN ('wechat', 'alipay', 'card')
  AND kind NOT IN (SELECT unnest($spared)) ORDER BY start_ns, method
"""

FARED = """
CREATE OR REPLACE TEMP TABLE fared AS    -- one row a journey that asked to pay
WITH paying AS (
    SELECT journey, arg_min(method, (sent_ns, id)) AS first_method, count(DISTINCT method) AS methods
    FROM operations WHERE op = 'pay' AND method IS NOT NULL GROUP BY journey)
SELECT j.journey, j.intent, j.user_id, j.phase, j.scheduled_ns, j.final, p.first_method, p.methods,
       least(coalesce(j.done_ns, $cut_ns), j.scheduled_ns + $patience_ns) AS until_ns,
       CASE WHEN j.leaves_early OR j.final IN ('left', 'declined', 'ordered') THEN 'no case'
            WHEN j.final = 'paid' AND j.done_ns <= j.scheduled_ns + $patience_ns THEN 'good'
            WHEN j.done_ns IS NULL AND $cut_ns < j.scheduled_ns + $patience_ns THEN 'undecided'
            ELSE 'bad' END AS word
FROM journeys AS j JOIN paying AS p USING (journey)
WHERE j.phase IN ('steady', 'fault', 'recovery') ORDER BY j.journey
"""


def find_struck(evidence: Evidence) -> None:
    """Make the table `struck`; to be called by `Evidence.once`, as the next."""
    evidence.execute(STRUCK, until_ns=evidence.until_ns, spared=list(SPARES_CHARGES))


def see_how_they_fared(evidence: Evidence) -> None:
    """Make the table `fared`; a journey is good when it was paid within patience."""
    evidence.execute(FARED, patience_ns=evidence.window_ns("patience_ms"), cut_ns=alive_until_ns(evidence))
