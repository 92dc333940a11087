"""What is known of a scenario so far, by its files and by what ledgers and owners were told?

    history, faults.jsonl, status.jsonl ──> LiveJudge.look ──> watchers ──> State
    a ledger's gain, an owner's re-read ──> take, reread ──┘

Cheap: each row is looked at once. Opens no connection; the clock comes in.
"""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import msgspec

from harness.documents import Anchor, ScenarioRecord
from harness.live.charges import Charges
from harness.live.exposure import Exposure
from harness.live.faults import Faults
from harness.live.follow import Lines
from harness.live.ledgers import Gained
from harness.live.news import Loading
from harness.live.operations import Operation, Operations
from harness.live.page import Page
from harness.live.rereads import Reread
from harness.live.silence import Silence
from harness.live.state import FaultOn, State
from harness.live.vanished import Vanished
from harness.live.watch import Scene, Watcher
from harness.operation import Op, Outcome
from harness.punctuality import Punctuality, lags, lateness_limit_ms
from harness.recorder.samples import Sample

MARGIN = 2
"""What a run so far may still become worse by, before what was called silence is the generator's own doing."""
_SAMPLE = msgspec.json.Decoder(Sample)


class LiveJudge:
    """Of one scenario; a context manager's business is its caller's: `close` lets go of the files."""

    def __init__(
        self,
        record: ScenarioRecord,
        folder: Path,
        anchor: Anchor,
        *,
        on_end: Callable[[Operation], None],
        clock_ns: Callable[[], int],
    ) -> None:
        """`on_end` is told of each operation that ended, and of each journey."""
        self.phase = "stack"
        """The conductor's."""
        self.loading: Loading | None = None
        self.operations = Operations(folder / "history", begins=self._begins, ends=self._ends)
        self.faults = Faults(record.faults, folder / "faults.jsonl")
        self._record = record
        self._on_end = on_end
        self._clock_ns = clock_ns
        self._scene = Scene(record=record, operations=self.operations, faults=self.faults)
        self._samples = Lines(folder / "evidence" / "status.jsonl")
        self._vanished = Vanished(clock_ns)
        self._charges = Charges(self._scene, anchor.monotonic_ns - round(anchor.utc_ms * 1_000_000), clock_ns)
        self._exposure = Exposure(self.operations, clock_ns)
        self._page = Page(self._scene, clock_ns)
        self._watchers: tuple[Watcher, ...] = (
            self._vanished,
            self._charges,
            Silence(self._scene, self._lags, clock_ns),
            self._page,
            self._exposure,
        )
        self._outcomes = {outcome.value: 0 for outcome in Outcome}

    @property
    def moved(self) -> dict[tuple[str, str, str], int]:
        """What ledgers show: provider, "captured" or "refunded", currency -> sum in minor units."""
        return self._charges.moved

    @property
    def page(self) -> Sample | None:
        """The latest look at the status page."""
        return self._page.latest

    def owner(self, order: str) -> str | None:
        """The user whose order it is; None where that is not known."""
        journey = self._vanished.owners.get(order)
        return None if journey is None else self.operations.users.get(journey)

    def load(self, news: Loading) -> None:
        """How the load stands."""
        self.loading = news
        self._scene.load_start_ns = news.load_start_ns

    def rest(self) -> None:
        """Nothing moves any more."""
        self._charges.rested_ns = self._clock_ns()

    def take(self, gained: Gained) -> None:
        """What a ledger gained."""
        self._charges.take(gained)

    def reread(self, row: Reread) -> None:
        """What an owner was told."""
        self._vanished.reread(row)

    def look(self) -> State:
        """Take in what the files have gained, judge it, and say what is known."""
        self.faults.read()
        self.operations.read()
        for line in self._samples.new():
            sample = _SAMPLE.decode(line)
            self._page.seen(sample)
            if sample.leaks:
                self._exposure.leaky_page(sample.done_ns, sample.leaks)
        now_ns = self._clock_ns()
        for watcher in self._watchers:
            watcher.look(now_ns)
        return self._state(now_ns)

    def close(self) -> None:
        """Let go of the files."""
        self.operations.close()
        self.faults.close()
        self._samples.close()

    def _begins(self, operation: Operation) -> None:
        for watcher in self._watchers:
            watcher.begins(operation)

    def _ends(self, operation: Operation) -> None:
        for watcher in self._watchers:
            watcher.ends(operation)
        if operation.done is not None and operation.inv.op not in {Op.JOURNEY, Op.REQUEST}:
            self._outcomes[operation.done.outcome] += 1
        self._on_end(operation)

    def _lags(self) -> bool:
        """Whether the generator is on its way to: at half of any limit that the judge will hold the whole run to."""
        load = self.loading
        if load is None:
            return False
        told = Punctuality(
            planned=load.planned,
            missed=MARGIN * load.missed,
            lateness_p99_ms=MARGIN * load.lateness_p99_ms,
            cpu_share=MARGIN * load.cpu_share,
        )
        return bool(lags(told, lateness_limit_ms(self._record.objectives.latency_limit_ms)))

    def _state(self, now_ns: int) -> State:
        load, start_ns = self.loading, self._scene.load_start_ns
        scores = tuple(chain.from_iterable(watcher.scores for watcher in self._watchers))
        return State(
            scenario=self._record.name,
            phase=self._phase(now_ns),
            since_start_s=None if start_ns is None else (now_ns - start_ns) / 1e9,
            faults=tuple(
                FaultOn(
                    kind=fault.plan.kind,
                    where=fault.plan.where,
                    since_s=(fault.start_ns - (start_ns or now_ns)) / 1e9,
                )
                for fault in self.faults.each.values()
                if fault.stands and fault.start_ns is not None
            ),
            promises=tuple(score.promise() for score in scores),
            planned=0 if load is None else load.planned,
            started=0 if load is None else load.started,
            missed=0 if load is None else load.missed,
            in_flight=0 if load is None else load.in_flight,
            outcomes=dict(self._outcomes),
            lateness_p99_ms=None if load is None else load.lateness_p99_ms,
            generator_cpu_share=None if load is None else load.cpu_share,
            new=tuple(chain.from_iterable(score.new() for score in scores)),
        )

    def _phase(self, now_ns: int) -> str:
        """The conductor's phase; of the load the scenario's own, by the instant."""
        start_ns = self._scene.load_start_ns
        if self.phase != "load" or start_ns is None:
            return self.phase
        at_ms = (now_ns - start_ns) / 1e6
        begun = [phase.name for phase in self._record.phases if phase.start_ms <= at_ms]
        return begun[-1] if begun else self._record.phases[0].name
