"""A stage without sockets or waiting: a clock that jumps, a target that answers by script, rows in a list."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Self

from harness.load.audience import Blocked
from harness.load.client import Exchange
from harness.load.journey import travel
from harness.load.leaks import Scanner
from harness.load.traits import Traits, traits_of
from harness.operation import Ending, JourneyEnd, Method, Op, Outcome, Phase, State
from harness.profile import GATE, Windows
from harness.recorder.rows import Done, Inv
from harness.recorder.traces import Traces
from harness.targets.books import Book
from harness.targets.protocol import BookCall, Call, Capabilities, NewOrder, Observation, Reply, Request

ALL = frozenset({Op.CREATE, Op.PAY, Op.READ, Op.LIST, Op.REFUND})
T0_NS = 1_000_000_000
TRACES = Traces(run_id="r1", scenario="OnStage")
ANSWER_NS = 20_000_000
"""How long each request takes on this stage."""


class JumpingClock:
    def __init__(self) -> None:
        self.ns = T0_NS

    def now_ns(self) -> int:
        return self.ns

    def sleep_until(self, instant_ns: int) -> None:
        self.ns = max(self.ns, instant_ns)


class Rows:
    """Keeps rows as the writer of history would get them."""

    def __init__(self) -> None:
        self.rows: list[Inv | Done] = []
        self.flushed: list[int] = []
        self._orders: dict[str, int] = {}
        self._ids = 0

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def order_no(self, order: str) -> tuple[int, bool]:
        first = order not in self._orders
        return self._orders.setdefault(order, len(self._orders) + 1), first

    def invoke(self, inv: Inv, *, flush: bool | None = None) -> None:
        self.rows.append(inv)
        if flush:
            self.flushed.append(inv.id)

    def complete(self, done: Done) -> None:
        self.rows.append(done)

    def invocations(self, op: Op) -> list[Inv]:
        return [row for row in self.rows if isinstance(row, Inv) and row.op == op]

    def completion(self, inv: Inv) -> Done | None:
        return next((row for row in self.rows if isinstance(row, Done) and row.id == inv.id), None)


Told = Observation | Callable[[], Observation]


def ok(**fields: object) -> Observation:
    return replace(Observation(outcome=Outcome.OK, ending=Ending.ANSWERED, http=200), **fields)  # type: ignore[arg-type]


def refusal(code: str, *, http: int = 409, **fields: object) -> Observation:
    told = Observation(outcome=Outcome.FAIL, ending=Ending.ANSWERED, http=http, code=code)
    return replace(told, **fields)  # type: ignore[arg-type]


def silent(ending: Ending = Ending.RESET) -> Observation:
    return Observation(outcome=Outcome.INFO, ending=ending)


CREATED = ok(http=201, order_id="o-1", result_id="o-1", state=State.OPEN, pay_by_utc_ms=1_700_000_008_000)
PAID = ok(order_id="o-1", result_id="a-1", state=State.PAID, paid_minor=1_000)
OPEN = ok(order_id="o-1", state=State.OPEN)
PAYING = ok(order_id="o-1", state=State.PAYING)
UNKNOWN = Observation(
    outcome=Outcome.INFO, ending=Ending.ANSWERED, http=202, code="attempt_unknown", order_id="o-1", retry_after_s=1.0
)
BUSY = refusal("system_busy", http=503, busy=True, retry_after_s=1.0)
UNSENT = Observation(outcome=Outcome.FAIL, ending=Ending.REFUSED)
LISTED = ok(order_ids=("o-1",), complete=True)
NONE_LISTED = ok(order_ids=(), complete=True)
REFUNDED = ok(http=201, order_id="o-1", result_id="r-1", state=State.PAID, refunded_minor=500)


@dataclass
class Stage:
    """A target, connection and client in one, answering each operation by its script; the last line repeats."""

    creates: list[Observation] = field(default_factory=lambda: [CREATED])
    pays: list[Observation] = field(default_factory=lambda: [PAID])
    reads: list[Observation] = field(default_factory=lambda: [OPEN])
    lists: list[Observation] = field(default_factory=lambda: [LISTED])
    refunds: list[Observation] = field(default_factory=lambda: [REFUNDED])
    offered: frozenset[Op] = ALL
    idempotent: frozenset[Op] = frozenset({Op.CREATE, Op.PAY, Op.REFUND})
    steps: int = 1
    """Requests that each operation takes."""
    clock: JumpingClock = field(default_factory=JumpingClock)
    rows: Rows = field(default_factory=Rows)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """Operation, then what it was about: method, key."""
    requests: list[tuple[str, str, float, int, Ending, int | None]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Of the replies to come; what is beyond is empty JSON."""
    acknowledged: int = 0
    troubled: list[Blocked] = field(default_factory=list)
    """Customers who said that they were blocked."""
    closed: bool = False
    _last: Observation = CREATED

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=self.offered,
            books=frozenset(),
            idempotent=self.idempotent,
            pay_by=True,
            busy=None,
            raw_states={},
            legal_edges=frozenset(),
        )

    def create_order(self, user: str, order: NewOrder, key: str) -> Call:
        del user
        return self._call(self.creates, "create", str(order.amount_minor), key)

    def pay(self, user: str, order_id: str, method: Method, key: str, card: str | None = None) -> Call:
        del user, card
        return self._call(self.pays, "pay", order_id, str(method), key)

    def read(self, user: str, order_id: str) -> Call:
        del user
        return self._call(self.reads, "read", order_id)

    def list_orders(self, user: str) -> Call:
        return self._call(self.lists, "list", user)

    def refund(self, user: str, order_id: str, amount_minor: int, key: str) -> Call:
        del user
        return self._call(self.refunds, "refund", order_id, str(amount_minor), key)

    def health(self) -> Call:
        raise NotImplementedError

    def status(self) -> Call:
        raise NotImplementedError

    def books(self, book: Book, cursor: str | None) -> BookCall:
        raise NotImplementedError

    def _call(self, script: list[Observation], *about: str) -> Call:
        self.asked.append(about)
        told = script.pop(0) if len(script) > 1 else script[0]
        return self._steps(told, about[0])

    def _steps(self, told: Observation, name: str) -> Generator[Request, Reply, Observation]:
        self._last = told
        for step in range(self.steps):
            yield Request(method="POST", path=f"/{step}", name=name)
        return told

    def connection(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def send(self, request: Request) -> Exchange:
        del request
        sent_ns = self.clock.ns
        self.clock.ns += ANSWER_NS
        body = self.bodies.pop(0) if self.bodies else b"{}"
        reply = Reply(ending=self._last.ending, status=self._last.http, body=body)
        return Exchange(reply=reply, sent_ns=sent_ns, done_ns=self.clock.ns, detail="")

    def acknowledge(self) -> None:
        self.acknowledged += 1

    def travel(
        self, number: int = 0, *, windows: Windows = GATE, only_create: bool = False, **traits: object
    ) -> JourneyEnd:
        """One patient journey; `number` picks the customer: 0 looks first and pays by WeChat first, and so on."""
        steadfast: dict[str, object] = {"leaves_early": False, "tries_a_key": 2, "reads_receipt": False}
        steadfast |= dict.fromkeys(("refunds_twice", "refunds_rest", "wants_too_much", "reuses_keys"), False) | {
            "more_orders": 0
        }
        customer: Traits = replace(traits_of(number, seed=1, run_id="r1"), **{**steadfast, **traits})  # type: ignore[arg-type]
        return travel(
            customer,
            target=self,
            client=self,
            recorder=self.rows,
            traces=TRACES,
            windows=windows,
            phase=Phase.STEADY,
            scheduled_ns=T0_NS,
            only_create=only_create,
            on_request=lambda *told: self.requests.append(told),
            on_ack_create=self.acknowledge,
            scanner=Scanner(seed=1, run_id="r1"),
            on_trouble=self.troubled.append,
            clock=self.clock,
        )

    def story(self) -> list[str]:
        """What was asked for, in order, one word or two each."""
        return [f"{step[0]} {step[2]}" if step[0] == "pay" else step[0] for step in self.asked]
