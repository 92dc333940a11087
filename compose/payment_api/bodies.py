"""Which bodies come in, and which go out? Those that come in are checked; those that go out are for OpenAPI."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from compose.payment_api.model import Method, OrderState, PaymentState, RefundState

AMOUNT_MAX_MINOR = 100_000_000

Amount = Annotated[int, Field(gt=0, le=AMOUNT_MAX_MINOR, strict=True, description="In the minor unit.")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderIn(_In):
    """A new order."""

    line: Literal["ride", "food", "supermarket"]
    merchant: Annotated[str, Field(min_length=1, max_length=64)]
    amount_minor: Amount
    currency: Literal["CNY"]
    phone: Annotated[str, Field(pattern=r"^\+?[0-9]{6,15}$")] | None = None
    openid: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{6,64}$")] | None = None


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


class ErrorOut(BaseModel):
    """Every refusal."""

    error: ErrorDetail
