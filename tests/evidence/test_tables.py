"""Do the tables say what the files say, is what is missing named, and is money told by order?"""

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from harness.evidence.tables import Evidence, open_evidence
from harness.recorder.traces import Traces
from tests.histories.builder import CONDUCT, PROVIDERS, Run, ns, utc_ms
from tests.histories.order_stories import two_good_orders

OPERATIONS = """
SELECT id, op, outcome, asked_order_id, order_id, sent_ns, done_ns, asked_minor FROM operations
WHERE op <> 'journey' ORDER BY id
"""
OUTAGES = "SELECT provider, start_ns, end_ns FROM outages ORDER BY ALL"


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made, so that a test sees which are left."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_good_orders().write(tmp_path / "run")


@pytest.fixture
def evidence(folder: Path) -> Iterator[Evidence]:
    with open_evidence(folder) as opened:
        yield opened


def test_operation_is_its_invocation_and_its_completion(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    create = journey.create(1.0, 1.1, "A")
    pay = journey.pay(1.2, None, "A", "card")
    with open_evidence(run.write(tmp_path)) as evidence:
        assert evidence.rows(OPERATIONS) == [
            (create, "create", "ok", None, "A", ns(1.0), ns(1.1), 1000),
            (pay, "pay", "info", "A", "A", ns(1.2), None, None),
        ]


def test_order_is_known_from_its_first_ok_reply_whatever_it_answered(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    journey.create(1.0, 2.0, None, outcome="info")
    journey.pay(3.0, 3.5, "A", "card", outcome="fail", code="busy", http=503)
    journey.read(4.0, 4.5, "A", state="open")
    with open_evidence(run.write(tmp_path)) as evidence:
        known = evidence.rows("SELECT order_id, user_id, known_ns, total_minor FROM known_orders ORDER BY order_no")
    assert known == [("A", journey.user, ns(4.5), 1000)]


def test_order_that_only_the_books_name_belongs_to_the_journey_of_its_user(tmp_path: Path) -> None:
    run = Run()
    journey = run.journey(1.0)
    journey.create(1.0, 2.0, None, outcome="info")
    run.books_order("A", journey, "open", 900)
    run.books_order("B", None, "open", 900)
    with open_evidence(run.write(tmp_path)) as evidence:
        query = "SELECT order_id, journey, intent, in_history, in_books FROM orders ORDER BY order_id"
        assert evidence.rows(query) == [
            ("A", journey.number, journey.intent, False, True),
            ("B", None, None, False, True),
        ]


def test_build_and_defects_are_not_even_read(folder: Path) -> None:
    path = folder.parent / "run.json"
    run = msgspec.json.decode(path.read_bytes())
    for name in ("build", "defects", "arguments"):
        del run[name]
    path.write_bytes(msgspec.json.encode(run))
    with open_evidence(folder) as evidence:
        assert evidence.traces.trace_id(7) == Traces(run_id=run["run_id"], scenario=evidence.scenario.name).trace_id(7)


def test_what_is_missing_is_named_and_its_table_empty(tmp_path: Path) -> None:
    run = two_good_orders()
    files = {"history", "faults", "conduct", "reads", "lists", "clocks", "processes"}
    files |= {"books.orders", "books.payments", "books.refunds", "books.transitions"}
    files |= {f"ledger.{provider}" for provider in PROVIDERS}
    run.absent = files
    home = run.write(tmp_path)
    with open_evidence(home) as evidence:
        assert evidence.missing == files
        for table in ("operations", "reads", "books_orders", "ledger", "captures", "orders"):
            assert evidence.rows(f"SELECT count(*) FROM {table} ORDER BY ALL") == [(0,)]  # noqa: S608  # fixed names


def test_book_that_the_target_does_not_offer_is_not_missing(tmp_path: Path) -> None:
    run = two_good_orders()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=("orders",))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    run.absent = {"books.payments", "books.refunds", "books.transitions"}
    with open_evidence(run.write(tmp_path)) as evidence:
        assert evidence.missing == frozenset()


def test_scratch_is_gone_afterwards_and_the_folder_unchanged(folder: Path, scratch: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(folder.parent.rglob("*")) if path.is_file()}
    with open_evidence(folder):
        assert list(scratch.iterdir()) != []
    assert list(scratch.iterdir()) == []
    assert {path: path.read_bytes() for path in sorted(folder.parent.rglob("*")) if path.is_file()} == before


def test_stamps_of_the_books_are_brought_to_our_clock(tmp_path: Path) -> None:
    run = two_good_orders()
    run.clocks += [
        {"source": "books", "at_ns": ns(1), "offset_ns": 9_000_000, "error_ns": 500_000},
        {"source": "books", "at_ns": ns(2), "offset_ns": 5_000_000, "error_ns": 100_000},
    ]
    with open_evidence(run.write(tmp_path)) as evidence:
        created = evidence.rows("SELECT created_ns FROM books_orders ORDER BY order_id")
    assert created == [(ns(1.0) - 5_000_000,), (ns(2.0) - 5_000_000,)]


def test_ledger_with_a_clock_of_its_own_is_brought_to_ours(tmp_path: Path) -> None:
    run = two_good_orders()
    sources = tuple(msgspec.structs.replace(s, clock="utc") if s.name == "card" else s for s in run.scenario.sources)
    run.scenario = msgspec.structs.replace(run.scenario, sources=sources)
    run.ledger("card").rows[0] |= {"at_ns": 5, "utc_ms": utc_ms(2.5)}
    run.clocks.append({"source": "card", "at_ns": ns(1), "offset_ns": 200_000_000, "error_ns": 7})
    with open_evidence(run.write(tmp_path)) as evidence:
        at_ns = evidence.row("SELECT at_ns FROM captures WHERE provider = 'card' ORDER BY seq")[0]
        error_ns = evidence.row("SELECT clock_error_ns FROM ledgers WHERE provider = 'card' ORDER BY ALL")[0]
    assert (abs(at_ns - ns(2.3)) < 1000, error_ns) == (True, 7)


@pytest.mark.parametrize(
    ("spoil", "unsound"),
    [
        ("gap", "its ledger lacks 1 of its seq"),
        ("repeat", "its ledger repeats 1 of its seq"),
        ("start", "its ledger begins after the watermark"),
        ("end", "its ledger ends before its last seq"),
        ("missing", "its ledger is missing"),
        ("partial", "its ledger does not claim to be complete"),
        ("watermark", "nobody noted where its ledger stood before the load"),
        ("whole", None),
    ],
)
def test_ledger_is_whole_or_says_why_not(tmp_path: Path, spoil: str, unsound: str | None) -> None:
    run = two_good_orders()
    ledger = run.ledger("wechat")
    for _ in range(3):
        ledger.add(5.0, "request", op="query")
    run.conduct = msgspec.structs.replace(CONDUCT, ledger_first_seq={"wechat": 4}, ledger_last_seq={"wechat": 4})
    if spoil == "gap":
        del ledger.rows[2]
    elif spoil == "repeat":
        ledger.rows.append(ledger.rows[-1])
    elif spoil == "start":
        del ledger.rows[0]
    elif spoil == "end":
        del ledger.rows[3]
    elif spoil == "missing":
        run.absent.add("ledger.wechat")
    elif spoil == "partial":
        sources = tuple(
            msgspec.structs.replace(s, complete=False) if s.name == "wechat" else s for s in run.scenario.sources
        )
        run.scenario = msgspec.structs.replace(run.scenario, sources=sources)
    elif spoil == "watermark":
        run.conduct = msgspec.structs.replace(run.conduct, watermark={"card": 0, "alipay": 0})
    with open_evidence(run.write(tmp_path)) as evidence:
        query = "SELECT provider, unsound FROM ledgers WHERE provider = 'wechat' ORDER BY ALL"
        assert evidence.rows(query) == [("wechat", unsound)]
        blind = evidence.rows("SELECT order_no, provider FROM blind_orders ORDER BY ALL")
    assert blind == ([] if unsound is None else [(1, "wechat")])


def test_outage_lasts_until_the_provider_answers_again(tmp_path: Path) -> None:
    run = two_good_orders()
    for service, event, at in (
        ("wechat", "killed", 2.0),
        ("wechat", "started", 3.0),
        ("wechat", "ready", 3.5),
        ("alipay", "paused", 4.0),
        ("alipay", "resumed", 5.0),
        ("payment_api", "killed", 6.0),
    ):
        run.processes.append({"service": service, "event": event, "pid": 1, "start_time": 1.0, "at_ns": ns(at)})
    with open_evidence(run.write(tmp_path)) as evidence:
        assert evidence.rows(OUTAGES) == [("alipay", ns(4.0), ns(5.0)), ("wechat", ns(2.0), ns(3.5))]


def test_fault_is_told_as_planned_and_as_it_went(tmp_path: Path) -> None:
    run = two_good_orders()
    run.fault("silence", "network", "wechat", 2.0, 5.0, status="mismatch", answers=True)
    with open_evidence(run.write(tmp_path)) as evidence:
        query = "SELECT kind, start_ns, end_ns, mismatches, inconclusive, settings FROM faults ORDER BY number"
        assert evidence.rows(query) == [("silence", ns(2.0), ns(5.0), ["effect_seen"], None, '{"answers":true}')]


def test_rows_of_another_run_are_not_ours(tmp_path: Path) -> None:
    run = two_good_orders()
    run.ledger("wechat").captured(3.0, "theirs", "X", 500, run="r-other")
    with open_evidence(run.write(tmp_path)) as evidence:
        assert evidence.rows("SELECT number FROM captures ORDER BY ALL") == [("A-1",), ("B-1",)]


def test_orders_of_nobody_are_said(tmp_path: Path) -> None:
    run = two_good_orders()
    run.ledger("wechat").captured(3.0, "n-1", "N", 500)
    with open_evidence(run.write(tmp_path)) as evidence:
        assert evidence.notes == ("1 orders in ledgers belong to no journey of the history, such as N",)


def test_instants_count_from_the_loads_start_up_to_the_reading_of_the_books(evidence: Evidence) -> None:
    assert (evidence.start_ns, evidence.until_ns) == (ns(0), ns(60.2))
    assert evidence.utc_ms(ns(1.5)) == utc_ms(1.5)
    assert evidence.window_ns("refund_ms") == 8_000_000_000


@pytest.mark.parametrize(
    ("changes", "start", "until"),
    [
        ({"books_read_ns": None}, 0.0, 60.0),
        ({"books_read_ns": None, "quiescent_ns": None}, 0.0, 20.0),
        ({"books_read_ns": None, "quiescent_ns": None, "load_end_ns": None}, 0.0, 2.4),
        ({"load_start_ns": None}, 1.0, 60.2),
    ],
)
def test_instants_that_the_conductor_did_not_note_come_from_the_next_best(
    tmp_path: Path, changes: dict[str, None], start: float, until: float
) -> None:
    run = two_good_orders()
    run.conduct = msgspec.structs.replace(run.conduct, **changes)
    with open_evidence(run.write(tmp_path)) as evidence:
        assert (evidence.start_ns, evidence.until_ns) == (ns(start), ns(until))


def test_refund_without_an_answer_finds_its_row_in_the_books(tmp_path: Path) -> None:
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.refund(6.0, 9.0, "C", 500, outcome="info", ending="read_timeout", http=None)
    journey.refund(9.5, 9.6, "C", 500, result_id="r2", http=201)
    journey.refund(9.7, 9.8, "C", 900, outcome="fail", http=400, code="nothing_to_refund")
    run.books_refund("r1", "C", "wechat", "R-1", 500)
    run.books_refund("r2", "C", "wechat", "R-2", 500)
    with open_evidence(run.write(tmp_path)) as evidence:
        query = "SELECT outcome, refund_id, booked, owed_ns FROM customer_refunds ORDER BY sent_ns"
        assert evidence.rows(query) == [
            ("info", "r1", True, ns(9.0)),
            ("ok", "r2", False, ns(9.6)),
            ("fail", None, False, None),
        ]


def test_evidence_is_a_value(evidence: Evidence) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        evidence.start_ns = 0  # type: ignore[misc]
