"""A provider accepts that a charge is closed, and captures it all the same."""

from harness import Customer, LateCapture, Objectives, Plan, Steady, always_claimed


class LateCharge(Customer):
    """The order ran out of time, and five seconds later the money is gone.

    The provider acknowledged the close. The order is closed or was paid by
    another method; what was taken too late goes back without anyone asking, and
    the order stays as it is.
    """

    facts = ("F02", "F04", "F15")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=16),
        faults=LateCapture("wechat", by_ms=5_000, despite_close=True).between(4, 12),
        windows={"pay_by_ms": 4_000, "refund_ms": 4_000},
        # An order lives for 4 s here, and more than two of them pass before its customer turns to another method.
        objectives=Objectives(success_ratio_in_fault=0.5, backup_ratio=0.4),
        claims=always_claimed(82)
        | {"fulfilled_once": 41, "legal_transitions": 82, "refund_in_window": 28, "no_stuck_order": 80},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=(
            *LateCapture("wechat", by_ms=5_000, despite_close=True).between(1, 6),
            # For a while nobody can pay, so that orders close; at the gate's rate that would be too much for two cores.
            *LateCapture("alipay", "card", by_ms=5_000, despite_close=True).between(2.5, 6),
        ),
        windows={"pay_by_ms": 4_000, "refund_ms": 4_000},
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.2),
        claims=always_claimed(19)
        | {"fulfilled_once": 9, "legal_transitions": 19, "refund_in_window": 6, "no_stuck_order": 18},
    )
