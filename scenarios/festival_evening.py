"""Evening peak of a travel festival: 1.4 times the base rate, every part healthy."""

from harness import CLAIMED_ALWAYS, Customer, Objectives, Plan, SlowAnswers, Steady


class FestivalEvening(Customer):
    """Order, pay and ask for refunds on the busiest evening of the autumn.

    Nothing is broken. Customers are paid for within a second or two, refunds of
    half an order arrive within their window, and no promise may fail.
    """

    facts = ("F07", "F14")
    gate = Plan(
        load=Steady(rate_per_s=14, duration_s=20),
        claims=CLAIMED_ALWAYS | {"success_ratio": 100, "latency": 300, "refund_in_window": 15, "no_silence": 500},
    )
    scene = Plan(
        load=Steady(rate_per_s=5.6, duration_s=8),
        warmup_s=0.5,
        conditions=SlowAnswers("all", by_ms=400),
        objectives=Objectives(latency_limit_ms=800, latency_share=0.95, success_ratio=0.95),
        claims=CLAIMED_ALWAYS | {"success_ratio": 20, "latency": 60, "refund_in_window": 3, "no_silence": 80},
    )
