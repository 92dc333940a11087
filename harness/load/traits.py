"""What is customer number k of a seed like?

Rotations, so that every run has its share of each kind, and seeded draws for
the rest. The same seed, run and number give the same customer. Pure.
"""

import random
from dataclasses import dataclass
from types import MappingProxyType

from harness.load.personal import Canaries, Personal
from harness.operation import Line, Method
from harness.targets.protocol import NewOrder

CURRENCY = "CNY"
AMOUNTS_MINOR = MappingProxyType(
    {Line.RIDE: (900, 9_000), Line.FOOD: (1_500, 12_000), Line.SUPERMARKET: (2_000, 40_000)}
)
"""Least and most that an order of each line costs (F07); chosen by us."""
MERCHANTS_A_LINE = 5

_EVERY = 5
_OLD_CLIENT = 2
_REFUNDS_TWICE = (10, 4)
_WANTS_TOO_MUCH = (20, 14)
"""Every other one of those who ask twice."""
_REFUNDS_REST = (20, 19)
_REUSES_KEYS = (20, 9)
"""One of four who ask for half of it back, none of whom asks twice."""
_ORDERS_MORE = frozenset({8, 58})
"""Early ones of any load: what they leave unpaid has closed by its end, and nobody waits for that."""
MORE_ORDERS = 2
_READS_RECEIPT = (1, 3)
"""Two of five, none of whom asks for a refund."""
_METHODS = tuple(Method)


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """One customer."""

    number: int
    """Number of the arrival."""
    user: str
    """The target's user; no other journey of any run has it."""
    order: NewOrder
    methods: tuple[Method, ...]
    """In the order in which this customer tries them, over and over (F04)."""
    refunds_half: bool
    """Asks for half of it back once it is paid."""
    refunds_twice: bool
    """Then asks for a quarter of it too."""
    refunds_rest: bool
    """Then asks for all that is left."""
    wants_too_much: bool
    """Asks for more than is left once it has asked twice, which must be refused."""
    reuses_keys: bool
    """Its client is careless: it sends a key that was acknowledged again, for another amount."""
    more_orders: int
    """So many more it places once it has paid, and leaves unpaid: its own orders then take several pages."""
    leaves_early: bool
    """Walks away after the first unresolved answer to a payment."""
    looks_first: bool
    """Looks whether it worked before it asks again; the others ask again first."""
    tries_a_key: int
    """So often it asks to pay with one key before it turns to another method: the impatient once, others twice."""
    reads_receipt: bool
    """Looks at its order at once when it is paid."""
    personal: Personal | None
    """What it tells of itself; None: its client is an old one, which has no fields for that."""
    seed: str
    """Of its think times and pauses."""

    @property
    def half_minor(self) -> int:
        """Half of what its order costs, rounded down."""
        return self.order.amount_minor // 2

    def chance(self) -> random.Random:
        """Its think times and pauses, drawn in the order in which it acts."""
        return random.Random(self.seed)


def traits_of(number: int, *, seed: int, run_id: str) -> Traits:
    """Customer of arrival `number`, from 0; `run_id` keeps users of different runs apart."""
    chance = random.Random(f"customer/{seed}/{number}")
    canaries = Canaries(seed=seed, run_id=run_id)
    personal = None if number % _EVERY == _OLD_CLIENT else canaries.of(number)
    line = chance.choice(tuple(Line))
    first = number % len(_METHODS)
    return Traits(
        number=number,
        user=f"{canaries.users}{number}",
        order=NewOrder(
            line=line,
            merchant=f"{line}-{chance.randint(1, MERCHANTS_A_LINE)}",
            amount_minor=chance.randint(*AMOUNTS_MINOR[line]),
            currency=CURRENCY,
            phone=personal.phone if personal else None,
            openid=personal.openid if personal else None,
        ),
        methods=_METHODS[first:] + _METHODS[:first],
        refunds_half=number % _EVERY == _EVERY - 1,
        refunds_twice=_is(number, _REFUNDS_TWICE),
        refunds_rest=_is(number, _REFUNDS_REST),
        wants_too_much=_is(number, _WANTS_TOO_MUCH),
        reuses_keys=_is(number, _REUSES_KEYS),
        more_orders=MORE_ORDERS if number in _ORDERS_MORE else 0,
        leaves_early=_leaves_early(number, seed),
        looks_first=number % 2 == 0,
        tries_a_key=1 + number // len(_METHODS) % 2,
        reads_receipt=number % _EVERY in _READS_RECEIPT,
        personal=personal,
        seed=f"thinking/{seed}/{number}",
    )


def _is(number: int, one_of: tuple[int, int]) -> bool:
    """Whether a customer has this place among so many."""
    many, place = one_of
    return number % many == place


def _leaves_early(number: int, seed: int) -> bool:
    """Every fifth of those who ask for no refund: one of each five in turn, drawn.

    Drawn, because a fixed one of five would pay by the same method a dozen times in a row.
    """
    rounds, place = divmod(number, _EVERY)
    if place == _EVERY - 1:
        return False
    five, rank = divmod(rounds * (_EVERY - 1) + place, _EVERY)
    return rank == random.Random(f"leaving/{seed}/{five}").randrange(_EVERY)
