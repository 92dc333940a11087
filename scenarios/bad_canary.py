"""A release that tests passed fails at customers, a fifth of whom have it."""

from harness import Canary, Customer, Plan, Steady, always_claimed


class BadCanary(Customer):
    """Belong to the fifth of customers who get the new release first, and it fails them: for a moment, at no loss.

    The release serves well at first and then fails three of four payments. The front
    sees its errors depart from the old release's, gives its users back, and every
    order that it touched is there and paid once.
    """

    facts = ("F19", "F25")
    gate = Plan(
        load=Steady(rate_per_s=12, duration_s=20),
        faults=Canary("r2-bad", share=0.2).between(2, 20),
        windows={"rolled_back_ms": 4_000},
        claims=always_claimed(100) | {"success_ratio": 90, "no_stuck_order": 100, "canary_contained": 60},
    )
    scene = Plan(
        load=Steady(rate_per_s=14, duration_s=16.5),
        warmup_s=0.5,
        faults=Canary("r2-bad", share=0.2).between(0.5, 16.5),
        windows={"rolled_back_ms": 4_000},
        claims=always_claimed(100) | {"success_ratio": 90, "no_stuck_order": 100, "canary_contained": 60},
    )
