"""What does one customer do, from wanting a ride to knowing that it is paid?

As the customers of the outage did: they order and pay; told "busy" or nothing
at all (F03, F08) they wait as told, look, try again with the same key, then by
another method with a new one (F04, F20), one that works where they are told, until it is paid or their patience is
over. Some leave early, some want half of it back, or half and then a quarter, all look at their own orders;
and some clients are careless with their keys.

What an answer means is the adapter's business; here only `Observation` counts.
The harness repeats no write by itself: every repetition here is the customer's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.load.audience import Blocked
from harness.load.leaks import Scanner
from harness.load.person import Person, declines
from harness.load.session import Clock, Connects, GeventClock, Key, OnRequest, Records, Session
from harness.load.traits import Traits
from harness.operation import JourneyEnd, Method, Op, Outcome, Phase, State
from harness.profile import Windows
from harness.recorder.rows import Done, Inv
from harness.recorder.traces import Traces
from harness.targets.protocol import Observation, Target

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
_OVER = frozenset({State.CLOSED, State.REFUNDED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A journey's final word, for whoever has an interest in its customer."""

    traits: Traits
    phase: Phase
    end: JourneyEnd
    order: str
    """The order's id; empty where the customer never had one."""
    at_ns: int


def _tell_nobody(_: object) -> None: ...


def travel(
    traits: Traits,
    *,
    target: Target,
    client: Connects,
    recorder: Records,
    traces: Traces,
    windows: Windows,
    phase: Phase,
    scheduled_ns: int,
    only_create: bool,
    on_request: OnRequest,
    on_ack_create: Callable[[], None],
    scanner: Scanner | None = None,
    on_end: Callable[[Ended], None] = _tell_nobody,
    on_trouble: Callable[[Blocked], None] = _tell_nobody,
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
            traces=traces,
            clock=clock,
            on_request=on_request,
            scanner=scanner,
        )
        person = Person(traits, target, session, clock, begin_ns=scheduled_ns, patience_ms=windows.patience_ms)
        way = _Way(person, on_trouble)
        end = way.place_order(on_ack_create)
        if end is None:
            end = JourneyEnd.ORDERED if only_create else way.pay()
        recorder.complete(Done(id=journey, outcome=_OUTCOMES[end], done_ns=person.at_ns, code=end))
        on_end(Ended(traits=traits, phase=phase, end=end, order=person.order, at_ns=person.at_ns))
        if end is JourneyEnd.PAID:
            way.look_back()
    return end


