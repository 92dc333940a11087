"""One scenario, watched from its first row to its last: who is asked, and who is told?

    ledgers, owners' re-reads (HTTP) ──> LiveJudge ──> State, live.jsonl, metrics

One look a second. What is asked over HTTP is asked side by side and within a limit, so that a provider that is silent
does not make a look late.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import msgspec

from harness.documents import ScenarioRecord
from harness.live.judge import LiveJudge
from harness.live.ledgers import Gained, LedgerReader
from harness.live.metrics import Exposition
from harness.live.news import Loading, ScenarioBegins
from harness.live.operations import Operation
from harness.live.rereads import Reread, Rereads
from harness.live.state import State
from harness.operation import Op, Outcome
from harness.targets.adapter import load_adapter

ASK_LIMIT_S = 0.9
"""Of all that is asked in one look."""
THREADS = 6
OWNER = ""
"""Who is asked, where it is no ledger."""


class WatchedScenario:
    """A scenario that goes on."""

    def __init__(self, news: ScenarioBegins, exposition: Exposition) -> None:
        """Reads `scenario.json` and loads the adapter; raises what these raise."""
        folder = Path(news.folder)
        record = msgspec.json.decode((folder / "scenario.json").read_bytes(), type=ScenarioRecord)
        self.name = news.scenario
        self._exposition = exposition
        self._ledgers = news.ledgers
        self._readers: tuple[LedgerReader, ...] = ()
        self._asked: dict[Future[Gained | Reread | None], str] = {}
        self._pool = ThreadPoolExecutor(max_workers=THREADS)
        self._told = (folder / "live.jsonl").open("ab")
        self._judge = LiveJudge(record, folder, news.anchor, on_end=self._ends, clock_ns=time.monotonic_ns)
        target = load_adapter(
            news.adapter, news.settings, folder=Path(news.target_folder), named_in=Path(news.target_file)
        )
        self._rereads = None
        if Op.READ in target.capabilities.operations:
            into = folder / "evidence" / "rereads.jsonl"
            self._rereads = Rereads(target, news.base_url, into, time.monotonic_ns)

    def mark(self, watermark: dict[str, int]) -> None:
        """Ledgers are read from here on."""
        self._readers = tuple(
            LedgerReader(ledger, watermark.get(ledger.name, 0), time.monotonic_ns) for ledger in self._ledgers
        )

    def begin_phase(self, phase: str) -> None:
        """The conductor has come to another phase."""
        self._judge.phase = phase

    def load(self, news: Loading) -> None:
        """How the load stands."""
        self._judge.load(news)
        self._exposition.load(self.name, news)

    def rest(self, *, quiescent: bool) -> None:
        """The drain is over; what nothing moves any more is known at once."""
        if quiescent:
            self._judge.rest()

    def look(self) -> State:
        """Ask, take in what there is, judge it, and say what is known."""
        self._ask()
        self._take_answers()
        state = self._judge.look()
        for each in state.new:
            self._told.write(msgspec.json.encode(each) + b"\n")
        self._told.flush()
        self._expose(state)
        return state

    def close(self) -> None:
        """Let go of files and connections; a scenario that is over is in no phase."""
        self._exposition.phase(self.name, None)
        self._pool.shutdown(wait=True, cancel_futures=True)
        for reader in self._readers:
            reader.close()
        if self._rereads is not None:
            self._rereads.close()
        self._judge.close()
        self._told.close()

    def _ends(self, operation: Operation) -> None:
        """Count an operation, and note that its order was heard of."""
        self._exposition.ended(self.name, operation)
        inv, done = operation.inv, operation.done
        if done is None or done.outcome != Outcome.OK or operation.named is None or self._rereads is None:
            return
        if inv.op not in {Op.JOURNEY, Op.REQUEST, Op.TRESPASS}:
            self._rereads.hear(operation.named, done.done_ns)

    def _ask(self) -> None:
        """Ask ledgers and owners side by side, and wait for all of them or the limit; a question at a time each."""
        busy = set(self._asked.values())
        for reader in self._readers:
            if reader.name not in busy:
                self._asked[self._pool.submit(reader.read)] = reader.name
        if self._rereads is not None and self._judge.phase in {"load", "drain"} and OWNER not in busy:
            for order in self._rereads.due():
                if (user := self._judge.owner(order)) is not None:
                    self._asked[self._pool.submit(self._rereads.ask, order, user)] = OWNER
        wait(self._asked, timeout=ASK_LIMIT_S)

    def _take_answers(self) -> None:
        for future in [each for each in self._asked if each.done()]:
            del self._asked[future]
            answer = future.result()
            if isinstance(answer, Gained):
                self._judge.take(answer)
            elif isinstance(answer, Reread) and self._rereads is not None:
                self._rereads.keep(answer)
                self._judge.reread(answer)

    def _expose(self, state: State) -> None:
        exposition, page, heard_ns = self._exposition, self._judge.page, self._judge.operations.heard_ns
        exposition.phase(self.name, state.phase)
        exposition.faults(self.name, self._judge.faults)
        exposition.promises(self.name, state.promises)
        exposition.money(self.name, self._judge.moved)
        exposition.page(self.name, degraded=None if page is None else page.degraded)
        if heard_ns:
            exposition.lag((time.monotonic_ns() - heard_ns) / 1e9)
