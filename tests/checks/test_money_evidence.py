"""Do the checks of orders and money stay silent where evidence is missing, and where all is well?"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.checks import CHECKS
from harness.evidence.tables import open_evidence
from harness.verdict import CheckResult, Status
from tests.histories.builder import PROVIDERS, Run, ns
from tests.histories.charge_stories import charged_twice, paid_twice, reversed_in_its_window
from tests.histories.order_stories import two_good_orders, unpaid_order
from tests.histories.orphan_stories import orphan
from tests.histories.over_refund_stories import excess_still_running, refunded_per_notice
from tests.histories.refund_runs import booked_and_never_sent, late_capture_given_back
from tests.histories.story import found, judged

MONEY = (
    "no_vanished_order",
    "no_double_charge",
    "no_orphan_charge",
    "refund_in_window",
    "no_over_refund",
    "money_conserved",
)


def results(run: Run, folder: Path) -> dict[str, CheckResult]:
    with open_evidence(run.write(folder)) as evidence:
        return {name: CHECKS[name].function(evidence) for name in MONEY}


def eventful_and_well() -> Run:
    """A double charge healed, a late capture given back, a half refund, an order that was never paid."""
    run = reversed_in_its_window()
    late = late_capture_given_back()
    half = run.paid_order("H", at=4.0, method="alipay")
    half.refund(6.0, 6.1, "H", 500, result_id="rh", http=201)
    run.books_order("H", half, "paid", refunded=500)
    run.books_refund("rh", "H", "alipay", "R-h", 500)
    run.ledger("alipay").refunded(7.0, "H-1", "H", 500, "R-h")
    unpaid_order(run, "U", at=5.0)
    owner = unpaid_order(run, "L", at=3.0)
    owner.pay(3.2, 3.6, "L", "wechat", outcome="info", ending="reset", http=None)
    run.payment("L", "wechat", "L-1", "paid")
    run.ledger("wechat").captured(3.4, "L-1", "L", 1000)
    run.ledger("wechat").refunded(12.0, "L-1", "L", 1000, "R-l")
    run.books_refund("rl", "L", "wechat", "R-l", 1000, requested=False)
    assert late.orders
    return run


SOURCES = ("history", "conduct", "reads", "lists", "faults", "clocks", "processes")
BOOKS = tuple(f"books.{book}" for book in ("orders", "payments", "refunds", "transitions"))
LEDGERS = tuple(f"ledger.{provider}" for provider in PROVIDERS)


def test_eventful_run_that_is_well_has_no_finding(tmp_path: Path) -> None:
    told = {
        name: (result.findings, result.undecided) for name, result in results(eventful_and_well(), tmp_path).items()
    }
    assert told == dict.fromkeys(MONEY, ((), 0))


@pytest.mark.parametrize("source", SOURCES + BOOKS + LEDGERS)
def test_missing_evidence_never_makes_a_finding(source: str, tmp_path: Path) -> None:
    run = eventful_and_well()
    run.absent.add(source)
    assert {name: result.findings for name, result in results(run, tmp_path).items()} == dict.fromkeys(MONEY, ())


@pytest.mark.parametrize(
    ("check", "source"),
    [
        ("no_vanished_order", "reads"),
        ("no_double_charge", "history"),
        ("no_double_charge", "ledger.wechat"),
        ("no_orphan_charge", "books.payments"),
        ("refund_in_window", "history"),
        ("refund_in_window", "books.orders"),
        ("refund_in_window", "books.refunds"),
        ("no_over_refund", "history"),
        ("no_over_refund", "books.orders"),
        ("money_conserved", "books.payments"),
        ("money_conserved", "books.refunds"),
        ("money_conserved", "ledger.card"),
    ],
)
def test_check_is_undecided_where_its_evidence_is_missing(check: str, source: str, tmp_path: Path) -> None:
    run = eventful_and_well()
    run.absent.add(source)
    verdict = judged(CHECKS[check], found(CHECKS[check], run, tmp_path))
    assert (verdict.status, verdict.undecided > 0) == (Status.UNKNOWN, True)


def gapped(run: Run) -> Run:
    """The ledgers lack their last row's predecessor, so nothing that is absent from them proves anything."""
    for ledger in run.ledgers.values():
        ledger.add(50.0, "request", op="query")
        ledger.add(50.1, "request", op="query")
    last = {provider: len(ledger.rows) for provider, ledger in run.ledgers.items()}
    run.conduct = msgspec.structs.replace(run.conduct, ledger_first_seq=last, ledger_last_seq=last)
    for ledger in run.ledgers.values():
        del ledger.rows[-2]
    return run


