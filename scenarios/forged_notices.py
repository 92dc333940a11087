"""Somebody tells the payment API of payments that there were not."""

from harness import Customer, ForgeNotices, Objectives, Plan, Steady, always_claimed


class ForgedNotices(Customer):
    """Not paid, but somebody says so: no ride for nothing, and no ride unpaid.

    WeChat Pay captures nothing for a while. For each charge two notices say that it
    did: one is signed by somebody else, one is over another amount. Neither is
    believed; the customer pays by another method, and only then the ride is theirs.
    """

    facts = ("F24",)
    gate = Plan(
        load=Steady(rate_per_s=10, duration_s=16),
        faults=ForgeNotices("wechat").between(4, 12),
        objectives=Objectives(success_ratio_in_fault=0.9),
        claims=always_claimed(82)
        | {"success_ratio": 80, "fulfilled_once": 69, "legal_transitions": 82, "no_stuck_order": 82},
    )
    scene = Plan(
        load=Steady(rate_per_s=4, duration_s=8),
        warmup_s=0.5,
        faults=ForgeNotices("wechat").between(1, 7.5),
        objectives=Objectives(success_ratio=0.8, success_ratio_in_fault=0.8),
        claims=always_claimed(18) | {"fulfilled_once": 15, "legal_transitions": 18, "no_stuck_order": 18},
    )
