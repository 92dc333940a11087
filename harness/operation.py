"""Which words do load, targets, history and checks share?

Outcomes are Jepsen's. No I/O, no clock, no randomness.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """What the customer may conclude from how an operation ended."""

    OK = "ok"
    """Acknowledged."""
    FAIL = "fail"
    """Certainly without effect."""
    INFO = "info"
    """May have taken effect, now or later."""


class Op(StrEnum):
    """What a history row is about."""

    JOURNEY = "journey"
    """One customer's whole way; its completion carries the final word (`JourneyEnd`) as code."""
    CREATE = "create"
    PAY = "pay"
    READ = "read"
    LIST = "list"
    REFUND = "refund"
    STATUS = "status"
    """Somebody looks at the status page."""
    TRESPASS = "trespass"
    """A stranger tries something with another customer's order; `tried` says what."""
    REQUEST = "request"
    """One HTTP request of an operation that takes several; names its `parent`."""


WRITES = frozenset({Op.CREATE, Op.PAY, Op.REFUND, Op.TRESPASS})
"""Operations that may change something; their invocation is on disk before they are sent."""


class JourneyEnd(StrEnum):
    """The final word of a journey."""

    PAID = "paid"
    DECLINED = "declined"
    """The target said definitely no, for a reason of business (sold out, card declined)."""
    GAVE_UP = "gave_up"
    """Patience ran out without payment."""
    LEFT = "left"
    """The customer walked away early, as scripted; no case of success_ratio or no_silence."""
    ORDERED = "ordered"
    """The order was acknowledged, and this journey was to do nothing else."""


class StackKind(StrEnum):
    """What the target's parts are, where the harness starts them."""

    PROCESSES = "processes"
    """Of this host."""
    COMPOSE = "compose"
    """Containers of a compose file."""


STACK_VARIABLE = "HARNESS_STACK"
"""Environment variable that names the kind of stack where no option does."""


class Size(StrEnum):
    """How much of a scenario is run."""

    GATE = "gate"
    """What a nightly gate runs: 16 to 28 s of load at the base rate."""
    SCENE = "scene"
    """About 8 s at 4 journeys/s: what the harness's own tests run once per defect."""


class Method(StrEnum):
    """How a customer pays; also the provider's name."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    CARD = "card"


class Line(StrEnum):
    """Line of business (F07)."""

    RIDE = "ride"
    FOOD = "food"
    SUPERMARKET = "supermarket"


class Phase(StrEnum):
    """Part of a run, by the instant at which a journey was scheduled."""

    WARMUP = "warmup"
    STEADY = "steady"
    FAULT = "fault"
    RECOVERY = "recovery"


class State(StrEnum):
    """Canonical state of an order; an adapter maps its target's own words to these."""

    OPEN = "open"
    """Unpaid, may yet be paid; no attempt is live."""
    PAYING = "paying"
    """An attempt is live or its result unknown."""
    PAID = "paid"
    """Captured and honoured; partly refunded counts as paid."""
    REFUNDED = "refunded"
    """Was paid; all of it went back."""
    CLOSED = "closed"
    """Will not be paid; what was captured too late goes back."""


TERMINAL = frozenset({State.PAID, State.REFUNDED, State.CLOSED})
"""States in which an order may rest."""


class Ending(StrEnum):
    """How one HTTP request ended on the wire, as the client saw it."""

    ANSWERED = "answered"
    """A complete, well-formed reply arrived; the only ending that has a status."""
    # Nothing was sent: certainly without effect.
    UNRESOLVED = "unresolved"
    """The host's name could not be resolved."""
    REFUSED = "refused"
    """The connection was refused or the host is unreachable."""
    CONNECT_TIMEOUT = "connect_timeout"
    """No connection within the connect deadline."""
    # The request, or a part of it, was sent and no byte of an answer came.
    SEND_FAILED = "send_failed"
    """The connection broke while the request was being sent."""
    READ_TIMEOUT = "read_timeout"
    """Not one byte of an answer within the read deadline."""
    RESET = "reset"
    """The connection was reset before the first byte."""
    CLOSED = "closed"
    """The connection was closed in good order before the first byte."""
    # An answer began and did not end.
    CUT_HEADERS = "cut_headers"
    """Reset or closed within status line or headers."""
    CUT_BODY = "cut_body"
    """Reset or closed within the body."""
    ANSWER_TIMEOUT = "answer_timeout"
    """The answer began, and the read or total deadline passed before it was whole."""
    GARBLED = "garbled"
    """What came is not HTTP."""


NOTHING_SENT = frozenset({Ending.UNRESOLVED, Ending.REFUSED, Ending.CONNECT_TIMEOUT})
"""Endings after which the target cannot have seen the request."""
