"""How does any test suite hold a run to a promise?

    from harness.promises import PaymentRun, assert_holds

    def test_no_order_vanishes(payment_run: PaymentRun) -> None:
        assert_holds(payment_run, "no_vanished_order")

The fixture `payment_run` comes with the pytest plugin (`harness.pytest_plugin`). What a promise's status
means to a test is said here once, for this function and for the plugin's own items.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from harness.checks import CHECKS
from harness.errors import UsageError
from harness.report.promise import Settled, settle
from harness.report.saved import SavedRun
from harness.targets.template import nearest
from harness.verdict import Status

WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.KNOWN, Status.PASS, Status.NOT_OFFERED, Status.NOT_EXERCISED)


class PromiseBroken(AssertionError):
    """A breach is proven; the message tells the orders' stories."""

    def __init__(self, settled: Settled) -> None:
        super().__init__(settled.text)
        self.headline = settled.headline


class Undecided(Exception):
    """The run does not say whether the promise holds, so it neither passes nor may it be passed over."""

    def __init__(self, settled: Settled) -> None:
        super().__init__(settled.text)
        self.headline = settled.headline


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PaymentRun:
    """A judged run, or one scenario of it."""

    saved: SavedRun
    scenario: str | None = None
    """None for all that were run."""

    def __repr__(self) -> str:
        return f"<PaymentRun {self.saved.folder}{f', {self.scenario}' if self.scenario else ''}>"

    def settled(self, promise: str) -> tuple[Settled, ...]:
        """What became of a promise in each scenario; raises UsageError where there is no such promise."""
        __tracebackhide__ = True
        if promise not in CHECKS:
            raise UsageError(f"no promise is called {promise!r}{nearest(promise, CHECKS)}")
        every = [each.scenario for each in self.saved.verdict.scenarios]
        names = every if self.scenario is None else [self.scenario]
        return tuple(settle(self.saved, name, promise) for name in names)


def assert_holds(run: PaymentRun, promise: str) -> None:
    """Pass where a run held a promise in the scenarios that claim it, and nowhere broke it.

    Raises PromiseBroken with the orders' stories where it was broken, Undecided where that cannot be said. A known
    breach is an expected failure with its ticket; a promise that is not claimed or not offered skips the test with
    the reason. Raises UsageError for a promise that there is not.
    """
    __tracebackhide__ = True
    answer(run.settled(promise))


def answer(every: Iterable[Settled]) -> None:
    """Turn the worst of what became of a promise into a test's outcome."""
    __tracebackhide__ = True
    settled = min(every, key=lambda each: WORST_FIRST.index(each.status))
    match settled.status:
        case Status.FAIL:
            raise PromiseBroken(settled)
        case Status.UNKNOWN:
            raise Undecided(settled)
        case Status.KNOWN:
            pytest.xfail(settled.headline)
            raise PromiseBroken(settled)  # under --runxfail the line above does nothing
        case Status.NOT_OFFERED | Status.NOT_EXERCISED:
            pytest.skip(f"{settled.status}: {settled.headline}")
        case Status.PASS:
            return
