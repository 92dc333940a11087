r"""Was a failure told of, by the looks that were taken at a status page?

        fails from ......................................................... to
    looks      |   |   |   X   X   X   X      (X: names it)
               \_ silent _/                a breach where longer than the limit

Asked by the judge of a whole run, and of a run so far by who watches it: a stretch without a word
that was longer than the limit stays so, whatever comes later. No I/O, no clock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

PAYING = "paying"
"""The subject that is no method: creates and payments by any method, together."""
GAP_SHARE = 4
"""Between two looks at most this part of the limit; else what the page said meanwhile is not known."""


class Look(Protocol):
    """One look at the page; instants on one clock, in ns."""

    @property
    def sent_ns(self) -> int: ...
    @property
    def done_ns(self) -> int: ...
    @property
    def degraded(self) -> bool | None:
        """None where the page could not be read."""

    @property
    def methods(self) -> Collection[str]:
        """That it names as not working."""


class Failure(Protocol):
    """A method, or paying as a whole, that failed for its customers."""

    @property
    def subject(self) -> str: ...
    @property
    def from_ns(self) -> int: ...
    @property
    def to_ns(self) -> int: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """How one failure was told of."""

    delay_ns: int | None = None
    """From its first failed attempt to the first look that named it; None where none did."""
    silent: tuple[int, int] | None = None
    """A time longer than the limit in which no look named it: from, to."""
    unseen: str | None = None
    """Why that cannot be said."""
    for_good: bool = False
    """A look shows it that was still within the failure: whatever comes later cannot take it back."""


def walk(failure: Failure, looks: Iterable[Look], blind: Sequence[tuple[int, int]], limit_ns: int) -> Told:
    """Walk the looks, in the order of their sending, while it failed: no stretch longer than the limit without a word.

    `blind` are times, from and to, in which the way to the page was itself faulty.
    """
    delay_ns: int | None = None
    since_ns = failure.from_ns  # of the stretch in which nothing was said so far
    before_ns, widest_ns, for_good = since_ns, 0, False
    for look in looks:
        if not failure.from_ns <= look.sent_ns <= failure.to_ns:
            continue
        widest_ns = max(widest_ns, look.sent_ns - before_ns)
        before_ns = look.sent_ns
        if names(look, failure.subject):
            delay_ns = look.sent_ns - failure.from_ns if delay_ns is None else delay_ns
            since_ns, widest_ns = look.done_ns, 0
        elif look.sent_ns - since_ns >= limit_ns:
            for_good = True
            break
    else:
        if failure.to_ns - since_ns < limit_ns:
            return Told(delay_ns=delay_ns)
        widest_ns = max(widest_ns, failure.to_ns - before_ns)
        before_ns = failure.to_ns
    seconds = limit_ns / GAP_SHARE / 1e9
    if widest_ns * GAP_SHARE > limit_ns:
        return Told(unseen=f"failures during which nobody looked at the page for {seconds:.1f} s")
    if any(start_ns <= before_ns and end_ns >= since_ns for start_ns, end_ns in blind):
        return Told(unseen="failures during which the way to the page was itself faulty")
    return Told(delay_ns=delay_ns, silent=(since_ns, before_ns), for_good=for_good)


def names(look: Look, subject: str) -> bool:
    """What is said of paying as a whole, any trouble says."""
    return bool(look.degraded) and (subject == PAYING or subject in look.methods)