@pytest.mark.parametrize(
    ("check", "run"),
    [
        ("no_double_charge", charged_twice()),
        ("no_orphan_charge", orphan()),
        ("refund_in_window", booked_and_never_sent()),
        ("no_over_refund", refunded_per_notice()),
        ("no_over_refund", excess_still_running()),
        ("money_conserved", paid_twice()[0]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_gap_in_the_ledgers_makes_a_breach_undecided(check: str, run: Run, tmp_path: Path) -> None:
    result = found(CHECKS[check], gapped(run), tmp_path)
    assert (result.findings, result.undecided > 0) == ((), True)


def test_books_without_payments_cannot_be_held_to_orphans(tmp_path: Path) -> None:
    run = two_good_orders()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, books=("orders",))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    verdict = judged(CHECKS["no_orphan_charge"], found(CHECKS["no_orphan_charge"], run, tmp_path), claimed=None)
    assert (verdict.status, verdict.reason) == (Status.NOT_OFFERED, "the target shows no book of payments")


def test_only_the_longest_healed_double_charges_are_named(tmp_path: Path) -> None:
    run = two_good_orders()
    for place in range(12):
        order = f"H{place:02}"
        run.paid_order(order, at=3.0)
        run.payment(order, "card", f"{order}-2", "paid")
        run.ledger("card").captured(4.0, f"{order}-2", order, 1000)
        run.ledger("card").refunded(5.0 + place / 10, f"{order}-2", order, 1000, f"R-{order}")
        run.books_refund(f"r-{order}", order, "card", f"R-{order}", 1000, requested=False)
    notes = found(CHECKS["no_double_charge"], run, tmp_path).notes
    assert (len(notes), notes[0][:18], notes[-1]) == (
        11,
        "healed: order H11 ",
        "healed: 2 more double charges, all exposed for a shorter time",
    )


def test_finding_carries_the_rows_that_prove_it(tmp_path: Path) -> None:
    finding = found(CHECKS["no_double_charge"], charged_twice(), tmp_path).findings[0]
    evidence: Any = json.loads(json.dumps(finding.evidence))
    assert [(row["op"], row["sent_s"]) for row in evidence["history"]] == [
        ("pay", 2.9),
        ("create", 3.0),
        ("pay", 3.2),
    ]
    assert [(row["provider"], row["kind"], row["seq"], row["at_s"]) for row in evidence["ledger"]] == [
        ("wechat", "captured", 2, 3.0),
        ("card", "captured", 2, 3.3),
    ]
    assert [(row["book"], row.get("number")) for row in evidence["books"]] == [
        ("order", None),
        ("payment", "C-1"),
        ("payment", "C-w"),
    ]


def test_proof_is_cut_and_says_so(tmp_path: Path) -> None:
    run, journey = paid_twice()
    for place in range(100):
        journey.read(4.0 + place / 100, 4.005 + place / 100, "C", state="paid")
    evidence: Any = found(CHECKS["no_double_charge"], run, tmp_path).findings[0].evidence
    assert (len(evidence["history"]), evidence["history_rows_left_out"]) == (60, 43)


def test_yen_have_no_minor_unit(tmp_path: Path) -> None:
    run = charged_twice()
    for ledger in run.ledgers.values():
        for row in ledger.rows:
            row["currency"] = "JPY"
    assert (
        "costs 1000 JPY and was charged 2000 JPY"
        in found(CHECKS["no_double_charge"], run, tmp_path).findings[0].message
    )


def test_same_folder_gives_the_same_result(tmp_path: Path) -> None:
    run = charged_twice()
    home = run.write(tmp_path)
    told = []
    for _ in range(2):
        with open_evidence(home) as evidence:
            told.append([repr(CHECKS[name].function(evidence)) for name in MONEY])
    assert told[0] == told[1]


ATTEMPT = st.fixed_dictionaries(
    {
        "provider": st.sampled_from(PROVIDERS),
        "captured": st.booleans(),
        "at": st.floats(min_value=2.0, max_value=14.0),
        "lost": st.booleans(),
        "back_after": st.floats(min_value=0.1, max_value=7.0),
    }
)
PURCHASE = st.fixed_dictionaries(
    {
        "acknowledged": st.booleans(),
        "attempts": st.lists(ATTEMPT, max_size=3),
        "asked_back": st.lists(st.sampled_from([100, 300, 400]), max_size=2),
        "refund_lost": st.booleans(),
    }
)


def well_run_purchase(run: Run, order: str, purchase: dict[str, Any]) -> None:
    """What a correct target makes of it: the first capture before `pay_by` is honoured, all else given back in time."""
    journey = run.journey(1.0)
    journey.create(
        1.0, 1.5, order if purchase["acknowledged"] else None, outcome="ok" if purchase["acknowledged"] else "info"
    )
    captured = [one for one in purchase["attempts"] if one["captured"]]
    first = min(captured, key=lambda one: float(one["at"]), default=None)
    honoured = first if first is not None and first["at"] < 9.0 else None
    where: tuple[str, str] = ("", "")
    for place, attempt in enumerate(purchase["attempts"]):
        provider, at, number = attempt["provider"], attempt["at"], f"{order}-{place}"
        reply: dict[str, Any] = (
            {"outcome": "info", "ending": "read_timeout", "http": None} if attempt["lost"] else {"http": 202}
        )
        journey.pay(at - 0.1, at + 0.2, order, provider, **reply)
        if not attempt["captured"]:
            run.payment(order, provider, number, "dead")
            continue
        run.ledger(provider).captured(at, number, order, 1000)
        run.payment(order, provider, number, "paid")
        if attempt is honoured:
            where = (provider, number)
        else:
            owed = at if honoured is not None else max(at, 9.0)
            run.ledger(provider).refunded(owed + attempt["back_after"], number, order, 1000, f"R-{number}")
            run.books_refund(f"r-{number}", order, provider, f"R-{number}", 1000, requested=False)
    back = 0
    if honoured is not None:
        for place, amount in enumerate(purchase["asked_back"]):
            lost = purchase["refund_lost"]
            reply = {"outcome": "info", "http": 500} if lost else {"result_id": f"{order}-r{place}", "http": 201}
            journey.refund(20.0 + place, 20.1 + place, order, amount, **reply)
            run.books_refund(f"{order}-r{place}", order, where[0], f"Q-{order}-{place}", amount)
            run.ledger(where[0]).refunded(21.0 + place, where[1], order, amount, f"Q-{order}-{place}")
            back += amount
    state = "closed" if honoured is None else "paid"
    run.books_order(order, journey, state, refunded=back)
    run.seen(order, journey, state=state)


@given(purchases=st.lists(PURCHASE, min_size=1, max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_correct_target_went_through_is_no_finding(
    purchases: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = Run()
    for place, purchase in enumerate(purchases):
        well_run_purchase(run, f"o{place}", purchase)
    told = results(run, tmp_path_factory.mktemp("run"))
    assert {name: (result.findings, result.undecided) for name, result in told.items()} == dict.fromkeys(MONEY, ((), 0))


@given(
    purchases=st.lists(PURCHASE, min_size=1, max_size=4), victim=st.integers(0, 3), provider=st.sampled_from(PROVIDERS)
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
def test_one_more_capture_that_is_kept_is_always_found(
    purchases: list[dict[str, Any]], victim: int, provider: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = Run()
    for place, purchase in enumerate(purchases):
        well_run_purchase(run, f"o{place}", purchase)
    order = f"o{victim % len(purchases)}"
    run.ledger(provider).captured(15.0, "extra", order, 1000)
    run.ledgers[provider].rows.sort(key=lambda row: (row["at_ns"] > ns(15.0), row["seq"]))
    told = results(run, tmp_path_factory.mktemp("run"))
    found_by = {name for name, result in told.items() if order in {finding.subject for finding in result.findings}}
    assert {"no_orphan_charge", "refund_in_window", "money_conserved"} <= found_by
