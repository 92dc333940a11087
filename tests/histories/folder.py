"""How does a hand-written run get to disk?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.recorder.rows import SCHEMA_VERSION, Footer, Header, Inv
from tests.histories.settings import RUN

if TYPE_CHECKING:
    from tests.histories.builder import Run


def write_folder(run: "Run", folder: Path) -> Path:
    """Write the folder `<folder>/HandWritten` with `run.json` above it; returns the scenario's folder."""
    home = folder / run.scenario.name
    (home / "history").mkdir(parents=True)
    (home / "evidence").mkdir()
    record = msgspec.structs.replace(RUN, scenarios=(run.scenario.name,))
    (folder / "run.json").write_bytes(msgspec.json.encode(record))
    (home / "scenario.json").write_bytes(msgspec.json.encode(run.scenario))
    _write_history(run, home)
    last_seq = {p: len(ledger.rows) for p, ledger in run.ledgers.items()} | {"dispatch": len(run.releases)}
    conduct = msgspec.structs.replace(
        run.conduct,
        ledger_first_seq=last_seq | run.conduct.ledger_first_seq,
        ledger_last_seq=last_seq | run.conduct.ledger_last_seq,
    )
    if "conduct" not in run.absent:
        (home / "evidence" / "conduct.json").write_bytes(msgspec.json.encode(conduct))
    files: dict[str, list[Any]] = {
        "books.orders": run.orders,
        "books.payments": run.payments,
        "books.refunds": run.refunds,
        "books.transitions": run.transitions,
        "books.vouchers": run.vouchers,
        "books.affected": run.affected,
        "books.discrepancies": run.discrepancies,
        "releases.dispatch": run.releases,
        "status": run.status,
        "log_leaks": run.log_leaks,
        "reads": run.reads,
        "rereads": run.rereads,
        "lists": run.lists,
        "clocks": run.clocks,
        "processes": run.processes,
    }
    files |= {f"ledger.{p}": ledger.rows for p, ledger in run.ledgers.items()}
    for name, rows in files.items():
        if name not in run.absent:
            _lines(home / "evidence" / f"{name}.jsonl", rows)
    if "faults" not in run.absent:
        _lines(home / "faults.jsonl", run.faults)
    return home


def _write_history(run: "Run", home: Path) -> None:
    if "history" in run.absent:
        return
    count = sum(isinstance(row, Inv) for row in run.history)
    rows: list[Any] = [Header(SCHEMA_VERSION, 0, "monotonic"), *run.history]
    if run.footer:
        rows.append(Footer(count, len(run.history) - count, cut_short=False))
    _lines(home / "history" / "0.jsonl", rows)


def _lines(path: Path, rows: list[Any]) -> None:
    path.write_text("".join(json.dumps(msgspec.to_builtins(row)) + "\n" for row in rows))
