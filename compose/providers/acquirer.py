"""What must one provider's protocol say about itself?

Shapes and codes, nothing else: the order of things (authorisation, ledger,
faults, effect, answer) is the same for all and stands in `merchant.py`.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol

from compose.providers.book import Book
from compose.providers.notices import NoticeFacts
from compose.providers.post import Posted
from compose.providers.wire import Answer, Mention, Wire


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One merchant call."""

    op: str
    """The word of the ledger for it: charge, create, confirm, query, close, cancel, refund, refund_query, bill."""
    method: str
    path: str


class Acquirer(Protocol):
    """One provider."""

    @property
    def name(self) -> str: ...
    @property
    def header_prefix(self) -> str:
        """Of the headers that sign a notice."""
        ...

    @property
    def operations(self) -> tuple[Operation, ...]: ...
    def mention(self, op: str, wire: Wire) -> Mention:
        """What the request is about, read without complaint."""
        ...

    def refund_key(self, mention: Mention) -> str | None:
        """What the refund that is mentioned is kept under."""
        ...

    def answer(self, op: str, wire: Wire, book: Book) -> Answer:
        """Carry the request out and say how it went; `Malformed` escapes."""
        ...

    def malformed(self, field: str) -> Answer: ...
    def unauthorized(self) -> Answer: ...
    def unknown(self) -> Answer:
        """No such call."""
        ...

    def injected(self, status: int) -> Answer:
        """What a fault answers instead of the true answer."""
        ...

    def in_use(self, wire: Wire, keys: Container[str]) -> Answer | None:
        """Refusal of a request whose idempotency key is among those that are being carried out; or None."""
        ...

    def overwrite_reply(self, wire: Wire, answer: Answer, book: Book) -> None:
        """Note that `answer` goes out instead of the true one, where replies are kept for repeats."""
        ...

    def notice_body(self, notice_id: str, facts: NoticeFacts) -> bytes: ...
    def acknowledges(self, posted: Posted) -> bool: ...
