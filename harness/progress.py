"""How does a run say where it stands?

The conductor calls a reporter with `Progress` values. Under `harness gate` they
go as JSON lines to the descriptor that `HARNESS_PROGRESS_FD` names, and the
gate draws them; under plain Locust they are lines on standard error.
"""

import os
import sys
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


Say = Callable[[Progress], None]


def reporter() -> Say:
    """Give the function by which this process reports progress."""
    descriptor = os.environ.get("HARNESS_PROGRESS_FD")
    if descriptor is None:
        return say_plainly
    encoder, number = msgspec.json.Encoder(), int(descriptor)

    def say(progress: Progress) -> None:
        try:
            os.write(number, encoder.encode(progress) + b"\n")
        except OSError:  # the gate is gone; the run goes on to its end, which the warden guards
            say_plainly(progress)

    return say


def say_plainly(progress: Progress) -> None:
    """Say it as one line for people; what is repeated with another share is left out."""
    if progress.share is None or progress.share in (0.0, 1.0):
        where = f"{progress.scenario} " if progress.scenario else ""
        sys.stderr.write(f"{where}{progress.phase}: {progress.text}\n")
        sys.stderr.flush()
