"""The providers charge, and their answer never reaches the payment API."""

from harness import Customer, CutAnswers, LateNotices, LoseNotices, Objectives, Plan, Steady, Strangers, always_claimed


class AnswerLost(Customer):
    """Charged, and told "please wait": the provider's answer was cut on its way.

    Every second capture's notice is lost too, with all its repeats, so only a
    query can tell what happened. Customers try again with the same key, try
    another method, look at their orders, or walk away; each is charged once.
    """

    facts = ("F02", "F04", "F05", "F08")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=28),
        company=(Strangers(),),
        faults=(
            *CutAnswers("wechat", "alipay", "card").between(5, 8),
            *CutAnswers("wechat", "alipay", "card").between(10, 13),
            *CutAnswers("wechat", "alipay", "card").between(15, 18),
            *CutAnswers("wechat", "alipay", "card").between(20, 23),
            *LoseNotices("all", every_nth=2).between(3, 25),
            # Those that do come are late, else they overtake the query and customers notice nothing.
            *LateNotices("all", by_ms=1_500).between(3, 25),
        ),
        # Now and then a charge is learnt of after `pay_by` (its notice lost too), and refunded by rule.
        objectives=Objectives(success_ratio_in_fault=0.95),
        claims=always_claimed(142)
        | {"success_ratio": 110, "no_stuck_order": 140, "refund_in_window": 25, "no_silence": 600}
        | {"no_leak": 720, "owner_only": 90, "read_your_writes": 340},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        company=(Strangers(),),
        warmup_s=0.5,
        faults=(
            *CutAnswers("wechat", "alipay", "card").between(2, 5),
            *LoseNotices("all", every_nth=2).between(0.5, 7),
        ),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9),
        claims=always_claimed(18)
        | {"success_ratio": 12, "no_stuck_order": 18, "no_silence": 78}
        | {"no_leak": 100, "owner_only": 12, "read_your_writes": 44},
    )
