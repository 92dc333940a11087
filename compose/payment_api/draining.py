"""What becomes of work under way when this process is told to end?

    SIGTERM ──> no connection accepted ──> requests under way answered (the server does that)
            ──> charges under way come to their end, and are booked ──> tasks end ──> lease given up

Whatever is then unfinished stands in the database, and the next process, or the
other build, adopts it at its next beat (`lease`).
"""

from collections.abc import Mapping

from compose.payment_api.background import Background
from compose.payment_api.books import Books
from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.rollout import FIRST
from compose.payment_api.settings import Settings

LIVE_HERE = """
SELECT id FROM payments WHERE state IN ('created', 'sent', 'unknown') AND slot = $1 ORDER BY created_at, seq
"""
DELETE_OWN_ORDERS = """
DELETE FROM orders WHERE id IN (
    SELECT order_id FROM transitions WHERE kind = 'order' AND from_state IS NULL AND build = $1)
"""
CHARGE_DEADLINES = 2
"""So many deadlines, at most, a charge under way is waited for: a card's intent, and its confirmation."""


def marks_of(settings: Settings) -> Mapping[str, str]:
    """What each session says of itself, so that rows carry the release and the process that made them."""
    return {"payment_api.release": settings.release.name, "payment_api.slot": settings.slot}


async def drain(settings: Settings, database: Database, books: Books, background: Background) -> None:
    """Bring charges under way to their end; costs at most two deadlines."""
    if Defect.UPGRADE_DROPS_IN_FLIGHT in settings.defects:
        for row in await database.rows(LIVE_HERE, settings.slot):
            await books.failed(row["id"])
    else:
        await background.finish("charge ", CHARGE_DEADLINES * settings.deadline_s)
    if Defect.ROLL_BACK_LOSES_ORDERS in settings.defects and settings.release.name != FIRST:
        await database.execute(DELETE_OWN_ORDERS, settings.release.name)
