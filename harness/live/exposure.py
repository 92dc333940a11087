"""Did something reach a customer that must not: personal data, the target's insides, another customer's order?

The rules of `harness.checks.no_leak` and `owner_only` as far as a reply proves them at once. What lies in logs, or what
the books hold of a stranger's attempt, is left to the verdict.
"""

from collections.abc import Callable

from harness.live.operations import Operation, Operations
from harness.live.score import Score
from harness.operation import Ending, Op, Outcome

SUCCESS = 2
"""Of a status, its hundreds."""


class Exposure:
    """Replies, and what stood in them."""

    def __init__(self, operations: Operations, clock_ns: Callable[[], int]) -> None:
        self.leaks = Score("no_leak", clock_ns)
        self.strangers = Score("owner_only", clock_ns)
        self._operations = operations
        self._owners: dict[str, int] = {}
        """Order -> the journey that it was made for."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """Of both promises."""
        return (self.leaks, self.strangers)

    def begins(self, operation: Operation) -> None:
        """A request tells nobody anything."""

    def ends(self, operation: Operation) -> None:
        """Look at a reply."""
        inv, done = operation.inv, operation.done
        if done is None or inv.op in {Op.JOURNEY, Op.REQUEST}:
            return
        self.leaks.watched += done.ending == Ending.ANSWERED
        if done.leaks:
            message = f"A reply to a {inv.op} of journey {inv.journey} held {', '.join(done.leaks)}."
            subject = operation.named or f"journey {inv.journey}"
            self.leaks.breach(inv.journey, subject, message, provable_ns=done.done_ns)
        if inv.op == Op.CREATE and operation.named is not None and done.outcome == Outcome.OK:
            self._owners.setdefault(operation.named, inv.journey)
        elif inv.op == Op.TRESPASS:
            self._stranger(operation)

    def look(self, now_ns: int) -> None:
        """Time alone proves nothing here."""

    def leaky_page(self, at_ns: int, kinds: tuple[str, ...]) -> None:
        """The status page held what it must not."""
        self.leaks.breach(
            ("page", at_ns), "status page", f"The status page held {', '.join(kinds)}.", provable_ns=at_ns
        )

    def _stranger(self, operation: Operation) -> None:
        inv, done, order = operation.inv, operation.done, operation.order
        if done is None or order is None or done.ending != Ending.ANSWERED:
            return
        self.strangers.watched += 1
        owner = self._owners.get(order)
        users = self._operations.users
        if owner is None or users.get(owner) == users.get(inv.journey):
            return
        allowed = done.outcome == Outcome.OK or (done.http or 0) // 100 == SUCCESS
        if allowed and (inv.tried != "create" or done.result_id == order):
            message = (
                f"Journey {inv.journey} tried to {inv.tried} another's order {order} and was answered {done.http}."
            )
            self.strangers.breach(inv.id, order, message, provable_ns=done.done_ns)
