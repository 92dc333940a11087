"""What is a charge and what is a refund, to the provider that holds them?"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """One charge."""

    number: str
    """By which merchant and provider name it: out_trade_no, or the intent's id."""
    trade_id: str
    """The provider's own id of it."""
    state: str
    """"open", "pending", "captured", "closed" or "failed"."""
    amount_minor: int
    currency: str
    run: str | None
    order: str | None
    notify_url: str | None
    fingerprint: str
    """Of the parameters that a repeat must share."""
    merchant: str | None = None
    """Whose it is, where the protocol names the merchant in its calls."""
    merchant_data: str | None = None
    """The merchant's own data, given back as it came."""
    created_utc_ms: int
    captured_utc_ms: int | None = None
    refund_accepted_minor: int = 0

    @property
    def refundable_minor(self) -> int:
        """Captured and not promised back yet."""
        return self.amount_minor - self.refund_accepted_minor if self.captured_utc_ms is not None else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """One refund."""

    key: str
    """What makes it unique at this provider."""
    refund_number: str
    refund_id: str
    number: str
    """Of the trade."""
    amount_minor: int
    done: bool = False
    notify_url: str | None
    fingerprint: str
    created_utc_ms: int
