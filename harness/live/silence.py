"""Was a customer not told anything for too long?

The rule of `harness.checks.no_silence`, as soon as it cannot come out otherwise: a request that ended too late, or has
not ended though it is too late; one that was asked again and again in vain; a journey without a final word in time.
Where a fault on the customers' own edge is planned nothing is called, since it may strike what is still under way;
neither is anything while the generator lags: then instants are its own doing.
"""

from collections.abc import Callable

from harness.live.operations import Operation
from harness.live.score import Score
from harness.live.watch import Scene
from harness.operation import Ending, JourneyEnd, Op

HUNG_UP = frozenset({Ending.READ_TIMEOUT, Ending.ANSWER_TIMEOUT, Ending.CONNECT_TIMEOUT})

Question = tuple[int, str, int, str]
"""What is asked again and again: journey, operation, key, order."""


class Silence:
    """Requests and journeys, and how long they waited."""

    def __init__(self, scene: Scene, lags: Callable[[], bool], clock_ns: Callable[[], int]) -> None:
        """`lags` says whether the generator does so far."""
        self.score = Score("no_silence", clock_ns)
        self._scene = scene
        self._lags = lags
        self._limit_ns = scene.window_ns("answer_ms")
        self._patience_ns = scene.window_ns("patience_ms")
        self._hangs_up_early = scene.window_ns("client_deadline_ms") < self._limit_ns
        self._own_edge = scene.faults.planned_on("customer", "network")
        self._leaving: set[int] = set()
        """Journeys that walk away early, as scripted."""
        self._answered: set[int] = set()
        """Journeys that had an answer."""
        self._asked: dict[Question, list[Operation]] = {}
        """What was given up at least once, each time it was asked."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """Of its one promise."""
        return (self.score,)

    def begins(self, operation: Operation) -> None:
        """Note who will leave early, and what is asked again."""
        if operation.inv.op == Op.JOURNEY and operation.inv.leaves_early:
            self._leaving.add(operation.inv.journey)
        elif self._hangs_up_early and operation.inv.op != Op.JOURNEY:
            self._asked.setdefault(_question(operation), []).append(operation)

    def ends(self, operation: Operation) -> None:
        """Judge what has its end."""
        done, inv = operation.done, operation.inv
        if done is None:
            return
        if inv.op == Op.JOURNEY:
            self._journey_ends(operation)
            return
        if done.ending == Ending.ANSWERED:
            self._answered.add(inv.journey)
        if operation.several:
            return
        self.score.watched += 1
        if inv.journey in self._leaving and done.ending != Ending.ANSWERED:
            return
        if done.done_ns - inv.sent_ns > self._limit_ns:
            ended = f"ended {(done.done_ns - inv.sent_ns) / 1e9:.1f} s later: {done.ending}"
            self._call(operation, ended, done.done_ns)
        elif self._hangs_up_early and done.ending in HUNG_UP:
            self._look_for_vain(operation)

    def look(self, now_ns: int) -> None:
        """Judge what has no end yet though its time is over, as far as the history has been heard."""
        heard_ns = min(now_ns, self._scene.operations.heard_ns)
        waiting = 0
        for operation in self._scene.operations.pending.values():
            inv = operation.inv
            if inv.op == Op.JOURNEY or operation.several or inv.journey in self._leaving:
                continue
            waited_ns = heard_ns - inv.sent_ns
            if waited_ns > self._limit_ns:
                self._call(operation, f"has no end {waited_ns / 1e9:.1f} s later", inv.sent_ns + self._limit_ns)
            waiting += self._limit_ns >= waited_ns > self._limit_ns // 2
        self.score.at_risk = 0 if self._own_edge else waiting
        self.score.risk = f"{waiting} requests have waited half the limit" if self.score.at_risk else ""

    def _journey_ends(self, operation: Operation) -> None:
        done, inv = operation.done, operation.inv
        assert done is not None
        self.score.watched += 1
        if done.code == JourneyEnd.LEFT:
            return
        waited_ns = done.done_ns - inv.scheduled_ns
        if waited_ns > self._patience_ns + self._limit_ns:
            self._call(operation, f"had its final word, {done.code}, only {waited_ns / 1e9:.1f} s later", done.done_ns)
        elif done.code == JourneyEnd.GAVE_UP and inv.journey not in self._answered:
            self._call(operation, f"gave up after {waited_ns / 1e9:.1f} s without any answer", done.done_ns)

    def _look_for_vain(self, operation: Operation) -> None:
        """Whether the same was asked for too long, each time given up; an answer in between begins anew."""
        rows = sorted(self._asked[_question(operation)], key=lambda each: (each.inv.sent_ns, each.inv.id))
        first_ns: int | None = None
        last_ns = 0
        for each in rows:
            if each.several:
                continue
            if each.done is None or each.done.ending not in HUNG_UP:
                first_ns, last_ns = None, 0
                continue
            first_ns = each.inv.sent_ns if first_ns is None else first_ns
            last_ns = max(last_ns, each.done.done_ns)
            if last_ns - first_ns > self._limit_ns:
                how = f"was asked again for {(last_ns - first_ns) / 1e9:.1f} s in vain"
                self._call(each, how, each.done.done_ns)

    def _call(self, operation: Operation, how: str, provable_ns: int) -> None:
        if self._own_edge or self._lags():
            return
        inv = operation.inv
        subject = operation.named or operation.order or f"journey {inv.journey}"
        if inv.op == Op.JOURNEY:
            what = f"Journey {inv.journey}"
        else:
            whole = operation if operation.whole is None else operation.whole
            what = f"A {whole.inv.op} of journey {inv.journey}"
        self.score.breach(inv.id, subject, f"{what} {how}.", provable_ns=provable_ns)


def _question(operation: Operation) -> Question:
    inv = operation.inv if operation.whole is None else operation.whole.inv
    order = operation.order if operation.whole is None else operation.whole.order
    return (inv.journey, inv.op, -1 if inv.key_no is None else inv.key_no, order or "")
