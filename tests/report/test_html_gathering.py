"""Is what the page shows of a run what its files say? Hand-written runs; whole values are compared."""

from pathlib import Path

import msgspec
import pytest

from harness.documents import PhaseRecord
from harness.evidence.tables import open_evidence
from harness.recorder.traces import Traces
from harness.report.html.axis import Axis, Band, Charges, Latencies, Mark, Outcomes, Rate, axis
from harness.report.html.lanes import Space, Step, Tales, tales
from harness.report.html.validity import ClockBound, Premise, Proof, validity
from harness.report.html.words import Word
from harness.verdict import Finding, JudgedCheck, Status
from tests.histories.builder import Run, ns
from tests.histories.settings import RUN
from tests.report.run import judged

MINUTE = msgspec.structs.replace(Run().conduct, load_end_ns=ns(2.0))


def drawn(run: Run, folder: Path, recovered_s: float | None = None) -> Axis:
    with open_evidence(run.write(folder)) as evidence:
        return axis(evidence, recovered_s)


def told(run: Run, folder: Path, *checks: JudgedCheck, space: Space | None = None) -> Tales:
    with open_evidence(run.write(folder)) as evidence:
        return tales(evidence, checks) if space is None else tales(evidence, checks, space)


def broken(*subjects: str, check: str = "no_double_charge") -> JudgedCheck:
    return judged(
        check, Status.FAIL, findings=tuple(Finding(subject=each, message=f"{each} is lost.") for each in subjects)
    )


def test_an_empty_run_has_an_axis_without_anything_on_it(tmp_path: Path) -> None:
    run = Run()
    run.conduct = MINUTE
    seen = drawn(run, tmp_path)
    assert (seen.bin_ms, seen.end_ms, len(seen.rates)) == (500, 2_000, 4)
    assert (seen.latencies, seen.charges, seen.bands, seen.words) == ((), (), (), ())
    assert seen.rates[0] == Rate(at_ms=0, due=0, begun=0, paid=0)
    assert seen.marks == (Mark(at_ms=2_000, what="load over"),)


def test_customers_operations_and_charges_are_summed_up_by_their_instants(tmp_path: Path) -> None:
    run = Run()
    run.conduct = MINUTE
    run.paid_order("A", at=0.1)
    late = run.journey(0.6)
    late.create(0.7, None, None, scheduled=0.6, outcome="info")
    late.pay(1.6, 1.9, "B", "card", scheduled=1.1, outcome="fail", http=409)
    run.ledger("card").captured(1.2, "B-1", "B", 700)
    run.ledger("wechat").refunded(1.1, "A-1", "A", 400, "R1")
    seen = drawn(run, tmp_path)
    assert seen.rates == (
        Rate(at_ms=0, due=1, begun=1, paid=0),
        Rate(at_ms=500, due=1, begun=1, paid=1),
        Rate(at_ms=1_000, due=0, begun=0, paid=0),
        Rate(at_ms=1_500, due=0, begun=0, paid=0),
    )
    assert seen.outcomes == (
        Outcomes(at_ms=0, ok=2, fail=0, info=0),
        Outcomes(at_ms=500, ok=0, fail=0, info=1),
        Outcomes(at_ms=1_000, ok=0, fail=0, info=0),
        Outcomes(at_ms=1_500, ok=0, fail=1, info=0),
    )
    assert seen.latencies == (
        Latencies(at_ms=0, answered=2, unanswered=0, p50_ms=100.0, p99_ms=200.0, max_ms=200.0),
        Latencies(at_ms=500, answered=0, unanswered=1, p50_ms=None, p99_ms=None, max_ms=None),
        Latencies(at_ms=1_000, answered=1, unanswered=0, p50_ms=800.0, p99_ms=800.0, max_ms=800.0),
    )
    nothing = {"captures": 0, "captured_minor": 0, "refunds": 0, "refunded_minor": 0}
    assert seen.charges == (
        Charges(at_ms=0, provider="wechat", currency="CNY", **(nothing | {"captures": 1, "captured_minor": 1_000})),
        Charges(at_ms=1_000, provider="card", currency="CNY", **(nothing | {"captures": 1, "captured_minor": 700})),
        Charges(at_ms=1_000, provider="wechat", currency="CNY", **(nothing | {"refunds": 1, "refunded_minor": 400})),
    )


