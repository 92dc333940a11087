"""The providers charge, and their answer never reaches the payment API."""

from harness import CLAIMED_ALWAYS, Customer, CutAnswers, LoseNotices, Objectives, Plan, Steady


class AnswerLost(Customer):
    """Charged, and told "please wait": the provider's answer was cut on its way.

    Every second capture's notice is lost too, with all its repeats, so only a
    query can tell what happened. Customers try again with the same key, try
    another method, look at their orders, or walk away; each is charged once.
    """

    facts = ("F02", "F04", "F05", "F08")
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=28),
        faults=(
            *CutAnswers("wechat", "alipay", "card").between(5, 8),
            *CutAnswers("wechat", "alipay", "card").between(10, 13),
            *CutAnswers("wechat", "alipay", "card").between(15, 18),
            *CutAnswers("wechat", "alipay", "card").between(20, 23),
            *LoseNotices("all", every_nth=2).between(3, 25),
        ),
        # Now and then a charge is learnt of after `pay_by` (its notice lost too), and refunded by rule.
        objectives=Objectives(success_ratio_in_fault=0.97),
        claims=CLAIMED_ALWAYS
        | {"success_ratio": 100, "no_stuck_order": 100, "refund_in_window": 15, "no_silence": 500},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=(
            *CutAnswers("wechat", "alipay", "card").between(2, 5),
            *LoseNotices("all", every_nth=2).between(0.5, 7),
        ),
        objectives=Objectives(success_ratio=0.9, success_ratio_in_fault=0.9),
        claims=CLAIMED_ALWAYS | {"success_ratio": 8, "no_stuck_order": 12, "no_silence": 60},
    )
