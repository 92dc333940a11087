"""Which requests were told that the target is too busy, and which operations say something about that?

Shared words of the checks about overload. A busy answer is the target's own: it bears a code of its contract,
or a code of its own under one of the contract's statuses. What a proxy made (a reset, a status without the
target's shape) is none, nor is a code that only says that the result is not known.
"""

from harness.checks.trouble import note_attempts
from harness.documents import BusyRecord
from harness.evidence.tables import Evidence
from harness.targets.outcomes import UNREADABLE

TOLD_BUSY = """
CREATE OR REPLACE TEMP TABLE told_busy AS
SELECT * FROM operations
WHERE op IN ('create', 'pay') AND ending = 'answered' AND code IS NOT NULL
  AND code NOT IN (SELECT unnest($unknown_codes))
  AND (code IN (SELECT unnest($codes)) OR http IN (SELECT unnest($statuses))) ORDER BY id
"""

OWN_FAULTS = """
CREATE OR REPLACE TEMP TABLE own_faults AS   -- on the way to the target, in it, or in its database; with a recovery
SELECT start_ns, coalesce(end_ns, $until_ns) + $recovered_ns AS end_ns, "where", driver FROM faults
WHERE NOT standing AND start_ns IS NOT NULL AND driver <> 'provider'
  AND NOT EXISTS (SELECT 1 FROM ledgers AS g
                  WHERE faults."where" = g.provider OR starts_with(faults."where", g.provider || '-'))
ORDER BY start_ns
"""

SERVED = """
CREATE OR REPLACE TEMP TABLE served AS   -- attempts that weigh something, none of them beside a fault of the target's
SELECT p.id, p.op, p.order_id, p.journey, p.scheduled_ns, p.sent_ns, p.done_ns, p.http, p.code, p.ending,
       CASE WHEN a.word = 'good' AND p.done_ns - p.scheduled_ns <= $limit_ns THEN 'good'
            WHEN a.word = 'open' AND a.until_ns - p.scheduled_ns <= $limit_ns THEN 'undecided'
            ELSE 'bad' END AS word
FROM attempts AS a JOIN operations AS p USING (id)
WHERE a.word IN ('good', 'bad', 'open')
  AND NOT EXISTS (SELECT 1 FROM own_faults AS f WHERE f.start_ns <= a.until_ns AND f.end_ns >= p.scheduled_ns)
ORDER BY p.id
"""


def note_busy(evidence: Evidence) -> BusyRecord | None:
    """Have the table `told_busy` there; the target's contract, or None where it declares none."""
    busy = evidence.scenario.capabilities.busy
    if busy is not None:
        evidence.once(_tell_busy)
    return busy


def note_served(evidence: Evidence) -> None:
    """Make the tables `own_faults` and `served`; to be called by `Evidence.once`."""
    evidence.once(note_attempts)
    evidence.execute(OWN_FAULTS, until_ns=evidence.until_ns, recovered_ns=evidence.window_ns("recovered_ms"))
    evidence.execute(SERVED, limit_ns=evidence.scenario.objectives.latency_limit_ms * 1_000_000)


def _tell_busy(evidence: Evidence) -> None:
    busy = evidence.scenario.capabilities.busy
    assert busy is not None
    evidence.execute(
        TOLD_BUSY,
        codes=list(busy.codes),
        statuses=list(busy.statuses),
        unknown_codes=[*busy.unknown_codes, UNREADABLE],
    )
