"""Does everything that a target file names answer?

    processes · edges ─> customers' address ─> status page ─> ledgers · releases · books, one by one ─> clocks · logs

Asks as faults, evidence and conductor do, with their own code, once each. Changes nothing at the target.
"""

import socket
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from harness.doctor.looks import Look, absent, ok, wrong
from harness.documents import Anchor
from harness.evidence.asking import Patience, Unread, Until
from harness.evidence.books import book_rows, books_source
from harness.evidence.clocks import sample_clocks
from harness.evidence.ledgers import digest_of_effects, numbered, watermark
from harness.faults.probe import ANSWER_LIMIT_S, Prober, Seen
from harness.faults.surroundings import Surroundings
from harness.operation import Op, Outcome
from harness.stack.local import Stack
from harness.targets.books import Book
from harness.targets.drive import HttpxSender, drive
from harness.targets.protocol import Target
from harness.targets.source import Attribution, Source, SourceKind

LIMIT_S = 5.0
"""Of one question, and of one connection."""
PATIENCE = Patience(request_s=LIMIT_S, tries=2)


def processes(stack: Stack) -> Iterator[Look]:
    """Every process that the stack has started: they answer by now, or the stack would not stand."""
    for name, service in stack.services.items():
        process = service.running()
        if process is not None:
            yield ok(f"process {name}", f"pid {process.pid}, {service.url}{service.ready} answers")
        else:
            yield ok(f"process {name}", "stands by; an upgrade starts it")


def edges(stack: Stack, around: Surroundings) -> Iterator[Look]:
    """Every edge, asked through its proxy as the proof of a fault asks."""
    if not stack.edges:
        yield absent("edges", "none, so no network fault can be made", "[[edge]] with a name and what it leads `to`")
    with Prober(around) as prober:
        for edge in stack.edges.values():
            seen = prober.look(edge, ANSWER_LIMIT_S)
            what, way = f"edge {edge.name}", f"{edge.listen} to {edge.to} at {edge.upstream}"
            if seen.seen is Seen.WHOLE:
                yield ok(what, f"{way}, {seen.took_s * 1_000:.0f} ms")
            else:
                whose = "though it answers past the proxy" if seen.alive else "nor does it answer past the proxy"
                yield wrong(what, f"{way}: {seen.seen}, {whose}", f'[[edge]] {edge.name}: to = "{edge.to}"')


def customers_address(stack: Stack, target: Target) -> Look:
    """Whether anybody listens where customers' requests go, and what the target says of its health."""
    what, url = "customers' requests", stack.base_url
    way_out = "base_url: is the API up, and is this where it listens? [commands] start can bring it up"
    if stack.target.base_url is None:
        way_out = "[[edge]] customer, and the log of the service that it leads to"
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        socket.create_connection((parts.hostname or "", port), timeout=LIMIT_S).close()
    except (OSError, ValueError) as exc:
        return wrong(what, f"nobody answers at {url}: {exc}", way_out)
    with HttpxSender(url, LIMIT_S) as send:
        told = drive(target.health(), send)
    if told.outcome is not Outcome.OK or told.health is None:
        answer = f"health: {told.http or told.code or told.ending.value}"
        return ok(what, f"{url} listens; which build answers, and its clock, are not told ({answer})")
    build = f"build {told.health.build}" if told.health.build else "build not named"
    return ok(what, f"{url} answers, {build}")


def status_page(stack: Stack, target: Target) -> Look:
    """What the status page says."""
    what = "status page"
    if Op.STATUS not in target.capabilities.operations:
        return absent(what, "the adapter offers none", "Op.STATUS in the adapter's operations, and status_url")
    with HttpxSender(stack.status_url, LIMIT_S) as send:
        told = drive(target.status(), send)
    if told.page is None:
        seen = f"answered {told.http}" if told.http else told.ending.value
        return wrong(what, f"{stack.status_url}: {seen}, not read as a page", "status_url, and the adapter's status()")
    said = f"trouble with {', '.join(told.page.methods) or 'something'}" if told.page.degraded else "all is well"
    return ok(what, f"{stack.status_url} says: {said}")


