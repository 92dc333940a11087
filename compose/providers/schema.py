"""Which requests are refused at this provider's edge for the schema version that they speak?

A charge, or the making of a card's intent, names its version in a header and its
merchant in the merchant's own data. The refusal comes before anything is looked
at, so it is definite and without effect: the same number may be used again.
Queries and refunds are answered whatever version they speak.
"""

from collections.abc import Mapping

from compose.providers.wire import Answer, Fields, json_answer, read_fields

HEADER = "x-schema-version"
OPERATIONS = frozenset({"charge", "create"})
OLDEST = 1
"""What a request speaks that does not say."""

_MESSAGE = "this schema version is not enabled for the merchant"
REFUSALS: Mapping[str, tuple[int, dict[str, object]]] = {
    "wechat": (400, {"code": "SCHEMA_NOT_SUPPORTED", "message": _MESSAGE}),
    "alipay": (
        200,
        {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.SCHEMA_NOT_SUPPORTED", "sub_msg": _MESSAGE},
    ),
    "card": (400, {"error": {"type": "invalid_request_error", "code": "schema_not_supported", "message": _MESSAGE}}),
}
"""How each provider says it."""


def refuse_schema(provider: str) -> Answer:
    """The answer to a request whose version is refused."""
    status, content = REFUSALS[provider]
    return json_answer(status, content)


def merchant_of(fields: Fields) -> str | None:
    """The merchant that a charge is for, from the data that merchants attach."""
    direct = fields.maybe_text("metadata", "merchant")
    attached = fields.maybe_text("attach") or fields.maybe_text("passback_params")
    if direct is not None or attached is None:
        return direct
    return read_fields(attached.encode()).maybe_text("merchant")


def version_of(header: str | None) -> int:
    """The version that a header names."""
    return int(header) if header is not None and header.isascii() and header.isdecimal() else OLDEST
