"""What does the status page say, all the while?

    every 0.4 s ──> a greenlet of its own ──> GET the page ──> one row of evidence/status.jsonl

From preflight to the end of the drain, each look over a connection of its own, as
readers come. A look that takes longer than the pause between two holds up no
other; one that has no answer by its deadline is a row too: the page told nobody
anything then.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import msgspec
from gevent.pool import Group

from harness.load.client import Client, Deadlines
from harness.load.leaks import Scanner
from harness.load.session import Connects
from harness.recorder.samples import Sample
from harness.targets.drive import drive
from harness.targets.protocol import Reply, Request, Target

EVERY_S = 0.4
NOBODY = -1
"""Journey of whoever looks: no order is its own."""
LOOK_LIMIT_MS = 900
"""Of one look."""


@contextmanager
def watching(target: Target, url: str, path: Path, scanner: Scanner) -> Iterator[None]:
    """Look at the status page at `url` for as long as the block runs, and write what it says to `path`.

    Raises at the block's end what a look itself failed with: this machine's fault, never the page's.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    client = Client(url, deadlines=Deadlines.within(LOOK_LIMIT_MS))
    looks, failed = Group(), list[BaseException]()
    with path.open("wb") as file:

        def write() -> None:
            file.write(msgspec.json.encode(look(target, client, scanner)) + b"\n")
            file.flush()

        def keep_looking() -> None:
            while True:
                looks.spawn(write).link_exception(lambda ended: failed.append(ended.exception))
                gevent.sleep(EVERY_S)

        greenlet = gevent.spawn(keep_looking)
        try:
            yield
        finally:
            greenlet.kill()
            looks.join(2 * LOOK_LIMIT_MS / 1_000)
            looks.kill()
    if failed:
        raise failed[0]


def look(target: Target, client: Connects, scanner: Scanner) -> Sample:
    """Look once."""
    sent_ns, leaks = time.monotonic_ns(), set[str]()
    with client.connection() as connection:

        def send(request: Request) -> Reply:
            reply = connection.send(request).reply
            leaks.update(scanner.kinds(reply.headers, reply.body, journey=NOBODY))
            return reply

        told = drive(target.status(), send)
    page = told.page
    return Sample(
        sent_ns=sent_ns,
        done_ns=time.monotonic_ns(),
        outcome=told.outcome,
        ending=told.ending,
        http=told.http,
        degraded=None if page is None else page.degraded,
        methods=() if page is None else tuple(page.methods),
        since_utc_ms=None if page is None else page.since_utc_ms,
        leaks=tuple(sorted(leaks)),
    )
