"""Does the doctor tell what a customer met as it was?"""

from dataclasses import replace

from harness.doctor.customers import Met, told
from harness.doctor.looks import Condition, Look, lines
from harness.load.traits import traits_of
from harness.operation import Method, Op, Outcome, Phase, State
from harness.recorder.rows import Done, Inv

TRAITS = replace(traits_of(3, seed=1, run_id="t"), methods=(Method.CARD,), refunds_half=True)
PRICE = TRAITS.order.amount_minor
ALL = frozenset({Op.CREATE, Op.PAY, Op.READ, Op.REFUND})


def met(number: int, op: Op, outcome: Outcome, **seen: int | str) -> Met:
    """An operation that began at `number` seconds and took a tenth."""
    at_ns = number * 1_000_000_000
    inv = Inv(id=number, journey=3, intent=3, op=op, phase=Phase.STEADY, scheduled_ns=at_ns, sent_ns=at_ns)
    return inv, Done(id=number, outcome=outcome, done_ns=at_ns + 100_000_000, ending="answered", **seen)  # type: ignore[arg-type]


CREATED = met(1, Op.CREATE, Outcome.OK, http=201)
PAID = met(2, Op.PAY, Outcome.OK, http=200, state=State.PAID)
READ = met(3, Op.READ, Outcome.OK, http=200, state=State.PAID, paid_minor=PRICE, refunded_minor=0)
REFUNDED = met(4, Op.REFUND, Outcome.OK, http=201)
READ_AGAIN = met(5, Op.READ, Outcome.OK, http=200, state=State.PAID, paid_minor=PRICE, refunded_minor=PRICE // 2)


def looked(*rows: Met, offered: frozenset[Op] = ALL) -> dict[str, Look]:
    return {look.what: look for look in told(TRAITS, rows, offered)}


def test_a_customer_who_met_no_trouble_is_told_of_in_five_lines() -> None:
    seen = looked(CREATED, PAID, READ, REFUNDED, READ_AGAIN)
    names = ["order for card", "payment by card", "order read, card", "refund", "order read, refunded"]
    assert [(look.what, look.condition) for look in seen.values()] == [(name, Condition.OK) for name in names]
    assert seen["payment by card"].said.endswith("paid: 200 after 0.10 s")


def test_an_order_that_was_refused_is_all_that_there_is_to_tell() -> None:
    (look,) = looked(met(1, Op.CREATE, Outcome.FAIL, http=404, code="no_route")).values()
    assert look.condition is Condition.WRONG
    assert look.said == "the only try was answered 404 no_route, which the adapter reads as fail"
    assert look.way_out.startswith("the adapter's create_order(), ")


def test_a_payment_without_an_answer_counts_once_a_look_shows_it_paid() -> None:
    silent = met(2, Op.PAY, Outcome.INFO)
    assert looked(CREATED, silent)["payment by card"].condition is Condition.WRONG
    assert looked(CREATED, silent, READ)["payment by card"].condition is Condition.OK


def test_an_order_that_is_read_with_other_money_than_was_paid_is_wrong() -> None:
    other = met(3, Op.READ, Outcome.OK, http=200, state=State.PAID, paid_minor=PRICE - 1, refunded_minor=0)
    look = looked(CREATED, PAID, other)["order read, card"]
    assert (look.condition, look.way_out) == (
        Condition.WRONG,
        "the adapter's read(): state, paid_minor, refunded_minor",
    )


def test_what_the_adapter_does_not_offer_is_absent_and_not_wrong() -> None:
    seen = looked(CREATED, PAID, offered=frozenset({Op.CREATE, Op.PAY}))
    assert [seen[what].condition for what in ("reading back", "refund")] == [Condition.ABSENT] * 2


def test_an_operation_that_never_ended_is_told() -> None:
    inv, _ = CREATED
    assert looked((inv, None))["order for card"].said == "never came to its end"


def test_the_way_out_stands_below_what_was_seen() -> None:
    (look,) = looked((CREATED[0], None)).values()
    first, second = lines(look).splitlines()
    assert first.startswith("wrong   order for card")
    assert second.strip() == "-> the log of the target"
