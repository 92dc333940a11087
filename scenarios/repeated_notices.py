"""The providers repeat their notices, and not in order."""

from harness import Customer, Objectives, Plan, RepeatNotices, Steady, always_claimed


class RepeatedNotices(Customer):
    """Paid once, refunded once, though the provider says each of it three times.

    Notices of payments and refunds arrive three times each and overtake one
    another. Nothing is booked twice and no money is sent twice.
    """

    facts = ("F04",)
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=16),
        faults=RepeatNotices("all", times=3, reorder=True).between(3, 14),
        claims=always_claimed(82)
        | {
            "fulfilled_once": 69,
            "legal_transitions": 82,
            "success_ratio": 80,
            "no_over_refund": 16,
            "refund_in_window": 16,
        },
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=RepeatNotices("all", times=3, reorder=True).between(1, 7.5),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9),
        claims=always_claimed(18)
        | {"fulfilled_once": 15, "legal_transitions": 18, "no_over_refund": 3, "refund_in_window": 3},
    )
