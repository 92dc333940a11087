"""What do all providers look like from here?

Seven results of a charge, five of a refund. What is not a plain yes or no of a
provider is UNKNOWN, whatever it looks like: a cut answer, a 500, a garbled body,
a state that is not in the documents.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from compose.payment_api.model import Method, Payment, Refund


class Result(Enum):
    """What a provider says about an attempt."""

    PAID = auto()
    """Captured in full."""
    PENDING = auto()
    """Accepted, not captured yet; it may be at any moment."""
    NOT_PAID = auto()
    """Known to the provider, and nothing is on its way: it waits for us."""
    CLOSED = auto()
    """Will not be captured, says the provider."""
    NOT_KNOWN = auto()
    """The provider has never heard of it, or not yet."""
    REFUSED = auto()
    """A definite no to a charge."""
    UNSENT = auto()
    """The charge never went out."""
    UNKNOWN = auto()


class RefundResult(Enum):
    """What a provider says about a refund."""

    DONE = auto()
    PENDING = auto()
    NOT_KNOWN = auto()
    REFUSED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An attempt's result, and the number by which the provider's ledger knows it, where it was told."""

    result: Result
    provider_number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundAnswer:
    """A refund's result, and the number by which the provider's ledger knows it, where it was told."""

    result: RefundResult
    provider_number: str | None = None


class Provider(Protocol):
    """One provider. No call raises: what went wrong on the way is UNKNOWN."""

    @property
    def method(self) -> Method: ...
    async def prepare(self, payment: Payment) -> Answer:
        """What must be known, and on our disk, before the charge: NOT_PAID with the provider's number."""
        ...

    async def charge(self, payment: Payment) -> Answer:
        """Take the money. Repeated with the same payment it takes effect once."""
        ...

    async def query(self, payment: Payment) -> Answer: ...
    async def close(self, payment: Payment) -> Answer: ...
    async def refund(self, refund: Refund) -> RefundAnswer:
        """Send money back. Repeated with the same refund it takes effect once."""
        ...

    async def refund_query(self, refund: Refund) -> RefundAnswer: ...