def ledgers(sources: tuple[Source, ...]) -> Iterator[Look]:
    """Every provider's ledger, and everyone who says what was released, with their control APIs."""
    for kind, name, loss in (
        (
            SourceKind.LEDGER,
            "ledgers",
            "no provider says what it took, so no promise about money can be held against it",
        ),
        (SourceKind.FULFILMENT, "releases", "nobody says which paid orders were released"),
    ):
        if not any(source.kind is kind for source in sources):
            yield absent(name, loss, f'[[source]] with kind = "{kind.value}", url and headers')
    for source in numbered(sources):
        yield from _ledger(source)


def _ledger(source: Source) -> Iterator[Look]:
    what = f"{'ledger' if source.kind is SourceKind.LEDGER else 'releases'} {source.name}"
    mark = watermark([source], limit_s=LIMIT_S, patience=PATIENCE)
    if mark.problems:
        yield wrong(what, f"{source.url}: {mark.problems[0]}", f"[[source]] {source.name}: url and headers")
        return
    weak = [] if source.complete else ["complete = false: absence in it proves nothing"]
    if source.attribution is not Attribution.ORDER:
        weak.append(f"attribution = {source.attribution}: its rows do not name the order")
    yield ok(what, "; ".join([f"{source.url}, {mark.last_seq[source.name]} rows so far", *weak]))
    if source.control_url is None:
        loss = "its faults cannot be made, and nobody knows when it is at rest"
        yield absent(f"control {source.name}", loss, f"[[source]] {source.name}: control")
        return
    effects = digest_of_effects([source], limit_s=LIMIT_S, patience=PATIENCE)
    if effects.problems:
        said = f"{source.control_url}: {effects.problems[0]}"
        yield wrong(f"control {source.name}", said, f"[[source]] {source.name}: control and headers")


def books(sources: tuple[Source, ...], target: Target) -> Iterator[Look]:
    """Every book, read to its end."""
    source, offered = books_source(sources), target.capabilities.books
    if source is None:
        said = "the file names none" + (f", though the adapter can read {_names(offered)}" if offered else "")
        yield absent("books", said, '[[source]] with kind = "books" and url')
        return
    with HttpxSender(source.url, LIMIT_S, headers=source.headers) as send:
        for book in Book:
            what = f"book of {book.value}"
            if book not in offered:
                yield absent(what, "the adapter offers none", f"Book.{book.name} in the adapter's books")
                continue
            try:
                until = Until.start(what, LIMIT_S, time.monotonic_ns)
                rows = sum(1 for _ in book_rows(target, book, send, until, PATIENCE))
            except Unread as unread:
                yield wrong(
                    what, f"{source.url}: {unread}", f"[[source]] {source.name}: url; [settings] of the adapter"
                )
            else:
                yield ok(what, f"{rows} rows so far")


def clocks(sources: tuple[Source, ...], target: Target, anchor: Anchor) -> Iterator[Look]:
    """How far every clock that stamps evidence is from ours."""
    read = sample_clocks(target, sources, anchor, limit_s=LIMIT_S, patience=PATIENCE)
    for problem in read.problems:
        yield wrong("clocks", problem, "[[source]] control (of a ledger), or the adapter's health() (of the books)")
    if read.samples:
        told = (f"{each.source} {each.offset_ns / 1e6:+.1f} ms" for each in read.samples)
        yield ok("clocks", f"{', '.join(told)} from ours")


def logs(stack: Stack) -> Look:
    """Whether the target's own logs can be looked through for personal data."""
    if stack.services:
        return ok("logs", f"of {len(stack.services)} processes, looked through for personal data")
    return absent("logs", "others start the target, so only its replies show what leaks", "[[service]]")


def faults(stack: Stack) -> Iterator[Look]:
    """Which faults scenarios can make, by whoever makes them."""
    networked = bool(stack.edges) and stack.toxiproxy is not None
    for driver, places, way_out in (
        ("network", tuple(stack.edges) if networked else (), "[[edge]]"),
        ("provider", tuple(stack.providers), "[[source]] control of a ledger"),
        ("process", tuple(stack.services), "[[service]]"),
        ("upgrade", () if stack.rollout is None else (stack.rollout.old,), "[rollout]"),
    ):
        what = f"faults, {driver}"
        yield ok(what, f"can be made: {_names(places)}") if places else absent(what, "none can be made", way_out)


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(str(name) for name in names))
