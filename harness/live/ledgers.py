"""What have the providers' ledgers gained?

    GET <url>?after=SEQ ──> rows above the watermark, in the order of their `seq`

A ledger that does not answer is asked again at the next look; how far each was read, and when, is known.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from harness.evidence.asking import Patience, Unread, Until, get, opened
from harness.live.news import Ledger
from harness.targets.source import Source, SourceKind

LIMIT_S = 0.6
"""Of one look at one ledger."""
PAGE = 2_000
"""Rows a look, at most: what is beyond comes with the next one."""


class LedgerRow(msgspec.Struct, frozen=True, gc=False):
    """What the live checks need of a ledger's row."""

    seq: int
    kind: str
    at_ns: int | None = None
    order: str | None = None
    number: str | None = None
    refund_number: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


_ROW = msgspec.json.Decoder(LedgerRow)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gained:
    """What one look at a ledger brought."""

    provider: str
    asked_ns: int
    """All rows up to then stand in it, where it is whole."""
    rows: tuple[LedgerRow, ...]
    whole: bool
    """There were no more."""


class LedgerReader:
    """One provider's ledger, from a watermark on; from any thread, one at a time."""

    def __init__(self, ledger: Ledger, after: int, clock_ns: Callable[[], int]) -> None:
        self.name = ledger.name
        self._ours = ledger.clock == "monotonic"
        self._source = Source(name=ledger.name, kind=SourceKind.LEDGER, url=ledger.url, headers=ledger.headers)
        self._patience = Patience(request_s=LIMIT_S, tries=1, connections=1, now_ns=clock_ns)
        self._send = opened(self._source, self._patience)
        self._after = after

    def read(self) -> Gained | None:
        """What is new; None where it did not answer.

        An instant of another host's clock becomes the one at which it was read, which is later: nothing is called
        late before it is.
        """
        asked_ns = self._patience.now_ns()
        until = Until.start(f"look at ledger {self.name}", LIMIT_S, self._patience.now_ns)
        try:
            reply = get(self._send, self._source.url, f"after={self._after}&limit={PAGE}", until, self._patience)
            rows = tuple(_ROW.decode(line) for line in reply.body.split(b"\n") if line)
        except (Unread, msgspec.DecodeError):
            return None
        if rows:
            self._after = rows[-1].seq
        if not self._ours:
            read_ns = self._patience.now_ns()
            rows = tuple(msgspec.structs.replace(row, at_ns=read_ns) for row in rows)
        return Gained(provider=self.name, asked_ns=asked_ns, rows=rows, whole=len(rows) < PAGE)

    def close(self) -> None:
        """Let go of the connection."""
        self._send.__exit__(None, None, None)