class _Way:
    """What one customer does next, by what it was told."""

    def __init__(self, person: Person, on_trouble: Callable[[Blocked], None]) -> None:
        self._person = person
        self._on_trouble = on_trouble
        self._traits = person.traits
        self._ordered_by: Key | None = None
        """The key by which its order was acknowledged."""
        self._met_trouble = False
        """It was told busy, or nothing, at least once: what is refused later is no plain decline."""

    def place_order(self, on_ack: Callable[[], None]) -> JourneyEnd | None:
        """Order until the order is known; None once it is, else the final word."""
        key = self._person.new_key()
        while True:
            told = self._person.create(key)
            if told.outcome is Outcome.OK and told.order_id is not None:
                self._person.order, self._ordered_by = told.order_id, key
                on_ack()
                return None
            if declines(told):
                return self._refused()
            self._meets_trouble()
            if not self._person.pause(told):
                return JourneyEnd.GAVE_UP
            may_stand = told.outcome is Outcome.INFO
            if may_stand and (self._traits.looks_first or key.attempts > 1):
                if self._finds_order():
                    return None
                if not self._person.think():
                    return JourneyEnd.GAVE_UP

    def pay(self) -> JourneyEnd:
        """Pay until it is paid, by one method after the other; returns the final word.

        What stays unresolved is asked for again with the same key, or at once by the next method. One
        who looks first looks before it asks again; from the third time on everyone does. Whoever is
        refused and told of methods that work turns to one of them at once.
        """
        method, key = self._traits.methods[0], self._person.new_key()
        declined: set[Method] = set()
        asked = 0
        while self._person.think():
            told = self._person.pay(method, key)
            asked += 1
            if end := self._final(told):
                return end
            again = False
            if told.outcome is Outcome.FAIL and told.offers:
                self._meets_trouble()
            elif declines(told):
                declined.add(method)
                if not self._met_trouble and declined >= set(self._traits.methods):
                    return JourneyEnd.DECLINED
            else:
                self._meets_trouble()
                if self._traits.leaves_early:
                    self._person.wait(LEAVE_AFTER_S)
                    return JourneyEnd.LEFT
                if not self._person.pause(told):
                    break
                again = key.attempts < self._traits.tries_a_key
                looks = (again and self._traits.looks_first) or asked > LOOKS_FROM
                if looks and (end := self._poll()):
                    return end
            if not again:
                method, key = self._next(method, told.offers), self._person.new_key()
        return JourneyEnd.GAVE_UP

    def _next(self, method: Method, offers: Sequence[Method]) -> Method:
        """The first of those named in this customer's own order, else whichever comes after the last one in it."""
        own = self._traits.methods
        named = [each for each in own if each in offers]
        return named[0] if named else own[(own.index(method) + 1) % len(own)]

    def look_back(self) -> None:
        """What a customer does who has paid: look at the receipt and its own orders, ask for half of it back."""
        person = self._person
        person.take_heart()
        if self._traits.reads_receipt and person.can(Op.READ) and person.think():
            person.read()
        for _ in range(self._traits.more_orders):
            if person.think():
                person.create(person.new_key())
        if person.can(Op.LIST) and person.think():
            person.list_orders()
        if self._traits.reuses_keys and self._ordered_by and person.can_repeat(Op.CREATE) and person.think():
            order = self._traits.order
            person.create(self._ordered_by, replace(order, amount_minor=2 * order.amount_minor))
        if self._traits.refunds_half and person.can(Op.REFUND):
            self._ask_back()
            if person.can(Op.READ) and person.think():
                person.read()

    def _ask_back(self) -> None:
        """Ask for half of it, and some for the rest, or for a quarter too and then for more than can be."""
        person, traits = self._person, self._traits
        paid_minor, half_minor = traits.order.amount_minor, traits.half_minor
        first = person.get_back(half_minor)
        if first and traits.reuses_keys and person.can_repeat(Op.REFUND) and person.think():
            person.ask_back(paid_minor, first)
        if traits.refunds_rest:
            person.get_back(paid_minor - half_minor)
        if not traits.refunds_twice:
            return
        quarter_minor = half_minor // 2
        second = person.get_back(quarter_minor)
        if first and second and traits.wants_too_much and person.think():
            person.ask_back(paid_minor - half_minor - quarter_minor + 1, person.new_key())

    def _final(self, told: Observation, *, acknowledges: bool = True) -> JourneyEnd | None:
        """The final word, where an answer says it. A payment learnt of after patience is over came too late."""
        if told.state is State.PAID or (acknowledges and told.outcome is Outcome.OK):
            return JourneyEnd.PAID if self._person.at_ns <= self._person.give_up_ns else JourneyEnd.GAVE_UP
        return JourneyEnd.GAVE_UP if told.state in _OVER else None

    def _meets_trouble(self) -> None:
        """Told busy, or nothing; the first time others hear of it."""
        if not self._met_trouble:
            self._met_trouble = True
            self._on_trouble(Blocked(person=self._person, at_ns=self._person.at_ns))

    def _refused(self) -> JourneyEnd:
        return JourneyEnd.GAVE_UP if self._met_trouble else JourneyEnd.DECLINED

    def _poll(self) -> JourneyEnd | None:
        """Look whether it is paid meanwhile; one who is told that there is no such order looks for it."""
        if not self._person.can(Op.READ):
            return None
        told = self._person.read()
        if end := self._final(told, acknowledges=False):
            return end
        if told.outcome is Outcome.FAIL and not told.busy and self._person.can(Op.LIST):
            self._person.list_orders()
        return None

    def _finds_order(self) -> bool:
        """Look among its own orders for the one whose create had no answer."""
        if not self._person.can(Op.LIST):
            return False
        found = self._person.list_orders().order_ids
        self._person.order = found[0] if found else ""
        return bool(found)
