"""What do the providers' ledgers say, and has anything moved in them?

A ledger is NDJSON, `GET <url>?after=SEQ&limit=N`, ascending by a gap-free `seq`,
with the whole ledger's last `seq` in `X-Last-Seq`. Rows are copied byte for byte.
The digest of effects comes from the provider simulator's control API; queries
do not count in it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.evidence.asking import Patience, Unread, Until, get, opened, whole_file
from harness.targets.drive import HttpxSender
from harness.targets.source import Source, SourceKind

ROWS_A_PAGE = 2_000


class _Row(msgspec.Struct, frozen=True, gc=False):
    seq: int


class _Planned(msgspec.Struct, frozen=True):
    planned: int
    effects: int
    digest: str


_ROW = msgspec.json.Decoder(_Row)
_PLANNED = msgspec.json.Decoder(_Planned)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watermark:
    """Where each ledger stood at one moment."""

    last_seq: Mapping[str, int]
    """By source; a ledger that could not be read is missing."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Effects:
    """What providers have done and still mean to do."""

    digest: str | None
    """Over effects of all ledgers; None where one could not be asked."""
    planned: int
    """Captures, refunds and deliveries of notices that are still due."""
    effects: int
    problems: tuple[str, ...] = ()


def ledgers(sources: Iterable[Source]) -> tuple[Source, ...]:
    """The providers' ledgers among the sources, by name."""
    return tuple(sorted((s for s in sources if s.kind is SourceKind.LEDGER), key=lambda source: source.name))


def numbered(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Sources that are read as a ledger is, by a gap-free `seq`: the providers', and those where releases arrive."""
    return tuple(sorted((s for s in sources if s.kind is not SourceKind.BOOKS), key=lambda source: source.name))


def watermark(sources: Iterable[Source], *, limit_s: float, patience: Patience | None = None) -> Watermark:
    """Ask each ledger for its last `seq`; one small request a ledger."""
    patience = patience or Patience()
    until = Until.start("watermark", limit_s, patience.now_ns)
    last_seq: dict[str, int] = {}
    problems: list[str] = []
    for source in numbered(sources):
        try:
            with opened(source, patience) as send:
                reply = get(send, source.url, "after=0&limit=1", until, patience)
            last_seq[source.name] = _last_seq(reply.headers)
        except Unread as unread:
            problems.append(f"{source.kind} {source.name} has no watermark: {unread}")
    return Watermark(last_seq=last_seq, problems=tuple(problems))


def digest_of_effects(sources: Iterable[Source], *, limit_s: float, patience: Patience | None = None) -> Effects:
    """Ask providers and whoever takes releases what is planned and for a digest of their effects; one request each.

    A ledger without a control API cannot say, so it makes the digest None.
    """
    patience = patience or Patience()
    until = Until.start("digest of effects", limit_s, patience.now_ns)
    told: list[tuple[str, _Planned]] = []
    problems: list[str] = []
    for source in numbered(sources):
        try:
            told.append((source.name, _planned(source, until, patience)))
        except Unread as unread:
            problems.append(f"effects of {source.name} are not known: {unread}")
    text = "\n".join(f"{name} {planned.effects} {planned.digest}" for name, planned in told)
    return Effects(
        digest=None if problems else hashlib.sha256(text.encode()).hexdigest(),
        planned=sum(planned.planned for _, planned in told),
        effects=sum(planned.effects for _, planned in told),
        problems=tuple(problems),
    )


def copy_ledger(source: Source, into: Path, until: Until, patience: Patience) -> int:
    """Write every row of a ledger to `into`, a page in memory at a time, and return its last `seq`.

    Raises `Unread`, and leaves no file, where it cannot be read to the end.
    """
    with opened(source, patience) as send, whole_file(into) as file:
        seq = 0
        while True:
            rows, last_seq = _page(send, source, seq, until, patience)
            for row_seq, line in rows:
                if row_seq <= seq:
                    raise Unread(f"row {row_seq} stands after row {seq}")
                seq = row_seq
                file.write(line + b"\n")
            if not rows or seq >= last_seq:
                break
        if seq < last_seq:
            raise Unread(f"it ends at row {seq}, and says that its last is {last_seq}")
        return seq


def _page(
    send: HttpxSender, source: Source, after: int, until: Until, patience: Patience
) -> tuple[list[tuple[int, bytes]], int]:
    """Rows with their `seq`, and the whole ledger's last one."""
    reply = get(send, source.url, f"after={after}&limit={ROWS_A_PAGE}", until, patience)
    try:
        rows = [(_ROW.decode(line).seq, line) for line in reply.body.split(b"\n") if line]
    except msgspec.DecodeError as error:
        raise Unread(f"a row after {after} is not understood: {error}") from error
    return rows, _last_seq(reply.headers)


def _last_seq(headers: Mapping[str, str]) -> int:
    text = headers.get("x-last-seq", "")
    if not text.isdecimal():
        raise Unread(f"X-Last-Seq is {text!r}, not a number")
    return int(text)


def _planned(source: Source, until: Until, patience: Patience) -> _Planned:
    if source.control_url is None:
        raise Unread("it has no control API")
    with opened(source, patience) as send:
        reply = get(send, f"{source.control_url}/planned", "", until, patience)
    try:
        return _PLANNED.decode(reply.body)
    except msgspec.DecodeError as error:
        raise Unread(f"what is planned is not understood: {error}") from error
