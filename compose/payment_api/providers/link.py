"""What goes with each call to a provider, whichever it is?

Where the API calls from (run, notice URL), its own deadline on the call, and the
answer read as JSON. A call that failed and an answer that is no JSON object are
both None: the provider said nothing that can be believed.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

import msgspec

from compose.payment_api.model import Payment
from compose.payment_api.schemas import HEADER, Schemas
from compose.payment_api.wire import CallFailed, NotSent, Wire

log = logging.getLogger("payment_api")

NOT_SENT = 0
"""Stands for the status of a call that never went out, so that certainly nothing was done."""
IN_TROUBLE = "20000"
"""Alipay's code for "I do not know myself", which others say by a 5xx."""


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    """Also by a plain no."""
    TROUBLE = "trouble"
    """The provider says that it is in trouble itself."""
    NO_ANSWER = "no_answer"
    """Cut, too late or garbled: what the provider did is not known."""
    NOT_SENT = "not_sent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a provider answered."""

    status: int
    body: Mapping[str, object]

    def text(self, *path: str) -> str | None:
        """The text at a path of keys, or None."""
        value = self._at(path)
        return value if isinstance(value, str) else None

    def integer(self, *path: str) -> int | None:
        """The integer at a path of keys, or None."""
        value = self._at(path)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def _at(self, path: tuple[str, ...]) -> object:
        value: object = self.body
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One provider's end of the line."""

    wire: Wire
    schemas: Schemas
    run_id: str
    notice_url: str
    deadline_s: float | None
    """On each call; None only with the defect no_deadline."""
    on_end: Callable[[bool], None] = lambda _: None
    """Told after each call whether the provider answered, and not that it is in trouble."""
    measured: Callable[[Outcome, float], None] = lambda _, __: None
    """Told after each call how it ended, and how long it took, in seconds."""

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Said | None:
        """Send one request; None where no answer came that can be believed."""
        began_s = time.perf_counter()
        said = await self._ask(method, path, body, headers)
        outcome = _outcome(said)
        self.measured(outcome, time.perf_counter() - began_s)
        self.on_end(outcome is Outcome.ANSWERED)
        return said

    async def ask_for(
        self, payment: Payment, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> Said | None:
        """Send a charge, or what prepares one, in the merchant's schema version.

        A refusal for that version is definite and without effect: the same is then sent once more, in the
        version that the merchant is known to work with.
        """
        said = await self.ask("POST", path, body, self._speaking(payment, headers))
        if said is not None and _refuses_schema(said) and self.schemas.hold_back(payment.merchant):
            said = await self.ask("POST", path, body, self._speaking(payment, headers))
        return said

    def _speaking(self, payment: Payment, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), HEADER: str(self.schemas.version(payment.merchant))}

    async def _ask(self, method: str, path: str, body: object, headers: Mapping[str, str] | None) -> Said | None:
        try:
            reply = await self.wire.call(method, path, body=body, headers=headers, limit_s=self.deadline_s)
        except NotSent as exc:
            log.info("not sent: %s", exc)
            return Said(status=NOT_SENT, body={})
        except CallFailed as exc:
            log.info("no answer: %s", exc)
            return None
        if not reply.body:
            return Said(status=reply.status, body={})
        try:
            return Said(status=reply.status, body=msgspec.json.decode(reply.body, type=dict[str, object]))
        except msgspec.MsgspecError:
            return None

    def attribution(self, order_id: str, merchant: str = "") -> dict[str, str]:
        """What the provider keeps beside the charge, so that its ledger names our order."""
        return {"run": self.run_id, "order": order_id} | ({"merchant": merchant} if merchant else {})


def _outcome(said: Said | None) -> Outcome:
    if said is None:
        return Outcome.NO_ANSWER
    if said.status == NOT_SENT:
        return Outcome.NOT_SENT
    in_trouble = said.status >= HTTPStatus.INTERNAL_SERVER_ERROR or said.text("code") == IN_TROUBLE
    return Outcome.TROUBLE if in_trouble else Outcome.ANSWERED


def _refuses_schema(said: Said) -> bool:
    """In the words of any provider."""
    codes = (said.text("code"), said.text("sub_code"), said.text("error", "code"))
    return any(code is not None and code.upper().endswith("SCHEMA_NOT_SUPPORTED") for code in codes)
