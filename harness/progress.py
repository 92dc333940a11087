"""How does a run say where it stands?

The conductor calls a reporter with `Progress` values. Under `harness gate` they
go as JSON lines to the descriptor that `HARNESS_PROGRESS_FD` names, and the
gate draws them; under plain Locust they are lines on standard error.
"""

import os
import sys
import time
from collections.abc import Callable

import msgspec


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing worth knowing while a run goes on."""

    scenario: str
    phase: str
    """preflight, load, drain, evidence, verdict, stack, error."""
    text: str
    share: float | None = None
    """How much of the phase is done, 0 to 1, where that is known."""


NEWS = frozenset({"broken", "live"})
"""Phases that are none, but news of a breach and of the process that watches."""
Say = Callable[[Progress], None]

NEWS_S = 5.0
"""A phase that goes on says where it stands so often, where there is only a log to say it in."""


def reporter() -> Say:
    """Give the function by which this process reports progress."""
    descriptor = os.environ.get("HARNESS_PROGRESS_FD")
    plainly = plain_lines()
    if descriptor is None:
        return plainly
    encoder, number = msgspec.json.Encoder(), int(descriptor)

    def say(progress: Progress) -> None:
        try:
            os.write(number, encoder.encode(progress) + b"\n")
        except OSError:  # the gate is gone; the run goes on to its end, which the warden guards
            plainly(progress)

    return say


def plain_lines(now_s: Callable[[], float] = time.monotonic) -> Say:
    """Give a function that says it as lines for people: whatever is new, and where a long phase stands now and then."""
    before: tuple[str, str] | None = None
    said_s = 0.0

    def say(progress: Progress) -> None:
        nonlocal before, said_s
        step = (progress.scenario, progress.phase)
        if progress.share is not None and step == before and now_s() - said_s < NEWS_S:
            return
        before, said_s = step, now_s()
        where = f"{progress.scenario} " if progress.scenario else ""
        sys.stderr.write(f"{where}{progress.phase}: {progress.text}\n")
        sys.stderr.flush()

    return say
