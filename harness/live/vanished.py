"""Was a customer told that there is no such order, of an order that it had been told of?

The rule of `harness.checks.no_vanished_order` as far as replies prove it at once: those that customers got, and those
that `harness.live.rereads` gets for them. What is missing in the books is known at rest only.
"""

from collections.abc import Callable

from harness.live.operations import Operation
from harness.live.rereads import Reread
from harness.live.score import Score
from harness.operation import Ending, Op, Outcome

ASKING = frozenset({Op.READ, Op.PAY, Op.REFUND})
NOT_FOUND = 404


class Vanished:
    """Orders that their owners know, and what their owners were told since."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self.score = Score("no_vanished_order", clock_ns)
        self.owners: dict[str, int] = {}
        """Order -> the journey whose operation named it first."""
        self._known_ns: dict[str, int] = {}

    @property
    def scores(self) -> tuple[Score, ...]:
        """Of its one promise."""
        return (self.score,)

    def begins(self, operation: Operation) -> None:
        """A request that names an order makes its journey the owner, unless another is."""
        if operation.order is not None and operation.inv.op != Op.TRESPASS:
            self.owners.setdefault(operation.order, operation.inv.journey)

    def ends(self, operation: Operation) -> None:
        """A reply makes an order known, or denies one that was."""
        inv, done, order = operation.inv, operation.done, operation.named
        if done is None or order is None or inv.op in {Op.TRESPASS, Op.JOURNEY}:
            return
        self.owners.setdefault(order, inv.journey)
        if done.outcome == Outcome.OK:
            self._known_ns.setdefault(order, done.done_ns)
            self.score.watched = len(self._known_ns)
        elif operation.order is not None and inv.op in ASKING and self.owners.get(operation.order) == inv.journey:
            denied = done.outcome == Outcome.FAIL and done.ending == Ending.ANSWERED
            if denied and _no_such_order(done.http, done.code):
                self._denied(operation.order, f"a {inv.op}", inv.sent_ns, done.done_ns, f"{done.http} {done.code}")

    def reread(self, row: Reread) -> None:
        """An answer to the question that was put for the owner."""
        if row.outcome is Outcome.FAIL and row.ending is Ending.ANSWERED and _no_such_order(row.http, row.code):
            self._denied(row.order, "a read for its owner", row.sent_ns, row.done_ns, f"{row.http} {row.code}")

    def look(self, now_ns: int) -> None:
        """Time alone proves nothing here."""

    def _denied(self, order: str, what: str, sent_ns: int, done_ns: int, answer: str) -> None:
        known_ns = self._known_ns.get(order)
        if known_ns is None or sent_ns <= known_ns:
            return
        later_s = (sent_ns - known_ns) / 1e9
        message = f"Order {order} was acknowledged, and {later_s:.1f} s later {what} was answered {answer}."
        self.score.breach(order, order, message, provable_ns=done_ns)


def _no_such_order(http: int | None, code: str | None) -> bool:
    return code == "order_not_found" or (http == NOT_FOUND and code is not None)
