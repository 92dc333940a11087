"""How do arrivals, faults and company run side by side, until the last customer has gone?

    dispatch ──> journeys ──Ended──> crowd (who comes back, beside them)
    timeline ──> faults

Works inside Locust's process, on gevent. Open model: neither faults nor company
hold an arrival back.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import gevent
import psutil

from harness.arrivals import digest, schedule
from harness.live.news import Loading
from harness.load.audience import Blocked
from harness.load.client import Client, Connection, Deadlines
from harness.load.company import RETURNING_KEYS, TRESPASS_KEYS, Crowd, look_and_ask_back, try_the_order_of
from harness.load.dispatch import Dispatch, Tally
from harness.load.journey import Ended, travel
from harness.load.person import Person
from harness.load.session import Act, GeventClock, Session
from harness.load.traits import Traits, traits_of
from harness.operation import JourneyEnd, Op, Phase
from harness.records import phase_at
from harness.scenario import Cue
from harness.stage import Stage

AHEAD_NS = 200_000_000
"""Load starts so long after it was decided, so that its first arrival is not late."""
JOURNEYS_LIMIT_S = 30.0
"""Beyond load and patience, journeys that paid still look back and ask for refunds for this long at most."""


def load(stage: Stage) -> None:
    """Arrivals and faults side by side, until the last journey has ended."""
    account, plan = stage.account, stage.plan
    instants_ns = schedule(plan.load, stage.assignment.seed)
    account.arrival_digest, account.arrivals = digest(instants_ns), len(instants_ns)
    phases = stage.record.phases

    def journey(number: int, scheduled_ns: int) -> None:
        traits = traits_of(number, seed=stage.assignment.seed, run_id=stage.assignment.run_id)
        phase = phase_at(phases, instants_ns[number] / 1e6)
        travel_as(traits, stage, phase, scheduled_ns, on_end=crowd.hear, on_trouble=crowd.hear_of_trouble)

    def phase_of(instant_ns: int) -> Phase:
        assert account.load_start_ns is not None
        return phase_at(phases, (instant_ns - account.load_start_ns) / 1e6)

    def come_back(ended: Ended, scheduled_ns: int) -> None:
        return_as(ended, stage, phase_of(scheduled_ns), scheduled_ns)

    def trespass(stranger: Ended, victim: Ended, replays: bool) -> None:
        trespass_as(stranger, victim, stage, phase_of(stranger.at_ns), replays=replays)

    def look(blocked: Blocked, what: Op, scheduled_ns: int) -> None:
        look_as(blocked, what, stage, phase_of(scheduled_ns), scheduled_ns)

    crowd = Crowd(plan.company, come_back, trespass, look)
    dispatch = Dispatch(instants_ns, journey, cap=stage.assignment.most_journeys)
    gc.collect()
    gc.freeze()  # a full collection stalls the loop for tens of milliseconds
    cpu_before_s, begun_ns = cpu_s(), time.monotonic_ns()
    account.load_start_ns = begun_ns + AHEAD_NS
    faults = gevent.spawn(stage.timeline.run, account.load_start_ns)
    try:
        with stage.cut.calls(dispatch.stop), stage.cut.calls(crowd.stop):
            dispatch.start(account.load_start_ns)
            crowd.start(account.load_start_ns)
            watch(stage, dispatch, len(instants_ns), begun_ns, cpu_before_s)
            dispatch.wait_idle(JOURNEYS_LIMIT_S)
            crowd.wait(JOURNEYS_LIMIT_S)
    finally:
        gc.unfreeze()
        account.load_end_ns = time.monotonic_ns()
        account.tally = dispatch.tally()
        account.cpu_share = (cpu_s() - cpu_before_s) / ((account.load_end_ns - begun_ns) / 1e9)
        stage.tell(standing(account.tally, len(instants_ns), begun_ns, account.cpu_share))
    stage.cut.check()
    faults.join()
    faults.get()
    stage.cut.check()


def watch(stage: Stage, dispatch: Dispatch, planned: int, begun_ns: int, cpu_before_s: float) -> None:
    """Say how far the load is until all journeys have ended, the run is cut, or their limit is over."""
    load_s = stage.plan.load.duration_s
    limit_s = load_s + 2 * stage.windows.patience_ms / 1_000 + JOURNEYS_LIMIT_S
    while not dispatch.idle and stage.cut.reason is None:
        elapsed_s = (time.monotonic_ns() - begun_ns) / 1e9
        if elapsed_s > limit_s:
            return
        dispatch.raise_errors()
        tally = dispatch.tally()
        text = f"{tally.started} of {planned} journeys started, {tally.missed} missed, {tally.in_flight} under way"
        stage.say("load", text, min(0.99, elapsed_s / (load_s + 1)))
        stage.tell(standing(tally, planned, begun_ns, (cpu_s() - cpu_before_s) / max(elapsed_s, 1.0)))
        gevent.sleep(0.5)


def standing(tally: Tally, planned: int, begun_ns: int, cpu_share: float) -> Loading:
    """How the load stands, for whoever watches."""
    return Loading(
        load_start_ns=begun_ns + AHEAD_NS,
        planned=planned,
        started=tally.started,
        missed=tally.missed,
        in_flight=tally.in_flight,
        lateness_p99_ms=tally.lateness_p99_ms,
        cpu_share=cpu_share,
    )


def travel_as(
    traits: Traits,
    stage: Stage,
    phase: Phase,
    scheduled_ns: int,
    *,
    on_end: Callable[[Ended], None] = lambda _: None,
    on_trouble: Callable[[Blocked], None] = lambda _: None,
) -> JourneyEnd:
    """Send one customer on the way; `on_end` is told its final word, `on_trouble` that it is blocked."""
    bell = stage.timeline.bells[Cue.ACKNOWLEDGED_CREATE]
    return travel(
        traits,
        target=stage.target,
        client=stage.client,
        recorder=stage.history,
        traces=stage.traces,
        windows=stage.windows,
        phase=phase,
        scheduled_ns=scheduled_ns,
        only_create=stage.plan.only_create,
        on_request=stage.on_request,
        on_ack_create=lambda: bell.ring(time.monotonic_ns()),
        scanner=stage.scanner,
        on_end=on_end,
        on_trouble=on_trouble,
    )


def return_as(ended: Ended, stage: Stage, phase: Phase, scheduled_ns: int) -> None:
    """Send one customer who has paid back to the order, on a connection of its own."""
    with again(ended, stage, phase, scheduled_ns, role="returning", keys_from=RETURNING_KEYS) as person:
        person.order = ended.order
        look_and_ask_back(person)


def trespass_as(stranger: Ended, victim: Ended, stage: Stage, phase: Phase, *, replays: bool) -> None:
    """Send one customer who is done to the order of another, on a connection of its own."""
    with again(stranger, stage, phase, stranger.at_ns, role="trespassing", keys_from=TRESPASS_KEYS) as person:
        try_the_order_of(victim, person, replays=replays)


def look_as(blocked: Blocked, what: Op, stage: Stage, phase: Phase, scheduled_ns: int) -> None:
    """Send one reader, on a connection of its own: to the status page, or to the order as its owner.

    An order that is not known yet is looked for in its owner's list.
    """
    deadlines = Deadlines.within(stage.windows.client_deadline_ms)
    client = Client(stage.stack.status_url, deadlines=deadlines) if what is Op.STATUS else stage.client
    user, order = blocked.traits.user, blocked.person.order
    with client.connection() as connection:
        session = session_of(blocked.traits, stage, phase, connection)
        if what is Op.STATUS:
            session.perform(Act(op=Op.STATUS, scheduled_ns=scheduled_ns), stage.target.status())
        elif order:
            act = Act(op=Op.READ, scheduled_ns=scheduled_ns, order=order)
            session.perform(act, stage.target.read(user, order))
        else:
            session.perform(Act(op=Op.LIST, scheduled_ns=scheduled_ns), stage.target.list_orders(user))


@contextmanager
def again(
    ended: Ended, stage: Stage, phase: Phase, scheduled_ns: int, *, role: str, keys_from: int
) -> Iterator[Person]:
    """A customer who is done, once more: on a connection of its own, with keys and thoughts that it has not used."""
    with stage.client.connection() as connection:
        session = session_of(ended.traits, stage, phase, connection, keys_from=keys_from)
        yield Person(
            replace(ended.traits, seed=f"{role}/{ended.traits.seed}"),
            stage.target,
            session,
            GeventClock(),
            begin_ns=scheduled_ns,
            patience_ms=stage.windows.patience_ms,
        )


def session_of(traits: Traits, stage: Stage, phase: Phase, connection: Connection, *, keys_from: int = 0) -> Session:
    """Operations of a customer of this run, over a connection."""
    return Session(
        journey=traits.number,
        user=traits.user,
        phase=phase,
        connection=connection,
        recorder=stage.history,
        traces=stage.traces,
        clock=GeventClock(),
        on_request=stage.on_request,
        keys_from=keys_from,
        scanner=stage.scanner,
    )


def cpu_s() -> float:
    """CPU seconds of this process so far."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)
