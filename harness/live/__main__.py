"""The live process: watches a run from beside it, and never stands in its way.

    standard input <── News of the conductor; its end is the run's end, or the conductor's
    standard output ──> State, a JSON line a second
    --metrics-port  ──> /metrics

Knows neither Locust nor gevent; runs at a lower priority than what it watches. A broken line of its own is its end, and
no harm to the run.
"""

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Iterator

import msgspec
from prometheus_client import disable_created_metrics, start_http_server

from harness.live.metrics import Exposition
from harness.live.news import Loading, Marked, News, PhaseBegins, Rested, RunBegins, ScenarioBegins, ScenarioEnds
from harness.live.scenario import WatchedScenario

LOOK_S = 1.0
LAST_ASK_S = 1.5
"""So long the last figures stay to be asked for, where somebody has asked before: Prometheus does so each second."""
ANSWER_S = 0.2
"""An answer that has begun is out within this."""
POLL_S = 0.05
NICE = 5
"""Beside a target and a generator that need the processor, watching comes last."""
_NEWS: msgspec.json.Decoder[News] = msgspec.json.Decoder(News)


def main() -> None:
    """Watch until standard input ends."""
    asked = argparse.ArgumentParser(prog="python -m harness.live", description="Watch a run; started by its conductor.")
    asked.add_argument("--metrics-port", type=int, default=0, help="serve Prometheus' metrics there; 0: not at all")
    asked.add_argument("--metrics-host", default="127.0.0.1", help="on this address")
    options = asked.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's; its end is ours
    os.nice(NICE)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    exposition = Exposition()
    if options.metrics_port:
        start_http_server(options.metrics_port, options.metrics_host, exposition.registry)
    watch(exposition)


def watch(exposition: Exposition) -> None:
    """Take in news as they come, and look once a second."""
    watched: WatchedScenario | None = None
    for news in heard(LOOK_S):
        if news is None:
            if watched is not None:
                tell(watched)
        elif isinstance(news, ScenarioBegins):
            watched = WatchedScenario(news, exposition)
        elif isinstance(news, ScenarioEnds):
            leave(watched)
            watched = None
        elif isinstance(news, RunBegins):
            exposition.run(news)
        elif watched is not None:
            take(watched, news)
            if isinstance(news, Rested):
                tell(watched)  # what is still so now stays so: it is called before the stack goes
    leave(watched)
    be_asked_once_more(exposition)


def leave(watched: WatchedScenario | None) -> None:
    """Look at a scenario for the last time."""
    if watched is not None:
        tell(watched)
        watched.close()


def be_asked_once_more(exposition: Exposition) -> None:
    """What was proven as the run came to rest is seen by whoever asks for metrics; where nobody has, this waits not."""
    over_s = time.monotonic()
    if exposition.asked.at_s is None:
        return
    while exposition.asked.at_s < over_s and time.monotonic() < over_s + LAST_ASK_S:
        time.sleep(POLL_S)
    time.sleep(ANSWER_S)


def take(watched: WatchedScenario, news: Marked | PhaseBegins | Loading | Rested) -> None:
    """Hand a scenario what the conductor says of it."""
    match news:
        case Marked():
            watched.mark(news.watermark)
        case PhaseBegins():
            watched.begin_phase(news.phase)
        case Loading():
            watched.load(news)
        case Rested():
            watched.rest(quiescent=news.quiescent)


def tell(watched: WatchedScenario) -> None:
    """Look, and say what is known; where nobody listens any more, looking goes on for the metrics' sake."""
    line = msgspec.json.encode(watched.look()) + b"\n"
    try:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return


def heard(every_s: float) -> Iterator[News | None]:
    """News from standard input as they come, and None each `every_s`; ends with standard input."""
    due_s, rest = time.monotonic(), b""
    while True:
        ready, _, _ = select.select([0], [], [], max(0.0, due_s - time.monotonic()))
        if not ready:
            yield None
            due_s = max(due_s + every_s, time.monotonic())
            continue
        read = os.read(0, 1 << 16)
        if not read:
            return
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            yield _NEWS.decode(line)


if __name__ == "__main__":
    main()
