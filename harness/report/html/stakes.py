"""What is at stake: the verdict in one sentence, and what happened to customers' money?

Worked out from judged checks and from what the providers moved. No I/O.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.money import amount, totals
from harness.rating import MONEY_OR_ORDERS
from harness.report.answering import LOST, losses_told
from harness.report.html.axis import Axis, Charges
from harness.report.reasons import undecided
from harness.report.stories import by_gravity
from harness.verdict import JudgedCheck, ScenarioVerdict, Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Money in the wrong place."""

    money: str
    orders: int
    what: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """What all providers moved, in one currency."""

    taken: str
    charges: int
    back: str
    refunds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Money:
    """What happened to customers' money."""

    losses: tuple[Loss, ...]
    flows: tuple[Flow, ...]
    sentence: str
    """What is known where nothing is in the wrong place."""
    blind: tuple[str, ...]
    """Providers of whose charges some or all are not known."""


def sentence(status: Status, scenarios: Sequence[ScenarioVerdict]) -> str:
    """The verdict in one sentence, with the money at stake."""
    checks = [check for scenario in scenarios for check in scenario.checks]
    if status is Status.FAIL:
        broken = list(dict.fromkeys(check.check for check in by_gravity(checks)))
        count = f"{len(broken)} promise{'' if len(broken) == 1 else 's'} broken"
        losses = losses_told(checks)
        return (
            f"{count}: {losses[0].replace(': ', ' ', 1)}"
            if losses
            else f"{count}: {', '.join(broken)}. {_safe(checks)}"
        )
    if status is Status.UNKNOWN:
        open_ = sum(check.status is Status.UNKNOWN for check in checks)
        _, reasons = undecided(checks)
        why = f": {reasons[0]}" if reasons else ""
        return f"What was seen does not carry a verdict on {open_} promise{'' if open_ == 1 else 's'}{why}"
    held = sum(check.status is Status.PASS for check in checks)
    return f"Every claimed promise held, {held} of {held}. {_safe(checks)}"


def _safe(checks: Iterable[JudgedCheck]) -> str:
    """What is known of money where no breach lost any, in short."""
    return _no_loss(_about_money(checks)).partition(",")[0].partition(" (")[0].removesuffix(".")


def money(checks: Iterable[JudgedCheck], drawn: Sequence[Axis]) -> Money:
    """What happened to the money, by breaches and by the providers' own ledgers."""
    every = list(checks)
    losses = tuple(
        Loss(money=amount(total.amount_minor, total.currency), orders=total.orders, what=LOST[total.bearer])
        for total in totals(by_gravity(every))
    )
    return Money(
        losses=losses,
        flows=tuple(_flows(each for axis in drawn for each in axis.charges)),
        sentence=_no_loss(_about_money(every)),
        blind=tuple(sorted({provider for axis in drawn for provider, _ in axis.blind})),
    )


def _about_money(checks: Iterable[JudgedCheck]) -> list[JudgedCheck]:
    return [check for check in checks if check.check in MONEY_OR_ORDERS and check.unit == "minor units"]


def _no_loss(about: Sequence[JudgedCheck]) -> str:
    """What can be said of money where no breach names any."""
    known = [check.check for check in about if check.status is Status.KNOWN and check.findings]
    if known:
        return f"Known breaches lost money that is not counted here ({', '.join(known)})."
    unsure = [check.check for check in about if check.status is Status.UNKNOWN]
    if unsure:
        return f"Whether money is in the wrong place could not be decided ({', '.join(unsure)})."
    decided = [check for check in about if check.status is Status.PASS]
    if not decided:
        return "No promise about money was examined."
    return f"No money was found in the wrong place, in {max(check.examined for check in decided)} orders examined."


def _flows(charges: Iterable[Charges]) -> Iterator[Flow]:
    sums: dict[str, list[int]] = {}
    for each in charges:
        moved = sums.setdefault(each.currency, [0, 0, 0, 0])
        for place, count in enumerate((each.captured_minor, each.captures, each.refunded_minor, each.refunds)):
            moved[place] += count
    for currency, (taken, captures, back, refunds) in sorted(sums.items()):
        money = (amount(taken, currency or None), amount(back, currency or None))
        yield Flow(taken=money[0], charges=captures, back=money[1], refunds=refunds)
