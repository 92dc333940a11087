"""What does a hand-written run say of itself unless its story says otherwise?"""

from dataclasses import asdict

from harness.documents import (
    Anchor,
    BusyRecord,
    CapabilitiesRecord,
    ConductRecord,
    ObjectivesRecord,
    PhaseRecord,
    RunRecord,
    ScenarioRecord,
    SourceRecord,
)
from harness.profile import GATE

START_NS = 1_000_000_000_000
"""The load's start on the monotonic clock."""
ANCHOR = Anchor(monotonic_ns=START_NS, utc_ms=1_700_000_000_000.0, error_ms=0.01)
RUN_ID = "r-hand-written"
PROVIDERS = ("wechat", "alipay", "card")
WINDOWS = {k: v for k, v in asdict(GATE).items() if isinstance(v, int)}
QUIESCENT_S = 60.0
"""When a hand-written run came to rest: far past every window of a story that begins at 0."""
PAY_BY_S = 8.0


def ns(at_s: float) -> int:
    """Monotonic ns of an instant in seconds after the load's start."""
    return START_NS + round(at_s * 1e9)


def utc_ms(at_s: float) -> int:
    return round(ANCHOR.utc_ms + at_s * 1000)


SCENARIO = ScenarioRecord(
    schema_version=1,
    name="HandWritten",
    doc="A story told by a test.",
    facts=(),
    size="scene",
    seed=1,
    load="steady 4/s for 8 s",
    only_create=False,
    phases=(PhaseRecord(name="steady", start_ms=0, end_ms=8000),),
    faults=(),
    objectives=ObjectivesRecord(
        success_ratio=0.99, success_ratio_in_fault=0.99, latency_limit_ms=1000, latency_share=0.99
    ),
    claims={},
    undecided_shares={},
    windows=WINDOWS,
    capabilities=CapabilitiesRecord(
        operations=("create", "pay", "read", "list", "refund", "status"),
        books=("orders", "payments", "refunds", "transitions"),
        idempotent=("create", "pay", "refund"),
        pay_by=True,
        names_build=True,
        busy=BusyRecord(statuses=(429, 503), codes=("busy",), needs_retry_after=True),
        raw_states={
            "open": "open",
            "paying": "paying",
            "paid": "paid",
            "part_refunded": "paid",
            "refunded": "refunded",
            "closed": "closed",
        },
        legal_edges=(
            ("open", "paying"),
            ("paying", "open"),
            ("paying", "paid"),
            ("open", "paid"),
            ("open", "closed"),
            ("paid", "part_refunded"),
            ("paid", "refunded"),
            ("part_refunded", "refunded"),
        ),
    ),
    sources=(
        SourceRecord(name="books", kind="books", complete=True, attribution="order", clock="utc"),
        *(
            SourceRecord(name=p, kind="ledger", complete=True, attribution="order", clock="monotonic")
            for p in PROVIDERS
        ),
    ),
    waivers={},
)

CONDUCT = ConductRecord(
    schema_version=1,
    load_start_ns=START_NS,
    load_end_ns=ns(20.0),
    quiescent_ns=ns(QUIESCENT_S),
    planned=0,
    started=0,
    missed=0,
    arrival_digest="d",
    lateness_p50_ms=0.5,
    lateness_p99_ms=1.5,
    generator_cpu_share=0.2,
    cut_short=None,
    problems=(),
    watermark=dict.fromkeys((*PROVIDERS, "dispatch"), 0),
    ledger_first_seq={},
    ledger_last_seq={},
    books_read_ns=(ns(QUIESCENT_S + 0.1), ns(QUIESCENT_S + 0.2)),
)

RUN = RunRecord(
    schema_version=1,
    run_id=RUN_ID,
    seed=1,
    target="reference",
    target_file="reference.toml",
    build="fixed",
    defects=(),
    profile="gate",
    size="scene",
    scenarios=(SCENARIO.name,),
    versions={},
    anchor=ANCHOR,
    arguments=(),
    ended="complete",
)
