"""What does a run show of a process that stood still, or died?"""

import math
from collections.abc import Iterator

from harness.operation import Op, Outcome
from harness.recorder.rows import PREFLIGHT_JOURNEYS, Inv
from harness.verdict import Status
from tests.proof.cut_answers import whole
from tests.proof.gates import Gated, gate, history, own_scenario, rows, wrong
from tests.proof.item import Item, Room, Shown, need

RATE_PER_S = 50
STOP_BEGINS_S, STOP_ENDS_S = 5, 7
AROUND_S = (1, 11)
"""Ten seconds that hold the stop."""
LEAST_P99_MS = 1_800.0
STOPPED = f'''"""The payment API stands still."""

from harness import Customer, Pause, Plan, Steady


class ApiStopped(Customer):
    """Tap "order", and nothing happens for two seconds."""

    scene = Plan(
        load=Steady(rate_per_s={RATE_PER_S}, duration_s=12),
        warmup_s=0.5,
        only_create=True,
        faults=Pause("api").between({STOP_BEGINS_S}, {STOP_ENDS_S}),
        claims={{"assumptions": 1, "no_vanished_order": 300}},
    )
'''
KILLED = '''"""A provider dies under load."""

from harness import CLAIMED_ALWAYS, Customer, Kill, Objectives, Plan, Steady


class ProviderKilled(Customer):
    """Pay, and the provider is gone; its bill is not."""

    scene = Plan(
        load=Steady(rate_per_s=6, duration_s=8),
        warmup_s=0.5,
        faults=Kill("wechat", restart_after_s=1).between(4, 5.5),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.8),
        claims=CLAIMED_ALWAYS,
    )
'''


def items() -> Iterator[Item]:
    """The API stopped, and a provider killed."""
    yield Item(group="stopping", name="api-stopped-for-two-seconds", prove=api_stopped, alone=True)
    yield Item(group="stopping", name="provider-killed", prove=provider_killed)


def api_stopped(room: Room) -> Shown:
    """SIGSTOP for 2 s at 50 creates/s: planned = started + missed, and p99 tells of the stop."""
    scenarios = own_scenario(room, STOPPED)
    gated = gate(room, "ApiStopped", "--size", "scene", "--seed", "1", scenarios=scenarios)
    need(gated.exit_code == 0, wrong(gated))
    conduct = gated.conduct("ApiStopped")
    counts = f"planned {conduct.planned}, started {conduct.started}, missed {conduct.missed}"
    need(conduct.planned == conduct.started + conduct.missed == 12 * RATE_PER_S, counts)
    assert conduct.load_start_ns is not None
    begin_ns, end_ns = (conduct.load_start_ns + at_s * 1_000_000_000 for at_s in AROUND_S)
    waits = creates_ms(gated, "ApiStopped", begin_ns, end_ns)
    ten_s = RATE_PER_S * (AROUND_S[1] - AROUND_S[0])
    need(abs(len(waits) - ten_s) <= RATE_PER_S // 10, f"{len(waits)} creates in ten seconds, not {ten_s}")
    p99 = percentile(waits, 0.99)
    told = f"{counts}; p99 of {len(waits)} creates {p99:.0f} ms from their scheduled instants, p50 "
    told += f"{percentile(waits, 0.5):.0f} ms"
    need(p99 >= LEAST_P99_MS, told)
    return Shown(told=told)


def creates_ms(gated: Gated, scenario: str, begin_ns: int, end_ns: int) -> list[float]:
    """How long each customer scheduled within the span waited for the order, first request to last answer."""
    scheduled: dict[int, int] = {}
    journey: dict[int, int] = {}
    answered: dict[int, int] = {}
    for row in history(gated, scenario):
        if isinstance(row, Inv):
            if row.op == Op.CREATE and row.journey < PREFLIGHT_JOURNEYS:
                journey[row.id] = row.journey
                scheduled.setdefault(row.journey, row.scheduled_ns)
        elif row.id in journey and row.outcome == Outcome.OK:
            answered.setdefault(journey[row.id], row.done_ns)
    within = {number: at_ns for number, at_ns in scheduled.items() if begin_ns <= at_ns < end_ns}
    never = [number for number in within if number not in answered]
    need(not never, f"{len(never)} creates were never acknowledged")
    return sorted((answered[number] - at_ns) / 1e6 for number, at_ns in within.items())


def percentile(ordered: list[float], share: float) -> float:
    """By rank: the least value that at least `share` of all do not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def provider_killed(room: Room) -> Shown:
    """SIGKILL to WeChat Pay under load: its ledger holds every earlier row, and every payment acknowledged before."""
    gated = gate(room, "ProviderKilled", "--size", "scene", "--seed", "1", scenarios=own_scenario(room, KILLED))
    need(gated.exit_code == 0, wrong(gated))
    evidence = gated.evidence("ProviderKilled")
    killed_ns = next(
        whole(row, "at_ns")
        for row in rows(gated.folder / "ProviderKilled" / "faults.jsonl")
        if row["event"] == "injected"
    )
    ledger = list(rows(evidence / "ledger.wechat.jsonl"))
    numbers = [whole(row, "seq") for row in ledger]
    need(numbers == list(range(1, len(numbers) + 1)), "the ledger has a gap")
    before = [row for row in ledger if whole(row, "at_ns") < killed_ns]
    after = len(ledger) - len(before)
    need(bool(before) and after > 0, f"{len(before)} rows before the kill and {after} after it")
    captured = {str(row["order"]) for row in ledger if row["kind"] == "captured"}
    paid = paid_before(gated, "ProviderKilled", killed_ns)
    need(len(paid) > 0 and paid <= captured, f"paid before the kill and not in the ledger: {sorted(paid - captured)}")
    held = gated.check("ProviderKilled", "money_conserved")
    need(held.status is Status.PASS, held.reason)
    told = f"{len(before)} rows before the kill, {after} after it, no gap; all {len(paid)} acknowledged payments in it"
    return Shown(told=told)


def paid_before(gated: Gated, scenario: str, killed_ns: int) -> set[str]:
    """Orders whose payment by WeChat Pay a customer saw acknowledged before the kill."""
    order_of: dict[int, str] = {}
    asked: dict[int, int] = {}
    paid: set[str] = set()
    for row in history(gated, scenario):
        if row.order_no is not None and row.order is not None:
            order_of[row.order_no] = row.order
        if isinstance(row, Inv):
            if row.op == Op.PAY and row.method == "wechat" and row.order_no is not None:
                asked[row.id] = row.order_no
        elif row.id in asked and row.outcome == Outcome.OK and row.done_ns < killed_ns:
            paid.add(order_of[asked[row.id]])
    return paid
