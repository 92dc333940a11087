"""Every provider says that it is in trouble, and everyone tries again."""

from harness import Customer, ErrorAnswers, Objectives, Plan, Steady, always_claimed


class RetryStorm(Customer):
    """System busy, by WeChat Pay, by Alipay, by card, and again from the start.

    All providers refuse charges with an error that leaves the result open, and
    customers do what customers do. The providers are spared it: a few calls reach
    them for what a customer wants, and afterwards each is charged once.
    """

    facts = ("F03", "F04")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=26),
        faults=ErrorAnswers("all", status=500, ops="charge,confirm").between(6, 12),
        # Up to three in vain, and the one that works.
        objectives=Objectives(success_ratio_in_fault=0.9, charges_an_intent=4, charges_rise=1.5),
        claims=always_claimed(132) | {"retry_amplification": 120, "no_stuck_order": 130, "success_ratio": 100},
    )
    scene = Plan(
        load=Steady(rate_per_s=8, duration_s=8),
        warmup_s=0.5,
        faults=ErrorAnswers("all", status=500, ops="charge,confirm").between(2, 5),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.8, charges_an_intent=4, charges_rise=1.5),
        claims=always_claimed(32) | {"retry_amplification": 28, "no_stuck_order": 32},
    )
