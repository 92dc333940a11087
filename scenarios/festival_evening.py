"""Evening peak of a travel festival: 1.4 times the base rate, every part healthy."""

from harness import Customer, Objectives, Plan, SlowAnswers, Steady, Strangers, always_claimed


class FestivalEvening(Customer):
    """Order, pay and ask for refunds on the busiest evening of the autumn.

    Nothing is broken. Customers are paid for within a second or two, refunds of
    half an order arrive within their window, and no promise may fail.
    """

    facts = ("F07", "F14")
    gate = Plan(
        load=Steady(rate_per_s=14, duration_s=20),
        company=(Strangers(),),
        claims=always_claimed(142)
        | {"success_ratio": 110, "latency": 440, "refund_in_window": 27, "no_silence": 600}
        | {"no_leak": 600, "owner_only": 90, "read_your_writes": 340}
        | {"fulfilled_once": 120, "legal_transitions": 142},
    )
    scene = Plan(
        load=Steady(rate_per_s=5.6, duration_s=8),
        company=(Strangers(),),
        warmup_s=0.5,
        conditions=SlowAnswers("all", by_ms=400),
        objectives=Objectives(latency_limit_ms=800, latency_share=0.95, success_ratio=0.95),
        claims=always_claimed(24)
        | {"success_ratio": 20, "latency": 70, "refund_in_window": 4, "no_silence": 102}
        | {"no_leak": 120, "owner_only": 15, "read_your_writes": 60}
        | {"fulfilled_once": 20, "legal_transitions": 24},
    )