@pytest.mark.parametrize(("end_s", "bin_ms"), [(49.0, 500), (60.0, 1_000), (900.0, 10_000), (7_200.0, 300_000)])
def test_bins_grow_with_the_run_so_that_there_are_never_more_than_a_hundred(
    end_s: float, bin_ms: int, tmp_path: Path
) -> None:
    run = Run()
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(end_s))
    seen = drawn(run, tmp_path)
    assert seen.bin_ms == bin_ms
    assert len(seen.rates) <= 100


def test_faults_have_the_edges_that_were_seen_and_recovery_counts_from_there(tmp_path: Path) -> None:
    run = Run()
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(20.0))
    number = run.fault("down", "network", "wechat", 3.0, 5.0)
    for row in run.faults:
        row["at_ns"] += 250_000_000
    seen = drawn(run, tmp_path, 1.5)
    assert seen.bands == (
        Band(
            number=number,
            name="down at wechat",
            describe="down at wechat",
            standing=False,
            planned_ms=(3_000, 5_000),
            from_ms=3_250,
            to_ms=5_250,
        ),
    )
    assert seen.marks == (
        Mark(at_ms=5_250, what="last fault lifted"),
        Mark(at_ms=6_750, what="served as before"),
        Mark(at_ms=5_250 + run.scenario.windows["recovered_ms"], what="recovery due by"),
        Mark(at_ms=20_000, what="load over"),
    )


def test_what_failed_for_customers_stands_beside_what_the_page_said(tmp_path: Path) -> None:
    run = Run()
    for at in (1.0, 1.2, 1.4, 1.6):
        run.journey(at).pay(at, at + 0.1, f"W-{at}", "wechat", outcome="info", http=502)
    run.sample(0.5)
    run.sample(2.0, "wechat")
    run.sample(2.5, "wechat")
    run.sample(3.0, outcome="info", ending="reset", http=None, degraded=None, methods=None)
    run.status[-1]["degraded"] = None
    seen = drawn(run, tmp_path)
    failed = {"by": "customers", "from_ms": 1_100, "to_ms": 1_700, "detail": "4 of 4 attempts failed"}
    assert seen.words == (
        Word(subject="paying", **failed),  # type: ignore[arg-type]
        Word(subject="wechat", **failed),  # type: ignore[arg-type]
        Word(subject="wechat", by="page", from_ms=2_000, to_ms=2_500, detail="2 looks at the page"),
        Word(subject="paying", by="page", from_ms=3_000, to_ms=3_005, detail="the page did not answer"),
    )


def test_a_ledger_that_is_not_whole_is_named(tmp_path: Path) -> None:
    run = Run()
    run.absent = {"ledger.card"}
    assert drawn(run, tmp_path).blind == (("card", "its ledger is missing"),)


def test_an_order_is_told_in_three_lanes_with_the_fault_that_was_on(tmp_path: Path) -> None:
    run = Run()
    run.fault("cut", "network", "wechat", 1.2, 1.5)
    run.fault("cut", "network", "card", 1.2, 1.5)
    run.paid_order("A", at=1.0)
    run.transition(1.05, "order", "A", "A", old=None, new="open")
    (tale,) = told(run, tmp_path, broken("A")).told
    assert (tale.subject, tale.promises, tale.message, tale.whole) == ("A", ("no_double_charge",), "A is lost.", True)
    opened, paid = "200, the order is open [ok]", "200, the order is paid [ok]"
    create, pay = (Traces(run_id=RUN.run_id, scenario="HandWritten").trace_id(row.id) for row in run.history[1:4:2])
    assert tale.steps == (
        Step(at_ms=1_000, lane=0, who="customer", what="create (key 1)", answer=opened, trace_id=create),
        Step(at_ms=1_050, lane=1, who="books", what="order: new -> open"),
        Step(at_ms=1_200, lane=0, who="customer", what="pay by wechat (key 2)", answer=paid, trace_id=pay),
        Step(at_ms=1_200, lane=3, who="fault", what="begins: cut at wechat", during=True),
        Step(at_ms=1_200, lane=3, who="fault", what="begins: cut at card", during=True),
        Step(at_ms=1_300, lane=2, who="wechat", what="captured A-1: 10.00 CNY", during=True),
        Step(at_ms=1_500, lane=3, who="fault", what="over: cut at wechat", during=True),
        Step(at_ms=1_500, lane=3, who="fault", what="over: cut at card"),
        Step(at_ms=60_000, lane=0, who="customer", what="last read", answer=paid),
        Step(
            at_ms=None,
            lane=1,
            who="books",
            what="order paid, 10.00 CNY paid, 0.00 CNY given back; payment A-1 paid",
        ),
    )


