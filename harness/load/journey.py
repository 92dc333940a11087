"""What does one customer do, from wanting a ride to knowing that it is paid?

As the customers of the outage did: they order and pay; told "busy" or nothing
at all (F03, F08) they wait as told, look, try again with the same key, then by
another method with a new one (F04, F20), until it is paid or their patience is
over. Some leave early, some want half of it back, all look at their own orders.

What an answer means is the adapter's business; here only `Observation` counts.
The harness repeats no write by itself: every repetition here is the customer's.
"""

from collections.abc import Callable
from itertools import cycle

from harness.load.session import Act, Clock, Connects, GeventClock, Key, OnRequest, Records, Session
from harness.load.traits import Traits
from harness.operation import JourneyEnd, Method, Op, Outcome, Phase, State
from harness.profile import Windows
from harness.recorder.rows import Done, Inv
from harness.targets.protocol import Call, Observation, Target

THINK_S = (0.1, 0.4)
"""From an answer to the next thing that the customer wants."""
PAUSE_S = (0.3, 1.0)
"""Before asking again where the answer names no time, or there was none."""
LEAVE_AFTER_S = 1.0
"""How long one who leaves early bears an unresolved answer."""
LOOKS_FROM = 2
"""Whoever has asked to pay more often than this looks before asking again."""

_OUTCOMES = {
    JourneyEnd.PAID: Outcome.OK,
    JourneyEnd.ORDERED: Outcome.OK,
    JourneyEnd.DECLINED: Outcome.FAIL,
    JourneyEnd.GAVE_UP: Outcome.INFO,
    JourneyEnd.LEFT: Outcome.INFO,
}
_NOT_THERE = frozenset({404, 410})
_OVER = frozenset({State.CLOSED, State.REFUNDED})


def travel(
    traits: Traits,
    *,
    target: Target,
    client: Connects,
    recorder: Records,
    windows: Windows,
    phase: Phase,
    scheduled_ns: int,
    only_create: bool,
    on_request: OnRequest,
    on_ack_create: Callable[[], None],
    clock: Clock | None = None,
) -> JourneyEnd:
    """Go one customer's way; returns, and records, its final word.

    The first operation counts from `scheduled_ns`, each later one from the
    previous end plus the time to think. The journey's row is completed when its
    final word is known; what a customer who paid does after that follows it. A
    journey that is killed leaves what it had begun without completion.
    """
    clock = clock or GeventClock()
    journey = recorder.next_id()
    recorder.invoke(
        Inv(
            id=journey,
            journey=traits.number,
            intent=traits.number,
            op=Op.JOURNEY,
            phase=phase,
            scheduled_ns=scheduled_ns,
            sent_ns=clock.now_ns(),
            user=traits.user,
            leaves_early=traits.leaves_early,
        )
    )
    with client.connection() as connection:
        session = Session(
            journey=traits.number,
            user=traits.user,
            phase=phase,
            connection=connection,
            recorder=recorder,
            clock=clock,
            on_request=on_request,
        )
        way = _Way(traits, target, session, clock, begin_ns=scheduled_ns, patience_ms=windows.patience_ms)
        end = way.place_order(on_ack_create)
        if end is None:
            end = JourneyEnd.ORDERED if only_create else way.pay()
        recorder.complete(Done(id=journey, outcome=_OUTCOMES[end], done_ns=way.at_ns, code=end))
        if end is JourneyEnd.PAID:
            way.look_back()
    return end


