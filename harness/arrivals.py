"""When does each journey begin? A load shape and a seed give every instant.

Open model: the instants are fixed before the run and know nothing of how the
target fares, so that a slow target cannot thin out its own load. Paced shapes
(`Steady`, `Step`, `Ramp`, `Stages`) cut the time axis into slots that hold exactly one
arrival each and let the seed choose where in its slot it falls; `Poisson` draws
independent gaps. Pure: no clock, no I/O; starting journeys is
`harness.load.dispatch`.
"""

import hashlib
import math
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from harness.errors import UsageError

MAX_ARRIVALS = 10_000_000
"""Most arrivals of one load; above it a schedule would not fit beside the run in memory."""

_NS_PER_S = 1_000_000_000
_ROUNDING = 1e-9
"""Share of a slot by which a product of floats may fall short of a whole number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Steady:
    """The same rate from beginning to end."""

    rate_per_s: float
    duration_s: float

    def __post_init__(self) -> None:
        _check(self)

    def rate_at(self, t_s: float) -> float:
        """Arrivals per second, `t_s` after the load's start."""
        return self.rate_per_s if 0 <= t_s < self.duration_s else 0.0

    def expected_by(self, t_s: float) -> float:
        """Integral of the rate from the start to `t_s`, which lies within the load."""
        return self.rate_per_s * t_s

    def instant_of(self, number: float) -> float:
        """Inverse of `expected_by`: seconds until `number` arrivals are due."""
        return number / self.rate_per_s

    def describe(self) -> str:
        """One line for people."""
        return f"steady {self.rate_per_s:g}/s for {self.duration_s:g} s"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One rate, then at once another (F01: a surge arrives as a step)."""

    before_per_s: float
    after_per_s: float
    at_s: float
    duration_s: float

    def __post_init__(self) -> None:
        _check(self)
        if self.at_s > self.duration_s:
            raise UsageError(f"{self!r}: the step lies behind the load's end; make at_s at most duration_s")

    def rate_at(self, t_s: float) -> float:
        """Arrivals per second, `t_s` after the load's start."""
        if not 0 <= t_s < self.duration_s:
            return 0.0
        return self.before_per_s if t_s < self.at_s else self.after_per_s

    def expected_by(self, t_s: float) -> float:
        """Integral of the rate from the start to `t_s`, which lies within the load."""
        return self.before_per_s * min(t_s, self.at_s) + self.after_per_s * max(0.0, t_s - self.at_s)

    def instant_of(self, number: float) -> float:
        """Inverse of `expected_by`: seconds until `number` arrivals are due."""
        due_before = self.before_per_s * self.at_s
        if number < due_before or self.after_per_s == 0:
            return number / self.before_per_s
        return self.at_s + (number - due_before) / self.after_per_s

    def describe(self) -> str:
        """One line for people."""
        return (
            f"step {self.before_per_s:g}/s to {self.after_per_s:g}/s at {self.at_s:g} s, {self.duration_s:g} s in all"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ramp:
    """A rate that changes evenly from one value to another (F30: where is the knee?)."""

    from_per_s: float
    to_per_s: float
    duration_s: float

    def __post_init__(self) -> None:
        _check(self)

    def rate_at(self, t_s: float) -> float:
        """Arrivals per second, `t_s` after the load's start."""
        if not 0 <= t_s < self.duration_s:
            return 0.0
        return self.from_per_s + (self.to_per_s - self.from_per_s) * t_s / self.duration_s

    def expected_by(self, t_s: float) -> float:
        """Integral of the rate from the start to `t_s`, which lies within the load."""
        return self.from_per_s * t_s + (self.to_per_s - self.from_per_s) * t_s * t_s / (2 * self.duration_s)

    def instant_of(self, number: float) -> float:
        """Inverse of `expected_by`: seconds until `number` arrivals are due.

        The root of the parabola in the form that loses no digits where the ramp
        is flat, and holds for a flat one too.
        """
        if number <= 0:
            return 0.0
        slope = (self.to_per_s - self.from_per_s) / self.duration_s
        root = math.sqrt(max(0.0, self.from_per_s**2 + 2 * slope * number))
        return 2 * number / (self.from_per_s + root)

    def describe(self) -> str:
        """One line for people."""
        return f"ramp {self.from_per_s:g}/s to {self.to_per_s:g}/s over {self.duration_s:g} s"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stages:
    """One paced load after the other (F30: up past the knee, a while beyond it, and down again)."""

    stages: tuple[Steady | Step | Ramp, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise UsageError("Stages of nothing are no load: name one at least")

    @property
    def duration_s(self) -> float:
        """Of all stages together."""
        return sum(stage.duration_s for stage in self.stages)

    def rate_at(self, t_s: float) -> float:
        """Arrivals per second, `t_s` after the load's start."""
        for stage in self.stages:
            if t_s < stage.duration_s:
                return stage.rate_at(t_s)
            t_s -= stage.duration_s
        return 0.0

    def expected_by(self, t_s: float) -> float:
        """Integral of the rate from the start to `t_s`, which lies within the load."""
        expected = 0.0
        for stage in self.stages:
            expected += stage.expected_by(min(max(t_s, 0.0), stage.duration_s))
            t_s -= stage.duration_s
        return expected

    def instant_of(self, number: float) -> float:
        """Inverse of `expected_by`: seconds until `number` arrivals are due."""
        begin_s = 0.0
        for stage in self.stages[:-1]:
            due = stage.expected_by(stage.duration_s)
            if number < due:
                return begin_s + stage.instant_of(number)
            number -= due
            begin_s += stage.duration_s
        return begin_s + self.stages[-1].instant_of(number)

    def describe(self) -> str:
        """One line for people."""
        return ", then ".join(stage.describe() for stage in self.stages)


@dataclass(frozen=True, kw_only=True, slots=True)
class Poisson:
    """Customers who know nothing of each other: exponential gaps, a count that varies with the seed."""

    rate_per_s: float
    duration_s: float

    def __post_init__(self) -> None:
        _check(self)

    def rate_at(self, t_s: float) -> float:
        """Expected arrivals per second, `t_s` after the load's start."""
        return self.rate_per_s if 0 <= t_s < self.duration_s else 0.0

    def describe(self) -> str:
        """One line for people."""
        return f"Poisson {self.rate_per_s:g}/s for {self.duration_s:g} s"


Load = Steady | Step | Ramp | Stages | Poisson
"""Every load shape; all have `duration_s`, `rate_at` and `describe`."""


def at_rate(load: Load, factor: float) -> Load:
    """The same load with every rate multiplied; duration and shape stay. Raises UsageError where that is too much."""
    if isinstance(load, Stages):
        return Stages(stages=tuple(at_rate(stage, factor) for stage in load.stages))  # type: ignore[misc]
    rates = {field.name: getattr(load, field.name) * factor for field in fields(load) if field.name.endswith("_per_s")}
    return replace(load, **rates)


def schedule(load: Load, seed: int) -> tuple[int, ...]:
    """Instants of all arrivals: ascending ns from the load's start, below its duration.

    The same load and seed give the same instants on every machine and version.
    Paced shapes give as many as whole slots fit, which is the integral of the
    rate, rounded down. About 1 us an arrival.
    """
    chance = random.Random(f"arrivals/{seed}")
    instants_s = _independent(load, chance) if isinstance(load, Poisson) else _paced(load, chance)
    last_ns = math.ceil(load.duration_s * _NS_PER_S) - 1
    return tuple(min(int(t_s * _NS_PER_S), last_ns) for t_s in instants_s)


def digest(instants_ns: tuple[int, ...]) -> str:
    """32 hex digits that name a schedule: equal where and only where all instants are."""
    packed = struct.pack(f">{len(instants_ns)}q", *instants_ns)
    return hashlib.blake2b(packed, digest_size=16).hexdigest()


def _paced(load: Steady | Step | Ramp | Stages, chance: random.Random) -> Iterator[float]:
    slots = int(load.expected_by(load.duration_s) + _ROUNDING)
    for slot in range(slots):
        yield load.instant_of(slot + chance.random())


def _independent(load: Poisson, chance: random.Random) -> Iterator[float]:
    if load.rate_per_s == 0:
        return
    t_s = chance.expovariate(load.rate_per_s)
    while t_s < load.duration_s:
        yield t_s
        t_s += chance.expovariate(load.rate_per_s)


def _check(load: Steady | Step | Ramp | Poisson) -> None:
    for field in fields(load):
        value = getattr(load, field.name)
        if not math.isfinite(value) or value < 0:
            raise UsageError(f"{load!r}: {field.name} must be a finite number, not below 0")
    if load.duration_s == 0:
        raise UsageError(f"{load!r}: duration_s must be above 0")
    expected = load.rate_per_s * load.duration_s if isinstance(load, Poisson) else load.expected_by(load.duration_s)
    if expected > MAX_ARRIVALS:
        raise UsageError(f"{load!r}: {expected:.0f} arrivals are more than {MAX_ARRIVALS}; lower rate or duration")
