"""What did the merchant send, and what goes back?

Bodies are JSON objects from outside: `Fields` looks single values up with their
type and names the first that is wrong; past it nothing is untyped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeGuard
from urllib.parse import urlsplit

import msgspec

YUAN = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?\Z")


class Malformed(Exception):
    """A field is missing or not of its kind."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is missing or malformed")
        self.field = field


@dataclass(frozen=True, kw_only=True, slots=True)
class Fields:
    """A JSON object, looked up by path."""

    content: Mapping[str, object]
    sound: bool
    """False: the bytes were no JSON object, and nothing is found in it."""

    def maybe(self, *path: str) -> object:
        """The value at the path, or None."""
        here: object = self.content
        for name in path:
            if not _is_object(here):
                return None
            here = here.get(name)
        return here

    def maybe_text(self, *path: str) -> str | None:
        value = self.maybe(*path)
        return value if isinstance(value, str) and value else None

    def text(self, *path: str, limit: int = 256) -> str:
        """A text of 1 to `limit` characters, or Malformed."""
        value = self.maybe_text(*path)
        if value is None or len(value) > limit:
            raise Malformed(".".join(path))
        return value

    def maybe_minor(self, *path: str) -> int | None:
        value = self.maybe(*path)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**12 else None

    def minor(self, *path: str) -> int:
        """A positive amount in the minor unit, or Malformed."""
        value = self.maybe_minor(*path)
        if value is None:
            raise Malformed(".".join(path))
        return value

    def maybe_yuan(self, *path: str) -> int | None:
        found = YUAN.match(self.maybe_text(*path) or "")
        if found is None:
            return None
        return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) or None

    def yuan(self, *path: str) -> int:
        """A positive amount written in yuan ("12.34"), as fen, or Malformed."""
        value = self.maybe_yuan(*path)
        if value is None:
            raise Malformed(".".join(path))
        return value

    def maybe_url(self, *path: str) -> str | None:
        """A URL that a notice can go to, None where there is none, Malformed where it is no http URL."""
        value = self.maybe(*path)
        if value is None:
            return None
        if not isinstance(value, str) or not is_notice_url(value):
            raise Malformed(".".join(path))
        return value

    def url(self, *path: str) -> str:
        value = self.maybe_url(*path)
        if value is None:
            raise Malformed(".".join(path))
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Wire:
    """One request of the merchant."""

    target: str
    """Method and path: "POST /v1/refunds"."""
    path: Mapping[str, str]
    query: Mapping[str, str]
    key: str | None
    """Idempotency-Key."""
    schema_version: int
    fields: Fields
    base_url: str
    """As the merchant addressed this server, so that links lead back through the same proxy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer to the merchant."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    number: str | None = None
    """Trade that this call brought into being, where the request could not name it yet."""
    refund_number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """What a request says it is about; the ledger looks up what it leaves out."""

    number: str | None = None
    refund_number: str | None = None
    order: str | None = None
    run: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


def read_fields(body: bytes) -> Fields:
    """Parse a body; what is no JSON object has no fields."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Fields(content={}, sound=False)
    return Fields(content=content, sound=True) if _is_object(content) else Fields(content={}, sound=False)


def json_answer(
    status: int, content: Mapping[str, object], *, number: str | None = None, refund_number: str | None = None
) -> Answer:
    """An answer with a JSON body; entries whose value is None are left out."""
    body = msgspec.json.encode({name: value for name, value in content.items() if value is not None})
    return Answer(status=status, body=body, number=number, refund_number=refund_number)


def read_attribution(text: str | None) -> tuple[str | None, str | None]:
    """(run, order) from the merchant's own data, a JSON object as text; Nones where it is none."""
    if text is None:
        return None, None
    fields = read_fields(text.encode())
    return fields.maybe_text("run"), fields.maybe_text("order")


def fingerprint(*values: object) -> str:
    """What a repeated number or key is compared by."""
    return sha256(msgspec.json.encode(values)).hexdigest()


def in_yuan(amount_minor: int) -> str:
    """1234 fen as "12.34"."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def is_notice_url(url: str) -> bool:
    """Whether a notice can be posted there: plain http with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)
