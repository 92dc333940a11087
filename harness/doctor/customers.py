"""Can one customer order, pay by each method, and get something back?

Three customers at once, each with one method, on the same journey and in the same history as those of any load; the
first one asks for half of it back. What they met is told from their rows.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.doctor.looks import Condition, Look, Tell, absent, ok, wrong
from harness.load.dispatch import Dispatch
from harness.load.traits import Traits, traits_of
from harness.loading import JOURNEYS_LIMIT_S, travel_as
from harness.money import amount
from harness.operation import Method, Op, Outcome, Phase, State
from harness.recorder.reader import rows_of
from harness.recorder.rows import Done, Inv
from harness.stage import Stage

FIRST = 3
"""Number of the first customer: of the three from here on nobody is an old client, so each tells all that it can."""
READ_BY = {Op.PAY: "pay()", Op.CREATE: "create_order()", Op.REFUND: "refund()", Op.READ: "read()"}

Met = tuple[Inv, Done | None]
"""An operation, and how it ended."""


def send_customers(stage: Stage, tell: Tell) -> None:
    """Send one customer for each method and tell of each as it is done; raises JourneyFailed, TimeLimit."""

    def journey(number: int, scheduled_ns: int) -> None:
        traits = traits_for(number, stage)
        travel_as(traits, stage, Phase.STEADY, scheduled_ns)
        stage.history.flush()
        for look in told(traits, operations(stage, traits.number), stage.target.capabilities.operations):
            tell(look)

    stage.account.arrivals = len(Method)
    dispatch = Dispatch((0,) * len(Method), journey, cap=len(Method))
    stage.account.load_start_ns = time.monotonic_ns()
    dispatch.start(stage.account.load_start_ns)
    dispatch.wait_idle(2 * stage.windows.patience_ms / 1_000 + JOURNEYS_LIMIT_S)
    stage.account.load_end_ns = time.monotonic_ns()
    stage.account.tally = dispatch.tally()


def traits_for(number: int, stage: Stage) -> Traits:
    """A plain, patient customer who pays by one method, looks at the order, and does nothing odd."""
    traits = traits_of(FIRST + number, seed=stage.assignment.seed, run_id=stage.assignment.run_id)
    return replace(
        traits,
        methods=traits.methods[:1],
        refunds_half=number == 0,
        refunds_twice=False,
        reuses_keys=False,
        more_orders=0,
        leaves_early=False,
        reads_receipt=True,
    )


def operations(stage: Stage, journey: int) -> list[Met]:
    """What one customer did so far, in order."""
    begun: dict[int, Inv] = {}
    ended: dict[int, Done] = {}
    for row in rows_of(stage.folder / "history"):
        if isinstance(row, Inv) and row.journey == journey and row.op not in {Op.JOURNEY, Op.REQUEST}:
            begun[row.id] = row
        elif isinstance(row, Done) and row.id in begun:
            ended[row.id] = row
    return [(inv, ended.get(number)) for number, inv in begun.items()]


def told(traits: Traits, met: Sequence[Met], offered: frozenset[Op]) -> Iterator[Look]:
    """What one customer met: the order, its payment, the money back, and what each read afterwards showed."""
    method = traits.methods[0]
    costs = amount(traits.order.amount_minor, traits.order.currency)
    yield _write(f"order for {method}", Op.CREATE, met, f"{costs}, ordered")
    if not any(inv.op == Op.PAY for inv, _ in met):
        return
    payment = _write(f"payment by {method}", Op.PAY, met, f"{costs}, paid")
    yield payment
    if Op.READ not in offered:
        yield absent("reading back", "the adapter offers no read", "Op.READ in the adapter's operations")
    asked = next((number for number, (inv, _) in enumerate(met) if inv.op == Op.REFUND), len(met))
    if payment.condition is Condition.OK and Op.READ in offered:
        yield _read(f"order read, {method}", met[:asked], traits.order.amount_minor, 0)
    if payment.condition is Condition.OK and traits.refunds_half:
        yield from _money_back(traits, met, asked, offered)


def _money_back(traits: Traits, met: Sequence[Met], asked: int, offered: frozenset[Op]) -> Iterator[Look]:
    if Op.REFUND not in offered:
        yield absent("refund", "the adapter offers none", "Op.REFUND in the adapter's operations")
        return
    half = amount(traits.half_minor, traits.order.currency)
    yield _write("refund", Op.REFUND, met, f"{half} of it, promised")
    if Op.READ in offered:
        yield _read("order read, refunded", met[asked:], traits.order.amount_minor, None)


def _write(what: str, op: Op, met: Sequence[Met], done_well: str) -> Look:
    """How the last attempt at a write ended."""
    tries = [(inv, done) for inv, done in met if inv.op == op]
    last = tries[-1][1] if tries else None
    if last is None:
        return wrong(what, "never came to its end", "the log of the target")
    answer = f"{last.http or last.ending}{f' {last.code}' if last.code else ''}"
    took_s = (last.done_ns - tries[0][0].scheduled_ns) / 1e9
    often = f" at the {len(tries)}. try" if len(tries) > 1 else ""
    all_tries = "the only try was" if len(tries) == 1 else f"{len(tries)} tries, the last was"
    # A payment without an answer of its own may be seen done by a look at the order.
    shown = op is Op.PAY and any(done is not None and done.state == State.PAID for _, done in met)
    if last.outcome == Outcome.OK or shown:
        return ok(what, f"{done_well}{often}: {answer} after {took_s:.2f} s")
    way_out = f"the adapter's {READ_BY[op]}, [settings], base_url; the target's log says what it met"
    return wrong(what, f"{all_tries} answered {answer}, which the adapter reads as {last.outcome}", way_out)


def _read(what: str, met: Sequence[Met], paid_minor: int, refunded_minor: int | None) -> Look:
    """What the last read showed; `refunded_minor` None: whatever it says, since money takes its time."""
    reads = [done for inv, done in met if inv.op == Op.READ and done is not None and done.outcome == Outcome.OK]
    way_out = "the adapter's read(): state, paid_minor, refunded_minor"
    if not reads:
        return wrong(what, "no read was answered well", way_out)
    last = reads[-1]
    said = f"{last.state or 'no state'}, paid {last.paid_minor}, refunded {last.refunded_minor} (minor units)"
    right = last.state in {State.PAID, State.REFUNDED} and last.paid_minor in {paid_minor, None}
    if right and (refunded_minor is None or last.refunded_minor in {refunded_minor, None}):
        return ok(what, said)
    return wrong(what, f"{said}; paid were {paid_minor}", way_out)
