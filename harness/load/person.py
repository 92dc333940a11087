"""What can one customer do at the target, one thing after the other, and when?

Each operation counts from the end of what came before plus the time to think or
to wait; patience ends all of it. What to do next is decided by whoever holds a
`Person`: a customer on the way (`journey`), or one who comes back (`company`).
"""

from harness.load.keys import CREATE_KEY, key_number, key_text
from harness.load.session import Act, Clock, Key, Session
from harness.load.traits import Traits
from harness.operation import Method, Op, Outcome, State
from harness.targets.protocol import Call, NewOrder, Observation, Target

THINK_S = (0.1, 0.4)
"""From an answer to the next thing that the customer wants."""
PAUSE_S = (0.3, 1.0)
"""Before asking again where the answer names no time, or there was none."""

_NOT_THERE = frozenset({404, 410})
_NOT_UNDERSTOOD = frozenset({405, 415, 426})
"""The target does not take the form of the request, and so says nothing about the business; a 400 may well do so."""


class Person:
    """Where one customer stands. `at_ns` is the end of what it last did or waited for."""

    def __init__(
        self, traits: Traits, target: Target, session: Session, clock: Clock, *, begin_ns: int, patience_ms: int
    ) -> None:
        self.traits = traits
        self.at_ns = begin_ns
        self.give_up_ns = begin_ns + patience_ms * 1_000_000
        self.order = ""
        """The order that it asks about, once it knows one."""
        self._target = target
        self._session = session
        self._clock = clock
        self._chance = traits.chance()
        self._card = traits.personal.card if traits.personal else None
        self._patience_ns = patience_ms * 1_000_000

    def can(self, op: Op) -> bool:
        """Whether the target offers this at all."""
        return op in self._target.capabilities.operations

    def can_repeat(self, op: Op) -> bool:
        """Whether the target offers it with an idempotency key."""
        return self.can(op) and op in self._target.capabilities.idempotent

    def new_key(self) -> Key:
        """A key that was never sent."""
        return self._session.new_key()

    def take_heart(self) -> None:
        """Be as patient again as in the beginning, from now on."""
        self.give_up_ns = self.at_ns + self._patience_ns

    def think(self) -> bool:
        """Wait as long as the next thought takes; False where patience ends first."""
        return self.wait(self._chance.uniform(*THINK_S))

    def pause(self, told: Observation) -> bool:
        """Wait as told, or a while; never less than asked for."""
        pause_s = self._chance.uniform(*PAUSE_S)
        if told.retry_after_s is not None:
            pause_s = told.retry_after_s + pause_s / 10
        return self.wait(pause_s)

    def wait(self, wait_s: float) -> bool:
        """Wait from the end of what came last; False, at that instant, where patience ends first."""
        patient = self.at_ns + wait_s * 1e9 < self.give_up_ns
        until_ns = self.at_ns + round(wait_s * 1e9) if patient else max(self.at_ns, self.give_up_ns)
        self._clock.sleep_until(until_ns)
        self.at_ns = until_ns
        return patient

    def create(self, key: Key, order: NewOrder | None = None) -> Observation:
        """Order; `order` where it is another than the one that this customer came for."""
        order = order or self.traits.order
        act = Act(
            op=Op.CREATE,
            scheduled_ns=self.at_ns,
            key=key,
            amount_minor=order.amount_minor,
            currency=order.currency,
            line=order.line,
        )
        return self._perform(act, self._target.create_order(self._session.user, order, key.text))

    def pay(self, method: Method, key: Key) -> Observation:
        """Ask to pay the order."""
        act = Act(op=Op.PAY, scheduled_ns=self.at_ns, order=self.order, method=method, key=key)
        card = self._card if method is Method.CARD else None
        return self._perform(act, self._target.pay(self._session.user, self.order, method, key.text, card))

    def get_back(self, amount_minor: int) -> Key | None:
        """Ask for so much of it back until it is promised (the key that did it), refused, or patience is over."""
        key = self.new_key()
        more = self.think()
        while more:
            told = self.ask_back(amount_minor, key)
            if told.outcome is Outcome.OK:
                return key
            more = not declines(told) and self.pause(told)
        return None

    def ask_back(self, amount_minor: int, key: Key) -> Observation:
        """Ask once for so much of it back."""
        act = Act(
            op=Op.REFUND,
            scheduled_ns=self.at_ns,
            order=self.order,
            key=key,
            amount_minor=amount_minor,
            currency=self.traits.order.currency,
        )
        return self._perform(act, self._target.refund(self._session.user, self.order, amount_minor, key.text))

    def read(self) -> Observation:
        """Look at the order."""
        act = Act(op=Op.READ, scheduled_ns=self.at_ns, order=self.order)
        return self._perform(act, self._target.read(self._session.user, self.order))

    def list_orders(self) -> Observation:
        """Look at all orders of its own."""
        return self._perform(Act(op=Op.LIST, scheduled_ns=self.at_ns), self._target.list_orders(self._session.user))

    def trespass_read(self) -> Observation:
        """Try to look at `order`, which is another's."""
        act = Act(op=Op.TRESPASS, scheduled_ns=self.at_ns, order=self.order, tried=Op.READ)
        return self._perform(act, self._target.read(self._session.user, self.order))

    def trespass_create(self, owner: Traits) -> Observation:
        """Replay the create by which `order`, which is another's, was made: its key and its body, and who this is."""
        order = owner.order
        key = Key(number=key_number(owner.number, CREATE_KEY), text=key_text(owner.user, CREATE_KEY))
        act = Act(
            op=Op.TRESPASS,
            scheduled_ns=self.at_ns,
            order=self.order,
            tried=Op.CREATE,
            key=key,
            amount_minor=order.amount_minor,
            currency=order.currency,
            line=order.line,
        )
        return self._perform(act, self._target.create_order(self._session.user, order, key.text))

    def trespass_pay(self, method: Method) -> Observation:
        """Try to pay `order`, which is another's."""
        key = self.new_key()
        card = self._card if method is Method.CARD else None
        act = Act(op=Op.TRESPASS, scheduled_ns=self.at_ns, order=self.order, tried=Op.PAY, method=method, key=key)
        return self._perform(act, self._target.pay(self._session.user, self.order, method, key.text, card))

    def trespass_refund(self, amount_minor: int) -> Observation:
        """Try to have `amount_minor` of `order`, which is another's, paid back."""
        key = self.new_key()
        act = Act(
            op=Op.TRESPASS,
            scheduled_ns=self.at_ns,
            order=self.order,
            tried=Op.REFUND,
            key=key,
            amount_minor=amount_minor,
            currency=self.traits.order.currency,
        )
        return self._perform(act, self._target.refund(self._session.user, self.order, amount_minor, key.text))

    def _perform(self, act: Act, call: Call) -> Observation:
        seen = self._session.perform(act, call)
        self.at_ns = seen.done_ns
        return seen.told


def declines(told: Observation) -> bool:
    """A definite no, for a reason of business.

    Not: busy, "come again" (a refusal that says when), an attempt that is live,
    a request that was never sent, or an order that is not there.
    """
    return (
        told.outcome is Outcome.FAIL
        and told.http is not None
        and told.http not in _NOT_THERE | _NOT_UNDERSTOOD
        and not told.busy
        and told.retry_after_s is None
        and told.state is not State.PAYING
    )
