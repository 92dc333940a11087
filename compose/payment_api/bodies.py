"""Which bodies come in, and which go out? Those that come in are checked; those that go out are for OpenAPI."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from compose.payment_api.model import Method, OrderState, PaymentState, RefundState

AMOUNT_MAX_MINOR = 100_000_000

Amount = Annotated[int, Field(gt=0, le=AMOUNT_MAX_MINOR, strict=True, description="In the minor unit.")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _AnyOrder(_In):
    line: Literal["ride", "food", "supermarket"]
    merchant: Annotated[str, Field(min_length=1, max_length=64)]
    phone: Annotated[str, Field(pattern=r"^\+?[0-9]{6,15}$")] | None = None
    openid: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{6,64}$")] | None = None


class OrderIn(_AnyOrder):
    """A new order."""

    amount_minor: Amount
    currency: Literal["CNY"]


class Money(_In):
    """An amount with its currency."""

    minor: Amount
    currency: Literal["CNY"]


class OrderInNew(_AnyOrder):
    """A new order in the second schema."""

    amount: Money


def _schema(body: object) -> str:
    return "new" if isinstance(body, OrderInNew) or (isinstance(body, dict) and "amount" in body) else "old"


AnyOrderIn = Annotated[
    Annotated[OrderIn, Tag("old")] | Annotated[OrderInNew, Tag("new")],
    Discriminator(_schema),
]
"""Told apart by whether there is an `amount`, so that an error names fields of the schema that was meant."""


class PaymentIn(_In):
    """A payment by one method."""

    method: Method
    card: Annotated[str, Field(pattern=r"^[0-9]{12,19}$")] | None = None


class RefundIn(_In):
    """A refund, partial or full."""

    amount_minor: Amount


class AttemptOut(BaseModel):
    """A payment attempt."""

    id: str
    method: Method
    state: PaymentState
    amount_minor: int


class RefundOut(BaseModel):
    """A refund."""

    id: str
    amount_minor: int
    state: RefundState


class OrderOut(BaseModel):
    """An order."""

    id: str
    state: OrderState
    line: str
    merchant: str
    amount_minor: int
    currency: str
    paid_minor: int
    refunded_minor: int
    contact: Annotated[str | None, Field(description="The phone number, masked; absent where none was given.")] = None
    pay_by: datetime
    created_at: datetime
    attempts: list[AttemptOut]
    refunds: list[RefundOut]


class PageOut(BaseModel):
    """Orders, newest first; `next` is the cursor of the next page."""

    orders: list[OrderOut]
    next: str | None


class PaidOut(BaseModel):
    """What came of paying; where that is not "paid", also the methods that work now."""

    payment: AttemptOut
    order: OrderOut
    methods: list[Method] | None = None


class RefundedOut(BaseModel):
    """What came of asking for a refund."""

    refund: RefundOut
    order: OrderOut


class ErrorDetail(BaseModel):
    """Why not."""

    code: str
    message: str
    order_id: str | None = None
    methods: list[Method] | None = None
    key: str | None = None


class ErrorOut(BaseModel):
    """Every refusal."""

    error: ErrorDetail
