"""A judged run, written by hand: what a report is made from."""

from pathlib import Path
from typing import Any

import msgspec

from harness.documents import (
    Anchor,
    CapabilitiesRecord,
    ConductRecord,
    FaultRecord,
    ObjectivesRecord,
    RunRecord,
    ScenarioRecord,
)
from harness.judgement import judge_run, judge_scenario
from harness.money import Bearer, loss
from harness.rating import Clock
from harness.report.saved import SavedRun
from harness.verdict import Finding, JudgedCheck, KnownEntry, Status
from harness.verdict_document import encode_verdict
from tests.histories.settings import WINDOWS

CUT = {"kind": "cut_answers", "driver": "network", "settings": {}, "start_ms": 2_000, "end_ms": 5_000, "cue": None}

RUN = RunRecord(
    schema_version=1,
    run_id="20261124-201500-1f3a",
    seed=7,
    target="reference",
    target_file="compose/reference.toml",
    build="fixed",
    defects=("new_number_on_retry",),
    profile="gate",
    size="scene",
    scenarios=("AnswerLost",),
    versions={},
    anchor=Anchor(monotonic_ns=0, utc_ms=1_795_551_300_000.0, error_ms=0.0),
    arguments=(),
    ended="complete",
)

RECORD = ScenarioRecord(
    schema_version=1,
    name="AnswerLost",
    doc="Charged, and told to wait.\n\nMore about it.",
    facts=("F02", "F05"),
    size="scene",
    seed=7,
    load="steady 4/s for 8 s",
    only_create=False,
    phases=(),
    faults=tuple(
        FaultRecord(number=number, where=where, describe=f"cut_answers on {where}, 2 s to 5 s", **CUT)  # type: ignore[arg-type]
        for number, where in enumerate(("wechat", "card"))
    ),
    objectives=ObjectivesRecord(
        success_ratio=0.9, success_ratio_in_fault=0.9, latency_limit_ms=1_000, latency_share=0.99
    ),
    claims={"no_double_charge": 10},
    undecided_shares={},
    windows=WINDOWS,
    capabilities=CapabilitiesRecord(
        operations=(), books=(), idempotent=(), pay_by=True, busy=None, raw_states={}, legal_edges=()
    ),
    sources=(),
    waivers={},
)

CONDUCT = ConductRecord(
    schema_version=1,
    load_start_ns=2_000_000_000,
    load_end_ns=12_500_000_000,
    quiescent_ns=15_000_000_000,
    planned=32,
    started=32,
    missed=0,
    arrival_digest="",
    lateness_p50_ms=0.1,
    lateness_p99_ms=1.0,
    generator_cpu_share=0.1,
    cut_short=None,
    problems=(),
    watermark={},
    ledger_first_seq={},
    ledger_last_seq={},
    books_read_ns=None,
)

COURSE: dict[str, Any] = {
    "history": [
        {"op": "create", "key_no": 9001, "sent_s": 2.0, "done_s": 2.01, "ending": "answered", "http": 201,
         "state": "open", "outcome": "ok", "trace_id": "c0885c4e8ef063bdf7ac1557996f8a96"},
        {"op": "read", "sent_s": 2.1, "done_s": 2.2, "ending": "answered", "http": 200, "outcome": "ok",
         "trace_id": "1f6b0d27c3b9f4a85e2d9078ab3c4e11"},
        {"op": "pay", "method": "wechat", "key_no": 9002, "sent_s": 2.5, "done_s": 3.5, "ending": "answered",
         "http": 202, "code": "attempt_unknown", "state": "paying", "outcome": "info",
         "trace_id": "5a0c7e93d1428bf6907ce35fb2d18a40"},
        {"op": "pay", "method": "wechat", "key_no": 9002, "sent_s": 4.0, "done_s": 4.2, "ending": "cut_body",
         "outcome": "info", "trace_id": "e94d2b7f0a6158c3b7d4f09e215c8a6d"},
        {"op": "read", "sent_s": 9.0, "done_s": 9.1, "ending": "answered", "http": 404, "code": "order_not_found",
         "outcome": "fail", "trace_id": "3d7a91f08c5be4260f1b82e6d9475c3a"},
    ],
    "ledger": [
        {"kind": "accepted", "provider": "wechat", "at_s": 2.51, "number": "P1", "amount_minor": 1_250},
        {"kind": "captured", "provider": "wechat", "at_s": 2.6, "number": "P1", "amount_minor": 1_250},
        {"kind": "captured", "provider": "wechat", "at_s": 4.1, "number": "P2", "amount_minor": 1_250},
        {"kind": "refunded", "provider": "wechat", "at_s": 6.0, "number": "P1", "amount_minor": 500},
    ],
    "books": [
        {"book": "order", "id": "ord_a", "raw_state": "paid", "amount_minor": 1_250, "other_minor": 500},
        {"book": "payment", "number": "P2", "raw_state": "paid", "amount_minor": 1_250, "other_minor": 1_250},
    ],
}  # fmt: skip


def finding(subject: str, bearer: Bearer, minor: int, currency: str = "CNY", **evidence: object) -> Finding:
    return Finding(
        subject=subject,
        message=f"Order {subject} is short of {minor} at [wechat].",
        evidence=loss(bearer, minor, currency) | evidence,
    )


def judged(name: str, status: Status, *, reason: str = "as it is", **fields: object) -> JudgedCheck:
    return JudgedCheck(
        check=name,
        status=status,
        reason=reason,
        **({"claimed": 10, "examined": 30, "undecided": 0, "facts": ("F04",)} | fields),  # type: ignore[arg-type]
    )


def saved(
    *checks: JudgedCheck,
    cut_short: str | None = None,
    clocks: tuple[Clock, ...] = (),
    known: tuple[KnownEntry, ...] = (),
    scenarios: int = 1,
    arguments: tuple[str, ...] = (),
) -> SavedRun:
    """A run of one scenario, or of the same one under several names."""
    names = [f"AnswerLost{number or ''}" for number in range(scenarios)]
    verdicts = tuple(
        judge_scenario(name, checks, facts=RECORD.facts, cut_short=cut_short, clocks=clocks) for name in names
    )
    return SavedRun(
        folder=Path("runs/20261124-201500-1f3a"),
        run=msgspec.structs.replace(RUN, arguments=arguments),
        scenarios=dict.fromkeys(names, RECORD),
        verdict=judge_run("20261124-201500-1f3a", 7, verdicts, known=known),
        conducts=dict.fromkeys(names, CONDUCT),
    )


def on_disk(run: SavedRun, folder: Path) -> Path:
    """The run directory, as far as reports read it."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(msgspec.json.encode(run.run))
    (folder / "verdict.json").write_bytes(encode_verdict(run.verdict))
    for name, record in run.scenarios.items():
        evidence = folder / name / "evidence"
        evidence.mkdir(parents=True)
        (folder / name / "scenario.json").write_bytes(msgspec.json.encode(record))
        (evidence / "conduct.json").write_bytes(msgspec.json.encode(run.conducts[name]))
    return folder
