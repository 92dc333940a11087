"""What is asked of whom, in which order, once nothing moves any more?

    clocks ─> P: last seq ─> O: the books ─> P: the whole ledgers ─> customers' lists and reads
                   │               │                  │                        │
           ledger_first_seq   books.*.jsonl    ledger.*.jsonl       lists.jsonl, reads.jsonl
                                               releases.*.jsonl

The books are read between two readings of the ledgers: read after the ledgers
alone, a capture booked in between would look like money without an order. What
cannot be read has no file and a sentence in `Collection.problems`. Last, the logs of
the target's processes are looked through for personal data: log_leaks.jsonl. It does not
judge, and knows no client but HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.documents import Anchor
from harness.evidence.asking import Patience, Unread, Until, whole_file
from harness.evidence.books import BooksRead, States, books_source, copy_books, digest_of_states
from harness.evidence.clocks import ClockSample, sample_clocks
from harness.evidence.finals import copy_finals
from harness.evidence.known import known_in
from harness.evidence.ledgers import Effects, Watermark, copy_ledger, digest_of_effects, numbered, watermark
from harness.evidence.logs import copy_log_leaks
from harness.load.leaks import Scanner
from harness.targets.drive import HttpxSender
from harness.targets.protocol import Target
from harness.targets.source import Source, SourceKind

__all__ = [
    "Collection",
    "Effects",
    "Patience",
    "States",
    "Watermark",
    "collect",
    "digest_of_effects",
    "digest_of_states",
    "sample_clocks",
    "watermark",
]

_CLOCKS_LIMIT_S = 5.0
GROWING = frozenset({"status.jsonl", "rereads.jsonl"})
"""Still written to by others when the rest is counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """What `evidence/conduct.json` says of the collection."""

    ledger_first_seq: Mapping[str, int]
    """Ledger -> last `seq` before the books were read."""
    ledger_last_seq: Mapping[str, int]
    """Ledger -> last `seq` in its file, read after the books."""
    books_read_ns: tuple[int, int] | None
    problems: tuple[str, ...]
    rows: Mapping[str, int] = field(default_factory=dict)
    """File of evidence without its ending -> its rows."""


def collect(
    *,
    target: Target,
    base_url: str,
    sources: Sequence[Source],
    history: Path,
    into: Path,
    anchor: Anchor,
    limit_s: float,
    earlier_clocks: Sequence[ClockSample] = (),
    logs: Path | None = None,
    scanner: Scanner | None = None,
    patience: Patience | None = None,
) -> Collection:
    """Read every source once more and write the evidence of one scenario.

    `history` is the folder with the history files, `into` the evidence folder,
    which is made. Customers' requests go to `base_url`. Samples taken earlier,
    at preflight, say, are written before today's. `logs` is the folder with the logs of the target's processes, in
    which `scanner` looks for personal data; without either nobody looks. Ends `limit_s` after it began,
    or one request's deadline later, with what it has. Raises only what the disk raises.
    """
    patience = patience or Patience()
    until = Until.start("evidence", limit_s, patience.now_ns)
    into.mkdir(parents=True, exist_ok=True)
    clocks = sample_clocks(target, sources, anchor, limit_s=min(_CLOCKS_LIMIT_S, limit_s), patience=patience)
    with whole_file(into / "clocks.jsonl") as file:
        file.writelines(msgspec.json.encode(sample) + b"\n" for sample in (*earlier_clocks, *clocks.samples))
    first = watermark(sources, limit_s=limit_s, patience=patience)
    own = books_source(sources)
    books = BooksRead(read_ns=None) if own is None else copy_books(target, own, into, until, patience)
    last_seq, unread = _copy_ledgers(sources, into, until, patience)
    known = known_in(history)
    with HttpxSender(base_url, patience.request_s, connections=patience.connections) as send:
        unasked = copy_finals(target, send, known, into=into, until=until, patience=patience)
    if logs is not None and scanner is not None:
        copy_log_leaks(logs, scanner, into / "log_leaks.jsonl")
    return Collection(
        ledger_first_seq=first.last_seq,
        ledger_last_seq=last_seq,
        books_read_ns=books.read_ns,
        problems=(*clocks.problems, *first.problems, *books.problems, *unread, *known.problems, *unasked),
        rows={path.stem: count_rows(path) for path in sorted(into.glob("*.jsonl")) if path.name not in GROWING},
    )


def count_rows(path: Path) -> int:
    """Lines that end; a bounded piece of the file at a time."""
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def _copy_ledgers(
    sources: Sequence[Source], into: Path, until: Until, patience: Patience
) -> tuple[dict[str, int], list[str]]:
    last_seq: dict[str, int] = {}
    problems: list[str] = []
    for source in numbered(sources):
        file = f"{'ledger' if source.kind is SourceKind.LEDGER else 'releases'}.{source.name}.jsonl"
        try:
            last_seq[source.name] = copy_ledger(source, into / file, until, patience)
        except Unread as unread:
            problems.append(f"{source.kind} {source.name} could not be read: {unread}")
    return last_seq, problems
