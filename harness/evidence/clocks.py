"""How far are the clocks of others from ours, and how well do we know?

    ours:    sent_ns ──────────── at_ns ──────────── done_ns
                       └ their stamp lies somewhere here ┘

Of several samples the one with the least round trip is kept; half of it, and
the coarseness of the stamp, is the error.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from harness.documents import Anchor
from harness.evidence.asking import Patience, Unread, Until, get, opened
from harness.operation import Outcome
from harness.targets.drive import HttpxSender, drive
from harness.targets.protocol import Target
from harness.targets.source import Source, SourceClock, SourceKind

SAMPLES = 5
_MS_NS = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockSample:
    """One row of `clocks.jsonl`."""

    source: str
    at_ns: int
    """CLOCK_MONOTONIC of this host."""
    offset_ns: int
    """The source's clock minus ours; of a UTC clock ours is the run's anchor."""
    error_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ClocksRead:
    """What was learnt about the sources' clocks."""

    samples: tuple[ClockSample, ...]
    problems: tuple[str, ...] = ()


class _Clock(msgspec.Struct, frozen=True):
    monotonic_ns: int
    utc_ms: float


_CLOCK = msgspec.json.Decoder(_Clock)
_Stamp = Callable[[], int | None]
"""Asks once; returns the source's stamp in ns, None where it does not tell the time."""


def sample_clocks(
    target: Target, sources: Iterable[Source], anchor: Anchor, *, limit_s: float, patience: Patience | None = None
) -> ClocksRead:
    """Sample each ledger's clock by its control API, and that of the books by the target's health.

    A ledger without a control API and a target whose health names no time have no
    sample; that is no problem here, the judge knows what it needs.
    """
    patience = patience or Patience()
    until = Until.start("clock samples", limit_s, patience.now_ns)
    samples: list[ClockSample] = []
    problems: list[str] = []
    for source in sorted(sources, key=lambda source: source.name):
        try:
            sample = _sample(target, source, anchor, until, patience)
        except Unread as unread:
            problems.append(f"clock of {source.name} could not be read: {unread}")
        else:
            samples.extend([] if sample is None else [sample])
    return ClocksRead(samples=tuple(samples), problems=tuple(problems))


def _sample(target: Target, source: Source, anchor: Anchor, until: Until, patience: Patience) -> ClockSample | None:
    if source.kind is SourceKind.BOOKS:
        with HttpxSender(source.url, patience.request_s, headers=source.headers) as send:
            return _least(source, lambda: _health_ns(target, send, until), anchor, patience)
    if source.control_url is None:
        return None
    url = f"{source.control_url}/clock"
    with opened(source, patience) as send:
        return _least(source, lambda: _control_ns(source, send, url, until, patience), anchor, patience)


def _health_ns(target: Target, send: HttpxSender, until: Until) -> int | None:
    until.check()
    seen = drive(target.health(), send)
    if seen.outcome is not Outcome.OK:
        raise Unread(f"health ended {seen.ending.value}, {seen.http or 'no status'}")
    return None if seen.health is None or seen.health.utc_ms is None else seen.health.utc_ms * _MS_NS


def _control_ns(source: Source, send: HttpxSender, url: str, until: Until, patience: Patience) -> int:
    reply = get(send, url, "", until, patience)
    try:
        clock = _CLOCK.decode(reply.body)
    except msgspec.DecodeError as error:
        raise Unread(f"its clock is not understood: {error}") from error
    return clock.monotonic_ns if source.clock is SourceClock.MONOTONIC else round(clock.utc_ms * _MS_NS)


def _least(source: Source, stamp: _Stamp, anchor: Anchor, patience: Patience) -> ClockSample | None:
    """The best of several samples; the first request also opens the connection, so it rarely is."""
    best: ClockSample | None = None
    wall = source.kind is SourceKind.BOOKS or source.clock is SourceClock.UTC
    for _ in range(SAMPLES):
        sent_ns = patience.now_ns()
        theirs_ns = stamp()
        half_trip_ns = (patience.now_ns() - sent_ns) // 2
        if theirs_ns is None:
            return None
        at_ns = sent_ns + half_trip_ns
        sample = ClockSample(source=source.name, at_ns=at_ns, offset_ns=theirs_ns - at_ns, error_ns=half_trip_ns)
        if wall:
            sample = _against_anchor(sample, theirs_ns, anchor)
        if best is None or sample.error_ns < best.error_ns:
            best = sample
    return best


def _against_anchor(sample: ClockSample, theirs_ns: int, anchor: Anchor) -> ClockSample:
    """A stamp in whole ms lies half a ms too early on average; that half is also error."""
    ours_ns = round(anchor.utc_ms * _MS_NS) + sample.at_ns - anchor.monotonic_ns
    return ClockSample(
        source=sample.source,
        at_ns=sample.at_ns,
        offset_ns=theirs_ns + _MS_NS // 2 - ours_ns,
        error_ns=sample.error_ns + round(anchor.error_ms * _MS_NS) + _MS_NS // 2,
    )
