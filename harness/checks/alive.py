"""Until when is it known that what had no completion had none?"""

from harness.evidence.tables import Evidence

UNENDED = "SELECT count(*) FROM history_files WHERE NOT footer OR torn ORDER BY ALL"
LAST_ROWS = """
SELECT min(last_ns) FROM (SELECT worker, max(greatest(coalesce(sent_ns, 0), coalesce(done_ns, 0))) AS last_ns
                          FROM history_rows GROUP BY worker) ORDER BY ALL
"""


def heard_until_ns(evidence: Evidence) -> int | None:
    """Up to when every request stands in the history; None where each file of it came to its end."""
    if evidence.row(UNENDED)[0] == 0:
        return None
    last_ns: int | None = evidence.row(LAST_ROWS)[0]
    return evidence.start_ns if last_ns is None else last_ns


def alive_until_ns(evidence: Evidence) -> int:
    """The end of the load where every history came to its end, else the last instant that each of them holds.

    An operation without completion had been in flight from its sending until then at least: rows reach
    the disk in their order. Of what came after the last row of a torn history nothing is known.
    """
    if evidence.conduct.load_end_ns is not None and evidence.row(UNENDED)[0] == 0:
        return evidence.conduct.load_end_ns
    last_ns: int | None = evidence.row(LAST_ROWS)[0]
    return evidence.start_ns if last_ns is None else last_ns
