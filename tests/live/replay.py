"""What would the live judge have said of a saved run, look by look?

    saved folder ──rows, in the order of their instants──> shadow folder ──> LiveJudge, a look a second

Of hand-written histories in tests; of any saved run, with its verdict held against what was called:

    python -m tests.live.replay runs/<id> ...
"""

import heapq
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from harness.documents import Anchor, ConductRecord, ScenarioRecord
from harness.live.judge import LiveJudge
from harness.live.ledgers import Gained, LedgerRow
from harness.live.news import Loading
from harness.live.rereads import Reread
from harness.live.state import Broken, State
from harness.verdict import Status
from harness.verdict_document import decode_verdict

LOOK_NS = 1_000_000_000
BEHIND_NS = 100_000_000
"""A row is on disk so long after its instant."""
LONGEST_NS = 10 * LOOK_NS
"""While nothing comes, looks are so far apart."""
AFTER_NS = 3 * LOOK_NS
"""Looks go on so long after the last instant of all."""


@dataclass(kw_only=True, slots=True)
class Replayed:
    """What was said."""

    states: list[State] = field(default_factory=list)

    @property
    def broken(self) -> list[Broken]:
        return [each for state in self.states for each in state.new]

    @property
    def checks(self) -> set[str]:
        """Promises of which a breach was called."""
        return {promise.check for promise in self.states[-1].promises if promise.broken}


@dataclass(kw_only=True, slots=True)
class Clock:
    now_ns: int = 0

    def __call__(self) -> int:
        return self.now_ns


def replay(home: Path, anchor: Anchor, *, leaps: bool = True) -> Replayed:
    """Replay a scenario's folder; `leaps` over times in which nothing comes, else each second is looked at."""
    record = msgspec.json.decode((home / "scenario.json").read_bytes(), type=ScenarioRecord)
    conduct = None
    if (home / "evidence" / "conduct.json").exists():
        conduct = msgspec.json.decode((home / "evidence" / "conduct.json").read_bytes(), type=ConductRecord)
    clock, told = Clock(), Replayed()
    with tempfile.TemporaryDirectory() as shadow, ExitStack() as opened:
        for folder in ("history", "evidence"):
            (Path(shadow) / folder).mkdir()
        watermark = conduct.watermark if conduct else {}
        rows = list(heapq.merge(*(sorted(each, key=lambda it: it[0]) for each in _rows(home)), key=lambda it: it[0]))
        clock.now_ns = rows[0][0] if rows else 0
        judge = LiveJudge(record, Path(shadow), anchor, on_end=lambda _: None, clock_ns=clock)
        opened.callback(judge.close)
        if not rows:
            told.states.append(judge.look())
            return told
        providers = [source.name for source in record.sources if source.kind == "ledger"]
        rest_ns = conduct.quiescent_ns if conduct is not None else None
        last_ns, at = max(rows[-1][0], rest_ns or 0) + AFTER_NS, 0
        while clock.now_ns < last_ns:
            quiet_ns = (rows[at][0] if at < len(rows) else last_ns) - clock.now_ns
            clock.now_ns += max(LOOK_NS, min(quiet_ns - 2 * LOOK_NS, LONGEST_NS)) if leaps else LOOK_NS
            gained: dict[str, list[LedgerRow]] = {name: [] for name in providers}
            while at < len(rows) and rows[at][0] <= clock.now_ns - BEHIND_NS:
                _, file, line = rows[at]
                at += 1
                kind, _, name = Path(file).stem.partition(".")
                if kind == "ledger":
                    row = msgspec.json.decode(line, type=LedgerRow)
                    if name in gained and row.seq > watermark.get(name, 0):
                        gained[name].append(row)
                elif kind == "rereads":
                    judge.reread(msgspec.json.decode(line, type=Reread))
                else:
                    with (Path(shadow) / file).open("ab") as out:
                        out.write(line + b"\n")
            asked_ns = clock.now_ns - BEHIND_NS
            for name, each in gained.items():
                judge.take(Gained(provider=name, asked_ns=asked_ns, rows=tuple(each), whole=True))
            if conduct is not None and conduct.load_start_ns is not None and clock.now_ns >= conduct.load_start_ns:
                judge.load(_loading(conduct))
            if rest_ns is not None and rest_ns <= clock.now_ns:
                judge.rest()
                rest_ns = None
            told.states.append(judge.look())
    return told


def _loading(conduct: ConductRecord) -> Loading:
    assert conduct.load_start_ns is not None
    return Loading(
        load_start_ns=conduct.load_start_ns,
        planned=conduct.planned,
        started=conduct.started,
        missed=conduct.missed,
        in_flight=0,
        lateness_p99_ms=conduct.lateness_p99_ms,
        cpu_share=conduct.generator_cpu_share,
    )


def _rows(home: Path) -> Iterator[list[tuple[int, str, bytes]]]:
    """Of each file: instant, name, line."""
    for path in sorted(home.glob("history/*.jsonl")):
        yield [
            (int(row["sent_ns"] if row["k"] == "inv" else row["done_ns"]), f"history/{path.name}", line)
            for row, line in _lines(path)
            if row["k"] in {"inv", "done"}
        ]
    named = [(home / "faults.jsonl", "at_ns")]
    named += [(home / "evidence" / f"{name}.jsonl", "done_ns") for name in ("status", "rereads")]
    named += [(path, "at_ns") for path in sorted(home.glob("evidence/ledger.*.jsonl"))]
    for path, instant in named:
        if path.exists():
            yield [(row[instant], str(path.relative_to(home)), line) for row, line in _lines(path)]


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    for line in path.read_bytes().split(b"\n")[:-1]:
        yield json.loads(line), line


def main(runs: Sequence[str]) -> int:
    """Print what was called of each scenario and how late; 1 where the verdict does not say FAIL of it."""
    wrong = 0
    for run in map(Path, runs):
        anchor = msgspec.convert(json.loads((run / "run.json").read_bytes())["anchor"], Anchor)
        verdict = decode_verdict((run / "verdict.json").read_bytes())
        for scenario in verdict.scenarios:
            told = replay(run / scenario.scenario, anchor)
            said = {check.check: check.status for check in scenario.checks}
            for check in sorted(told.checks):
                agrees = said[check] in {Status.FAIL, Status.KNOWN}
                wrong += not agrees
                tell(f"{run.name} {scenario.scenario} {check}: {said[check]}{'' if agrees else '  <- NOT CALLED SO'}")
                for each in [each for each in told.broken if each.check == check and not agrees][:3]:
                    tell(f"    {each.message}")
            missed = [c for c in WATCHED if said.get(c) is Status.FAIL and c not in told.checks]
            if missed:
                tell(f"{run.name} {scenario.scenario}: failed, and not called while it went on: {', '.join(missed)}")
    return int(wrong > 0)


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


WATCHED = (
    "no_vanished_order",
    "no_double_charge",
    "refund_in_window",
    "no_silence",
    "announced",
    "no_leak",
    "owner_only",
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