def test_one_fault_in_several_places_is_told_once(tmp_path: Path) -> None:
    run = Run()
    for where in ("wechat", "card"):
        run.fault("cut", "network", where, 1.2, 1.5)
    faults = tuple(msgspec.structs.replace(f, describe=f"cut on {f.where}, 1 s") for f in run.scenario.faults)
    run.scenario = msgspec.structs.replace(run.scenario, faults=faults)
    run.paid_order("A", at=1.0)
    (tale,) = told(run, tmp_path, broken("A")).told
    assert [(step.what, step.during) for step in tale.steps if step.who == "fault"] == [
        ("begins: cut on card, wechat, 1 s", True),
        ("over: cut on card, wechat, 1 s", False),
    ]


def test_looks_that_found_what_they_sought_are_minor_and_refusals_are_not(tmp_path: Path) -> None:
    run = Run()
    journey = run.paid_order("A", at=1.0)
    journey.read(2.0, 2.1, "A", state="paid")
    journey.read(3.0, 3.1, "A", outcome="fail", http=404)
    (tale,) = told(run, tmp_path, broken("A")).told
    reads = [step for step in tale.steps if step.what.startswith("read")]
    assert [(step.at_ms, step.minor) for step in reads] == [(2_000, True), (3_000, False)]


def test_what_is_no_order_is_told_by_its_finding(tmp_path: Path) -> None:
    (tale,) = told(Run(), tmp_path, broken("alipay", check="announced")).told
    assert (tale.subject, tale.message, tale.steps, tale.whole) == ("alipay", "alipay is lost.", (), False)


def test_every_subject_stands_on_the_page_however_little_space_there_is(tmp_path: Path) -> None:
    run = Run()
    names = [f"O-{number}" for number in range(9)]
    for number, name in enumerate(names):
        run.paid_order(name, at=1.0 + number)
    every = told(run, tmp_path, broken(*names), space=Space(whole_bytes=1_000, brief_bytes=200, named=3))
    assert [tale.subject for tale in every.told] + [subject for subject, _ in every.named] == names[:7]
    assert [tale.whole for tale in every.told] == [True, True, False, False]
    assert every.left_out == 2


def test_validity_says_what_the_verdict_stands_on(tmp_path: Path) -> None:
    run = Run()
    run.fault("cut", "network", "wechat", 1.0, 2.0, status="inconclusive")
    run.clocks = [{"source": "wechat", "at_ns": ns(1.0), "offset_ns": -2_000_000, "error_ns": 500_000}]
    notes = ("ids_unique holds: each once", "quiescent broken: it: holds: nothing", "history/0.jsonl has no footer")
    with open_evidence(run.write(tmp_path)) as evidence:
        seen = validity(evidence, [judged("assumptions", Status.UNKNOWN, notes=notes)])
    assert seen.premises == (
        Premise(name="ids_unique", holds=True, saw="each once"),
        Premise(name="quiescent", holds=False, saw="it: holds: nothing"),
    )
    confirmed, unsure = "confirmed", "inconclusive"
    assert seen.proofs == (
        Proof(
            describe="cut at wechat",
            planned="+1.00 s to +2.00 s",
            seen="+1.00 s to +2.00 s",
            steps=(confirmed, confirmed, unsure, confirmed, confirmed, confirmed),
        ),
    )
    assert seen.clocks == (ClockBound(source="wechat", offset_ms=-2.0, error_ms=0.5),)


def test_a_fault_that_never_came_has_no_steps(tmp_path: Path) -> None:
    run = Run()
    run.fault("cut", "network", "wechat", 1.0, 2.0)
    run.faults.clear()
    with open_evidence(run.write(tmp_path)) as evidence:
        (proof,) = validity(evidence, []).proofs
    assert (proof.seen, proof.steps) == ("? to ?", ("",) * 6)


def test_phases_are_those_of_the_plan(tmp_path: Path) -> None:
    assert drawn(Run(), tmp_path).phases == (PhaseRecord(name="steady", start_ms=0, end_ms=8_000),)
