"""What may a customer conclude from how one request of an operation ended?

The one default table; an adapter adds rows for what its API says in its own
way. First match wins, from the top:

    how it ended                                      write     read
    ------------------------------------------------  --------  --------
    nothing was sent                                  fail      info
    anything else without a whole answer              info      info
    the answer claims to be JSON and is not           info      info
    the target's busy contract                        fail      fail
    the adapter's rows                                as they say
    2xx                                               ok        ok
    408, 409, 429                                     info      info
    any other 4xx                                     fail      info
    everything else: 5xx, 3xx, what is not HTTP       info      info

An answer that never came is no adapter's to reinterpret, so its rows are asked
about whole answers only. Of a read, `info` means "no information"; a `fail`
comes from a row alone ("there is definitely no such order") or is busy, so a
404 that a proxy made proves nothing.

Why four codes of the 4xx are no plain refusals:

- 408: gateways answer it when the server behind them is late, with the request passed on.
- 409 often means that the same key is being worked on, and that work may take effect. An adapter
  whose API says which conflict it is adds rows.
- 429 without the busy contract: rate limiters stand before the work, but not all (a refund at WeChat Pay
  answered 429 may have been accepted).
- 425 *is* a refusal: the server declined to run the risk of a replay (RFC 8470).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from harness.operation import NOTHING_SENT, WRITES, Ending, Op, Outcome
from harness.targets.protocol import BusyContract, Reply

UNREADABLE = "unreadable_answer"
"""Code of an answer that claims JSON and is not, or lacks what the adapter must read in it."""

_INDETERMINATE = frozenset({408, 409, 429})
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a reply means for its operation."""

    outcome: Outcome
    code: str | None = None
    busy: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TableRow:
    """An adapter's addition to the table, asked before the bare statuses."""

    ops: frozenset[Op]
    when: Callable[[Reply, str | None], bool]
    """Given a whole answer and the target's code in it."""
    outcome: Outcome
    code: str | None = None
    """Put in place of the target's code; None keeps that."""


def judge(
    op: Op,
    reply: Reply,
    *,
    code: str | None = None,
    rows: Iterable[TableRow] = (),
    busy: BusyContract | None = None,
    decisive: bool = True,
) -> Judgement:
    """Hold a reply against the table.

    `code` is the target's stable code, as the adapter found it in the reply.
    `decisive` is False for a step of an operation that by itself changes
    nothing that matters (filling a cart): whatever became of it, the operation
    then certainly had no effect, so what is not ok is `fail`.
    """
    judged = _judge(op, reply, code, rows, busy)
    if not decisive and judged.outcome is Outcome.INFO:
        return Judgement(outcome=Outcome.FAIL, code=judged.code)
    return judged


def _judge(op: Op, reply: Reply, code: str | None, rows: Iterable[TableRow], busy: BusyContract | None) -> Judgement:
    write = op in WRITES
    status = reply.status
    if reply.ending is not Ending.ANSWERED or status is None:
        unsent = write and reply.ending in NOTHING_SENT
        return Judgement(outcome=Outcome.FAIL if unsent else Outcome.INFO)
    if not _keeps_its_word(reply, status):
        return Judgement(outcome=Outcome.INFO, code=UNREADABLE)
    if busy is not None and matches_busy(busy, reply, code):
        return Judgement(outcome=Outcome.FAIL, code=code, busy=True)
    for row in rows:
        if op in row.ops and row.when(reply, code):
            return Judgement(outcome=row.outcome, code=row.code or code)
    return Judgement(outcome=_by_status(status, write=write), code=code)


def matches_busy(contract: BusyContract, reply: Reply, code: str | None) -> bool:
    """Whether a reply bears every mark of the refusal that the target declares to be without effect."""
    marked = not contract.needs_retry_after or "retry-after" in reply.headers
    return reply.status in contract.statuses and code in contract.codes and marked


def retry_after_s(reply: Reply) -> float | None:
    """Seconds that `Retry-After` asks for; None without it, and for a date, which needs a clock to read."""
    text = reply.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def claims_json(reply: Reply) -> bool:
    """Whether the content type is JSON or one of its family (`application/problem+json`)."""
    media = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _keeps_its_word(reply: Reply, status: int) -> bool:
    if not claims_json(reply) or status in _WITHOUT_BODY:
        return True
    try:
        msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _by_status(status: int, *, write: bool) -> Outcome:
    if 200 <= status < 300:  # noqa: PLR2004  # the classes of RFC 9110
        return Outcome.OK
    refused = 400 <= status < 500 and status not in _INDETERMINATE  # noqa: PLR2004
    return Outcome.FAIL if refused and write else Outcome.INFO
