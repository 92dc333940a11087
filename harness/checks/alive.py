"""Until when were customers alive, so that what they had not completed by then was cut?"""

from harness.evidence.tables import Evidence

LAST_ROW = """
SELECT max(greatest(scheduled_ns, sent_ns, coalesce(done_ns, 0))) FROM operations ORDER BY ALL
"""


def alive_until_ns(evidence: Evidence) -> int:
    """The end of the load, else the last instant in the history, else the load's start.

    An operation without completion was in flight then, and had been since it was sent: rows reach
    the disk in their order, so that even a history that ends in a crash says this much.
    """
    if evidence.conduct.load_end_ns is not None:
        return evidence.conduct.load_end_ns
    last_ns: int | None = evidence.row(LAST_ROW)[0]
    return evidence.start_ns if last_ns is None else last_ns
