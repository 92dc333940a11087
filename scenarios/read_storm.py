"""The payment API is gone, and everybody asks whether it is only them."""

from harness import Audience, Customer, Kill, Objectives, Plan, Steady, always_claimed


class ReadStorm(Customer):
    """Nobody can order or pay for eight seconds, and 77 others look on for each who cannot.

    Most of them look at the status page, which must go on answering, say that
    nothing works while that is so, and say so no longer once it is over; the rest
    look at the orders, beside the customers who try again.
    """

    facts = ("F23", "F27", "F29")
    gate = Plan(
        load=Steady(rate_per_s=4, duration_s=24),
        faults=Kill("api", restart_after_s=8).between(5, 14),
        company=(Audience(reads=77, spread_s=10, most_per_s=150, status_share=0.8),),
        objectives=Objectives(success_ratio_in_fault=0.8),
        claims=always_claimed(48) | {"announced": 2, "no_silence": 1_000, "success_ratio": 40, "no_stuck_order": 48},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=9),
        warmup_s=0.5,
        faults=Kill("api", restart_after_s=6).between(1.5, 8.5),
        company=(Audience(reads=30, spread_s=5, most_per_s=100, status_share=0.8),),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.7),
        claims=always_claimed(18) | {"announced": 2, "no_silence": 300, "no_stuck_order": 18},
    )
