"""Who is there beside the customers that arrive, and what do they do?

Customers who have paid come back (`Returning`), each to read its order and to
ask for half of it back. Strangers (`Strangers`), customers who are done, try to
read, to pay and to refund the order of whoever was done before them. Readers
(`Audience`) come to look once customers are blocked. Whoever acts for a customer
goes under that journey's number and user, with keys of its own; rows are written
as ever.
"""

from collections.abc import Callable, Sequence

from gevent.pool import Group

from harness.errors import HarnessError, TimeLimit
from harness.load.audience import Blocked, Storm
from harness.load.journey import Ended
from harness.load.person import Person
from harness.load.session import GeventClock
from harness.operation import JourneyEnd, Op
from harness.scenario import Audience, Company, Returning, Strangers

RETURNING_KEYS = 1_000
"""Keys of one who comes back are numbered from here within its journey; no way to payment takes as many."""
TRESPASS_KEYS = 2_000
"""Those of a stranger."""
TRESPASS_MINOR = 1
"""A stranger asks for so much back: little enough for any order, and what no customer asks for."""
REPLAYS = 3
"""So many strangers of a load, its first, replay a create: the orders that this leaves have closed by its end."""


class Crowd:
    """All company of one load, in greenlets of this process.

    crowd = Crowd(plan.company, come_back)
    crowd.start(t0_ns)            # with the load; `hear` is told of each journey's end
    crowd.wait(limit_s)           # or, from another greenlet, crowd.stop()
    """

    def __init__(
        self,
        company: Sequence[Company],
        come_back: Callable[[Ended, int], None],
        trespass: Callable[[Ended, Ended, bool], None] = lambda _, __, ___: None,
        look: Callable[[Blocked, Op, int], None] = lambda _, __, ___: None,
    ) -> None:
        """`come_back(ended, scheduled_ns)` plays one customer who returns at that instant.

        `trespass(stranger, victim, replays)` plays one who is done and tries the order of another, `look(blocked, what,
        scheduled_ns)` one who looks at the status page, or at the order of a customer who is blocked.
        """
        self._returning = [each for each in company if isinstance(each, Returning)]
        self._strangers = [each for each in company if isinstance(each, Strangers)]
        self._storms = [Storm(each, look, self._spawn) for each in company if isinstance(each, Audience)]
        self._come_back = come_back
        self._trespass = trespass
        self._done = 0
        self._replays = REPLAYS
        self._before: Ended | None = None
        self._paid: list[Ended] = []
        self._live = Group()
        self._errors: list[BaseException] = []

    def hear(self, ended: Ended) -> None:
        """Take note of a journey's end: one who paid, and asks for no refund by itself, may come back."""
        if ended.end is JourneyEnd.PAID and not ended.traits.refunds_half:
            self._paid.append(ended)
        victim, self._before, self._done = self._before, ended if ended.order else self._before, self._done + 1
        if victim is not None and any(self._done % strangers.every_nth == 0 for strangers in self._strangers):
            self._replays -= 1
            self._spawn(self._trespass, ended, victim, self._replays >= 0)

    def hear_of_trouble(self, blocked: Blocked) -> None:
        """Take note that a customer is blocked: others come to look."""
        for storm in self._storms:
            storm.gathers_for(blocked)

    def start(self, t0_ns: int) -> None:
        """Begin; `t0_ns` is the load's start. Returns at once."""
        for returning in self._returning:
            self._spawn(self._return_all, returning, t0_ns)

    def wait(self, limit_s: float) -> None:
        """Wait until all have gone; raises TimeLimit, and HarnessError where one failed.

        Readers come for half of `limit_s` at most: whoever would have come later stays at home.
        """
        self._live.join(limit_s / 2)
        for storm in self._storms:
            storm.ends()
        self._live.join(limit_s / 2)
        self.raise_errors()
        if len(self._live):
            raise TimeLimit(f"company: {len(self._live)} still there after {limit_s:g} s; look for one that hangs")

    def stop(self) -> None:
        """Send all away; their open operations stay without completion."""
        self._live.kill()

    def raise_errors(self) -> None:
        """Raise HarnessError where one of them ended in an exception: a fault of the harness."""
        if self._errors:
            first = self._errors[0]
            raise HarnessError(f"company: {len(self._errors)} failed, the first with {first!r}") from first

    def _spawn(self, work: Callable[..., object], *values: object) -> None:
        self._live.spawn(work, *values).link_exception(lambda greenlet: self._errors.append(greenlet.exception))

    def _return_all(self, returning: Returning, t0_ns: int) -> None:
        """Send `count` back, evenly over the span; fewer where fewer had paid by its beginning."""
        clock = GeventClock()
        clock.sleep_until(t0_ns + round(returning.start_s * 1e9))
        step_s = (returning.end_s - returning.start_s) / returning.count
        for nth, ended in enumerate(self._paid[: returning.count]):
            due_ns = t0_ns + round((returning.start_s + nth * step_s) * 1e9)
            clock.sleep_until(due_ns)
            self._spawn(self._come_back, ended, due_ns)


def try_the_order_of(victim: Ended, stranger: Person, *, replays: bool = False) -> None:
    """Read, pay and refund an order that is another's, one after the other, each once.

    One who `replays` sends its owner's create again too, where creates carry a key: that leaves an order of its own.
    """
    stranger.order = victim.order
    if stranger.can(Op.READ):
        stranger.trespass_read()
    stranger.trespass_pay(victim.traits.methods[-1])  # the one that its owner is least likely to have used
    if stranger.can(Op.REFUND):
        stranger.trespass_refund(TRESPASS_MINOR)
    if replays and stranger.can_repeat(Op.CREATE):
        stranger.trespass_create(victim.traits)


def look_and_ask_back(person: Person) -> None:
    """What one who comes back does: read the order, ask for half of it back, read again."""
    if person.can(Op.READ):
        person.read()
    if person.can(Op.REFUND):
        person.get_back(person.traits.half_minor)
    if person.can(Op.READ) and person.think():
        person.read()
