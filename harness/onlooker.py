"""Who watches a run while it goes on, from the conductor's side?

    conductor ──tell(News)──> pipe ──> live process (harness.live), of lower priority
              <──State, a line a second──┘

The run owes it nothing: what it cannot be told at once is dropped, and if it ends the run goes on to its verdict. It
ends when the conductor closes the pipe, also by dying.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import gevent
import msgspec
from gevent.subprocess import PIPE, Popen, TimeoutExpired

from harness.assignment import Assignment, MetricsAt
from harness.documents import Anchor
from harness.live.news import Ledger, Loading, News, RunBegins, ScenarioBegins
from harness.live.state import State
from harness.progress import Progress, Say
from harness.stack.local import Stack
from harness.targets.source import SourceKind

Tell = Callable[[News], None]
"""Tells whoever watches; never waits, never raises."""

END_LIMIT_S = 15.0
"""Within this it has said its last word, also where it had hardly begun on a machine that is busy."""
GONE_LIMIT_S = 1.0
"""And within this it is gone."""
_STATE = msgspec.json.Decoder(State)


def scenario_news(scenario: str, folder: Path, stack: Stack, anchor: Anchor) -> ScenarioBegins:
    """What it takes to watch one scenario on a stack that stands."""
    return ScenarioBegins(
        scenario=scenario,
        folder=str(folder.resolve()),
        base_url=stack.base_url,
        adapter=stack.target.adapter,
        target_file=str(stack.target.path.resolve()),
        target_folder=str(stack.target.folder.resolve()),
        settings=dict(stack.settings),
        anchor=anchor,
        ledgers=tuple(
            Ledger(name=source.name, url=source.url, headers=dict(source.headers), clock=source.clock)
            for source in stack.sources
            if source.kind is SourceKind.LEDGER
        ),
    )


def nobody(_: News) -> None:
    """What a run tells that nobody watches."""


@contextmanager
def watching(assignment: Assignment, *, on_state: Callable[[State], None], say: Say) -> Iterator[Tell]:
    """The live process that an assignment asks for, told which run it is; nobody, where it asks for none."""
    if not assignment.live:
        yield nobody
        return
    log = assignment.folder / "logs" / "live.log"
    with watched(log=log, metrics=assignment.metrics, on_state=on_state, say=say) as tell:
        tell(
            RunBegins(
                run_id=assignment.run_id,
                target=assignment.target.name,
                profile=assignment.profile,
                size=assignment.size.value,
                seed=assignment.seed,
            )
        )
        yield tell


@contextmanager
def watched(
    *,
    log: Path,
    metrics: MetricsAt | None,
    on_state: Callable[[State], None],
    say: Say,
    end_limit_s: float = END_LIMIT_S,
) -> Iterator[Tell]:
    """A live process beside the block; `on_state` is given each of its lines, `say` the first breach of each promise.

    Serves metrics at `metrics`, where that is given. What it says on standard error goes to `log`.
    """
    command = [sys.executable, "-m", "harness.live"]
    if metrics is not None:
        command += ["--metrics-host", metrics.host, "--metrics-port", str(metrics.port)]
    with log.open("wb") as errors:
        child = Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors, start_new_session=True)
    pipe = _Pipe(child.stdin.fileno())
    listening = gevent.spawn(_listen, child, on_state, say)
    try:
        yield pipe.tell
    finally:
        with suppress(OSError):
            child.stdin.close()
        listening.join(end_limit_s)
        try:
            code = child.wait(timeout=GONE_LIMIT_S)
        except TimeoutExpired:
            child.kill()
            code = child.wait()
        listening.kill()
        child.stdout.close()
        if code:
            text = f"the live judge ended with {code}, see {log}; the verdict does without it"
            say(Progress(scenario="", phase="live", text=text))


class _Pipe:
    """The write end of a pipe, to which nothing ever waits."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unsent = b""
        self._encode = msgspec.json.Encoder().encode
        os.set_blocking(descriptor, False)

    def tell(self, news: News) -> None:
        """Hand it over as far as the pipe takes it; how the load stands is dropped where something waits already."""
        if not (self._unsent and isinstance(news, Loading)):
            self._unsent += self._encode(news) + b"\n"
        with suppress(OSError):  # it is full, or nobody reads any more
            while self._unsent:
                self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]


def _listen(child: Any, on_state: Callable[[State], None], say: Say) -> None:
    told: set[tuple[str, str]] = set()
    for line in child.stdout:
        state = _STATE.decode(line)
        on_state(state)
        for broken in state.new:
            if (state.scenario, broken.check) not in told:
                told.add((state.scenario, broken.check))
                say(Progress(scenario=state.scenario, phase="broken", text=f"{broken.check}: {broken.message}"))
