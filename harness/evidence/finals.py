"""What do the customers themselves see once nothing moves any more?

Every journey's user lists its own orders (this resolves a create whose answer
never came), then each order that history or lists name is read by its owner.
Reads only, never a key replayed: that would be a write. A few at a time, on
threads; under gevent these are greenlets.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from harness.evidence.asking import Patience, Until, whole_file
from harness.evidence.known import Known
from harness.operation import Ending, Op, Outcome, State
from harness.targets.drive import HttpxSender, drive
from harness.targets.protocol import Call, Observation, Target

BATCH = 256
"""Questions handed to the threads at a time: bounds memory at millions of orders."""
_ENCODER = msgspec.json.Encoder()
J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class FinalRead:
    """One row of `reads.jsonl`: the last try of an owner's read of one order."""

    order: str
    user: str
    outcome: Outcome
    ending: Ending
    http: int | None
    code: str | None
    state: State | None
    amount_minor: int | None
    paid_minor: int | None
    refunded_minor: int | None
    sent_ns: int
    done_ns: int
    tries: int
    pay_by_utc_ms: int | None = None
    refunds_done: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FinalList:
    """One row of `lists.jsonl`: the last try of a user's list of its own orders."""

    user: str
    journey: int
    outcome: Outcome
    complete: bool
    """Its last page was reached."""
    orders: tuple[str, ...]
    sent_ns: int
    done_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    seen: Observation
    sent_ns: int
    done_ns: int
    tries: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asker:
    """Puts one question at a time; shared by all threads."""

    target: Target
    send: HttpxSender
    until: Until
    patience: Patience

    def ask(self, question: Callable[[], Call]) -> _Asked | None:
        """Ask until there is a definite answer or the tries are used up; None once the limit has passed."""
        asked: _Asked | None = None
        for tries in range(1, self.patience.tries + 1):
            if asked is not None:
                self.patience.wait(self.patience.pause_s)
            if self.until.passed():
                break
            sent_ns = self.patience.now_ns()
            seen = drive(question(), self.send)
            asked = _Asked(seen=seen, sent_ns=sent_ns, done_ns=self.patience.now_ns(), tries=tries)
            if seen.outcome is not Outcome.INFO and not seen.busy:
                break
        return asked

    def list_of(self, journey: int, user: str) -> FinalList | None:
        asked = self.ask(lambda: self.target.list_orders(user))
        if asked is None:
            return None
        return FinalList(
            user=user,
            journey=journey,
            outcome=asked.seen.outcome,
            complete=asked.seen.complete,
            orders=asked.seen.order_ids,
            sent_ns=asked.sent_ns,
            done_ns=asked.done_ns,
        )

    def read_of(self, order: str, user: str) -> FinalRead | None:
        asked = self.ask(lambda: self.target.read(user, order))
        if asked is None:
            return None
        return FinalRead(
            order=order,
            user=user,
            outcome=asked.seen.outcome,
            ending=asked.seen.ending,
            http=asked.seen.http,
            code=asked.seen.code,
            state=asked.seen.state,
            amount_minor=asked.seen.amount_minor,
            paid_minor=asked.seen.paid_minor,
            refunded_minor=asked.seen.refunded_minor,
            pay_by_utc_ms=asked.seen.pay_by_utc_ms,
            refunds_done=asked.seen.refunds_done,
            sent_ns=asked.sent_ns,
            done_ns=asked.done_ns,
            tries=asked.tries,
        )


def copy_finals(
    target: Target, send: HttpxSender, known: Known, *, into: Path, until: Until, patience: Patience
) -> tuple[str, ...]:
    """Write `lists.jsonl` and `reads.jsonl`, each if the target offers the operation.

    A question without an answer is a row too. Questions that the limit left
    unasked have no row; returns sentences that count them.
    """
    asker = _Asker(target=target, send=send, until=until, patience=patience)
    owners = dict(known.orders)
    problems: list[str] = []
    with ThreadPoolExecutor(max_workers=patience.connections) as pool:
        if Op.LIST in target.capabilities.operations:
            users = sorted(known.users.items())
            with whole_file(into / "lists.jsonl") as file:
                lists = _side_by_side(pool, lambda it: asker.list_of(it[0], it[1]), users)
                problems += _write(
                    file, _noting(lists, owners), f"{len(users)} users for the list of their orders", until
                )
        if Op.READ in target.capabilities.operations:
            with whole_file(into / "reads.jsonl") as file:
                reads = _side_by_side(pool, lambda it: asker.read_of(it[0], it[1]), sorted(owners.items()))
                problems += _write(file, reads, f"{len(owners)} orders for a last read", until)
    return tuple(problems)


def _side_by_side(pool: ThreadPoolExecutor, ask: Callable[[J], R], questions: Iterable[J]) -> Iterator[R]:
    """Answers in the order of the questions, a batch of questions in flight at a time."""
    rest = iter(questions)
    while batch := list(islice(rest, BATCH)):
        yield from pool.map(ask, batch)


def _noting(lists: Iterable[FinalList | None], owners: dict[str, str]) -> Iterator[FinalList | None]:
    """Pass lists on; an order that only a list names is known from then on, with the user who saw it."""
    for row in lists:
        if row is not None:
            for order in row.orders:
                owners.setdefault(order, row.user)
        yield row


def _write(file: BinaryIO, rows: Iterable[FinalList | FinalRead | None], questions: str, until: Until) -> list[str]:
    unasked = 0
    for row in rows:
        if row is None:
            unasked += 1
        else:
            file.write(_ENCODER.encode(row) + b"\n")
    if not unasked:
        return []
    return [f"of {questions}, {unasked} were not asked: the limit {until.name} ({until.limit_s:g} s) passed"]