class _Way:
    """Where one customer stands. `at_ns` is the end of what it last did or waited for."""

    def __init__(
        self, traits: Traits, target: Target, session: Session, clock: Clock, *, begin_ns: int, patience_ms: int
    ) -> None:
        self.at_ns = begin_ns
        self._traits = traits
        self._target = target
        self._session = session
        self._clock = clock
        self._chance = traits.chance()
        self._patience_ns = patience_ms * 1_000_000
        self._give_up_ns = begin_ns + self._patience_ns
        self._order = ""
        self._met_trouble = False
        """It was told busy, or nothing, at least once: what is refused later is no plain decline."""

    def place_order(self, on_ack: Callable[[], None]) -> JourneyEnd | None:
        """Order until the order is known; None once it is, else the final word."""
        key = self._session.new_key()
        while True:
            told = self._create(key)
            if told.outcome is Outcome.OK and told.order_id is not None:
                self._order = told.order_id
                on_ack()
                return None
            if _declines(told):
                return self._refused()
            self._met_trouble = True
            if not self._pause(told):
                return JourneyEnd.GAVE_UP
            may_stand = told.outcome is Outcome.INFO
            if may_stand and (self._traits.looks_first or key.attempts > 1):
                if self._finds_order():
                    return None
                if not self._think():
                    return JourneyEnd.GAVE_UP

    def pay(self) -> JourneyEnd:
        """Pay until it is paid, by one method after the other; returns the final word.

        What stays unresolved is asked for again with the same key, or at once by the next method. One
        who looks first looks before it asks again; from the third time on everyone does.
        """
        methods = cycle(self._traits.methods)
        method, key = next(methods), self._session.new_key()
        declined: set[Method] = set()
        asked = 0
        while self._think():
            told = self._ask_payment(method, key)
            asked += 1
            if end := self._final(told):
                return end
            again = False
            if _declines(told):
                declined.add(method)
                if not self._met_trouble and declined >= set(self._traits.methods):
                    return JourneyEnd.DECLINED
            else:
                self._met_trouble = True
                if self._traits.leaves_early:
                    self._wait(LEAVE_AFTER_S)
                    return JourneyEnd.LEFT
                if not self._pause(told):
                    break
                again = key.attempts < self._traits.tries_a_key
                looks = (again and self._traits.looks_first) or asked > LOOKS_FROM
                if looks and (end := self._poll()):
                    return end
            if not again:
                method, key = next(methods), self._session.new_key()
        return JourneyEnd.GAVE_UP

    def look_back(self) -> None:
        """What a customer does who has paid: look at its own orders, and ask for half of it back."""
        self._give_up_ns = self.at_ns + self._patience_ns
        offers = self._target.capabilities.operations
        if Op.LIST in offers and self._think():
            self._list()
        if not self._traits.refunds_half or Op.REFUND not in offers:
            return
        key = self._session.new_key()
        more = self._think()
        while more:
            told = self._ask_refund(key)
            more = told.outcome is not Outcome.OK and not _declines(told) and self._pause(told)
        if Op.READ in offers and self._think():
            self._read()

    def _final(self, told: Observation, *, acknowledges: bool = True) -> JourneyEnd | None:
        """The final word, where an answer says it. A payment learnt of after patience is over came too late."""
        if told.state is State.PAID or (acknowledges and told.outcome is Outcome.OK):
            return JourneyEnd.PAID if self.at_ns <= self._give_up_ns else JourneyEnd.GAVE_UP
        return JourneyEnd.GAVE_UP if told.state in _OVER else None

    def _refused(self) -> JourneyEnd:
        return JourneyEnd.GAVE_UP if self._met_trouble else JourneyEnd.DECLINED

    def _poll(self) -> JourneyEnd | None:
        """Look whether it is paid meanwhile; one who is told that there is no such order looks for it."""
        if Op.READ not in self._target.capabilities.operations:
            return None
        told = self._read()
        if end := self._final(told, acknowledges=False):
            return end
        if told.outcome is Outcome.FAIL and not told.busy and Op.LIST in self._target.capabilities.operations:
            self._list()
        return None

    def _finds_order(self) -> bool:
        """Look among its own orders for the one whose create had no answer."""
        if Op.LIST not in self._target.capabilities.operations:
            return False
        found = self._list().order_ids
        self._order = found[0] if found else ""
        return bool(found)

    def _think(self) -> bool:
        return self._wait(self._chance.uniform(*THINK_S))

    def _pause(self, told: Observation) -> bool:
        """Wait as told, or a while; never less than asked for."""
        pause_s = self._chance.uniform(*PAUSE_S)
        if told.retry_after_s is not None:
            pause_s = told.retry_after_s + pause_s / 10
        return self._wait(pause_s)

    def _wait(self, wait_s: float) -> bool:
        """Wait from the end of what came last; False, at that instant, where patience ends first."""
        patient = self.at_ns + wait_s * 1e9 < self._give_up_ns
        until_ns = self.at_ns + round(wait_s * 1e9) if patient else max(self.at_ns, self._give_up_ns)
        self._clock.sleep_until(until_ns)
        self.at_ns = until_ns
        return patient

    def _create(self, key: Key) -> Observation:
        order = self._traits.order
        act = Act(
            op=Op.CREATE,
            scheduled_ns=self.at_ns,
            key=key,
            amount_minor=order.amount_minor,
            currency=order.currency,
            line=order.line,
        )
        return self._perform(act, self._target.create_order(self._session.user, order, key.text))

    def _ask_payment(self, method: Method, key: Key) -> Observation:
        act = Act(op=Op.PAY, scheduled_ns=self.at_ns, order=self._order, method=method, key=key)
        return self._perform(act, self._target.pay(self._session.user, self._order, method, key.text))

    def _ask_refund(self, key: Key) -> Observation:
        half_minor = self._traits.order.amount_minor // 2
        currency = self._traits.order.currency
        act = Act(
            op=Op.REFUND,
            scheduled_ns=self.at_ns,
            order=self._order,
            key=key,
            amount_minor=half_minor,
            currency=currency,
        )
        return self._perform(act, self._target.refund(self._session.user, self._order, half_minor, key.text))

    def _read(self) -> Observation:
        act = Act(op=Op.READ, scheduled_ns=self.at_ns, order=self._order)
        return self._perform(act, self._target.read(self._session.user, self._order))

    def _list(self) -> Observation:
        return self._perform(Act(op=Op.LIST, scheduled_ns=self.at_ns), self._target.list_orders(self._session.user))

    def _perform(self, act: Act, call: Call) -> Observation:
        seen = self._session.perform(act, call)
        self.at_ns = seen.done_ns
        return seen.told


def _declines(told: Observation) -> bool:
    """A definite no, for a reason of business.

    Not: busy, "come again" (a refusal that says when), an attempt that is live,
    a request that was never sent, or an order that is not there.
    """
    return (
        told.outcome is Outcome.FAIL
        and told.http is not None
        and told.http not in _NOT_THERE
        and not told.busy
        and told.retry_after_s is None
        and told.state is not State.PAYING
    )
