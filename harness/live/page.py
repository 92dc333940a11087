"""Does the status page tell the truth so far?

The rule of `harness.checks.announced`, as soon as it cannot come out otherwise: a method failed for its customers for
longer than the limit and no look named it; or the page named one though nothing at all had been wrong for as long. What
is judged is what lies a little back, so that every answer of that time has come. Where a fault on the way to the page,
or on the customers' own edge, is planned, failures are left to the verdict.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.live.operations import Operation
from harness.live.score import Score
from harness.live.watch import Scene
from harness.looks import PAYING, walk
from harness.operation import Op, Outcome, State
from harness.recorder.samples import Sample

BACK_NS = 1_000_000_000
"""So far back every look that was sent has its row: a look takes 0.9 s at most."""
WINDOW_NS = 2_000_000_000
LEAST = 3
"""Attempts in a window; half of them bad is a failure. As `harness.checks.trouble`."""
WEIGHED = frozenset({Op.CREATE, Op.PAY, Op.READ, Op.LIST, Op.REFUND})
TOO_MANY = 429
FIRST_ERROR = 500


@dataclass(slots=True)
class Failed:
    """One spell in which a method failed; a `harness.looks.Failure`."""

    subject: str
    from_ns: int
    to_ns: int


@dataclass(slots=True)
class Attempts:
    """How attempts by one method, or at paying as a whole, went lately."""

    subject: str
    lately: deque[int] = field(default_factory=deque)
    """When the attempts of the last window ended that have weight ..."""
    badly: deque[int] = field(default_factory=deque)
    """... and those of them that ended badly."""
    spell: Failed | None = None
    """The latest."""

    def take(self, ended_ns: int, *, bad: bool) -> None:
        """One attempt more, in the order of their ends."""
        self.lately.append(ended_ns)
        if bad:
            self.badly.append(ended_ns)
        for ends in (self.lately, self.badly):
            while ends and ends[0] < ended_ns - WINDOW_NS:
                ends.popleft()
        if len(self.lately) < LEAST or 2 * len(self.badly) < len(self.lately):
            return
        first_ns = self.badly[0]
        if self.spell is None or first_ns > self.spell.to_ns:
            self.spell = Failed(subject=self.subject, from_ns=first_ns, to_ns=ended_ns)
        self.spell.from_ns, self.spell.to_ns = min(self.spell.from_ns, first_ns), ended_ns


class Page:
    """What customers saw of each method, and what the page said meanwhile."""

    def __init__(self, scene: Scene, clock_ns: Callable[[], int]) -> None:
        self.score = Score("announced", clock_ns)
        self.latest: Sample | None = None
        self._scene = scene
        self._limit_ns = scene.window_ns("announced_ms")
        self._doubtful = scene.faults.planned_on("customer", "network") or scene.faults.planned_on("status")
        self._ended: list[tuple[int, int, Operation]] = []
        """A heap of attempts by their ends."""
        self._looks: list[tuple[int, int, Sample]] = []
        """A heap of looks that are not old enough, by their sending."""
        self._settled: deque[Sample] = deque()
        """Looks that are, oldest first, as far back as the spell that goes on."""
        self._attempts: dict[str, Attempts] = {}
        self._trouble_ns = clock_ns()
        """The latest instant at which anything was wrong for customers, or at which the target had just come up."""

    @property
    def scores(self) -> tuple[Score, ...]:
        """Of its one promise."""
        return (self.score,)

    def begins(self, operation: Operation) -> None:
        """An attempt counts when it ends."""

    def ends(self, operation: Operation) -> None:
        """Keep an attempt until all that ended before it is known."""
        if operation.done is not None and operation.inv.op in WEIGHED:
            heapq.heappush(self._ended, (operation.done.done_ns, operation.inv.id, operation))

    def seen(self, sample: Sample) -> None:
        """One look at the page."""
        if self.latest is None or sample.sent_ns > self.latest.sent_ns:
            self.latest = sample
        heapq.heappush(self._looks, (sample.sent_ns, sample.done_ns, sample))

    def look(self, now_ns: int) -> None:
        """Judge what lies far enough back."""
        settled_ns = now_ns - BACK_NS
        while self._ended and self._ended[0][0] <= settled_ns:
            self._take(heapq.heappop(self._ended)[2])
        while self._looks and self._looks[0][0] <= settled_ns:
            sample = heapq.heappop(self._looks)[2]
            self._settled.append(sample)
            self.score.watched += 1
            if sample.degraded and not self._troubled(sample.sent_ns - self._limit_ns, sample.done_ns):
                self._unfounded(sample)
        if not self._doubtful:
            self._untold(settled_ns)
        self._forget(settled_ns)

    def _take(self, operation: Operation) -> None:
        """Weigh an attempt."""
        inv, done, word = operation.inv, operation.done, _word(operation)
        assert done is not None
        if word != "good":
            self._trouble_ns = max(self._trouble_ns, done.done_ns)
        if word == "order" or inv.op not in {Op.PAY, Op.CREATE}:
            return
        subjects = [PAYING]
        if inv.op == Op.PAY and inv.method is not None:
            subjects.append(inv.method)
        for subject in subjects:
            self._attempts.setdefault(subject, Attempts(subject=subject)).take(done.done_ns, bad=word == "bad")

    def _untold(self, settled_ns: int) -> None:
        """Failures that no look named for longer than the limit, as far as looks and attempts are known."""
        quiet = []
        for attempts in self._attempts.values():
            spell = attempts.spell
            if spell is None:
                continue
            told = walk(spell, self._settled, (), self._limit_ns)
            if told.silent is not None and told.for_good:
                from_ns, to_ns = told.silent
                message = (
                    f"{spell.subject} failed for its customers, and for {(to_ns - from_ns) / 1e9:.1f} s no look at the "
                    "status page named it."
                )
                case = (spell.subject, spell.from_ns)
                self.score.breach(case, spell.subject, message, provable_ns=to_ns + BACK_NS)
            elif told.delay_ns is None and spell.to_ns >= settled_ns - WINDOW_NS:
                quiet.append(spell.subject)
        self.score.at_risk = len(quiet)
        self.score.risk = f"{', '.join(sorted(quiet))} failed lately, and no look has named it yet" if quiet else ""

    def _unfounded(self, sample: Sample) -> None:
        for subject in sample.methods or (PAYING,):
            message = (
                f"The status page said that {subject} does not work, and for {self._limit_ns / 1e9:.1f} s nothing at "
                "all had been wrong."
            )
            self.score.breach((subject, "unfounded"), subject, message, provable_ns=sample.done_ns + BACK_NS)

    def _troubled(self, from_ns: int, to_ns: int) -> bool:
        """Whether anything was, or may have been, wrong then: an attempt, one that is under way, any fault at all."""
        pending = self._scene.operations.pending.values()
        return (
            self._trouble_ns >= from_ns
            or any(_word(operation) != "good" for _, _, operation in self._ended)
            or any(each.inv.op in WEIGHED and each.inv.sent_ns <= to_ns for each in pending)
            or self._scene.any_fault(from_ns, to_ns)
        )

    def _forget(self, settled_ns: int) -> None:
        """Let go of looks that no failure reaches back to any more."""
        spells = [attempts.spell for attempts in self._attempts.values() if attempts.spell is not None]
        lately_ns = settled_ns - WINDOW_NS
        keep_ns = min((spell.from_ns for spell in spells if spell.to_ns >= lately_ns), default=lately_ns)
        while self._settled and self._settled[0].sent_ns < min(keep_ns, lately_ns):
            self._settled.popleft()


def _word(operation: Operation) -> str:
    """As `harness.checks.trouble`: good, bad, or "order" where a refusal was about the order; none struck the edge."""
    done = operation.done
    assert done is not None
    if done.outcome == Outcome.OK:
        return "good"
    if done.outcome == Outcome.INFO:
        return "bad"
    if done.state == State.PAYING:
        return "order"
    turned_away = done.http is None or done.http >= FIRST_ERROR or done.http == TOO_MANY
    return "bad" if turned_away or done.retry_after_s is not None else "order"
