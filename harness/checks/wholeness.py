"""Is what was written down whole: the history, the ledgers, the books, and what owners were asked?

Premises like those of `premises`, which lists them all. Each returns what is wrong, nothing where the
premise holds, and what to say when nothing is.
"""

from harness.evidence.tables import Evidence
from harness.recorder.rows import PREFLIGHT_JOURNEYS

REPEATED_IDS = """
SELECT k, id, count(*) FROM history_rows GROUP BY k, id HAVING count(*) > 1 ORDER BY k, id
"""
SHARED_USERS = """
SELECT user_id, count(*) FROM journeys WHERE user_id IS NOT NULL GROUP BY user_id HAVING count(*) > 1 ORDER BY user_id
"""
SHARED_KEYS = """
SELECT key_no FROM operations         -- a create that a stranger replays bears its owner's key, as it is meant to
WHERE key_no IS NOT NULL AND NOT (op = 'trespass' AND tried = 'create')
GROUP BY key_no HAVING count(DISTINCT journey) > 1 OR count(DISTINCT op) > 1 ORDER BY key_no
"""


def ids_unique(evidence: Evidence) -> tuple[list[str], str]:
    """No two rows are about the same thing by mistake."""
    wrong = [f"{count} rows {k} carry the id {number}" for k, number, count in evidence.rows(REPEATED_IDS)]
    wrong += [f"{count} journeys share the user {user}" for user, count in evidence.rows(SHARED_USERS)]
    wrong += [f"key {row[0]} belongs to more than one operation" for row in evidence.rows(SHARED_KEYS)]
    return wrong, "each id, user and key stands for one thing"


FILES = """
SELECT path, footer, torn, invocations, invocations_said, completions, completions_said FROM history_files ORDER BY path
"""


def rows_counted(evidence: Evidence) -> tuple[list[str], str]:
    """The history has its footer, and as many rows as it says."""
    if "history" in evidence.missing:
        return ["there is no history"], ""
    wrong = []
    rows = 0
    for path, footer, torn, invocations, invocations_said, completions, completions_said in evidence.rows(FILES):
        rows += invocations + completions
        if torn:
            wrong.append(f"{path} ends in a torn line, which was left out")
        if not footer:
            wrong.append(f"{path} has no footer: it was cut short")
        elif (invocations, completions) != (invocations_said, completions_said):
            said = f"{invocations_said} invocations and {completions_said} completions"
            wrong.append(
                f"{path} holds {invocations} invocations and {completions} completions, its footer says {said}"
            )
    if not rows and not wrong:
        wrong.append("the history is empty")
    return wrong, f"{rows} rows, as many as the footers say"


COUNT_JOURNEYS = "SELECT count(*) FROM journeys WHERE journey < $preflight ORDER BY ALL"


def arrivals_counted(evidence: Evidence) -> tuple[list[str], str]:
    """Planned = started + missed, and as many journeys stand in the history."""
    conduct = evidence.conduct
    wrong = []
    if conduct.planned != conduct.started + conduct.missed:
        wrong.append(f"{conduct.planned} planned, but {conduct.started} started and {conduct.missed} missed")
    journeys = evidence.row(COUNT_JOURNEYS, preflight=PREFLIGHT_JOURNEYS)[0]
    if journeys != conduct.started:
        wrong.append(f"{conduct.started} journeys started, but the history holds {journeys}")
    return wrong, f"{conduct.planned} planned = {conduct.started} started + {conduct.missed} missed"


UNSOUND_LEDGERS = "SELECT provider, unsound FROM ledgers WHERE unsound IS NOT NULL ORDER BY provider"
COUNT_LEDGERS = "SELECT count(*), CAST(coalesce(sum(rows), 0) AS BIGINT) FROM ledgers ORDER BY ALL"


def ledgers_whole(evidence: Evidence) -> tuple[list[str], str]:
    """Every provider's ledger is there, without a gap."""
    ledgers, rows = evidence.row(COUNT_LEDGERS)
    wrong = [f"{provider}: {unsound}" for provider, unsound in evidence.rows(UNSOUND_LEDGERS)]
    return wrong, f"{ledgers} ledgers, {rows} entries without a gap" if ledgers else "no ledger is declared"


UNSOUND_RELEASES = "SELECT source, unsound FROM fulfilment WHERE unsound IS NOT NULL ORDER BY source"
COUNT_RELEASES = "SELECT count(*), CAST(coalesce(sum(rows), 0) AS BIGINT) FROM fulfilment ORDER BY ALL"


def releases_whole(evidence: Evidence) -> tuple[list[str], str]:
    """Every ledger of releases is there, without a gap."""
    sources, rows = evidence.row(COUNT_RELEASES)
    wrong = [f"{source}: {unsound}" for source, unsound in evidence.rows(UNSOUND_RELEASES)]
    return wrong, f"{sources} sources of releases, {rows} entries without a gap" if sources else "none is declared"


def books_whole(evidence: Evidence) -> tuple[list[str], str]:
    """Every book that the target offers was read to its end."""
    books = evidence.scenario.capabilities.books
    wrong = [f"the book of {book} was not read" for book in sorted(books) if f"books.{book}" in evidence.missing]
    if books and not wrong and evidence.conduct.books_read_ns is None:
        wrong.append("it is not known when the books were read")
    return wrong, f"{len(books)} books read to their end" if books else "the target shows no books"


def owners_asked(evidence: Evidence) -> tuple[list[str], str]:
    """Customers' own last reads and lists were taken."""
    offered = evidence.scenario.capabilities.operations
    pairs = (("read", "reads", "last reads"), ("list", "lists", "lists of their orders"))
    wrong = [f"customers' {what} are missing" for op, file, what in pairs if op in offered and file in evidence.missing]
    return wrong, "customers' last reads and lists are there, as far as the target offers them"
