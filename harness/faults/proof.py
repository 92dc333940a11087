"""Did the fault truly happen? One row a step, appended to `faults.jsonl`.

    injected -> read_back -> effect_seen -> watched ... watched -> lifted -> lift_read_back -> effect_gone

A fault with a cue begins with `cue`. Three words, as for a verdict: `confirmed`
is what was planned, `mismatch` is something else, `inconclusive` could not be
told. A step that has no row did not take place. Rows are flushed one by one, so
that the file is whole up to the instant at which a run dies; what they mean for
a verdict is decided elsewhere.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec


class Event(StrEnum):
    """A step of one fault's course."""

    CUE = "cue"
    """What the fault waited for came (confirmed) or did not come in time (inconclusive)."""
    INJECTED = "injected"
    READ_BACK = "read_back"
    """What stands is exactly what was asked for, where it was asked for, and nothing beside it."""
    MOVED = "moved"
    """Users were moved from one build to another: `build` has the `share` from then on."""
    EFFECT_SEEN = "effect_seen"
    """The traffic shows it."""
    WATCHED = "watched"
    """Read back again, about twice a second and once more immediately before lifting."""
    LIFTED = "lifted"
    LIFT_READ_BACK = "lift_read_back"
    EFFECT_GONE = "effect_gone"
    """The traffic is whole again."""


class Status(StrEnum):
    """What a step showed."""

    CONFIRMED = "confirmed"
    MISMATCH = "mismatch"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What one step showed, and in a sentence how."""

    status: Status
    detail: str


def confirmed(detail: str) -> Proof:
    """The step went as planned."""
    return Proof(status=Status.CONFIRMED, detail=detail)


def mismatch(detail: str) -> Proof:
    """Something else is there than what was planned."""
    return Proof(status=Status.MISMATCH, detail=detail)


def inconclusive(detail: str) -> Proof:
    """It could not be told."""
    return Proof(status=Status.INCONCLUSIVE, detail=detail)


class FaultRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `faults.jsonl`."""

    number: int
    """The fault's number in `scenario.json`."""
    event: Event
    status: Status
    at_ns: int
    """CLOCK_MONOTONIC of the conductor's host: of the act itself, or of the end of the look."""
    detail: str
    build: str | None = None
    share: float | None = None


class FaultLog:
    """The open `faults.jsonl` of one scenario; its rows come from several threads or greenlets."""

    def __init__(self, path: Path, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._file = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(
        self,
        number: int,
        event: Event,
        proof: Proof,
        at_ns: int | None = None,
        *,
        build: str | None = None,
        share: float | None = None,
    ) -> None:
        """Append one row and hand it to the kernel; `at_ns` is now unless given."""
        at_ns = self._clock_ns() if at_ns is None else at_ns
        row = FaultRow(
            number=number,
            event=event,
            status=proof.status,
            at_ns=at_ns,
            detail=proof.detail,
            build=build,
            share=share,
        )
        with self._lock:
            if not self._file.closed:
                self._file.write(msgspec.json.encode(row) + b"\n")
                self._file.flush()

    def close(self) -> None:
        """Close the file; rows that come later are dropped."""
        with self._lock:
            self._file.close()
